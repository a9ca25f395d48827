"""What gates decided, and what was promoted: the events of a configuration's history."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.gate.result import GateResult, GateVerdict, LookResult
from llmops_tui.store.blobs import clean
from llmops_tui.store.connection import Database


class StoredVerdict(msgspec.Struct, frozen=True):
    """One verdict, as it was given.

    Attributes:
        look: of an adjudication; 1 without.
        calls, cost_usd: what that gate took; the cost is None where it is not known.
        looks: of the adjudication, the first gate included.
        at: Unix seconds.
    """

    baseline_id: int
    candidate_id: int
    verdict: GateVerdict
    exploratory: bool
    headline: str
    look: int
    calls: int
    cost_usd: float | None
    looks: tuple[LookResult, ...]
    at: float


class Promotion(msgspec.Struct, frozen=True):
    """A version made the baseline; `forced` while its gate did not pass, which `note` explains."""

    version_id: int
    forced: bool
    note: str
    at: float


VerdictList = list[StoredVerdict]
PromotionList = list[Promotion]


class Verdicts:
    """Verdicts and promotions, newest first."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(
        self, baseline_id: int, candidate_id: int, result: GateResult, *, cost_usd: float | None, at: float
    ) -> None:
        """Keep a verdict. One that says the same of the same two versions as the last is not kept twice."""
        last = next(iter(self.of(candidate_id, limit=1)), None)
        if (
            last is not None
            and (last.baseline_id, last.verdict, last.exploratory, last.headline)
            == (baseline_id, result.verdict, result.exploratory, result.headline)
            and len(last.looks) == len(result.looks)
        ):
            return
        with self._db.write() as connection:
            connection.execute(
                "INSERT INTO verdicts (baseline_id, candidate_id, verdict, exploratory, headline, look, "
                "calls, cost_usd, looks, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(baseline_id, candidate_id, result.verdict, result.exploratory, clean(result.headline)),
                    *(max(len(result.looks), 1), result.provider_calls, cost_usd),
                    *(msgspec.json.encode(result.looks).decode(), at),
                ),
            )

    def of(self, candidate_id: int, *, limit: int = 100) -> VerdictList:
        """Verdicts on a version, newest first."""
        rows = self._db.rows(
            "SELECT baseline_id, candidate_id, verdict, exploratory, headline, look, calls, cost_usd, looks, "
            "at FROM verdicts WHERE candidate_id = ? ORDER BY id DESC LIMIT ?",
            (candidate_id, limit),
        )
        return [
            StoredVerdict(
                baseline, candidate, verdict, bool(seen), said, look, calls, cost, _looks(looks), at
            )
            for baseline, candidate, verdict, seen, said, look, calls, cost, looks, at in rows
        ]

    def add_promotion(self, promotion: Promotion) -> None:
        with self._db.write() as connection:
            connection.execute(
                "INSERT INTO promotions (version_id, forced, note, at) VALUES (?, ?, ?, ?)",
                (promotion.version_id, promotion.forced, clean(promotion.note), promotion.at),
            )

    def promotions(self, config: str) -> PromotionList:
        """Promotions of a configuration, newest first."""
        rows = self._db.rows(
            "SELECT p.version_id, p.forced, p.note, p.at FROM promotions p "
            "JOIN versions v ON v.id = p.version_id WHERE v.config = ? ORDER BY p.id DESC",
            (config,),
        )
        return [Promotion(id_, bool(forced), note, at) for id_, forced, note, at in rows]


def _looks(text: str) -> tuple[LookResult, ...]:
    return msgspec.json.decode(text, type=tuple[LookResult, ...])
