"""What guardrails check with: one small file a kind, and the run of all of a version over one request.

Runs in the worker for evaluations and in a team's own program through `llmops_tui.guard`: what was evaluated
is what runs.
"""
