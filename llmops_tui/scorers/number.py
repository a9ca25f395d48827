"""number: the right figure is in the output."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.scorers.registry import CannotJudge, Judgement, scorer
from llmops_tui.scorers.wording import quoted, reference, shown

#: Longer runs of digits are no figures (and converting them would take long).
_MOST_DIGITS = 60


@cache
def _pattern(decimal: str) -> re.Pattern[str]:
    group = "," if decimal == "." else "."
    mark, groups = re.escape(decimal), rf"[{re.escape(group)}'’_\u00a0\u202f]"
    grouped = rf"[0-9]{{1,3}}(?:{groups}[0-9]{{3}})+(?![0-9])"
    # Not inside a word (`A4`) nor a version (`3.5.1`); a hyphen behind a word or digit (`10-20`), or
    # before a space (a list), is no sign.
    return re.compile(
        rf"(?<!\w)(?<![0-9]\.)(?<![0-9]{mark})(?:(?<![\w.,])[-−+][$€£¥]?)?(?<!\w)"
        rf"(?:(?:{grouped}|[0-9]+)(?:{mark}[0-9]+)?|{mark}[0-9]+)"
        rf"(?:[eE][-+]?[0-9]{{1,3}}(?![0-9A-Za-z]))?(?!{mark}?[0-9])"
    )


def numbers(text: str, decimal: str = ".") -> Iterator[float]:
    """The numbers of a text in order, grouped digits as one."""
    for match in _pattern(decimal).finditer(text):
        if len(match[0]) > _MOST_DIGITS:
            continue
        figure = re.sub(r"['’_\s$€£¥]", "", match[0]).replace("−", "-")
        figure = figure.replace("," if decimal == "." else ".", "").replace(decimal, ".")
        value = float(figure)
        if math.isfinite(value):
            yield value


@scorer("number")
def number(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    wanted = _wanted(options, case)
    found = list(numbers(output.text, options["decimal"]))
    if not found:
        return Judgement(0.0, "no number in the output")
    if options["pick"] != "any":
        found = [found[0 if options["pick"] == "first" else -1]]
    # A billionth for what floats can't hold: 0.1 + 0.2 is 0.3 here.
    slack = max(options["tolerance"], options["relative"] * abs(wanted)) + 1e-9 * abs(wanted)
    nearest = min(found, key=lambda n: abs(n - wanted))
    if abs(nearest - wanted) <= slack:
        return Judgement(1.0, f"{nearest:.12g} is in the output")
    seen = f"the {options['pick']} number is" if options["pick"] != "any" else "the nearest number is"
    return Judgement(0.0, f"{seen} {nearest:.12g}, not {wanted:.12g}")


def _wanted(options: dict[str, Any], case: Case) -> float:
    value = reference(options, case)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        found = next(numbers(value, options["decimal"]), None)
        if found is not None:
            return found
        raise CannotJudge(f"needs a number, and there is none in `expected`, {quoted(value)}")
    raise CannotJudge(f"needs a number, and `expected` is {shown(value)}")
