"""Made-up versions, cases, answers and comparisons, of any size."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from llmops_tui.domain.call import Failure
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.manifest import Manifest, make_manifest, make_part
from llmops_tui.domain.matrix import Matrix, Place, Source, by_models, by_versions
from llmops_tui.domain.run import (
    Item,
    Row,
    RunInfo,
    Snapshot,
    VersionInfo,
    make_rows,
    tally,
)
from llmops_tui.domain.version_figures import GateMark, PromotionMark, figures_of
from llmops_tui.engine.events import (
    Estimate,
    VersionSummary,
)

NOW = 1_700_000_000.0
SMOL = "local/smollm2-135m-instruct"
FREE = Estimate(outputs=20, cached=0, to_ask=20, to_score=0, cost_usd=0.0, spent_today_usd=0.0)

#: id, question, expected, text and score before, text and score after. A score of None: an error.
HELPDESK: list[tuple[str, str, str, str, float | None, str, float | None]] = [
    (
        "opening-hours",
        "When are you open?",
        "9 to 17",
        "We are open from 9 to 17 on weekdays.",
        1.0,
        "We are open from 9 to 17 on weekdays.",
        1.0,
    ),
    (
        "refund-window",
        "How many days do I have to ask for a refund?",
        "30 days",
        "You have 30 days from delivery to ask for a refund.",
        1.0,
        "You can ask for a refund at any time by contacting support.",
        0.0,
    ),
    (
        "contact-phone",
        "How can I phone you?",
        "",
        "Call 555 0100 on weekdays.",
        1.0,
        "You can call 555 0100 on weekdays.",
        1.0,
    ),
    (
        "cancel-order",
        "Can I cancel an order?",
        "one hour",
        "You can cancel within one hour of ordering, in your account under Orders.",
        1.0,
        "You can cancel your order in your account under Orders.",
        0.5,
    ),
    (
        "shipping-cost",
        "What does shipping cost?",
        "4.90",
        "Shipping is not free.",
        0.0,
        "Shipping costs 4.90 within the country and is free above 50.",
        1.0,
    ),
    (
        "warranty",
        "How long is the warranty?",
        "two years",
        "I don't know.",
        0.0,
        "The warranty is two years.",
        1.0,
    ),
    (
        "gift-card",
        "Do gift cards expire?",
        "three years",
        "Gift cards are valid.",
        0.5,
        "Gift cards are valid for three years from the day they were bought.",
        1.0,
    ),
    (
        "vat-number",
        "What is your VAT number?",
        "",
        "It is on every invoice.",
        1.0,
        "It is on every invoice.",
        1.0,
    ),
]
HELPDESK += [
    (
        name,
        f"What about {name}?",
        "",
        f"About {name}: see the account page.",
        1.0,
        f"About {name}: see the account page.",
        1.0,
    )
    for name in (
        "change-address",
        "lost-parcel",
        "invoice-copy",
        "delete-account",
        "newsletter",
        "payment-methods",
        "order-status",
        "damaged-item",
        "exchange-size",
        "student-discount",
        "bulk-order",
        "pickup-point",
    )
]
BEFORE = "system: You help.\nAnswer the question using only the context.\nBe brief.\nuser: {{ question }}"
AFTER = "system: You help.\nAnswer the question.\nBe brief.\nuser: {{ question }}"


def version(number: int, **how: Any) -> VersionInfo:
    """A version, as the store would give it."""
    hash_ = hashlib.sha256(str(number).encode()).hexdigest()
    return VersionInfo(number, how.pop("config", "helpdesk"), number, hash_, NOW - 4000 + number, **how)


def run_info(number: int, total: int, state: Any = "complete", **how: Any) -> RunInfo:
    how.setdefault("elapsed_s", 7.0)
    how.setdefault("cost_usd", 0.0)
    return RunInfo(number, number, "save", state, NOW - 4, total, total, **how)


class Answers:
    """The outputs and scores behind the items of the fake."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}
        self.reasons: dict[int, str] = {}
        self.scores: dict[int, float | None] = {}

    def item(
        self,
        case: str,
        text: str | None,
        score: float | None,
        *,
        model: str = SMOL,
        trial: int = 0,
        **how: Any,
    ) -> Item:
        """An item with its output; `text=None` is one that could not be had."""
        if text is None:
            failure = str(Failure("timeout", "gateway did not answer within 60 s", "r asks again"))
            return Item(case, model, trial, "error", failure=how.pop("failure", failure), **how)
        output_id = len(self.texts) + 1
        self.texts[output_id], self.scores[output_id] = text, score
        status: Any = "unscored" if score is None else "passed" if score >= 1 else "failed"
        status = how.pop("status", status)
        hash_ = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        how.setdefault("latency_s", 1.0 + len(text) / 200)
        return Item(case, model, trial, status, score, output_id, hash_, cost_usd=0.0, **how)


def helpdesk(answers: Answers) -> tuple[Snapshot, Snapshot, list[Case]]:
    """The comparison of the manual: 20 cases, 2 regressed, 3 improved."""
    left = [answers.item(c[0], c[3], c[4]) for c in HELPDESK]
    right = [answers.item(c[0], c[5], c[6]) for c in HELPDESK]
    cases = [
        Case(
            c[0],
            {"question": c[1]},
            c[2] or None,
            (ScorerUse("contains"),),
            ("refunds", "critical") if "refund" in c[0] else ("orders",) if "order" in c[0] else (),
            file="evals/helpdesk.yaml",
            line=4 + 6 * k,
        )
        for k, c in enumerate(HELPDESK)
    ]
    baseline = Snapshot(version(11, is_baseline=True), run_info(11, 20), make_rows(left))
    candidate = Snapshot(version(12), run_info(12, 20), make_rows(right))
    return baseline, candidate, cases


