"""Scorers that ask a model: `judge`, `criteria`, `factuality`.

They ask through an `Ask` that whoever runs them brings: which provider answers, and whether the
answer was there already, is not their business.
"""

from llmops_tui.scorers.judges.asking import Ask, Grader, JudgeFailed

__all__ = ["Ask", "Grader", "JudgeFailed"]
