"""Putting text that nobody vouches for into GitHub's markdown so that it stays text.

A model's answer may hold HTML, backticks, pipes, links, mentions or terminal escapes; a case id may
too. Each function here gives markdown that shows exactly the (cleaned) text.
Source: GitHub Flavored Markdown spec: 2.4 (backslash escapes), 4.5 (fences), 4.10 (tables), 6.3 (code spans).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from llmops_tui.domain.safe_text import clean, clean_line

#: Punctuation that starts something within a line. An underscore within a word does not (`max_words`), nor
#: a colon unless it makes a link or an emoji (`https://`, `:smile:`), so that the source reads well too.
_SPECIAL = re.compile(r"[\\`*\[\]~|$<]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//|[a-z0-9_+-]+:)|&(?=#|\w+;)")
#: Mentions and issue numbers are made after escapes are gone: an invisible space keeps them from it.
_REFERENCE = re.compile(r"@(?=\w)|#(?=\d)")


def inline(text: str) -> str:
    """Text within a paragraph, a heading or a table cell, on one line; not at the start of a paragraph."""
    escaped = _SPECIAL.sub(_escape, clean_line(text))
    escaped = _REFERENCE.sub(r"\g<0>&#8203;", escaped)
    return re.sub(r"\bwww\.", "www&#46;", escaped, flags=re.IGNORECASE)


def _escape(match: re.Match[str]) -> str:
    entities = {"<": "&lt;", "&": "&amp;"}
    return entities.get(match.group(), "\\" + match.group())


def code(text: str) -> str:
    """A code span, good in table cells as well."""
    flat = clean_line(text)
    if not flat:
        return ""
    if "|" in flat:
        # A pipe ends a cell even within a code span, and its backslash shows outside tables.
        return f"<code>{html(flat).replace('|', '&#124;')}</code>"
    ticks = "`" * (_longest_run(flat) + 1)
    space = " " if flat.startswith("`") or flat.endswith("`") or flat != flat.strip() else ""
    return f"{ticks}{space}{flat}{space}{ticks}"


def html(text: str) -> str:
    """Text within an HTML tag (`<summary>`), where markdown still looks at punctuation."""
    flat = clean_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    entities = re.sub(r"[\\`*_\[\]~$:]", lambda m: f"&#{ord(m.group())};", flat)
    return re.sub(r"@(?=\w)", "@&#8203;", entities)


def fence(lines: Iterable[str], language: str = "") -> str:
    """A fenced block; the fence is longer than any run of backticks inside."""
    body = [clean(line).replace("\n", " ") for line in lines]
    ticks = "`" * max(3, _longest_run("\n".join(body)) + 1)
    return "\n".join([ticks + language, *body, ticks])


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A table of cells that are markdown already; columns in `right` are right-aligned."""
    aligned = set(right)
    rule = ["---:" if i in aligned else "---" for i in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def details(summary: str, body: str) -> str:
    """A folded part. `summary` is HTML already; the blank lines make GitHub read `body` as markdown."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
