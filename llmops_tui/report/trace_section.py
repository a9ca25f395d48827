"""Where two traces part, for a report about more than them."""

from __future__ import annotations

from llmops_tui.domain.trace_headline import step_words
from llmops_tui.domain.trace_steps import TraceDiff
from llmops_tui.report.diff_lines import WIDTH
from llmops_tui.report.trace_fields import pairing_diff

#: Lines of the step's diff.
MOST = 40


def parting_lines(diff: TraceDiff, *, width: int = WIDTH) -> list[str]:
    """The headline, and the diff of the step where they part; plain text, for a fenced `diff` block.

    The first two lines begin with `#`. Empty where both came about the same way.
    """
    parting = diff.parting
    if parting is None:
        return []
    lines = pairing_diff(parting, width=width)
    left = len(lines) - MOST
    more = [f"# … {left} more lines, not shown"] if left > 0 else []
    return [f"# {diff.headline}", f"# at: {step_words(parting.span)}", *lines[:MOST], *more]
