"""What comes in from a live system: spans, signals and scores."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from llmops_tui.domain.trace import Span

SignalKind = Literal["thumb", "rating", "edit", "retry", "copy", "escalation", "abandon"]
SIGNAL_KINDS: tuple[SignalKind, ...] = (
    "thumb",
    "rating",
    "edit",
    "retry",
    "copy",
    "escalation",
    "abandon",
)


class Arrived(msgspec.Struct, frozen=True):
    """A span of a live system, its attributes by the names of `semconv`.

    What was not understood is among the attributes under the name that it came with.

    Attributes:
        trace_id: 32 hexadecimal digits; what comes without one is given the digest of its own id.
        span: `parent_id` is empty for the root.
    """

    trace_id: str
    span: Span


class Signal(msgspec.Struct, frozen=True):
    """What a user of the live system did.

    Attributes:
        id: the same signal sent twice has the same; made of the rest where none was given.
        kind: `SIGNAL_KINDS`.
        value: of a thumb 1 (up) or 0 (down); of a rating in [0, 1]; of an edit the share of the text that
            was changed, in [0, 1]; 1 for the others.
        at: Unix seconds.
        trace_id: 32 hexadecimal digits, or empty: then the newest request of the session is meant.
        comment: what the user wrote; untrusted.
        edited: of an edit: the text as the user left it.
    """

    id: str
    kind: SignalKind
    value: float
    at: float
    trace_id: str = ""
    session: str = ""
    user: str = ""
    feature: str = ""
    comment: str = ""
    edited: str = ""

    @property
    def is_bad(self) -> bool:
        """It speaks against the answer."""
        match self.kind:
            case "thumb" | "rating":
                return self.value < 0.5
            case "edit":
                return self.value >= 0.3
            case "copy":
                return False
            case _:
                return True


class LiveScore(msgspec.Struct, frozen=True):
    """What a scorer said of a live answer, or another tool whose traces were imported.

    Attributes:
        scorer: its label.
        value: in [0, 1], or None.
        at: Unix seconds, when it was judged.
        source: `online` (judged here, of a random sample), `worth` (judged here because something was wrong
            with it: no part of any rate), or the tool that it came from.
    """

    trace_id: str
    scorer: str
    value: float | None
    passed: bool | None
    reason: str = ""
    error: str = ""
    at: float = 0.0
    source: str = "online"
    cost_usd: float | None = None


class Aside(msgspec.Struct, frozen=True):
    """Something that came in and could not be taken: kept and shown.

    Attributes:
        source: where it came from: a file, `collect`.
        place: which line or record of it.
        why: a sentence.
        text: its beginning, redacted.
    """

    source: str
    place: str
    why: str
    text: str


class Batch(msgspec.Struct):
    """What one request to the collector, or one portion of a file, held.

    Attributes:
        guards_sample: share of the requests whose guardrails are kept for review although they passed, as the
            settings say; None: as it was.
    """

    spans: list[Arrived] = []
    signals: list[Signal] = []
    scores: list[LiveScore] = []
    aside: list[Aside] = []
    guards_sample: float | None = None


def attribute_text(value: Any) -> str:
    """An attribute that should be text, as one; empty where there is nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)
