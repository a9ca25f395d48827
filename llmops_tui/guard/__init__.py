"""The guardrails of a configuration, in a team's own program: what was evaluated is what runs."""
