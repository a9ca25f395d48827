"""How alert rules stand, and what they did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from llmops_tui.domain.live.alert_event import AlertEvent
from llmops_tui.domain.live.alert_outbox import Outbox
from llmops_tui.domain.live.alerting import AlertState
from llmops_tui.store.connection import Database

#: Under this name the outbox is kept: no rule has it.
_OUTBOX = ""
#: Events that are kept.
_MOST = 10_000

_encode = msgspec.msgpack.Encoder().encode
_event = msgspec.msgpack.Decoder(AlertEvent).decode
_state = msgspec.msgpack.Decoder(AlertState).decode
_outbox = msgspec.msgpack.Decoder(Outbox).decode


class Alerts:
    """Reads and writes them in one `live.db`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def states(self) -> dict[str, AlertState]:
        """By rule. What another release wrote and can't be read is left out: the rule starts anew."""
        found: dict[str, AlertState] = {}
        for rule, data in self._db.rows("SELECT rule, data FROM alert_states WHERE rule <> ?", (_OUTBOX,)):
            try:
                found[rule] = _state(data)
            except msgspec.DecodeError:
                continue
        return found

    def outbox(self) -> Outbox:
        row = self._db.one("SELECT data FROM alert_states WHERE rule = ?", (_OUTBOX,))
        try:
            return _outbox(row[0]) if row else Outbox()
        except msgspec.DecodeError:
            return Outbox()

    def keep(
        self,
        states: Mapping[str, AlertState],
        events: Iterable[AlertEvent] = (),
        *,
        outbox: Outbox | None = None,
        dropped: Iterable[str] = (),
    ) -> None:
        """Write states, and note events, in one transaction.

        Args:
            dropped: rules that are not there any more.

        Raises:
            StoreError: it can't be written; nothing was.
        """
        rows = [(rule, _encode(state)) for rule, state in states.items()]
        if outbox is not None:
            rows.append((_OUTBOX, _encode(outbox)))
        with self._db.write() as connection:
            connection.executemany(
                "INSERT INTO alert_states VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data", rows
            )
            connection.executemany("DELETE FROM alert_states WHERE rule = ?", [(rule,) for rule in dropped])
            connection.executemany(
                "INSERT INTO alert_events (rule, at, what, data) VALUES (?, ?, ?, ?)",
                [(event.rule, event.at, event.what, _encode(event)) for event in events],
            )
            connection.execute(
                "DELETE FROM alert_events WHERE id <= (SELECT max(id) FROM alert_events) - ?", (_MOST,)
            )

    def events(
        self, *, since: float = 0.0, until: float = 1e12, rule: str = "", limit: int = 200
    ) -> list[AlertEvent]:
        """Newest first."""
        rows = self._db.rows(
            "SELECT data FROM alert_events WHERE at >= ? AND at < ? AND (? = '' OR rule = ?)"
            " ORDER BY at DESC, id DESC LIMIT ?",
            (since, until, rule, rule, limit),
        )
        return [_event(data) for (data,) in rows]