def many(answers: Answers, n: int) -> tuple[Snapshot, Snapshot, list[Case]]:
    """n cases, every tenth regressed; they share three texts."""
    texts = [answers.item("x", f"answer {k}", 1.0) for k in range(3)]

    def row(k: int, side: int) -> Row:
        known = texts[(k + side * (k % 10 == 0)) % 3]
        failed = side == 1 and k % 10 == 0
        item = Item(
            f"case-{k:06}", SMOL, 0, "failed" if failed else "passed", 0.0 if failed else 1.0,
            known.output_id, known.text_hash, latency_s=0.5, cost_usd=0.0,
        )  # fmt: skip
        return Row(item.case_id, item.model, item.status, item.score, (item,))

    left, right = (tuple(row(k, side) for k in range(n)) for side in (0, 1))
    return (
        Snapshot(version(1, is_baseline=True), run_info(1, n), left),
        Snapshot(version(2), run_info(2, n), right),
        [],
    )


def manifests(before: str = BEFORE, after: str = AFTER) -> tuple[Manifest, Manifest]:
    return make_manifest([make_part("prompt", "", before)]), make_manifest([make_part("prompt", "", after)])


TAGGED = {c[0]: Case(c[0], {}, tags=("orders",)) for c in HELPDESK if "order" in c[0] or "cost" in c[0]}


def _marks_of(n: int) -> tuple[GateMark | None, PromotionMark | None]:
    """v6 passed its gate and was promoted, v7 failed, v8 was promoted by force, v9 is undecided."""
    verdict = {6: "pass", 7: "fail", 8: "fail", 9: "inconclusive"}.get(n)
    gate = GateMark(verdict, "v6", n == 9, f"the verdict on v{n}", NOW - 500) if verdict else None
    promoted = PromotionMark(n == 8, "a customer waits" if n == 8 else "", NOW - 400) if n in (6, 8) else None
    return gate, promoted


def history_of(baseline: Snapshot, candidate: Snapshot) -> tuple[VersionSummary, ...]:
    """Twelve versions: the last two are those compared, the older ones are made up."""
    old = []
    for n in range(1, 11):
        rows = baseline.rows[: 10 + n]
        labels = ("first idea",) if n == 3 else ("shorter, [try]",) if n == 8 else ()
        info = version(n, labels=labels, git_commit=f"{n}a5c6e29d8f04", git_dirty=n % 3 == 0)
        run = run_info(
            n, len(rows), "cancelled" if n == 5 else "complete", cost_usd=0.0012 * n, provider_calls=n
        )
        run = RunInfo(
            *(getattr(run, f) if f != "started_at" else NOW - 90_000 / n for f in run.__struct_fields__)
        )
        changed = ("prompt",) if n % 2 else ("params.temperature", "prompt")
        warns = (f"floating: {SMOL} is an alias that the provider may move",) if n == 4 else ()
        old.append(
            VersionSummary(
                *(info, run, tally(rows[: n + 8]), changed if n > 1 else (), warns, run.cost_usd),
                figures_of(rows[: n + 8], TAGGED, *_marks_of(n)),
                tuple(mark for mark in _marks_of(n)[1:] if mark is not None),
            )
        )
    newest = [
        VersionSummary(
            *(s.version, s.run, tally(s.rows), ("prompt",), (), s.run.cost_usd), figures_of(s.rows, TAGGED)
        )
        for s in (baseline, candidate)
    ]
    return tuple(reversed(old + newest))


def matrix_of(*snapshots: Snapshot) -> Matrix:
    """Cases × these versions, oldest first."""
    return by_versions(*_sources(snapshots))


def models_of(snapshot: Snapshot, *models: str) -> Matrix:
    """Cases × the models of a version."""
    (source,), places = _sources([snapshot])
    return by_models(source, places, models)


def _sources(snapshots: Sequence[Snapshot]) -> tuple[list[Source], dict[int, Place]]:
    numbers: dict[Place, int] = {}
    sources = [
        Source(
            s.version,
            s.run,
            [
                (
                    numbers.setdefault((i.case_id, i.model, i.trial, i.extra), len(numbers)),
                    i.status,
                    i.score,
                    1,
                )
                for row in s.rows
                for i in row.items
            ],
        )
        for s in snapshots
    ]
    return sources, {n: place for place, n in numbers.items()}


def ten_versions(answers: Answers) -> list[Snapshot]:
    """Versions v1 to v10 of twelve cases: v8 is the baseline, and the newest broke two."""
    letters = {
        "refund-window": "FPPPPPPPPF",
        "cancel-order": "PPPPFFPPPF",
        "warranty": "FFFFFFFPFP",
        "shipping-cost": "FFFFFFFFFF",
        "gift-card": "PPEPPPPPPE",
        "vat-number": "  FFFFPPPP",
        "opening-hours": "PPPPPPPPPP",
        "newsletter": "UUUUUUUUUU",
    }
    snapshots = []
    for n in range(10):
        items = []
        for case, row in letters.items():
            letter = row[n]
            if letter != " ":
                score = {"P": 1.0, "F": 0.0, "U": None, "E": None}[letter]
                text = None if letter == "E" else f"{case} by v{n + 1}"
                items.append(answers.item(case, text, score))
        info = version(n + 1, is_baseline=n == 7)
        snapshots.append(Snapshot(info, run_info(n + 1, len(items)), make_rows(items)))
    return snapshots
