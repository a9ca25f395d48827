"""Untrusted text made harmless for a terminal, a report or a log.

Outputs of models, file names and messages of providers go through `clean` before they are shown.
It does not touch markup: text still has to be given to Textual, Rich or Markdown as text.
"""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    # Control strings (OSC, DCS, SOS, PM, APC) with their end; without one only the start goes below.
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
    # Control sequences (CSI), ECMA-48 5.4.
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    # Other escape sequences, ECMA-35 13.2, and an escape character that starts nothing.
    r"|\x1b[ -/]*[0-~]|\x1b"
    # The other C0 and C1 controls, without tab, line feed and NEL.
    r"|[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]"
)
_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
#: Embeddings, overrides and isolates: they reorder what a person reads ("Trojan Source", 2021).
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ANY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with nothing in it that a terminal obeys.

    Escape sequences and control characters are removed, every line end is LF (tabs stay), bidi
    controls become visible (`<U+202E>`), lone surrogates become U+FFFD. Cleaning twice changes nothing.
    """
    if _ANY.search(text) is None:
        return text
    text = _ESCAPES.sub("", _BREAKS.sub("\n", text))
    text = _BIDI.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)
    return _SURROGATE.sub("\ufffd", text)


def whole_text(text: str) -> str:
    """The text as UTF-8 can hold it: halves of a surrogate pair joined, a lone half as U+FFFD.

    A provider that escapes its JSON and cuts an answer anywhere sends such halves.
    """
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_line(text: str) -> str:
    """`clean`, and on one line: line ends and tabs as single spaces."""
    return re.sub(r"\s*\n\s*|\t", " ", clean(text)).strip()


def no_commands(text: str) -> str:
    """The text with nothing in it that GitHub Actions takes for a command when it stands in a job's log.

    The runner obeys a line that begins with `::` (white space before it does not matter), and `##[`
    anywhere in a line; both are drawn apart.
    """
    if "::" not in text and "##[" not in text:
        return text
    return re.sub(r"(?m)^(\s*):(?=:)", r"\1: ", text.replace("##[", "## ["))
