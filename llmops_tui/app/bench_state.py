"""What the Bench shows: the pairs, their order, and how results of a run come in among them.

Pure: events in, rows out. Rows are known by (case, model), never by where they stand. While a run is
under way a row whose new result is not there keeps the old one and is `stale`; the order stands still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from llmops_tui.app.arranged import Arranged, Key, Totals, arrange, latency_p95
from llmops_tui.app.case_filter import Filter, is_changed, matches
from llmops_tui.app.case_order import ORDERS
from llmops_tui.app.review_state import ReviewState
from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import Comparison, Pair, is_same, make_pair, pair_models
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.review import Decision
from llmops_tui.domain.run import Item, RunInfo, VersionInfo, make_row


class BenchState:
    """The comparison on screen."""

    def __init__(self) -> None:
        self.comparison: Comparison | None = None
        self.changed: tuple[PartChange, ...] = ()
        self.drift: tuple[str, ...] = ()
        self.candidate: VersionInfo | None = None
        self.run: RunInfo | None = None
        self.running = False
        self.pairs: dict[Key, Pair] = {}
        #: Rows that show the result of an older run → name of the version that it is of.
        self.stale: dict[Key, str] = {}
        self.totals = Totals()
        self.order = "regressed first"
        self.sorted: list[Key] = []
        self.visible: list[Key] = []
        self.filter = Filter()
        self.model: str | None = None
        self.cases: dict[str, Case] = {}
        self.critical = ""
        self.review = ReviewState()
        self.output_texts: dict[str, str] = {}
        self._models: tuple[str, ...] = ()
        self._items: dict[Key, dict[int, Item]] = {}
        self._latency_p95: float | None = None
        self._found: dict[str, set[str]] = {}

    # -- what came

    def show(
        self,
        comparison: Comparison,
        changed: tuple[PartChange, ...],
        drift: tuple[str, ...],
        gate: GateResult | None = None,
        decisions: Sequence[Decision] = (),
        arranged: Arranged | None = None,
    ) -> None:
        """A comparison as the store has it. Rows that are still to come keep what they showed.

        Args:
            arranged: the comparison, made ready elsewhere.
        """
        if comparison is self.comparison and not self.running and not self._items:
            # Only what was decided is new.
            self.review.take(gate, decisions, self.pairs)
            if self.filter.is_of_review:
                self.narrow()
            return
        if arranged is None:
            arranged = arrange(comparison, self.order)
        if arranged is not None:
            self._take(arranged, changed, drift)
            self.review.take(gate, decisions, self.pairs, arranged.to_review)
            self.narrow()
            return
        before, order, whose = self.pairs, self.sorted, self._whose()
        if self.candidate is not None and self.candidate.config != comparison.candidate.version.config:
            before, order = {}, []  # cases of the same name in another configuration are others
        self.comparison = comparison
        self.changed, self.drift = changed, drift
        self.candidate, self.run = comparison.candidate.version, comparison.candidate.run
        run = comparison.candidate.run
        coming = run.state == "running" or (run.id == 0 and bool(comparison.baseline.rows))
        self._items = {}
        self.pairs, self.stale = {}, {}
        self.sorted, self.visible = [], []
        for pair in comparison.pairs:
            key = (pair.case_id, pair.model)
            missing = pair.candidate is None and run.state != "complete"
            if missing or pair.pending:
                old = before.get(key) if coming else None
                pair = _waiting(pair, old)
                if pair.candidate is not None:
                    self.stale[key] = whose.get(key, "")
            self.pairs[key] = pair
        self.review.take(gate, decisions, self.pairs)
        self._latency_p95 = latency_p95(self.pairs.values())
        if coming and order:
            ordered = dict.fromkeys(key for key in order if key in self.pairs)
            self.sorted = list(ordered | dict.fromkeys(self.pairs))
            self._follow_models()
            self.narrow()
        else:
            self.sort()
        self._count()

    def _take(self, arranged: Arranged, changed: tuple[PartChange, ...], drift: tuple[str, ...]) -> None:
        """A comparison of which every row is there."""
        comparison = arranged.comparison
        self.comparison, self.changed, self.drift = comparison, changed, drift
        self.candidate, self.run = comparison.candidate.version, comparison.candidate.run
        self._items, self.stale = {}, {}
        self.pairs, self.totals = dict(arranged.pairs), arranged.totals.copy()
        self._latency_p95 = arranged.latency_p95
        self.sorted = list(arranged.keys)
        if arranged.order != self.order:
            self.sort()

    def run_started(self, run: RunInfo, version: VersionInfo, changed: tuple[PartChange, ...]) -> None:
        """Results of `version` will come; until then what is there is that of the run before."""
        self.running = True
        same = self.candidate is not None and self.candidate.id == version.id
        fresh = self.run is not None and self.run.id > 0 and run.generation != self.run.generation
        if same and not fresh:
            self.run = run
            return
        if not same:
            self.changed = changed
        whose = self._whose()
        self.candidate, self.run = version, run
        self._items = {}
        self.review.take(None, (), {})
        for key, pair in self.pairs.items():
            self.pairs[key] = _waiting(pair, pair)
            if pair.candidate is not None:
                self.stale[key] = whose[key]
        self._follow_models()
        self._count()

    def items_done(self, items: Iterable[Item]) -> None:
        """New results. The order of the list is left alone; new cases come last."""
        only = self.candidate.model if self.candidate is not None else ""
        for item in items:
            if only and item.model != only:
                continue
            key = (item.case_id, item.model)
            known = self.pairs.get(key)
            there = self._items.get(key)
            if there is None:
                fresh = known is not None and known.candidate is not None and key not in self.stale
                rows = known.candidate.items if fresh and known and known.candidate else ()
                there = self._items[key] = {i.trial: i for i in rows}
            there[item.trial] = item
            pair = make_pair(known.baseline if known else None, make_row(list(there.values())))
            if known is not None:
                self.totals.count(known, -1)
            else:
                self.sorted.append(key)
                if self._shows(key, pair):
                    self.visible.append(key)
            self.pairs[key] = pair
            self.stale.pop(key, None)
            self.totals.count(pair)
            self.review.look_at(key, pair)

    def run_ended(self, run: RunInfo) -> None:
        self.running = False
        self.run = run

    def cases_read(self, cases: Sequence[Case], models: tuple[str, ...], critical: str = "") -> None:
        """The cases on disk (for tags and inputs), and the models of the configuration.

        Args:
            critical: tag of the cases that may not regress.
        """
        self.cases = {case.id: case for case in cases}
        self.critical = critical
        self._models = models
        if self.model is not None and self.model not in models:
            self.model = None

    def _whose(self) -> dict[Key, str]:
        """Row → name of the version whose result it shows."""
        name = self.candidate.name if self.candidate is not None else ""
        return {key: self.stale.get(key, name) for key in self.pairs}

    def _follow_models(self) -> None:
        """A model was replaced: what still waits for a result waits for one of its successor."""
        if self.comparison is None or not self._models:
            return
        partner = pair_models(self.comparison.baseline.models, self._models)
        if all(old == new for old, new in partner.items()):
            return

        def moved(key: Key) -> Key:
            return (key[0], partner.get(key[1], key[1])) if self.pairs[key].pending else key

        self.sorted = [moved(key) for key in self.sorted]
        self.visible = [moved(key) for key in self.visible]
        self.stale = {moved(key): name for key, name in self.stale.items()}
        self.pairs = {
            moved(key): msgspec.structs.replace(pair, model=moved(key)[1]) if pair.pending else pair
            for key, pair in self.pairs.items()
        }

    def _count(self) -> None:
        self.totals = Totals()
        for pair in self.pairs.values():
            self.totals.count(pair)

    # -- what is seen

    def sort(self, order: str | None = None) -> None:
        """Put the rows in order; between runs, or because the person asked."""
        self.order = order or self.order
        pairs, key = self.pairs, ORDERS[self.order]
        self.sorted = sorted(pairs, key=lambda k: key(pairs[k]))
        self.narrow()

    def narrow(self, filter_: Filter | None = None) -> None:
        """Apply the filter; the order stays."""
        if filter_ is not None:
            self.filter = filter_
        self._find_texts()
        if not self.filter.terms and self.model is None:
            self.visible = list(self.sorted)
        else:
            self.visible = [k for k in self.sorted if self._shows(k, self.pairs[k])]

    def _shows(self, key: Key, pair: Pair) -> bool:
        if self.model is not None and pair.model != self.model:
            return False
        case = self.cases.get(key[0])
        return matches(self.filter.terms, pair, case.tags if case else (), self._in_outputs, self._known_word)

    def _known_word(self, word: str, pair: Pair) -> bool:
        return self.review.holds(word, pair, self.cases.get(pair.case_id), self.critical)

    def _find_texts(self) -> None:
        """Look each known text through once for each term, and not once for each case that has it."""
        texts = self.output_texts.items()
        self._found = {
            term.value: {hash_ for hash_, text in texts if term.value in text}
            for term in self.filter.terms
            if term.kind == "text"
        }

    def _in_outputs(self, wanted: str, pair: Pair) -> bool:
        """Whether an output of either side holds the text."""
        found = self._found.get(wanted)
        return found is not None and any(
            item.text_hash in found
            for row in (pair.candidate, pair.baseline)
            if row is not None
            for item in row.items
        )

    def unread_outputs(self) -> dict[int, str]:
        """Output id → hash, of the texts that a search would need and nobody has read yet."""
        return {
            item.output_id: item.text_hash
            for pair in self.pairs.values()
            for row in (pair.candidate, pair.baseline)
            if row is not None
            for item in row.items
            if item.output_id is not None and item.text_hash not in self.output_texts
        }

    def next_change(self, key: Key | None, step: int) -> Key | None:
        """The next changed case from `key` on (round the end), forwards or backwards."""
        return self._next(key, step, lambda found: is_changed(self.pairs[found]))

    def next_open(self, key: Key | None) -> Key | None:
        """The next case on screen that waits for a decision, from `key` on (round the end)."""
        return self._next(key, 1, self.review.open.__contains__) if self.review.open else None

    def _next(self, key: Key | None, step: int, wanted: Callable[[Key], bool]) -> Key | None:
        rows = self.visible
        if not rows:
            return None
        start = rows.index(key) if key in rows else (-1 if step > 0 else len(rows))
        for k in range(1, len(rows) + 1):
            found = rows[(start + step * k) % len(rows)]
            if wanted(found):
                return found
        return None

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(model for model, rows in self.totals.models.items() if rows)

    @property
    def is_alone(self) -> bool:
        """A version beside itself: there is nothing to compare yet."""
        if self.comparison is None or self.candidate is None:
            return False
        return is_same(self.comparison.baseline.version, self.candidate)

    @property
    def is_complete(self) -> bool:
        return (
            not self.running and self.run is not None and self.run.state == "complete" and not self.unfinished
        )

    @property
    def latency_p95(self) -> float | None:
        return self._latency_p95

    @property
    def unfinished(self) -> int:
        """Rows that erred or are missing."""
        return self.totals.pending + self.totals.statuses["error"] + self.totals.statuses["missing"]


def _waiting(pair: Pair, old: Pair | None) -> Pair:
    """The pair as one whose candidate is still to come, with what `old` showed meanwhile."""
    row = old.candidate if old is not None else None
    return msgspec.structs.replace(
        pair,
        candidate=row,
        change=old.change if old is not None else "same",
        flip=None,
        delta=None,  # of two versions that are no longer the ones compared
        output_changed=None,
        pending=True,
    )
