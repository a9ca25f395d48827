"""Guardrails: checks on what goes into a request, what is read on its way, and what comes out.

A guardrail is a part of a version (`use`), is of a kind (`catalogue`), and each time it looks at something
there is a `Look`. What checks is in the room `llmops_tui.guardrails`; these are the words for it.
"""
