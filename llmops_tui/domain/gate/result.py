"""What a gate says: a verdict, the rules behind it, and the numbers behind those."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.statistics.assess import Evidence

GateVerdict = Literal["pass", "fail", "inconclusive"]
RuleKind = Literal["errors", "review", "critical", "pass_rate", "score", "scorer", "tag", "cost", "latency"]


class RuleResult(msgspec.Struct, frozen=True):
    """One rule, held against the results.

    Attributes:
        rule: its name: `pass_rate`, `tag:refunds`, `scorer:contains`, `critical`, `errors`, `review`,
            `cost`, `latency`.
        limit: what is allowed: a share for drops and increases, a number of rows for the others.
        limit_is_auto: the limit was computed from the number of cases and trials.
        observed: the drop (positive is worse), the increase, or the number of rows.
        interval: of `observed`, (low, high); None where it is a count or a fact.
        ok: None where it can't be told yet, or was not judged.
        judged: False where the rule could not be applied (`why` says what would let it).
        why: a sentence.
        cases: rows that it names, worst first, as (case, model).
        p_value: one-sided, before and after Holm's correction; None where nothing was tested.
        evidence: the numbers, where a test or an interval was made.
        by_fact: decided without a test: the runtime is deterministic.
        would_decide: what would settle it, as a sentence; empty where it is settled.
    """

    rule: str
    kind: RuleKind
    limit: float
    observed: float
    ok: bool | None
    why: str
    interval: tuple[float, float] | None = None
    limit_is_auto: bool = False
    judged: bool = True
    cases: tuple[tuple[str, str], ...] = ()
    p_value: float | None = None
    p_adjusted: float | None = None
    alpha: float | None = None
    evidence: Evidence | None = None
    by_fact: bool = False
    would_decide: str = ""


class FlipResult(msgspec.Struct, frozen=True):
    """A case that went from passing to failing, or back.

    Attributes:
        shares: of passed trials on both sides.
        critical: it has the critical tag.
        flaky: one side's trials disagree among themselves.
        decision: `accepted` or `rejected`, where a person decided about these outputs.
        known_failing: why it is expected to fail; empty where it is not.
    """

    case_id: str
    model: str
    direction: Literal["pass→fail", "fail→pass"]
    shares: tuple[float, float]
    critical: bool = False
    flaky: bool = False
    decision: str = ""
    known_failing: str = ""


class FlakyResult(msgspec.Struct, frozen=True):
    """A case whose trials disagree: labelled, and still counted.

    Attributes:
        passed, trials: of both sides, (baseline, candidate).
    """

    case_id: str
    model: str
    passed: tuple[int, int]
    trials: tuple[int, int]


class SliceResult(msgspec.Struct, frozen=True):
    """One tag's cases, for display.

    `q_value` is Benjamini–Hochberg's over all slices shown; None for a fact, which is not tested.
    """

    tag: str
    rows: int
    evidence: Evidence
    q_value: float | None = None


class LookResult(msgspec.Struct, frozen=True):
    """One look of an adjudication.

    Attributes:
        look: counts from 1; the first gate is look one.
        trials: of each case and side, at most.
        spent_calls, cost_usd: what this look cost; the cost is None where it is not known.
    """

    look: int
    trials: int
    verdict: GateVerdict
    drop: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    alpha: float
    spent_calls: int = 0
    cost_usd: float | None = 0.0


class GateResult(msgspec.Struct, frozen=True):
    """The verdict on one comparison.

    Attributes:
        decided_by: the rule that decided; empty where no rule had to.
        headline: some words for a line on top: `critical: refund-window`.
        reasons: sentences, the deciding one first.
        rules: in the order in which they are looked at.
        errors_decided: more rows without a result than allowed: inconclusive with an exit code of its own.
        exploratory: made while watching, on answers that were there: looking often finds something in
            the end. A fact, and a gate on fresh answers of both sides, are not.
        by_fact: all that decided is a fact.
        accepted: rows whose change a person wanted; they count as unchanged.
        rows, clusters, trials: what was judged; trials are the mean of a row and side.
        trials_spent: beyond the planned ones, by adjudication.
        provider_calls: requests that this gate sent.
        looks: of the adjudication, the first gate included; empty where there was none.
        slices: by tag, for display; empty where they were not asked for.
        settings: as applied.
    """

    verdict: GateVerdict
    decided_by: str
    headline: str
    reasons: tuple[str, ...]
    rules: tuple[RuleResult, ...]
    flips: tuple[FlipResult, ...] = ()
    flaky: tuple[FlakyResult, ...] = ()
    slices: tuple[SliceResult, ...] = ()
    errors_decided: bool = False
    exploratory: bool = True
    by_fact: bool = False
    accepted: tuple[tuple[str, str], ...] = ()
    rows: int = 0
    clusters: int = 0
    trials: float = 1.0
    trials_spent: int = 0
    provider_calls: int = 0
    looks: tuple[LookResult, ...] = ()
    settings: GateSettings = GateSettings()

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 errors over `max_errors`, 4 inconclusive (0 where that is let pass)."""
        if self.verdict == "fail":
            return 1
        if self.verdict == "pass":
            return 0
        if self.errors_decided:
            return 3
        return 0 if self.settings.on_inconclusive == "pass" else 4
