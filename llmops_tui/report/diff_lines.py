"""Two texts as the lines of a diff: `- ` before, `+ ` after, and the changed words marked within.

Marks are those of wdiff, `[-gone-]` and `{+come+}`: they read the same in a terminal, a mail and a
fenced block on GitHub, which colours the lines.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.prose_diff import Diff, DiffLine, Segment, diff, diff_words
from llmops_tui.domain.safe_text import clean
from llmops_tui.report.shapes import Side

#: Unchanged lines shown around a change, and lines of a diff in all.
CONTEXT = 3
MOST_LINES = 400
#: Cells of a line in a report: GitHub scrolls what is wider.
WIDTH = 100


def output_text(side: Side | None) -> str:
    """What a side answered: its text, then its tool calls as JSON."""
    output = side.output if side is not None else None
    if output is None:
        return ""
    calls = [json.dumps(call, indent=2, ensure_ascii=False, sort_keys=True) for call in output.tool_calls]
    return "\n".join([*([output.text] if output.text or not calls else []), *calls])


def output_diff(before: str, after: str, *, width: int = WIDTH) -> list[str]:
    """Two outputs; as structure where both are JSON. Equal ones are shown once, unmarked."""
    before, after = clean(before), clean(after)
    return _capped(_lines(before, after, diff(before, after), width))


def text_diff(before: str, after: str, *, width: int = WIDTH) -> list[str]:
    """Two texts of a part: a prompt, a document."""
    before, after = clean(before).rstrip("\n"), clean(after).rstrip("\n")
    return _capped(_lines(before, after, diff_words(before, after), width))


def _lines(before: str, after: str, compared: Diff, width: int) -> Iterator[str]:
    if not before and after:
        yield from (line for text in after.split("\n") for line in _wrap("+ ", text, width))
    elif before and not after:
        yield from (line for text in before.split("\n") for line in _wrap("- ", text, width))
    elif not before:
        yield "  (empty)"
    else:
        if compared.note:
            yield f"# {compared.note}"
        yield from _both(compared, width)


def _both(compared: Diff, width: int) -> Iterator[str]:
    near = _near_changes(compared.lines)
    held: list[tuple[str, str]] = []
    skipped = 0
    for i, line in enumerate(compared.lines):
        if line.change != "same":
            # Before and after of a run of changes stand together, as in any diff.
            if skipped:
                yield _skipped(skipped)
                skipped = 0
            held += _sides(line)
            continue
        yield from _release(held, width)
        held = []
        if compared.identical or near[i]:
            if skipped:
                yield _skipped(skipped)
                skipped = 0
            yield from _wrap("  ", _plain(line.segments), width)
        else:
            skipped += 1
    yield from _release(held, width)
    if skipped:
        yield _skipped(skipped)


def _near_changes(lines: Sequence[DiffLine]) -> list[bool]:
    near = [False] * len(lines)
    for i, line in enumerate(lines):
        if line.change != "same":
            first, last = max(i - CONTEXT, 0), min(i + CONTEXT + 1, len(lines))
            near[first:last] = [True] * (last - first)
    return near


def _skipped(n: int) -> str:
    return f"  … {fmt.plural(n, 'line')} the same"


def _sides(line: DiffLine) -> list[tuple[str, str]]:
    """(`- ` or `+ `, text) of a changed line; words are marked where another word stayed."""
    stayed = any(s.kind == "same" and any(c.isalnum() for c in s.text) for s in line.segments)
    sides = []
    if line.left is not None:
        sides.append(("- ", _marked(line.left) if stayed else _plain(line.left)))
    if line.right is not None:
        sides.append(("+ ", _marked(line.right) if stayed else _plain(line.right)))
    return sides


def _release(held: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    for sign in ("- ", "+ "):
        for prefix, text in held:
            if prefix == sign:
                yield from _wrap(prefix, text, width)


def _marked(segments: Sequence[Segment]) -> str:
    marks = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
    return "".join(f"{marks[s.kind][0]}{s.text}{marks[s.kind][1]}" for s in segments)


def _plain(segments: Sequence[Segment]) -> str:
    return "".join(s.text for s in segments)


def _wrap(prefix: str, text: str, width: int) -> list[str]:
    room = max(width - len(prefix), 20)
    if len(text) <= room:
        return [prefix + text.expandtabs(4)] if text else [prefix.rstrip()]
    return [prefix + part for part in textwrap.wrap(text, room, replace_whitespace=False, tabsize=4)] or [
        prefix.rstrip()
    ]


def _capped(lines: Iterator[str]) -> list[str]:
    shown = list(lines)
    if len(shown) <= MOST_LINES:
        return shown
    return [*shown[:MOST_LINES], f"# … {fmt.plural(len(shown) - MOST_LINES, 'more line')}, not shown"]
