"""Variants of a configuration as a person writes them: `params.temperature=0,0.3`. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec

from llmops_tui.domain.errors import Problem, UsageError

#: More than this at once is a slip of the pen, or wants to be thought about first.
MOST_VARIANTS = 64
_OPEN = {"[": "]", "{": "}", "(": ")"}
_EXAMPLE = "write it as params.temperature=0.3"


class Setting(msgspec.Struct, frozen=True):
    """One key of a configuration with another value.

    Attributes:
        path: keys from the top of the file: `("params", "temperature")`.
        text: the value as written, to be read as YAML; empty is null.
        option: what the person wrote it in, for mistakes in it: `--set params.temperature=hot`.
    """

    path: tuple[str, ...]
    text: str
    option: str

    @property
    def label(self) -> str:
        """`params.temperature=0.3`."""
        return f"{'.'.join(self.path)}={self.text}"


class Variant(msgspec.Struct, frozen=True):
    """A configuration with some keys set otherwise; without any it is the one on disk."""

    settings: tuple[Setting, ...]

    @property
    def label(self) -> str:
        """`params.temperature=0.3 retrieval.top_k=2`."""
        return " ".join(s.label for s in self.settings)


def variants(sets: Sequence[str], sweeps: Sequence[str]) -> tuple[Variant, ...]:
    """Every combination of the values that are swept over, each with all that is set.

    Args:
        sets: `PATH=VALUE`, of every variant.
        sweeps: `PATH=V1,V2,…`; commas inside quotes and brackets belong to a value.

    Raises:
        UsageError: one can't be read, a key is given twice, or they are too many.
    """
    fixed = [_setting("--set", text) for text in sets]
    swept = [_sweep(text) for text in sweeps]
    if not fixed and not swept:
        raise UsageError(Problem("nothing is to be tried", "give --set PATH=VALUE or --sweep PATH=V1,V2"))
    _refuse_clashes([*fixed, *(values[0] for values in swept)])
    count = math.prod(len(values) for values in swept)
    if count > MOST_VARIANTS:
        sizes = " × ".join(str(len(values)) for values in swept)
        what = f"{sizes} values are" if len(swept) == 1 else f"{sizes} values are {count:,} variants,"
        raise UsageError(
            Problem(
                f"{what} more than the {MOST_VARIANTS} that are tried at once",
                "sweep over fewer values, or over one key after the other",
            )
        )
    combined = [Variant((*fixed, *chosen)) for chosen in itertools.product(*swept)]
    return tuple({variant.label: variant for variant in combined}.values())


def read_line(line: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`models=[a] params.temperature=0,0.3` → (what is set, what is swept over); commas sweep.

    Raises:
        UsageError: quotes or brackets are not closed, or a word is no PATH=VALUE.
    """
    sets: list[str] = []
    sweeps: list[str] = []
    for word in split(line, " \t\n"):
        if not word.strip():
            continue
        _path, value = _halves(word, word)
        (sweeps if len(split(value, ",", word)) > 1 else sets).append(word)
    return tuple(sets), tuple(sweeps)


def as_line(sets: Sequence[str], sweeps: Sequence[str]) -> str:
    """The line that `read_line` reads."""
    return " ".join([*sets, *sweeps])


def split(text: str, marks: str, option: str = "") -> list[str]:
    """The text at every mark that is in no quotes and no brackets.

    Raises:
        UsageError: quotes or brackets are not closed.
    """
    parts, start, quote = [], 0, ""
    inside: list[str] = []
    for i, c in enumerate(text):
        if quote:
            # A doubled quote ends one text and begins the next: the same thing here.
            if c == quote and not (quote == '"' and _is_escaped(text, i)):
                quote = ""
        elif c in "\"'" and _begins_value(text, i, marks):
            quote = c
        elif c in _OPEN:
            inside.append(_OPEN[c])
        elif inside and c == inside[-1]:
            inside.pop()
        elif c in marks and not inside:
            parts.append(text[start:i])
            start = i + 1
    if quote or inside:
        where = f"{option or text.strip()}: " if option or text.strip() else ""
        raise UsageError(Problem(f"{where}{quote or inside[-1]} is missing at the end", "close it"))
    return [*parts, text[start:]]


def _is_escaped(text: str, at: int) -> bool:
    before = text[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _begins_value(text: str, at: int, marks: str) -> bool:
    """A quote within a word is an apostrophe."""
    return at == 0 or text[at - 1] in marks or text[at - 1] in "=,:[{( \t'\""


def _setting(name: str, text: str) -> Setting:
    option = f"{name} {text}"
    path, value = _halves(text, option)
    return Setting(path, value.strip(), option)


def _sweep(text: str) -> list[Setting]:
    option = f"--sweep {text}"
    path, value = _halves(text, option)
    values = [each.strip() for each in split(value, ",", option)]
    return [Setting(path, each, f"--sweep {'.'.join(path)}={each}") for each in values]


def _halves(text: str, option: str) -> tuple[tuple[str, ...], str]:
    written, equals, value = text.partition("=")
    path = tuple(step.strip() for step in written.strip().split("."))
    if not equals:
        raise UsageError(Problem(f"{option} has no value", _EXAMPLE))
    if not all(path):
        raise UsageError(Problem(f"{option} names no key", _EXAMPLE))
    return path, value


def _refuse_clashes(settings: Sequence[Setting]) -> None:
    for n, setting in enumerate(settings):
        for other in settings[:n]:
            shorter = min(len(setting.path), len(other.path))
            if setting.path[:shorter] == other.path[:shorter]:
                key = ".".join(setting.path[:shorter])
                raise UsageError(
                    Problem(f"'{key}' is set by {other.option} and by {setting.option}", "keep one of them")
                )
