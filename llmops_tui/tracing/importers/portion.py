"""What was read of a file so far and is not handed on yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Aside, Batch, LiveScore
from llmops_tui.domain.safe_text import clean
from llmops_tui.tracing.importers import ids
from llmops_tui.tracing.incoming.dialects import translate
from llmops_tui.tracing.incoming.feedback import score, scores, signal, signals
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.raw import Raw

#: Characters of a record that is set aside.
SHOWN = 400
_LAST_WORD = re.compile(r"[^\s\"',:;{}\[\]]*\Z")
#: What tools call the verdict of a user, and not of a scorer or a colleague.
_USERS = frozenset(
    [
        "userfeedback",
        "feedback",
        "thumbs",
        "thumb",
        "thumbsup",
        "userscore",
        "userrating",
        "rating",
        "userthumbs",
    ]
)


class Portion:
    """Fills a `Batch`.

    Attributes:
        source: the file's name.
        place: of the record at work: `line 7`.
        count, size: records of the portion so far, and their bytes.
        record_size: bytes of the record at work.
    """

    def __init__(self, source: str, defaults: Mapping[str, str] | None = None) -> None:
        self.source = source
        self.place = ""
        self.count = 0
        self.size = 0
        self.record_size = 0
        self._defaults = dict(defaults or {})
        self.batch = Batch([], [], [], [])

    def span(self, raw: Raw) -> None:
        """Translate a span and take it, with the scores and signals that it carries.

        Raises:
            BadSpan: it can't be taken.
        """
        span = translate(raw)
        if span is None:
            return
        if not span.parent_id:
            for name, value in self._defaults.items():
                span.attributes.setdefault(name, value)
        dialect = str(span.attributes.get(a.DIALECT) or "")
        self.batch.scores += scores(raw, dialect)
        self.batch.signals += signals(raw)
        self.batch.spans.append(Arrived(raw.trace_id, span))

    def told(self, arrived: Batch) -> None:
        """Take what another reader made."""
        for each in arrived.spans:
            if not each.span.parent_id:
                for name, value in self._defaults.items():
                    each.span.attributes.setdefault(name, value)
        self.batch.spans += arrived.spans
        self.batch.signals += arrived.signals
        self.batch.scores += arrived.scores
        for aside in arrived.aside:
            self.batch.aside.append(
                msgspec.structs.replace(aside, source=self.source, place=f"{self.place}, {aside.place}")
            )

    def verdict(
        self,
        trace_id: str,
        name: str,
        value: Any,
        at: float,
        *,
        source: str,
        id: str = "",
        label: str = "",
        comment: str = "",
        by_user: bool = False,
        is_mean: bool = False,
    ) -> None:
        """A score of another tool; a user's thumb or rating becomes a signal, though not the mean of several.

        A value outside of [0, 1] is on a scale that is not told: it is kept as the reason. Labels `pass` and
        `fail` and truth values decide.
        """
        is_named = by_user and name in ("thumb", "rating")
        by_user = by_user or "".join(c for c in name.lower() if c.isalnum()) in _USERS
        if by_user and not is_mean:
            kind = name if is_named else "thumb" if value in (0, 1, -1, True, False) else "rating"
            about = {"id": id, "kind": kind, "value": value, "comment": comment}
            try:
                self.batch.signals.append(signal(about, trace_id, at))
                return
            except BadSpan:  # on some other scale: a score then
                pass
        has = {a.EVALUATION: name, a.SCORE: value, a.SCORE_LABEL: label, a.EXPLANATION: comment}
        made: LiveScore | None = score(has, trace_id, at, source)
        if made is not None:
            self.batch.scores.append(made)

    def aside(self, why: str, text: str | bytes, place: str = "") -> None:
        """Something that can't be taken."""
        if isinstance(text, bytes):
            text = text[: 4 * SHOWN].decode("utf-8", "replace")
        whole = clean(text[: 2 * SHOWN])
        # Half of an address or a key is not found by what leaves these out later.
        shown = whole if len(whole) <= SHOWN else _LAST_WORD.sub("…", whole[: SHOWN - 1])
        self.batch.aside.append(Aside(self.source, place or self.place, clean(why)[:SHOWN], shown))

    def taken(self) -> Batch:
        """What is there, and begin anew."""
        done, self.batch = self.batch, Batch([], [], [], [])
        self.count = self.size = 0
        return done


def raw_span(
    trace: str,
    span: str,
    parent: str,
    name: str,
    start: float,
    end: float | None,
    attributes: Mapping[str, Any],
    *,
    error: str | None = None,
) -> Raw:
    """A span for `translate`; attributes that say nothing are left out.

    Args:
        trace, span, parent: ids as their tool has them; the parent empty for a root.
        error: what it failed with; None where it did not.
    """
    return Raw(
        trace_id=ids.trace_id(trace),
        span_id=ids.span_id(span),
        parent_id=ids.span_id(parent) if parent else "",
        name=name or "unnamed",
        kind=1,
        start=start,
        end=start if end is None else max(end, start),
        attributes={key: value for key, value in attributes.items() if value not in (None, "", [], {})},
        events=[],
        status=2 if error is not None else 1,
        message=error or "",
        links=[],
        resource={},
        scope="",
    )
