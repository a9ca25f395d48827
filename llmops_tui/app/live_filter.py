"""The filter of the Live screen: `feature:refunds user:u1 is:failed slow`. Pure."""

from __future__ import annotations

import shlex

import msgspec

from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.live.listing import LiveFilter

#: Fields of `LiveFilter` that are typed as `name:value`, in the order in which they are written.
NAMES = ("version", "feature", "model", "provider", "user", "config", "session", "error")
#: What may stand after `is:`, or alone.
IS = ("failed", "refused", "flagged", "bad", "scored", "low", "worth")
#: Word → order of the list.
ORDERS = {"newest": "newest", "slow": "slowest", "dear": "dearest", "lowest": "lowest"}
HINT = "feature:refunds  version:v12  user:u1  is:failed  is:worth  slow  dear  lowest"


class Typed(msgspec.Struct, frozen=True):
    """A filter as it was typed.

    Attributes:
        wanted: without a window.
        order: of the list; empty where nothing is said of it.
        problem: what was not understood, a sentence; that word is left out.
    """

    wanted: LiveFilter = LiveFilter()
    order: str = ""
    problem: str = ""


def parse(text: str) -> Typed:
    """What a person typed; never raises."""
    fields: dict[str, str] = {}
    order = problem = ""
    for word in _words(text):
        name, colon, value = word.partition(":")
        name = name.lower()
        if colon and name in NAMES:
            if value:
                fields[name] = value
        elif (name == "is" and colon) or (not colon and name in IS):
            only = value.lower() if colon else name
            if only in IS:
                fields["only"] = only
            elif only and not any(known.startswith(only) for known in IS):
                problem = problem or f"there is no is:{only}; {did_you_mean(only, set(IS))}"
        elif not colon and _order(name):
            order = _order(name)
        elif not colon and any(known.startswith(name) for known in (*NAMES, *IS, *ORDERS, "is")):
            pass  # still being typed
        else:
            known = {*(f"{each}:" for each in NAMES), *IS, *ORDERS}
            problem = problem or f"'{word}' is not understood; {did_you_mean(word, known)}"
    return Typed(LiveFilter(**fields), order, problem)  # type: ignore[arg-type]


def _order(word: str) -> str:
    return ORDERS.get(word, word if word in ORDERS.values() else "")


def text_of(wanted: LiveFilter) -> str:
    """The filter as it would be typed, without its window."""
    words = [f"{name}:{_quoted(value)}" for name in NAMES if (value := getattr(wanted, name))]
    return " ".join([*words, f"is:{wanted.only}"] if wanted.only else words)


def _quoted(value: str) -> str:
    value = value.replace('"', "")
    return f'"{value}"' if any(c.isspace() for c in value) else value


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.quotes, lexer.escape = True, "", '"', ""
    try:
        return list(lexer)
    except ValueError:  # a quotation mark that is still open while the person types
        return [word for word in text.replace('"', " ").split() if word]
