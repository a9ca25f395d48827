"""Signals as they are posted: JSON, checked, and an edit's two texts made a distance."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import datetime
from typing import Any

import msgspec

from llmops_tui.domain.errors import LlmopsError, Problem, did_you_mean
from llmops_tui.domain.live.arrival import SIGNAL_KINDS, Signal
from llmops_tui.domain.safe_text import clean_line, whole_text

#: Signals of one request.
MOST = 1_000
#: Characters of an edit's texts: comparing takes time with the product of both.
LONGEST_EDIT = 50_000
#: Of all edits of one request: characters of the one text times those of the other. Some seconds.
MOST_COMPARED = 20_000_000_000
#: Objects, arrays and members of one request: signals of all fields have fewer.
_PARTS = 20 * MOST
_LONGEST_TEXT = 10_000
_LONGEST_NAME = 500
_NAMES = ("trace_id", "session", "user", "feature", "comment", "id")
_KNOWN = {"kind", "value", "at", "original", "edited", *_NAMES}
_WORDS = {"up": 1.0, "down": 0.0}
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_QUOTED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_FAULTS = 5


class SignalError(LlmopsError):
    """A signal is not one."""

    def __str__(self) -> str:
        """On one line: it goes into an answer over HTTP."""
        return ". ".join(str(problem) for problem in self.problems)


def read_signals(body: bytes, now: float) -> list[Signal]:
    """One signal, or a list of them, as JSON.

    Args:
        now: Unix seconds: when those happened that don't say.

    Raises:
        SignalError: it is no JSON, or one of them is wrong: then none is taken.
    """
    if _parts(body) > _PARTS and _parts(_QUOTED.sub(b"", body)) > _PARTS:
        raise SignalError(Problem("these are more signals than one request takes", f"send {MOST} at a time"))
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SignalError(f"the signals are no JSON: {clean_line(str(error))}") from None
    except RecursionError:
        raise SignalError("the signals are nested too deeply") from None
    items = found if isinstance(found, list) else [found]
    if len(items) > MOST:
        text = f"{len(items)} signals are more than one request takes"
        raise SignalError(Problem(text, f"send {MOST} at a time"))
    if sum(_compared(item) for item in items) > MOST_COMPARED:
        raise SignalError(
            Problem("comparing the texts of these edits takes too long", "send fewer at a time, or values")
        )
    signals: list[Signal] = []
    problems: list[Problem] = []
    for place, item in enumerate(items):
        where = f"signals[{place}]" if isinstance(found, list) else "the signal"
        try:
            signals.append(signal_of(item, now, where))
        except SignalError as error:
            problems += error.problems
            if len(problems) == _FAULTS:
                break
    if problems:
        raise SignalError(*problems)
    return signals


def _parts(body: bytes) -> int:
    return body.count(b",") + body.count(b"{") + body.count(b"[")


def _compared(item: Any) -> int:
    """What comparing the texts of an edit takes; 0 where nothing is compared, or they are too long for it."""
    if not isinstance(item, dict) or item.get("value") is not None:
        return 0
    one, other = item.get("original"), item.get("edited")
    if not isinstance(one, str) or not isinstance(other, str) or max(len(one), len(other)) > LONGEST_EDIT:
        return 0
    return len(one) * len(other)


def signal_of(item: Any, now: float, where: str = "the signal") -> Signal:
    """A signal from JSON values, by the names of `Signal`; of an edit `original` may be there too.

    Without an id it is given the digest of what it says, so that sent twice it is one.

    Args:
        where: how it is called in sentences.

    Raises:
        SignalError: it is wrong; one sentence.
    """
    if not isinstance(item, dict):
        raise SignalError(Problem(f"{where} is no JSON object", 'send {"kind": "thumb", "value": 1, …}'))
    unknown = [name for name in item if name not in _KNOWN]
    if unknown:
        text = f"{where} has no field '{clean_line(unknown[0])[:40]}'"
        raise SignalError(Problem(text, did_you_mean(unknown[0][:40], _KNOWN)))
    kind = item.get("kind")
    if kind not in SIGNAL_KINDS:
        shown = clean_line(str(kind))[:40]
        raise SignalError(
            Problem(f"{where}: '{shown}' is no kind of signal", f"one of {', '.join(SIGNAL_KINDS)}")
        )
    texts = {name: _text(item, name, where) for name in _NAMES}
    trace_id = texts["trace_id"] = texts["trace_id"].replace("-", "").lower()
    if trace_id and (_TRACE_ID.fullmatch(trace_id) is None or not trace_id.strip("0")):
        raise SignalError(Problem(f"{where}: trace_id is not 32 hexadecimal digits", "take it from the span"))
    if not trace_id and not texts["session"]:
        raise SignalError(Problem(f"{where} says of no answer what it is about", "give trace_id, or session"))
    at = _time(item.get("at"), where)
    edited = _text(item, "edited", where, LONGEST_EDIT)
    value = _value(item, kind, edited, where)
    signal = Signal(kind=kind, value=value, at=now if at is None else at, edited=edited, **texts)
    return signal if signal.id else msgspec.structs.replace(signal, id=_digest(signal, at))


def _digest(signal: Signal, at: float | None) -> str:
    """Of what was said. Of a signal that names neither trace nor time the time of arrival is part: two thumbs
    of one session are two."""
    said_at = signal.at if at is not None or not signal.trace_id else None
    fields = [getattr(signal, name) for name in ("kind", "value", *_NAMES[:-1], "edited")]
    return hashlib.sha256(msgspec.json.encode([*fields, said_at])).hexdigest()[:32]


def _text(item: dict[str, Any], name: str, where: str, limit: int | None = None) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and name in ("id", "user", "session"):
        value = str(value)
    if not isinstance(value, str):
        raise SignalError(Problem(f"{where}: {name} is no text", "put it in quotes"))
    limit = limit or (_LONGEST_TEXT if name == "comment" else _LONGEST_NAME)
    if len(value) > limit:
        remedy = 'give "value" alone' if name == "edited" else "shorten it"
        raise SignalError(Problem(f"{where}: {name} is longer than {limit} characters", remedy))
    return whole_text(value)


def _time(value: Any, where: str) -> float | None:
    """Unix seconds, from a number of them or a date (RFC 3339)."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            value = None
    # Until the year 9999; milliseconds and nanoseconds are above.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 253_402_300_800:
        raise SignalError(
            Problem(f"{where}: at is no time", "give Unix seconds, or a date such as 2026-05-04T12:00:00Z")
        )
    return float(value)


