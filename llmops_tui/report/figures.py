"""Figures and sentences about a comparison that every report says in the same words."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.guardrails.failures import GuardFailures
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.run import Row, Snapshot, VersionInfo
from llmops_tui.report.shapes import Texts

#: Words for `Comparison.counts`, in the order in which a person wants them.
CHANGES = (
    ("regressed", "regressed"),
    ("improved", "improved"),
    ("error", "could not be compared"),
    ("new", "new"),
    ("removed", "removed"),
    ("same", "the same"),
)


def of_change(comparison: Comparison, change: str) -> list[Pair]:
    """Pairs of one kind; regressions and improvements with the largest move first.

    Flips come before mere moves. Pairs whose candidate is not there yet are left out.
    """
    pairs = [p for p in comparison.pairs if p.change == change and not p.pending]
    if change in ("regressed", "improved"):
        pairs.sort(key=lambda p: (p.flip is None, -abs(p.delta or 0.0)))
    return pairs


def pending(comparison: Comparison) -> list[Pair]:
    """Pairs whose candidate is not there yet."""
    return [p for p in comparison.pairs if p.pending]


def count_words(comparison: Comparison) -> list[tuple[str, str]]:
    """(change, words): `("regressed", "▼ 2 regressed")`. Without those that are 0, but for the first two."""
    waiting = len(pending(comparison))
    counts = {change: len(of_change(comparison, change)) for change, _ in CHANGES}
    words = [
        (change, f"{fmt.symbol(change)} {fmt.count(counts[change])} {word}")
        for change, word in CHANGES
        if counts[change] or change in ("regressed", "improved")
    ]
    return words + ([("pending", f"{fmt.count(waiting)} not evaluated")] if waiting else [])


def is_unchanged(comparison: Comparison) -> bool:
    """Every case is there on both sides, and neither a score nor a text differs."""
    return all(p.change == "same" and not p.output_changed and not p.pending for p in comparison.pairs)


def version_words(version: VersionInfo) -> str:
    """`v11 (baseline, my label)`."""
    words = (["baseline"] if version.is_baseline else []) + list(version.labels)
    return f"{version.name} ({', '.join(words)})" if words else version.name


def commit_words(version: VersionInfo) -> str:
    """`1a2b3c4d5e`, with what was not committed said; `–` outside git."""
    if version.git_commit is None:
        return fmt.NONE
    return version.git_commit[:10] + (" with uncommitted changes" if version.git_dirty else "")


def shortfall(snapshot: Snapshot) -> str:
    """What a side lacks, as a clause; empty where it is complete."""
    if snapshot.is_complete:
        return ""
    if not snapshot.rows:
        return "was never evaluated"
    there = sum(item.status != "missing" for row in snapshot.rows for item in row.items)
    missing = max(snapshot.run.total - there, 0)
    errors = sum(row.status == "error" for row in snapshot.rows)
    total = fmt.count(snapshot.run.total)
    lacks = [f"{fmt.plural(missing, 'output')} of {total} not evaluated"] if missing else []
    lacks += [f"{fmt.plural(errors, 'error')}"] if errors else []
    if snapshot.run.state != "complete":
        lacks.append(f"its run is {snapshot.run.state}")
    return f"is not finished: {', '.join(lacks)}"


def changed_words(changes: Sequence[PartChange]) -> str:
    """`prompt and params.temperature`; `nothing` where the versions are the same."""
    labels = [c.label for c in changes]
    if not labels:
        return "nothing"
    return labels[0] if len(labels) == 1 else ", ".join(labels[:-1]) + " and " + labels[-1]


def small_change(text: Texts) -> tuple[str, str] | None:
    """Before and after of a part that is one short line, without its name (`0` for `temperature: 0`).

    None where it takes a diff to see. A side that is not there is empty.
    """
    both = (text.before + text.after).strip()
    if "\n" in both or len(both) > 160:
        return None
    name = text.label.partition(".")[2] + ": "
    return text.before.removeprefix(name).strip(), text.after.removeprefix(name).strip()


def unfinished(comparison: Comparison) -> list[str]:
    """`v12 is not finished: …`, for each side that is not."""
    sides = [comparison.baseline, comparison.candidate]
    if comparison.is_alone:
        sides.pop()
    return [f"{s.version.name} {short}" for s in sides if (short := shortfall(s))]


def guard_sentences(comparison: Comparison, failures: Sequence[GuardFailures]) -> list[str]:
    """`v12: a guardrail failed itself in 3 cases: …`, for each side where one did.

    Args:
        failures: of the baseline and of the candidate.
    """
    sides = list(zip((comparison.baseline, comparison.candidate), failures, strict=False))
    if comparison.is_alone:
        sides = sides[:1]
    return [f"{side.version.name}: {each.sentence}" for side, each in sides if each.cases]


def latency_p95(rows: Sequence[Row]) -> float | None:
    """95th percentile of latency in seconds, nearest rank; None without a measured output."""
    values = sorted(i.latency_s for row in rows for i in row.planned if i.latency_s is not None)
    return values[-(-len(values) * 95 // 100) - 1] if values else None


def cost_usd(rows: Sequence[Row]) -> float | None:
    """What the outputs cost when they were made; None where one of them is not known."""
    costs = [i.cost_usd for row in rows for i in row.planned if i.output_id is not None]
    known = [c for c in costs if c is not None]
    return sum(known) if known and len(known) == len(costs) else None


def reproduce(comparison: Comparison) -> tuple[str, ...]:
    """Commands that make this comparison anew, in a checkout of the workspace."""
    version = comparison.candidate.version
    config = f"--config {shlex.quote(version.config)}"
    old, new = (shlex.quote(v.name) for v in (comparison.baseline.version, version))
    names = f"{old} {new} {config}"
    checkout: tuple[str, ...] = ()
    if version.git_commit and version.git_dirty:
        checkout = (f"# {version.name} had changes that were not committed yet",)
    elif version.git_commit:
        checkout = (f"git checkout {version.git_commit[:10]}",)
    return (
        *checkout,
        f"llmops-tui run {config}",
        f"llmops-tui compare {names}",
        f"llmops-tui report {names} -o report.md",
    )
