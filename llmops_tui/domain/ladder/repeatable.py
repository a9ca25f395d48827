"""Repeatable: the eval suite gates every change; full traces; cost and latency are known."""

from __future__ import annotations

from llmops_tui.domain import format as fmt
from llmops_tui.domain.ladder.facts import Due, Facts
from llmops_tui.domain.ladder.rule import Rule, Said, had
from llmops_tui.domain.ladder.thresholds import Thresholds
from llmops_tui.domain.ladder.words import ago, days, names, share


def has_baseline(facts: Facts, _limits: Thresholds) -> Said:
    promoted = had(facts.gates).promoted
    there = [each for each in promoted if each.version]
    lacking = [each.config for each in promoted if not each.version]
    standing_in = [each.stands_in for each in promoted if each.stands_in]
    said = "; ".join(
        f"{each.config} {each.version}, promoted {ago(each.at, facts.now)}"
        + (", by force" if each.is_forced else "")
        if each.at is not None
        else f"{each.config} {each.version}"
        for each in there
    )
    seen = min((each.at for each in there if each.at is not None), default=None)
    if lacking:
        said = "; ".join(part for part in (said, f"none for {names(lacking)}") if part)
        if standing_in:
            said += f"; {names(standing_in)} stands in, promoted by nobody"
        remedy = f"llmops-tui promote latest --config {lacking[0]}, and commit baselines.yaml"
        return Said("partly" if there else "unmet", said, remedy, seen)
    return Said("met", said, seen_at=seen)


def runs_in_ci(facts: Facts, _limits: Thresholds) -> Said:
    ci = had(facts.ci)
    remedy = "let CI run `llmops-tui gate --fresh --adjudicate` on every change: docs/ci.md has it to copy"
    if ci.gate and ci.untracked:
        return Said("partly", f"{ci.gate} runs the gate, and is not committed", "git add it, and commit")
    if ci.gate:
        return Said("met", f"{ci.gate} runs the gate", seen_at=facts.now)
    if ci.files:
        return Said("unmet", f"CI never runs the gate: {names(ci.files)}", remedy)
    return Said("unmet", "there is no CI in this repository", remedy)


def gates_changes(facts: Facts, limits: Thresholds) -> Said:
    """Every version that was committed lately or has live traffic was judged by a gate."""
    gates = had(facts.gates)
    if not any(each.version for each in gates.promoted):
        first = next((each.config for each in gates.promoted), "NAME")
        remedy = f"llmops-tui promote latest --config {first}, and commit baselines.yaml"
        return Said("unmet", "there is no baseline to hold a change against", remedy)
    within = days(limits.gated_within_s)
    due = gates.due
    judged = [each for each in due if each.verdict]
    seen = max((each.at for each in judged if each.at is not None), default=None)
    cut = "; the history of this clone is cut short, so there may be more"
    unshallow = "git fetch --unshallow"
    if not due:
        said = f"nothing but the baseline was committed or went live in the last {within}"
        return Said("unknown", said + cut, unshallow) if gates.cut else Said("met", said)
    of = share(len(judged), len(due))
    said = f"{of} versions that were committed or went live in the last {within} have a verdict"
    failed = [each.version for each in judged if each.verdict == "fail"]
    if failed:
        said += f"; {names(failed)} failed"
    lacking = [each for each in due if not each.verdict]
    if not lacking and gates.cut:
        return Said("unknown", said + cut, unshallow, seen)
    if not lacking:
        return Said("met", said, seen_at=seen)
    said += f"; none for {names([_named(each) for each in lacking])}"
    return Said("partly" if judged else "unmet", said, _to_gate(lacking[0]), seen)


def _to_gate(due: Due) -> str:
    """What gives a version its verdict. A version that only traffic names is in no command: it may say
    anything."""
    if due.recorded:
        return f"llmops-tui gate {due.version} --config {due.config}"
    if due.commit:
        return f"git switch --detach {due.commit} && llmops-tui gate --config {due.config}; git switch -"
    return "bring that version along with llmops-tui bundle load FILE, then gate it here"


def _named(due: Due) -> str:
    return f"{due.version} ({due.where})"