def _value(item: dict[str, Any], kind: str, edited: str, where: str) -> float:
    value = item.get("value")
    if isinstance(value, str) and kind == "thumb":
        value = _WORDS.get(value.strip().lower(), value)
    if value is None:
        if kind == "edit" and item.get("original") is not None and item.get("edited") is not None:
            return _distance(_text(item, "original", where, LONGEST_EDIT), edited)
        if kind in ("thumb", "rating", "edit"):
            remedy = {
                "thumb": "1 (up) or 0 (down)",
                "rating": "a number from 0 to 1",
                "edit": "the share that was changed, from 0 to 1, or original and edited",
            }[kind]
            raise SignalError(Problem(f"{where} is a {kind} without a value", f"give {remedy}"))
        return 1.0
    if not isinstance(value, int | float) or not 0 <= value <= 1 or math.isnan(value):
        text = f"{where}: value is no number from 0 to 1"
        remedy = "divide a rating by the best there is" if kind == "rating" else ""
        raise SignalError(Problem(text, remedy))
    if kind == "thumb" and value not in (0, 1):
        raise SignalError(Problem(f"{where}: value of a thumb is not 1 (up) or 0 (down)", "or send a rating"))
    return float(value)


def _distance(original: str, edited: str) -> float:
    """Insertions, deletions and replacements of characters, as a share of the longer text (Levenshtein)."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_distance(original, edited))
