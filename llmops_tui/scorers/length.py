"""How long the output is: max_words, min_words, max_chars."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.domain.words import plain
from llmops_tui.scorers.registry import Judgement, either, scorer


@scorer("max_words")
def max_words(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    return _at_most(len(output.text.split()), options["value"], "word")


@scorer("min_words")
def min_words(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    n, limit = len(output.text.split()), options["value"]
    return either(n >= limit, f"{n:,} of at least {_counted(limit, 'word')}")


@scorer("max_chars")
def max_chars(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    return _at_most(len(plain(output.text)), options["value"], "character")


def _at_most(n: int, limit: int, noun: str) -> Judgement:
    return either(n <= limit, f"{n:,} of at most {_counted(limit, noun)}")


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