def is_pinned(facts: Facts, _limits: Thresholds) -> Said:
    models = had(facts.models)
    if models.floating:
        of = share(len(models.floating), len(models.names))
        said = f"{of} models are aliases that their provider may move"
        return Said(
            "unmet" if len(models.floating) == len(models.names) else "partly",
            f"{said}: {names(models.floating)}",
            "name the dated model in the configuration: `models: [openai/NAME-2026-01-31]`",
        )
    if models.drifted:
        remedy = "llmops-tui canary tells whether it matters; then pin another, or promote again"
        return Said("partly", models.drifted[0], remedy)
    said = f"{fmt.plural(len(models.names), 'model')} pinned: {names(models.names)}"
    if models.checked:
        said += f"; {len(models.checked)} served as pinned"
    return Said("met", said, seen_at=facts.now)


def is_traced(facts: Facts, limits: Thresholds) -> Said:
    """Live requests have the steps within, and so have the outputs of evaluations."""
    traffic, recorded = had(facts.traffic), had(facts.recorded)
    within = days(limits.live_within_s)
    seen = traffic.newest_at
    if not traffic.looked_at:
        remedy = "send traces of live requests: llmops-tui collect, docs/live.md"
        return Said(
            "unmet", f"no live request in the last {within} whose steps could be looked at", remedy, seen
        )
    said = f"{share(traffic.whole, traffic.looked_at)} of the newest live requests have their steps"
    if recorded.outputs:
        said += f"; {share(recorded.traced, recorded.outputs)} outputs of the newest runs have a trace"
    if traffic.whole < limits.traced * traffic.looked_at:
        lacking = names(traffic.lacking)
        said += f"; {lacking} steps are lacking" if lacking else ""
        remedy = "make a span of each step: docs/log.md, or an OpenTelemetry instrumentation"
        return Said("partly" if traffic.whole else "unmet", said, remedy, seen)
    if recorded.outputs and recorded.traced < limits.traced * recorded.outputs:
        return Said("partly", said, "evaluate again: llmops-tui run --fresh", seen)
    return Said("met", said, seen_at=seen)


def has_figures(facts: Facts, limits: Thresholds) -> Said:
    """What requests and versions cost and how long they take is known."""
    traffic, recorded = had(facts.traffic), had(facts.recorded)
    parts = []
    if traffic.calls:
        parts.append(f"{share(traffic.priced, traffic.calls)} live calls have a price")
    else:
        parts.append(f"no live call in the last {days(limits.live_within_s)}")
    if recorded.outputs:
        parts.append(f"cost is known of {share(recorded.priced, recorded.outputs)} evaluated outputs")
        parts.append(f"latency of {share(recorded.timed, recorded.outputs)}")
    else:
        parts.append("no version was evaluated")
    said = "; ".join(parts)
    prices = "write it into llmops.yaml: `providers: {NAME: {price: {MODEL: {input: 2.5, output: 10}}}}`"
    if not traffic.calls:
        return Said(
            "unmet", said, "send traces with the calls of models: llmops-tui collect", traffic.newest_at
        )
    if not recorded.outputs:
        return Said("partly", said, "llmops-tui run", traffic.newest_at)
    if traffic.priced < limits.priced * traffic.calls:
        return Said("partly" if traffic.priced else "unmet", said, prices, traffic.newest_at)
    if recorded.priced < limits.priced * recorded.outputs:
        return Said("partly", said, prices, traffic.newest_at)
    if recorded.timed < limits.priced * recorded.outputs:
        return Said("partly", said, "evaluate again: llmops-tui run --fresh", traffic.newest_at)
    return Said("met", said, seen_at=traffic.newest_at)


RULES = (
    Rule("baseline", "repeatable", "A promoted version is what others are held against", has_baseline),
    Rule("ci", "repeatable", "CI runs the gate on every change", runs_in_ci),
    Rule("gated", "repeatable", "Every change was judged by the gate", gates_changes),
    Rule("pinned", "repeatable", "Models are pinned, and what was served is checked", is_pinned),
    Rule("traces", "repeatable", "Requests are traced step by step", is_traced),
    Rule("figures", "repeatable", "Cost and latency are known", has_figures),
)
