"""regex."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.domain.words import plain
from llmops_tui.scorers.registry import CannotJudge, Judgement, scorer
from llmops_tui.scorers.wording import quoted

#: Seconds for one match. A nested repeat may otherwise take longer than anybody lives.
TIME_LIMIT_S = 1.0


def search(pattern: str, text: str, *, case_sensitive: bool = True, whole: bool = False) -> str | None:
    """The part that matches, or None.

    Raises:
        CannotJudge: it took longer than `TIME_LIMIT_S`.
    """
    import regex

    compiled = regex.compile(pattern, 0 if case_sensitive else regex.IGNORECASE)
    match = compiled.fullmatch if whole else compiled.search
    try:
        found = match(text, timeout=TIME_LIMIT_S)
    except TimeoutError:
        raise CannotJudge(
            f"the pattern {quoted(pattern)} took longer than {TIME_LIMIT_S:g} s on this output; "
            "make it simpler (a repeat inside a repeat, such as (a+)+, is the usual cause)"
        ) from None
    return None if found is None else str(found[0])


@scorer("regex")
def regex_(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    text = plain(output.text)
    if options["whole"]:
        text = text.strip()
    found = search(options["value"], text, case_sensitive=options["case_sensitive"], whole=options["whole"])
    if found is not None:
        return Judgement(1.0, f"{quoted(found)} matches" if found else "matches")
    return Judgement(0.0, f"{quoted(options['value'])} matches nothing in the output")
