"""Requests of live traffic as rows. Untrusted throughout: every text goes through `shown_line`. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable

import msgspec

from llmops_tui.app.lines import Line, Span, left, right, shown_line
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.request import Request

_LATENCY, _COST, _SCORE = 9, 10, 7
#: Characters of a text that are looked at: a row shows no more.
_LOOKED_AT = 240


class Columns(msgspec.Struct, frozen=True):
    """Cells of each column; 0: left out."""

    at: int
    state: int
    feature: int
    version: int
    model: int
    user: int
    signals: int
    input: int
    decimals: int = 2


def columns(width: int, *, dated: bool, decimals: int = 2) -> Columns:
    """What fits into a width.

    Args:
        dated: the times are of several days.
        decimals: of costs, the same down the column.
    """
    at = 13 if dated else 10
    wide = width >= 110
    widest = width >= 150
    state, feature, version = (13 if wide else 2), (16 if wide else 11), (10 if wide else 7)
    model, user = (20 if widest else 0), (12 if widest else 0)
    signals = 18 if wide else 9
    taken = at + state + feature + version + model + user + signals + _LATENCY + _COST + _SCORE
    return Columns(at, state, feature, version, model, user, signals, max(width - taken - 2, 0), decimals)


def heading(c: Columns) -> Line:
    text = left(" time", c.at) + left("" if c.state < 4 else "what", c.state)
    text += left("feature", c.feature) + left("version", c.version)
    text += left("model", c.model) + left("user", c.user)
    text += right("latency", _LATENCY) + right("cost", _COST) + right("score", _SCORE)
    return ((f"{text}  {left('signals', c.signals)}{left('input', c.input)}", "dim"),)


def request_line(r: Request, c: Columns) -> Line:
    symbol, word, style = state_of(r)
    at = time.strftime("%m-%d %H:%M" if c.at > 10 else "%H:%M:%S", time.localtime(min(max(r.start, 0), 4e9)))
    score = r.score
    spans: list[Span] = [
        (left(f" {at}", c.at), "dim"),
        (left(symbol if c.state < 4 else f"{symbol} {word}", c.state), style),
        (_text(r.feature, c.feature), ""),
        (_text(r.version, c.version), "bold"),
        (_text(r.model, c.model), "dim"),
        (_text(r.user, c.user), "dim"),
        (right(fmt.seconds(r.latency_s) if r.has_root else "…", _LATENCY), ""),
        (right(f"${r.cost_usd:,.{c.decimals}f}" if r.priced else fmt.NONE, _COST), "dim"),
        (right(fmt.score(score), _SCORE), "regressed" if is_low(r) else ""),
        ("  ", ""),
        (_text(signal_words(r), c.signals), "regressed" if r.is_bad else "dim"),
        (_text(r.input, c.input), ""),
    ]
    return tuple(spans)


def _text(text: str, width: int) -> str:
    """A cell with a space at its end."""
    return left(shown_line(text[:_LOOKED_AT]), width - 1) + " " if width > 1 else ""


def decimals_of(requests: Iterable[Request]) -> int:
    """As many as the cheapest one needs, 6 at most."""
    texts = {fmt.money(r.cost_usd) for r in requests if r.priced and r.cost_usd}
    return min(max((len(text.partition(".")[2]) for text in texts), default=2), 6)


def is_low(r: Request) -> bool:
    score = r.score
    return r.passed is False or (score is not None and score < 0.5)


def state_of(r: Request) -> tuple[str, str, str]:
    """Symbol, word and style of the worst that is known of it."""
    if r.failed:
        return "✗", "failed", "error"
    if r.flagged:
        return "!", "flagged", "warning"
    if r.refused:
        return "○", "refused", "warning"
    if r.is_bad:
        return "▼", "bad signal", "regressed"
    if is_low(r):
        return "▼", "not passed" if r.passed is False else "low score", "regressed"
    return (" ", "", "") if r.has_root else ("…", "under way", "dim")


def signal_words(r: Request) -> str:
    """`−thumb +copy`: what the user did, newest first."""
    return " ".join(
        f"{'−' if bad else '+'}{shown_line(kind)}" for kind, _value, bad in reversed(r.signals[-6:])
    )


def said_of(r: Request, number: int) -> str:
    """A request in a few words, for titles."""
    parts = [shown_line(r.feature or r.name or f"request {number}"), shown_line(r.version), state_of(r)[1]]
    return " · ".join(part for part in parts if part)
