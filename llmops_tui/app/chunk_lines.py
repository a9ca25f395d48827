"""Retrieved chunks → lines: scores, which of their words reached the answer, others than before. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from llmops_tui.app.lines import EMPTY, Line, shown, shown_line
from llmops_tui.app.lines import Span as Words
from llmops_tui.app.output_text import MAX_SHOWN
from llmops_tui.app.values import json_text, text_lines, value_text
from llmops_tui.domain import format as fmt
from llmops_tui.domain.reached import Reached, reached


def documents(value: Any, answer: str, *, whole: bool) -> Iterator[Line]:
    """Chunks, best first.

    Args:
        answer: what came out in the end; empty: not known.
        whole: long texts are not cut short.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(d, dict) for d in value):
        yield from text_lines(value_text(value), whole)
        return
    for n, document in enumerate(value, 1):
        if n > 1:
            yield EMPTY
        content = shown(value_text(document.get("content", ""), as_text=True))
        head: list[Words] = [(f"{n} ", "dim"), (place(document), "bold")]
        if (score := document.get("score")) is not None:
            head.append((f"  score {_score(score)}", ""))
        found = reached(content, answer) if answer and content else None
        if found is not None and found.share is not None:
            head.append((f"  {_share(found)}", "improved" if found.found else "dim"))
        yield tuple(head)
        yield from _marked(content, found, whole)


def is_chunk(value: Any) -> bool:
    """One entry of a list of documents."""
    return isinstance(value, dict) and "content" in value and ("source" in value or "id" in value)


def place(document: dict[str, Any]) -> str:
    """`docs/refunds.md#2`."""
    source = shown_line(str(document.get("source", document.get("id", ""))))
    position = document.get("position")
    return source if position is None else f"{source}#{shown_line(str(position))}"


def _score(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else shown_line(str(value))


def _share(found: Reached) -> str:
    if not found.found:
        return "none of its words reached the answer"
    assert found.share is not None
    text = f"{found.found} of {fmt.plural(found.total, 'word')} ({found.share:.0%}) reached the answer"
    return text + (f", {found.longest} in a row" if found.longest else "")


def _marked(content: str, found: Reached | None, whole: bool) -> Iterator[Line]:
    """The text of a chunk; what reached the answer is marked, runs more strongly than single words."""
    if found is None or not found.marks or (len(content) > MAX_SHOWN and not whole):
        yield from text_lines(content, whole)
        return
    styles = {"run": "pass-word", "word": "underline"}
    line: list[Words] = []
    at = 0
    places = [(m.start, m.end, styles[m.kind]) for m in found.marks]
    for start, end, style in (*places, (len(content), len(content), "")):
        for piece, look in ((content[at:start], ""), (content[start:end], style)):
            for n, words in enumerate(piece.split("\n")):
                if n:
                    yield tuple(line)
                    line = []
                if words:
                    line.append((words, look))
        at = end
    yield tuple(line)


def changed_documents(before: Iterable[Any], after: Iterable[Any]) -> Iterator[Line]:
    """The chunks of both sides: those that came, stayed, changed places, and went."""
    old = {_identity(d): n for n, d in enumerate(before, 1)}
    new = {_identity(d): n for n, d in enumerate(after, 1)}
    for identity, n in new.items():
        if identity not in old:
            yield (("+ ", "bold improved"), (f"{n} {identity[0]}  ", "improved"), (identity[1], ""))
        elif old[identity] == n:
            yield (("= ", "dim"), (f"{n} {identity[0]}", "dim"))
        else:
            yield (("~ ", "bold warning"), (f"{n} {identity[0]}  was {old[identity]}", ""))
    for identity, n in old.items():
        if identity not in new:
            yield (("− ", "bold regressed"), (f"{n} {identity[0]}  ", "regressed"), (identity[1], ""))


def _identity(document: Any) -> tuple[str, str]:
    """Source with position, and the text on one line: what makes it the same chunk."""
    if not isinstance(document, dict):
        return "", shown_line(json_text(document, flat=True))
    return place(document), shown_line(value_text(document.get("content", ""), as_text=True))[:2_000]
