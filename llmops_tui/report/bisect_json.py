"""A bisect as JSON; `docs/json.md` describes it."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain.bisected import Bisected, Revision, Seen
from llmops_tui.report.bisect_text import headline
from llmops_tui.report.json import Json
from llmops_tui.report.shapes import Texts


def bisect_json(found: Bisected, texts: Sequence[Texts]) -> Json:
    return {
        "config": found.config,
        "case": found.case_id,
        "model": found.model,
        "git": found.git,
        "ended": found.ended,
        "answer": headline(found),
        "first_bad": _revision(found.first_bad) if found.ended == "found" else None,
        "last_good": _revision(found.before),
        "suspects": [_revision(r) for r in found.suspects],
        "changed_parts": [c.label for c in found.changed],
        "changes": [{"part": t.label, "title": t.title, "before": t.before, "after": t.after} for t in texts],
        "good": _revision(found.good),
        "bad": _revision(found.bad),
        "steps": found.steps,
        "path": [_seen(seen) for seen in found.path],
        "notes": list(found.notes),
        "provider_calls": found.calls,
        "cost_usd": found.cost_usd,
    }


def _revision(revision: Revision) -> Json:
    return {
        "name": revision.name,
        "hash": revision.hash or None,
        "at": revision.at,
        "git_commit": revision.commit,
        "git_dirty": revision.dirty,
        "author": revision.author,
        "subject": revision.subject,
        "later_commits": revision.later,
        "parents": list(revision.parents),
    }


def _seen(seen: Seen) -> Json:
    return {
        "step": seen.revision.name,
        "verdict": seen.verdict,
        "passed": seen.passed,
        "trials": seen.trials,
        "by_fact": seen.by_fact,
        "why_not": seen.why_not,
    }
