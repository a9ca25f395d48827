"""Facts for the ladder, from small real workspaces: files, git, and both databases."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from git_repository import Repository
from made_traffic import Made, batch_of, live_store, spread
from small_workspace import write_workspace

from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import UsageError, WorkspaceError
from llmops_tui.domain.ladder.facts import EvalSet, Facts, Traffic, Unknown, Watching
from llmops_tui.domain.ladder.ladder import Item
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.engine.doctor import doctor, facts_of
from llmops_tui.engine.engine import DATABASE, Engine
from llmops_tui.engine.events import GateRequest, RunRequest
from llmops_tui.engine.gating import Gate, GateOutcome
from llmops_tui.engine.promotion import promote
from llmops_tui.store.live import LIVE_DATABASE, LiveStore

HOUR, DAY = 3_600.0, 86_400.0
Build = Callable[..., Path]
CASES = [
    {"id": f"c{n}", "vars": {"question": f"word {n}"}, "scorers": [{"max_words": 50}]} for n in range(12)
]


def item(root: Path, id_: str, now: float | None = None, config: str | None = None) -> Item:
    ladder = doctor(root, config, time.time() if now is None else now)
    (found,) = [each for each in ladder.items if each.id == id_]
    return found


def facts(root: Path, now: float | None = None) -> Facts:
    return facts_of(root, None, time.time() if now is None else now)


async def evaluated(root: Path, *, promoted: bool = False) -> None:
    engine = Engine.open(root)
    try:
        engine.load()
        await engine.evaluate(RunRequest("bench", "manual"))
        if promoted:
            promote(engine, engine.version(engine.configuration("bench")))
    finally:
        engine.close()


async def gated(root: Path) -> GateOutcome:
    engine = Engine.open(root)
    try:
        engine.load()
        outcome = await Gate(engine).gate(GateRequest("bench"))
        assert isinstance(outcome, GateOutcome)
        return outcome
    finally:
        engine.close()


# -- without anything


def test_a_fresh_folder_is_starting_and_what_is_not_there_is_unknown(workspace: Build) -> None:
    root = workspace(cases=CASES)
    ladder = doctor(root, None, time.time())
    assert (ladder.rung, ladder.configs) == ("none", ("bench",))
    status = {each.id: each.status for each in ladder.items}
    assert (status["versioned"], status["eval-set"], status["ci"]) == ("unmet", "partly", "unmet")
    assert {status[id_] for id_ in ("logged", "baseline", "gated", "pinned", "traces")} == {"unknown"}
    assert not (root / DATABASE).exists()
    assert not (root / LIVE_DATABASE).exists()


@pytest.mark.parametrize(("file", "ids"), [(DATABASE, ("baseline", "attacks")), (LIVE_DATABASE, ("logged",))])
def test_a_database_that_can_not_be_read_is_named_and_the_rest_is_told(
    workspace: Build, file: str | Path, ids: tuple[str, ...]
) -> None:
    root = workspace(cases=CASES)
    (root / file).parent.mkdir(exist_ok=True)
    (root / file).write_bytes(b"this is no database " * 100)
    for id_ in ids:
        found = item(root, id_)
        assert found.status == "unknown"
        assert Path(file).name in found.evidence
    eval_set = item(root, "eval-set")
    if file == DATABASE:
        assert (eval_set.status, "is not known" in eval_set.evidence) == ("unknown", True)
    else:
        assert eval_set.status == "partly"


def test_where_git_can_not_be_asked_it_is_not_said_that_there_is_none(
    workspace: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workspace(cases=CASES)
    Repository(root).commit("first")
    monkeypatch.setenv("PATH", "/nowhere")
    assert (item(root, "versioned").status, item(root, "ci").status) == ("unknown", "unknown")


def test_a_mistake_in_the_files_is_told(workspace: Build) -> None:
    root = workspace()
    (root / "configs/bench.yaml").write_text("prompt: nowhere.md\n", "utf-8")
    with pytest.raises(WorkspaceError, match="is missing"):
        doctor(root, None, time.time())
    with pytest.raises(WorkspaceError):
        doctor(root, "bench", time.time())


def test_which_configurations_are_looked_at(workspace: Build) -> None:
    root = workspace(cases=CASES)
    text = (root / "configs/bench.yaml").read_text("utf-8")
    (root / "configs/other.yaml").write_text(text, "utf-8")
    both = doctor(root, None, time.time())
    assert (both.configs, both.left_out) == (("bench", "other"), ())
    one = doctor(root, "other", time.time())
    assert (one.configs, one.left_out) == (("other",), ("bench",))
    (root / "llmops.yaml").write_text("default: bench\n", "utf-8")
    assert doctor(root, None, time.time()).configs == ("bench",)
    with pytest.raises(UsageError, match="there is no configuration 'none'"):
        doctor(root, "none", time.time())


# -- git and the eval set


async def test_files_and_the_eval_set(workspace: Build) -> None:
    root = workspace(cases=CASES)
    repository = Repository(root)
    assert item(root, "versioned").evidence == "nothing is committed yet"
    (root / ".gitignore").write_text(".llmops/\n", "utf-8")
    repository.commit("first")
    assert item(root, "versioned").status == "met"
    (root / "prompts/bench.md").write_text("user:\n{{ question }}!\n", "utf-8")
    edited = item(root, "versioned")
    assert (edited.status, "1 of 3 files edited" in edited.evidence) == ("met", True)
    assert item(root, "versioned", time.time() + 2 * DAY).status == "partly"
    await evaluated(root)
    assert item(root, "eval-set").status == "met"
    (found,) = facts(root).sets  # type: ignore[misc]
    assert isinstance(found, EvalSet)
    assert (found.cases, found.unjudged) == (12, ())


async def test_cases_that_were_added_since_the_run_are_not_taken_for_run(workspace: Build) -> None:
    root = workspace(cases=CASES[:4])
    await evaluated(root)
    (root / "evals/bench.yaml").write_text(json.dumps({"cases": CASES}), "utf-8")
    found = item(root, "eval-set")
    assert (found.status, "without 8 of them" in found.evidence) == ("partly", True)
    await evaluated(root)
    assert item(root, "eval-set").status == "met"


async def test_cases_that_nothing_judges_are_named(workspace: Build) -> None:
    root = workspace(cases=[*CASES, {"id": "free", "vars": {"question": "x"}}])
    await evaluated(root)
    found = item(root, "eval-set")
    assert (found.status, "12 of them judged" in found.evidence) == ("partly", True)
    assert "free" in found.remedy


# -- the gate


async def test_a_committed_version_needs_a_verdict(workspace: Build) -> None:
    root = workspace(cases=CASES)
    (root / ".gitignore").write_text(".llmops/\n", "utf-8")
    repository = Repository(root)
    repository.commit("first")
    await evaluated(root)
    standing_in = item(root, "baseline")
    assert (standing_in.status, "v1 stands in" in standing_in.evidence) == ("unmet", True)
    await evaluated(root, promoted=True)
    assert item(root, "baseline").status == "met"
    assert item(root, "gated").status == "met"  # nothing came since
    at_commit = time.time() + 10
    (root / "prompts/bench.md").write_text("user:\nPlease: {{ question }}\n", "utf-8")
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "edit", f"--date=@{int(at_commit)} +0000")
    found = item(root, "gated", at_commit + 60)
    assert found.status == "unmet"
    assert "committed as" in found.evidence
    outcome = await gated(root)
    found = item(root, "gated", at_commit + 60)
    assert (found.status, outcome.candidate.name) == ("met", "v2")
    # Committed longer ago than the window reaches back.
    assert item(root, "gated", at_commit + 40 * DAY).evidence.startswith("nothing but the baseline")


async def test_a_version_with_live_traffic_needs_a_verdict(workspace: Build) -> None:
    root = workspace(cases=CASES)
    await evaluated(root, promoted=True)
    now = time.time()
    made = [Made(now - 60, "v1", "bench"), Made(now - 50, "v9", "bench"), Made(now - 40, "", "bench")]
    live_store(root, made, now).close()
    found = item(root, "gated", now)
    assert (found.status, found.evidence.count("v9 (1 live request)")) == ("unmet", 1)
    assert "v9" not in found.remedy  # it is not here, and may say anything
    other = [Made(now - 30, "v7", "of another team")]
    live_store(root, other, now).close()
    assert traffic(root, now).requests == 3


async def test_a_shallow_clone_does_not_say_that_every_change_was_judged(
    workspace: Build, tmp_path: Path
) -> None:
    root = workspace(cases=CASES)
    (root / ".gitignore").write_text(".llmops/\n", "utf-8")
    repository = Repository(root)
    repository.commit("first")
    await evaluated(root, promoted=True)
    repository.git("commit", "-q", "--allow-empty", "-m", "now", f"--date=@{int(time.time())} +0000")
    assert item(root, "gated").status == "met"
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth", "1", root.as_uri(), str(clone))
    shutil.copytree(root / ".llmops", clone / ".llmops")
    found = item(clone, "gated")
    assert (found.status, found.remedy) == ("unknown", "git fetch --unshallow")


# -- live traffic


def traffic(root: Path, now: float) -> Traffic:
    found = facts(root, now).traffic
    assert isinstance(found, Traffic)
    return found


def test_traffic_of_the_last_days(workspace: Build) -> None:
    root = workspace(cases=CASES)
    now = time.time() // HOUR * HOUR
    old = [Made(now - 20 * DAY, "v1", "bench")]
    new = spread(50, now - DAY, now, lambda at, _rng: Made(at, "v1", "bench", scores={"words": 1.0}))
    plain = spread(50, now - DAY, now, lambda at, _rng: Made(at, "", "", cost_usd=None))
    live_store(root, [*old, *new, *plain], now).close()
    found = traffic(root, now)
    assert (found.requests, found.named, found.judged) == (100, 50, 50)
    assert (found.calls, found.priced) == (100, 50)
    assert (found.looked_at, found.whole) == (100, 100)
    later = traffic(root, now + 9 * DAY)
    assert (later.requests, later.looked_at) == (0, 0)
    assert later.newest_at is not None


def test_steps_that_a_configuration_has_are_looked_for(tmp_path: Path) -> None:
    root = write_workspace(
        tmp_path / "ws",
        prompt="user:\n{{ context }} {{ question }}\n",
        cases=CASES,
        config={"retrieval": {"source": "docs"}},
        files={"docs/a.md": "# A\n\nText.\n"},
    )
    now = time.time()
    made = [Made(now - 10, config="bench"), Made(now - 20, config="bench", documents=({"id": "1"},))]
    live_store(root, made, now).close()
    found = traffic(root, now)
    assert (found.looked_at, found.whole, found.lacking) == (2, 1, ("retrieval",))


def test_requests_of_another_configuration_are_left_out(workspace: Build) -> None:
    root = workspace(cases=CASES, settings={"default": "bench"})
    text = (root / "configs/bench.yaml").read_text("utf-8")
    (root / "configs/other.yaml").write_text(text, "utf-8")
    now = time.time()
    live_store(root, [Made(now - 10, config="bench"), Made(now - 20, config="other")], now).close()
    assert traffic(root, now).requests == 1


# -- who watches


async def test_alerts_channels_and_when_somebody_looked(workspace: Build) -> None:
    from llmops_tui.monitoring.alerting import AlertTask
    from llmops_tui.workspace import load

    rule = {"name": "bad", "metric": "pass_rate", "below": "50%", "window": "1h", "to": ["log"], "min_n": 5}
    root = workspace(cases=CASES, settings={"alerts": [rule], "channels": {"log": {"command": ["false"]}}})
    now = time.time() // 60 * 60
    bad = spread(60, now - 2 * HOUR, now - 900, lambda at, _r: Made(at, scores={"words": 0.0}))
    live_store(root, bad, now).close()
    before = facts(root, now).watching
    assert isinstance(before, Watching)
    assert (before.rules, before.told, before.looked_at) == (("bad",), ("bad",), None)
    await AlertTask(root, load(root).live, clock=lambda: now).look()
    after = facts(root, now).watching
    assert isinstance(after, Watching)
    assert after.looked_at is not None
    (channel,) = after.channels
    assert channel.failed
    found = item(root, "alerts", now)
    assert (found.status, "log could not be told" in found.evidence) == ("partly", True)


def test_no_rules_are_alerts_turned_off(workspace: Build) -> None:
    root = workspace(cases=CASES, settings={"alerts": []})
    live_store(root, [Made(time.time() - 5)], time.time()).close()
    assert item(root, "alerts").evidence == "alerts are turned off"


def test_without_live_traffic_guardrails_are_known_from_the_files(workspace: Build) -> None:
    assert item(workspace(cases=CASES), "guards").status == "unmet"


def guarded(root: Path, now: float, n: int = 40) -> None:
    """Requests that a guardrail looked at: it fired in every fourth, and ended it before any model."""
    made = [Made(now - 60 * k, config="bench", flagged=k % 4 == 0) for k in range(1, n + 1)]
    batch = batch_of(made)
    ended = {each.trace_id for each in batch.spans if each.span.attributes.get(a.TRIGGERED)}
    batch.spans = [s for s in batch.spans if s.span.kind != "model" or s.trace_id not in ended]
    batch.guards_sample = 1.0
    (root / LIVE_DATABASE).parent.mkdir(exist_ok=True)
    with LiveStore.open(root / LIVE_DATABASE) as store:
        store.ingest([batch], now)


def test_guardrails_and_what_people_said_of_them(workspace: Build) -> None:
    from llmops_tui.monitoring import guards

    root = workspace(cases=CASES)
    now = time.time()
    guarded(root, now)
    assert item(root, "guards", now).evidence.startswith("0 of 10 (0%) firings of the last 30 days reviewed")
    wanted = LiveFilter()
    with LiveStore.open(root / LIVE_DATABASE) as store:
        firings = [each.row.trace_id for each in guards.items(store, "pii", "firings", wanted, 100)]
        passes = [each.row.trace_id for each in guards.items(store, "pii", "sample", wanted, 100)]
        guards.review(store, "pii", firings[:8], True, now)
        guards.review(store, "pii", firings[8:], False, now)
        guards.review(store, "pii", passes[:19], True, now)
        found = item(root, "guards", now)
        assert (found.status, "10 of 10 (100%) firings" in found.evidence) == ("partly", True)
        assert "1 more pass" in found.remedy
        guards.review(store, "pii", passes[19:20], True, now)
    found = item(root, "guards", now)
    assert (found.status, "pii precision 80% (" in found.evidence) == ("met", True)
    assert found.seen_at == now
    # Longer ago than the window reaches back.
    assert item(root, "guards", now + 31 * DAY).status == "unmet"


def test_a_request_that_a_guardrail_ended_lacks_no_step(workspace: Build) -> None:
    root = workspace(cases=CASES)
    now = time.time()
    guarded(root, now)
    found = traffic(root, now)
    assert (found.looked_at, found.whole) == (40, 40)


def test_nothing_is_written(workspace: Build) -> None:
    root = workspace(cases=CASES)
    now = time.time()
    live_store(root, [Made(now - 5)], now).close()
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*.db")}
    doctor(root, None, now)
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*.db")} == before
    assert not isinstance(facts(root, now).traffic, Unknown)
