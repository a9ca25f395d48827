"""Text written as YAML so that every reader takes it for that text."""

from __future__ import annotations

import json
import re

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./@+-]|[ :](?=[A-Za-z0-9]))*")
#: Words that some reader of YAML takes for something else than text.
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def scalar(text: str) -> str:
    """One line: plain where no reader can mistake it, else in double quotes."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else quoted(text)


def quoted(text: str) -> str:
    """One line in double quotes; what can't be seen is escaped."""
    return "".join(c if c.isprintable() else _escaped(c) for c in json.dumps(text, ensure_ascii=False))


def block(text: str, indent: str) -> str | None:
    """Several lines as a literal block whose lines stand at `indent`; None where that can't hold the text."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 2 or not lines[-1].strip() or lines[0][:1] in ("", " "):
        return None
    if not all(line.isprintable() for line in lines):
        return None
    mark = "|" if text.endswith("\n") else "|-"
    return "\n".join([mark, *(indent + line if line else "" for line in lines)])


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "\N{REPLACEMENT CHARACTER}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
