"""The engine in its thread, as the app uses it: events come in an order that a screen can follow."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fake_openai import Asked, FakeOpenAI, Reply, say
from session_screen import PATIENCE_S, Open, Screen, settled
from small_workspace import write_workspace

from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.playground import NewCase
from llmops_tui.engine.events import (
    AskFirst,
    Compared,
    NothingToDo,
    Notice,
    RunEnded,
    RunRequest,
    TryRequest,
    Viewing,
    WorkEnded,
    WorkspaceBroken,
    WorkspaceLoaded,
)
from llmops_tui.engine.playground_events import Answered, Answering, PlaygroundRequest
from llmops_tui.engine.session import Session


def test_opening_evaluates_what_is_free_and_shows_it(screen: Open) -> None:
    ours = screen()
    loaded = ours.wait(WorkspaceLoaded)
    assert loaded.config == "bench"
    assert ours.wait(RunEnded).run.provider_calls == 3
    shown = ours.wait(Compared, settled)
    assert shown.comparison.candidate.version.is_baseline


def test_a_save_is_a_version_evaluated_and_compared(screen: Open) -> None:
    ours = screen()
    ours.wait(RunEnded)
    ours.save("prompts/bench.md", "{{ question }}", "{{ question }} delta")
    assert ours.wait(RunEnded).version.number == 2
    shown = ours.wait(Compared, settled)
    assert [c.label for c in shown.changed] == ["prompt"]
    assert {p.case_id: p.change for p in shown.comparison.pairs}["two"] == "improved"
    # Queries answer while it goes on.
    (pair,) = (p for p in shown.comparison.pairs if p.case_id == "two")
    detail = ours.session.detail(pair).result(PATIENCE_S)
    assert detail.candidate[0].output is not None
    assert detail.candidate[0].output.text.endswith("delta")
    assert "delta" in detail.candidate[0].scores[0].reason
    (text,) = ours.session.texts(
        shown.comparison.baseline.version, shown.comparison.candidate.version
    ).result(PATIENCE_S)
    assert "delta" in text.after
    assert "delta" not in text.before


def test_a_comparison_with_what_is_missing_comes_before_the_first_items(screen: Open) -> None:
    from llmops_tui.engine.events import ItemsDone, RunStarted

    ours = screen()
    ours.wait(RunEnded)
    ours.save("prompts/bench.md", "brief", "kind")
    ours.wait(RunEnded)
    kinds = [type(e) for e in ours.seen]
    second = len(kinds) - 1 - kinds[::-1].index(RunStarted)
    between = kinds[second : second + 1 + kinds[second:].index(ItemsDone)]
    assert Compared in between


def test_a_broken_file_is_said_and_mending_it_goes_on(screen: Open) -> None:
    ours = screen()
    ours.wait(RunEnded)
    ours.save("prompts/bench.md", "{{ question }}", "{{ questoin }}")
    broken = ours.wait(WorkspaceBroken)
    assert broken.problems[0].file == "prompts/bench.md"
    assert "question" in str(broken.problems[0])
    ours.save("prompts/bench.md", "questoin", "question")
    ours.wait(WorkspaceLoaded)
    ours.wait(NothingToDo)


def test_a_save_that_changes_nothing_says_so(screen: Open) -> None:
    ours = screen()
    ours.wait(RunEnded)
    ours.save("configs/bench.yaml", "{", "{ ")
    assert ours.wait(NothingToDo).tally.cases == 3


def test_ask_mode_shows_the_price_and_waits(screen: Open) -> None:
    ours = screen(settings={"watch": {"mode": "ask"}})
    asked = ours.wait(AskFirst)
    assert asked.estimate.to_ask == 3
    assert asked.estimate.cost_usd == 0.0
    ours.session.run(RunRequest("bench", agreed=True))
    assert ours.wait(RunEnded).run.provider_calls == 3


def test_opening_never_asks_a_model_that_costs(screen: Open) -> None:
    price = {"m": {"input": 1, "output": 1}}
    provider = {"base_url": "http://127.0.0.1:9/v1", "price": price, "retries": 0}
    ours = screen(models=["paid/m"], settings={"providers": {"paid": provider}})
    asked = ours.wait(AskFirst)
    assert asked.estimate.to_ask == 3
    assert asked.estimate.cost_usd is not None
    assert asked.estimate.cost_usd > 0


def test_off_means_off(screen: Open) -> None:
    ours = screen(settings={"watch": {"mode": "off"}})
    ours.wait(Compared)
    ours.save("prompts/bench.md", "brief", "kind")
    assert ours.wait(WorkspaceLoaded).version is not None
    ours.wait(Compared)
    assert not any(isinstance(e, RunEnded) for e in ours.seen)


def test_pausing_the_watch_and_going_on(screen: Open) -> None:
    ours = screen()
    ours.wait(RunEnded)
    ours.wait(Compared, settled)
    ours.session.set_watching(False)
    ours.save("prompts/bench.md", "brief", "kind")
    ours.wait(WorkspaceLoaded)
    ours.wait(Compared)
    ours.session.set_watching(True)
    assert ours.wait(RunEnded).version.number == 2


def test_a_second_app_views_and_asks_nothing(screen: Open) -> None:
    first = screen()
    first.wait(RunEnded)
    second = screen()
    assert "process" in second.wait(Viewing).why
    second.wait(Compared)
    second.session.run(RunRequest("bench", fresh=True, agreed=True))
    said = second.wait(Notice, lambda n: bool(n.text))
    assert "only views" in said.text
    # What the first one does is seen.
    first.save("prompts/bench.md", "brief", "kind")
    first.wait(RunEnded)
    second.wait(Compared, lambda c: c.comparison.candidate.version.number == 2 and settled(c))


def test_promoting_labelling_and_comparing_by_name(screen: Open) -> None:
    ours = screen()
    ours.wait(RunEnded)
    ours.save("prompts/bench.md", "brief", "kind")
    ours.wait(RunEnded)
    assert ours.session.promote("v2").result(PATIENCE_S).is_baseline
    assert "version: 2" in (ours.root / "baselines.yaml").read_text()
    assert ours.session.label("v1", "before").result(PATIENCE_S).labels == ("before",)
    comparison, _ = ours.session.compare("before", "latest").result(PATIENCE_S)
    assert (comparison.baseline.version.number, comparison.candidate.version.number) == (1, 2)
    newest, oldest = ours.session.history().result(PATIENCE_S)
    assert newest.changed == ("prompt",)
    assert oldest.changed == ()
    report = ours.session.export("v1", "v2").result(PATIENCE_S)
    assert report.read_text().startswith("# bench: v1")


def test_the_last_comparison_is_there_before_the_engine_starts(screen: Open, tmp_path: Path) -> None:
    ours = screen()
    assert Session(tmp_path / "nowhere").last_comparison() is None
    ours.wait(RunEnded)
    ours.session.close()
    found = Session(ours.root).last_comparison()
    assert found is not None
    assert len(found[0].pairs) == 3


def test_where_a_case_is_written(screen: Open) -> None:
    ours = screen()
    ours.wait(WorkspaceLoaded)
    place = ours.session.where_is("two")
    assert place is not None
    path, line = place
    assert '"two"' in "".join(path.read_text().splitlines()[line - 1 : line + 1])
    prompt = ours.session.where_is("")
    assert prompt is not None
    assert prompt[0].name == "bench.md"


def test_two_versions_chosen_by_hand_are_judged_alike(screen: Open) -> None:
    """A scorer was edited since the older one ran."""
    ours = screen()
    ours.wait(RunEnded)
    ours.save("prompts/bench.md", "brief", "kind")
    ours.wait(RunEnded)
    ours.save("prompts/bench.md", "kind", "curt")
    ours.wait(RunEnded)
    ours.save("evals/bench.yaml", '"delta"', '"gamma"')
    ours.wait(RunEnded)
    comparison, _ = ours.session.compare("v2", "v3").result(PATIENCE_S)
    assert {p.case_id: p.change for p in comparison.pairs}["two"] == "same"
    assert comparison.pass_rate.baseline == comparison.pass_rate.candidate == 1.0
    ours.session.choose_comparison("v2", "v3")
    shown = ours.wait(Compared, lambda c: c.comparison.baseline.version.number == 2)
    assert shown.comparison.pass_rate.baseline == 1.0


def test_trust_given_in_another_terminal_is_noticed(screen: Open) -> None:
    from llmops_tui.workspace import trust

    case = {"id": "a", "vars": {"question": "x"}, "scorers": ["mine"]}
    ours = screen(cases=[case], files={"scorers.py": "def mine(output):\n    return True\n"})
    said = ours.wait(Notice, lambda n: n.key == "run" and bool(n.text))
    assert "llmops-tui trust" in said.text
    trust.trust(ours.root)
    assert ours.wait(RunEnded).tally.passed == 1


def test_a_database_that_is_removed_while_open_is_begun_anew(screen: Open) -> None:
    import shutil

    ours = screen()
    ours.wait(RunEnded)
    shutil.rmtree(ours.root / ".llmops")
    ours.save("prompts/bench.md", "brief", "kind")
    said = ours.wait(Notice, lambda n: "removed" in n.text)
    assert said.level == "warning"
    assert ours.wait(RunEnded).tally.cases == 3
    assert (ours.root / ".llmops/llmops.db").is_file()


def test_asking_what_is_missing_asks_it_and_leaves_a_run_under_way_alone(screen: Open) -> None:
    import asyncio

    from fake_openai import FakeOpenAI

    async def scenario() -> None:
        async with FakeOpenAI(latency_ms=30) as slow:
            provider = {"base_url": slow.url, "concurrency": 1, "price": {"m": {"input": 0, "output": 0}}}
            cases = [{"id": f"c{i}", "vars": {"question": f"q{i}"}} for i in range(12)]
            ours = screen(models=["g/m"], cases=cases, settings={"providers": {"g": provider}})
            await asyncio.to_thread(play, ours)
            assert slow.count <= 13  # one may have been under way when it was cancelled

    def play(ours: Screen) -> None:
        from llmops_tui.engine.events import ItemsDone

        missing = RunRequest("bench", "retry", only_failed=True)
        ours.wait(ItemsDone)
        ours.session.run(missing)
        assert "under way" in ours.wait(Notice, lambda n: bool(n.text)).text
        ours.session.cancel()
        cut = ours.wait(RunEnded)
        assert cut.run.state == "cancelled"
        assert cut.tally.missing > 0
        ours.session.run(missing)
        done = ours.wait(RunEnded)
        assert (done.tally.cases, done.tally.missing) == (12, 0)

    asyncio.run(scenario())


def test_a_save_of_a_shared_prompt_evaluates_every_configuration_that_uses_it(screen: Open) -> None:
    import json

    terse = {"prompt": "prompts/bench.md", "models": ["echo/other"], "evals": ["evals/bench.yaml"]}
    ours = screen(files={"configs/terse.yaml": json.dumps(terse)})
    assert ours.wait(RunEnded).version.config == "bench"
    ours.session.choose_config("terse")
    assert ours.wait(RunEnded, lambda e: e.version.config == "terse").version.number == 1
    ours.session.choose_config("bench")
    ours.wait(Compared, lambda c: c.comparison.candidate.version.config == "bench")
    ours.save("prompts/bench.md", "brief", "kind")
    assert ours.wait(RunEnded).version.name == "v2"
    assert "terse too: v2, 1 of 3 passed" in ours.wait(Notice, lambda n: bool(n.text)).text


def test_a_made_up_input_is_answered_and_kept_as_a_case_that_is_evaluated(tmp_path: Path) -> None:
    screen = Screen(write_workspace(tmp_path / "ws")).start()
    try:
        screen.wait(RunEnded)
        screen.session.run(PlaygroundRequest("bench", {"question": "made up"}, number=1))
        answering = screen.wait(Answering, lambda e: e.done)
        assert (answering.number, answering.text) == (1, "made up")
        assert screen.wait(Answered) == Answered(1, said=answered_alone("v1"), calls=1)
        sides = screen.session.playground().result(PATIENCE_S)
        assert sides.right == "v1"
        new = NewCase("kept", {"question": "made up"}, "made up", ("tried",))
        assert screen.session.keep_case(new).result(PATIENCE_S) == ("kept", "evals/bench.yaml")
        ended = screen.wait(RunEnded)
        assert (ended.tally.cases, ended.run.provider_calls) == (4, 0)
        screen.session.run(PlaygroundRequest("bench", {"question": " "}, number=2))
        assert "which is empty" in screen.wait(Answered).problem
    finally:
        screen.session.close()


def answered_alone(name: str) -> tuple[str, ...]:
    return (f"what is on disk is {name} itself: it answers alone",)


def test_an_app_that_only_views_asks_and_keeps_nothing(tmp_path: Path) -> None:
    first = Screen(write_workspace(tmp_path / "ws")).start()
    first.wait(RunEnded)
    second = Screen(tmp_path / "ws").start()
    try:
        second.wait(Viewing)
        second.session.run(PlaygroundRequest("bench", {"question": "x"}, number=1))
        assert "only views the workspace" in second.wait(Answered).problem
        with pytest.raises(UsageError, match="only views"):
            second.session.keep_case(NewCase("n", {"question": "x"})).result(PATIENCE_S)
    finally:
        second.session.close()
        first.session.close()


def test_variants_are_priced_tried_and_ranked_and_the_screen_keeps_its_pair(screen: Open) -> None:
    ours = screen()
    ours.wait(RunEnded)
    ours.wait(Compared)
    request = TryRequest("bench", sweeps=("params.temperature=0.1,0.2",))
    ours.session.run(request)
    asks = ours.wait(AskFirst)
    assert (asks.request, asks.estimate.requests) == (request, 6)
    agreed = TryRequest("bench", sweeps=("params.temperature=0.1,0.2",), agreed=True)
    ours.session.run(agreed)
    ended = ours.wait(WorkEnded)
    assert ended.request == agreed
    assert len(ended.result.ranking.rows) == 3
    shown = ours.wait(Compared)
    assert shown.comparison.candidate.version.name == "v1"
    (variant, *_) = [r.version for r in ended.result.ranking.rows if r.claim != "on disk"]
    ours.session.choose_comparison("v1", variant.name)
    looked = ours.wait(Compared, lambda e: e.comparison.candidate.version == variant)
    assert [c.label for c in looked.changed] == ["params.temperature"]


def test_a_slip_in_a_variant_ends_the_work_with_a_sentence(screen: Open) -> None:
    ours = screen()
    ours.wait(RunEnded)
    ours.session.run(TryRequest("bench", sets=("modls=echo/a",)))
    notice = ours.wait(Notice, lambda n: n.level == "error" and bool(n.text))
    assert notice.text == "--set modls=echo/a: unknown key 'modls'; did you mean 'models'?"
    assert ours.wait(WorkEnded).result is None


async def test_a_further_question_ends_the_one_that_is_under_way(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        reply = say(asked, f"about {asked.said}")
        if asked.said == "slow":
            reply.then, reply.pieces = "hang", reply.pieces[:3]
        return reply

    async with FakeOpenAI(script) as server:
        settings = {"providers": {"fake": {"base_url": server.url}}, "watch": {"mode": "off"}}
        root = write_workspace(tmp_path / "ws", models=["fake/m"], settings=settings)
        screen = Screen(root).start()
        try:
            await asyncio.to_thread(screen.wait, WorkspaceLoaded)
            screen.session.run(PlaygroundRequest("bench", {"question": "slow"}, number=1))
            await asyncio.to_thread(screen.wait, Answering, lambda e: bool(e.text))
            screen.session.run(PlaygroundRequest("bench", {"question": "quick"}, number=2))
            first = await asyncio.to_thread(screen.wait, Answered)
            second = await asyncio.to_thread(screen.wait, Answered)
            assert (first.number, first.cancelled) == (1, True)
            assert (second.number, second.cancelled, second.calls) == (2, False, 1)
            screen.session.run(PlaygroundRequest("bench", {"question": "slow"}, number=3))
            await asyncio.to_thread(screen.wait, Answering, lambda e: bool(e.text))
            screen.session.stop_asking()
            assert (await asyncio.to_thread(screen.wait, Answered)).cancelled
        finally:
            await asyncio.to_thread(screen.session.close)
