"""Baseline: prompts in version control, a small eval set, requests logged."""

from __future__ import annotations

import shlex

from llmops_tui.domain import format as fmt
from llmops_tui.domain.ladder.facts import EvalSet, Facts
from llmops_tui.domain.ladder.ladder import Status
from llmops_tui.domain.ladder.rule import Rule, Said, had
from llmops_tui.domain.ladder.thresholds import Thresholds
from llmops_tui.domain.ladder.words import ago, days, names

_COLLECT = "start `llmops-tui collect` and send your program's traces there, or `llmops-tui trace import`"


def versioned(facts: Facts, limits: Thresholds) -> Said:
    files = had(facts.files)
    if not files.is_in_git:
        return Said(
            "unmet", "the workspace is not in a git repository", "git init && git add -A && git commit"
        )
    if files.committed_at is None:
        return Said("unmet", "nothing is committed yet", "git add -A && git commit")
    seen = files.committed_at
    if files.untracked:
        some: Status = "unmet" if len(files.untracked) >= files.count else "partly"
        said = f"git does not know {len(files.untracked)} of {files.count} files: {names(files.untracked)}"
        return Said(some, said, f"git add {shlex.join(files.untracked[:3])} && git commit", seen)
    whole = f"{fmt.plural(files.count, 'file')} in git, the newest commit {ago(seen, facts.now)}"
    if files.edited:
        since = files.edited_since
        said = f"{len(files.edited)} of {files.count} files edited since the newest commit"
        if since is not None and facts.now - since > limits.edited_for_s:
            said += f", the first of them {ago(since, facts.now)}: {names(files.edited)}"
            return Said("partly", said, "git commit -a, once the gate passes", seen)
        return Said("met", f"{whole}; {said}", seen_at=facts.now)
    return Said("met", whole, seen_at=facts.now)


def has_evals(facts: Facts, limits: Thresholds) -> Said:
    """Each configuration has enough cases, something judges every one, and they were run."""
    sets = had(facts.sets)
    if not any(each.cases for each in sets):
        return Said("unmet", "there is no case", "write some in evals/NAME.yaml, named in the configuration")
    said = "; ".join(_told(each, facts.now, alone=len(sets) == 1) for each in sets)
    seen = min((at for each in sets if (at := each.evaluated_at) is not None), default=None)
    for each in sets:
        if each.unjudged:
            remedy = f"give {names(each.unjudged)} a scorer, or the eval file `defaults: scorers:`"
            return Said("partly", said, remedy, seen)
        if each.cases < limits.cases:
            more = fmt.plural(limits.cases - each.cases, "more case")
            remedy = f"{more} for {each.config}: write them, or press + on a live request"
            return Said("partly", said, remedy, seen)
    for each in sets:
        if each.not_known:
            return Said("unknown", said)
        # Those that were added since may wait for the next run.
        if each.evaluated_at is None or each.cases - each.unrun < limits.cases:
            return Said("partly", said, f"llmops-tui run --config {each.config}", seen)
    return Said("met", said, seen_at=seen)


def _told(each: EvalSet, now: float, *, alone: bool) -> str:
    judged = each.cases - len(each.unjudged)
    all_judged = "every one judged" if not each.unjudged else f"{judged} of them judged"
    name = "" if alone else f"{each.config}: "
    run = "never run" if each.evaluated_at is None else f"last run {ago(each.evaluated_at, now)}"
    if each.evaluated_at is not None and each.unrun:
        run += f" without {each.unrun} of them"
    if each.not_known:
        run = f"whether they were run is not known: {each.not_known}"
    return f"{name}{fmt.plural(each.cases, 'case')}, {all_judged}, {run}"


def is_logged(facts: Facts, limits: Thresholds) -> Said:
    traffic = had(facts.traffic)
    within = days(limits.live_within_s)
    if traffic.newest_at is None:
        return Said("unmet", "no request has come in yet", _COLLECT)
    newest = ago(traffic.newest_at, facts.now)
    if not traffic.requests:
        said = f"no request in the last {within}; the newest {newest}"
        return Said("partly", said, _COLLECT, traffic.newest_at)
    said = f"{fmt.plural(traffic.requests, 'live request')} in the last {within}, the newest {newest}"
    return Said("met", said, seen_at=traffic.newest_at)


RULES = (
    Rule("versioned", "baseline", "Prompts and configurations are committed", versioned),
    Rule("eval-set", "baseline", "A small eval set judges the answers", has_evals),
    Rule("logged", "baseline", "Requests are logged", is_logged),
)
