"""Mature, of quality: live answers evaluated, alerts, drift, regressions found, failures kept as cases."""

from __future__ import annotations

from llmops_tui.domain import format as fmt
from llmops_tui.domain.ladder.facts import Facts, Watching
from llmops_tui.domain.ladder.rule import Rule, Said, had
from llmops_tui.domain.ladder.thresholds import Thresholds
from llmops_tui.domain.ladder.words import ago, days, names, share

_CHANNELS = '`channels: {chat: {webhook: "${CHAT_WEBHOOK}"}}`'
_RULE = "{name: answers, metric: pass_rate, decrease: 10%, to: [chat]}"
_COLLECT = "keep `llmops-tui collect` running: it looks every minute"


def judges_live(facts: Facts, limits: Thresholds) -> Said:
    """A sample of live requests is judged, or a canary asks the eval set anew."""
    traffic, watching = had(facts.traffic), had(facts.watching)
    within = days(limits.live_within_s)
    parts, seen = [], None
    enough = traffic.judged >= limits.judged_enough or (
        traffic.judged > 0 and traffic.judged >= limits.judged * traffic.requests
    )
    if traffic.requests:
        parts.append(
            f"{share(traffic.judged, traffic.requests)} live requests of the last {within} were judged"
        )
        seen = traffic.newest_at if traffic.judged else None
    else:
        parts.append(f"no live request in the last {within}")
    is_fresh = watching.canary_at is not None and facts.now - watching.canary_at <= limits.live_within_s
    if watching.canary_at is not None:
        parts.append(f"the canary ran {ago(watching.canary_at, facts.now)}")
        seen = max(seen or 0.0, watching.canary_at)
    said = "; ".join(parts)
    if enough or is_fresh:
        return Said("met", said, seen_at=seen)
    scorers = "[{faithfulness: {method: words}}]"
    remedy = f"llmops.yaml: `live: {{sample: {{rate: 0.1, scorers: {scorers}}}}}`, or `llmops-tui canary`"
    return Said("partly" if traffic.judged else "unmet", said, remedy, seen)


def has_looked(facts: Facts, watching: Watching, limits: Thresholds) -> bool:
    at = watching.looked_at
    return at is not None and facts.now - at <= limits.watched_within_s


def alerts_somebody(facts: Facts, limits: Thresholds) -> Said:
    """A rule about quality goes to a channel beside the screen, and somebody looks."""
    watching = had(facts.watching)
    seen = watching.looked_at
    if not watching.rules:
        remedy = "take `alerts: []` out of llmops.yaml: six rules hold where nothing is written"
        return Said("unmet", "alerts are turned off", remedy, seen)
    said = f"{fmt.plural(len(watching.rules), 'rule')}, {len(watching.quality)} about quality"
    if not watching.quality:
        remedy = f"llmops.yaml: {_CHANNELS} and `alerts: [{_RULE}]`"
        return Said("partly", said, remedy, seen)
    if not watching.told:
        said += "; none of these goes to a channel, so only the screen shows it"
        remedy = f"llmops.yaml: {_CHANNELS}, and `to: [chat]` in the rule"
        return Said("partly", said, remedy, seen)
    said += f"; {names(watching.told)} to {names([each.name for each in watching.channels])}"
    failing = [each for each in watching.channels if each.failed]
    if failing:
        said += f"; {failing[0].name} could not be told: {failing[0].failed}"
        return Said("partly", said, f"mend it, then llmops-tui alerts --test {watching.told[0]}", seen)
    said += f"; looked at {ago(seen, facts.now)}"
    if not has_looked(facts, watching, limits):
        return Said("partly", said, _COLLECT, seen)
    return Said("met", said, seen_at=seen)


def watches_drift(facts: Facts, limits: Thresholds) -> Said:
    """Either a rule about drift is looked at, or a canary runs on a schedule."""
    watching = had(facts.watching)
    parts = []
    if watching.drift:
        parts.append(f"{fmt.plural(len(watching.drift), 'rule')} about drift: {names(watching.drift)}")
    if watching.canary_every_s:
        every = days(watching.canary_every_s)
        parts.append(f"a canary every {every}, the last one {ago(watching.canary_at, facts.now)}")
    seen = max(watching.looked_at or 0.0, watching.canary_at or 0.0) or None
    if not parts:
        canary = f"`live: {{canary: {{config: {facts.configs[0]}, every: 7d}}}}`"
        remedy = f"llmops.yaml: `alerts: [{{name: drift, metric: drift.input_words}}]`, or {canary}"
        return Said("unmet", "no rule is about drift, and no canary is scheduled", remedy, seen)
    said = "; ".join(parts)
    at = watching.canary_at
    in_time = at is not None and facts.now - at <= max(2 * watching.canary_every_s, limits.live_within_s)
    if (watching.canary_every_s and in_time) or (watching.drift and has_looked(facts, watching, limits)):
        return Said("met", said, seen_at=seen)
    if watching.drift:
        said += f"; looked at {ago(watching.looked_at, facts.now)}"
    return Said("partly", said, _COLLECT, seen)


def finds_regressions(facts: Facts, limits: Thresholds) -> Said:
    """Live requests name their version, so that the collector holds each against the one before."""
    traffic, watching = had(facts.traffic), had(facts.watching)
    within = days(limits.live_within_s)
    seen = watching.looked_at
    if not traffic.requests:
        return Said("unmet", f"no live request in the last {within}", _COLLECT, seen)
    said = f"{share(traffic.named, traffic.requests)} live requests name their version"
    if traffic.named < limits.named * traffic.requests:
        remedy = "name it on the root span: `llmops.config`, `llmops.version` (docs/live.md)"
        return Said("partly" if traffic.named else "unmet", said, remedy, seen)
    said += f"; traffic was looked at {ago(seen, facts.now)}"
    if not has_looked(facts, watching, limits):
        return Said("partly", said, _COLLECT, seen)
    return Said("met", said, seen_at=seen)


def learns(facts: Facts, limits: Thresholds) -> Said:
    """What went wrong live becomes cases."""
    learned = had(facts.learned)
    within = days(limits.learned_within_s)
    if not learned.cases:
        remedy = "`llmops-tui queue` lists the worst requests; + on the Live screen makes a case of one"
        return Said("unmet", "no case was made of a live request", remedy)
    cases = fmt.plural(learned.cases, "case")
    newest = ago(learned.newest_at, facts.now)
    said = (
        f"{cases} made of live requests, {learned.lately} of them in the last {within}; the newest {newest}"
    )
    if not learned.lately:
        return Said(
            "partly", said, "go through `llmops-tui queue`, and keep what went wrong", learned.newest_at
        )
    return Said("met", said, seen_at=learned.newest_at)


RULES = (
    Rule("live-evals", "mature", "Live answers are evaluated", judges_live),
    Rule("alerts", "mature", "Alerts on quality reach somebody", alerts_somebody),
    Rule("drift", "mature", "Drift is watched for", watches_drift),
    Rule("regressions", "mature", "Regressions are found by themselves", finds_regressions),
    Rule("cases", "mature", "Failures become cases", learns),
)
