"""Reviewing as the app does it: over the session, with what other processes write seen at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from session_screen import PATIENCE_S, Open, Screen, settled

from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.errors import LlmopsError, UsageError
from llmops_tui.domain.review import Decision
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import (
    AskFirst,
    Compared,
    GateRequest,
    NothingToDo,
    Notice,
    RunEnded,
    Viewing,
    WorkEnded,
    Working,
)
from llmops_tui.engine.reviewing import Reviewing
from llmops_tui.workspace import reviews

WORSE = ("prompts/bench.md", "{{ question }}", "{{ question | replace('alpha', 'omega') }}")


def reviewed(screen: Open, **parts: Any) -> tuple[Screen, Compared]:
    """A session on two versions, of which the newer lost a case; nothing is under way any more."""
    ours = screen(**parts)
    ours.wait(RunEnded)
    ours.save(*WORSE)
    ours.wait(RunEnded)
    return ours, ours.wait(Compared, lambda c: c.comparison.candidate.version.number == 2 and settled(c))


def pair(shown: Compared, case: str) -> Pair:
    return next(p for p in shown.comparison.pairs if p.case_id == case)


def choices(shown: Compared) -> dict[str, str | None]:
    return {d.case_id: d.choice for d in shown.decisions}


def decided(ours: Screen, count: int) -> Compared:
    return ours.wait(Compared, lambda c: len(c.decisions) == count)


def test_a_decision_changes_the_verdict_at_once_and_is_kept(screen: Open) -> None:
    ours, shown = reviewed(screen)
    assert shown.gate is not None
    assert shown.gate.verdict == "fail"
    made = ours.session.decide(shown.comparison, [pair(shown, "one")], "accepted", "on purpose")
    assert [d.case_id for d in made.result(PATIENCE_S)] == ["one"]
    after = decided(ours, 1)
    assert choices(after) == {"one": "accepted"}
    assert after.gate is not None
    assert after.gate.verdict == "pass"
    # The pairs are the same ones: nobody has to read their texts again.
    assert after.comparison is shown.comparison
    ours.session.close()
    again = screen()
    assert choices(again.wait(Compared, settled)) == {"one": "accepted"}


def test_a_decision_asks_nothing_and_is_no_save(screen: Open) -> None:
    ours, shown = reviewed(screen)
    ours.session.decide(shown.comparison, [pair(shown, "one")], "rejected").result(PATIENCE_S)
    decided(ours, 1)
    before = len(ours.seen)
    ours.save("configs/bench.yaml", "{", "{ ")  # what comes of it comes after what the decision did
    ours.wait(NothingToDo)
    kinds = [type(e) for e in ours.seen[before:]]
    assert kinds.count(NothingToDo) == 1
    assert RunEnded not in kinds


def test_a_decision_is_on_the_answers_that_were_seen(screen: Open) -> None:
    ours, shown = reviewed(screen)
    seen = pair(shown, "one")
    ours.save("prompts/bench.md", "'omega'", "'sigma'")
    newer = ours.wait(Compared, lambda c: c.comparison.candidate.version.number == 3 and settled(c))
    ours.session.decide(newer.comparison, [seen], "accepted").result(PATIENCE_S)
    ours.save("prompts/bench.md", "'sigma'", "'omega'")
    back = ours.wait(Compared, lambda c: c.comparison.candidate.version.number == 2 and settled(c))
    assert choices(back) == {"one": "accepted"}
    assert not [
        e
        for e in ours.seen
        if isinstance(e, Compared) and e.comparison.candidate.version.number == 3 and e.decisions
    ]


def test_what_another_terminal_decides_is_seen_and_its_undo_too(screen: Open) -> None:
    ours, shown = reviewed(screen)
    engine = Engine.open(ours.root, read_only=True)
    engine.load()
    theirs = Reviewing(engine)
    theirs.decide(shown.comparison, [pair(shown, "one")], "rejected", "hm")
    after = decided(ours, 1)
    assert (after.decisions[0].choice, after.decisions[0].note) == ("rejected", "hm")
    theirs.undo()
    decided(ours, 0)
    engine.close()


def test_a_broken_file_is_told_and_refused_until_it_is_mended(screen: Open) -> None:
    ours, shown = reviewed(screen)
    file = ours.root / reviews.REVIEWS_FILE
    file.write_text("bench:\n  - case: one\n    model: echo/echo\n    decision: maybe\n")
    said = ours.wait(Notice, lambda n: n.key == "reviews" and bool(n.text))
    assert "reviews.yaml:4" in said.text
    assert ours.wait(Compared).gate is None
    with pytest.raises(LlmopsError, match="'maybe' is not known"):
        ours.session.decide(shown.comparison, [pair(shown, "one")], "accepted").result(PATIENCE_S)
    assert "maybe" in file.read_text()
    file.unlink()
    ours.wait(Notice, lambda n: n.key == "reviews" and not n.text)
    assert ours.wait(Compared).gate is not None


def test_undo_says_what_it_took_back_and_what_it_was_about(screen: Open) -> None:
    ours, shown = reviewed(screen)
    ours.session.decide(shown.comparison, [pair(shown, "one")], "accepted").result(PATIENCE_S)
    decided(ours, 1)
    undone = ours.session.undo().result(PATIENCE_S)
    assert (undone.said, undone.about) == ("Undone: accepting 'one'.", (("one", "echo/echo"),))
    assert decided(ours, 0).decisions == ()
    with pytest.raises(UsageError, match="nothing to undo"):
        ours.session.undo().result(PATIENCE_S)


def test_what_is_forgotten_is_open_again(screen: Open) -> None:
    ours, shown = reviewed(screen)
    ours.session.decide(shown.comparison, [pair(shown, "one")], "accepted").result(PATIENCE_S)
    decided(ours, 1)
    ours.session.forget(shown.comparison, pair(shown, "one")).result(PATIENCE_S)
    decided(ours, 0)


def test_an_answer_taken_over_is_written_and_scored_anew(screen: Open) -> None:
    cases = [
        {"id": "one", "vars": {"question": "alpha beta"}, "expected": "alpha beta", "scorers": ["equals"]}
    ]
    ours, shown = reviewed(screen, cases=cases)
    assert pair(shown, "one").change == "regressed"
    said = ours.session.take_expected(shown.comparison, pair(shown, "one")).result(PATIENCE_S)
    assert "is now 'expected' of 'one'" in said
    after = ours.wait(Compared, lambda c: pair(c, "one").change == "improved")
    assert choices(after) == {"one": "accepted"}
    ours.session.undo().result(PATIENCE_S)
    back = ours.wait(Compared, lambda c: pair(c, "one").change == "regressed" and not c.decisions)
    assert back.gate is not None


def test_a_mark_of_known_failing_changes_the_verdict_and_can_be_taken_away(screen: Open) -> None:
    ours, _ = reviewed(screen)
    ours.session.mark_known_failing("one", "it guesses").result(PATIENCE_S)
    ours.wait(Compared, lambda c: c.gate is not None and c.gate.verdict != "fail")
    assert (
        json.loads((ours.root / "evals/bench.yaml").read_text())["cases"][0]["known_failing"] == "it guesses"
    )
    ours.session.mark_known_failing("one", None).result(PATIENCE_S)
    ours.wait(Compared, lambda c: c.gate is not None and c.gate.verdict == "fail")


def test_a_viewer_decides_nothing_and_sees_what_is_decided(screen: Open) -> None:
    first, shown = reviewed(screen)
    second = screen()
    second.wait(Viewing)
    seen = second.wait(Compared, settled)
    with pytest.raises(UsageError, match="only views the workspace"):
        second.session.decide(seen.comparison, [pair(seen, "one")], "accepted").result(PATIENCE_S)
    assert not (first.root / reviews.REVIEWS_FILE).exists()
    first.session.decide(shown.comparison, [pair(shown, "one")], "rejected").result(PATIENCE_S)
    assert choices(decided(second, 1)) == {"one": "rejected"}


def test_the_verdict_in_full_has_slices_and_what_stands_in_the_way_of_promoting(screen: Open) -> None:
    ours, shown = reviewed(screen)
    full = ours.session.verdict().result(PATIENCE_S)
    assert shown.gate is not None
    assert full.verdict == shown.gate.verdict
    assert [s.tag for s in full.slices] == ["greek"]
    problems = ours.session.obstacles("v2").result(PATIENCE_S)
    assert "its gate against v1 fails" in problems[0].message
    with pytest.raises(UsageError, match="its gate against v1 fails"):
        ours.session.promote("v2").result(PATIENCE_S)
    ours.session.decide(shown.comparison, [pair(shown, "one")], "accepted").result(PATIENCE_S)
    assert ours.session.obstacles("v2").result(PATIENCE_S) == ()


def test_a_forced_promotion_is_in_the_history_with_its_note(screen: Open) -> None:
    ours, _ = reviewed(screen)
    ours.session.promote("v2", force=True, note="law changed").result(PATIENCE_S)
    newest, oldest = ours.session.history().result(PATIENCE_S)
    assert [(p.forced, p.note) for p in newest.promoted] == [(True, "law changed")]
    assert oldest.promoted == ()
    assert ours.wait(Compared, lambda c: c.comparison.baseline.version.number == 2).gate is not None


def test_a_promotion_that_comes_with_git_is_seen_at_once(screen: Open) -> None:
    ours, _ = reviewed(screen)
    file = ours.root / "baselines.yaml"
    ours.session.promote("v1").result(PATIENCE_S)
    before = file.read_text()
    ours.session.promote("v2", force=True, note="for now").result(PATIENCE_S)
    ours.wait(Compared, lambda c: c.comparison.baseline.version.number == 2)
    file.write_text(before)
    ours.wait(Compared, lambda c: c.comparison.baseline.version.number == 1)


# -- the gate


def on_server(screen: Open, play: Callable[[Screen, Compared, FakeOpenAI], None], **how: Any) -> None:
    """Two versions answered at random by a server, which is handed over with the session."""

    async def scenario() -> None:
        async with FakeOpenAI(**how) as server:
            price = {"random-0.4": {"input": 0, "output": 0}}
            provider = {"base_url": server.url, "price": price, "concurrency": 4}
            cases = [
                {"id": f"c{i}", "vars": {"question": f"alpha {i}"}, "scorers": [{"contains": "alpha"}]}
                for i in range(6)
            ]
            settings = {"providers": {"g": provider}, "gate": {"max_drop": 0.01}}
            ours = screen(models=["g/random-0.4"], cases=cases, settings=settings)

            def run() -> None:
                ours.wait(RunEnded)
                ours.save("prompts/bench.md", "brief", "kind")
                ours.wait(RunEnded)
                is_second = lambda c: c.comparison.candidate.version.number == 2 and settled(c)  # noqa: E731
                play(ours, ours.wait(Compared, is_second), server)

            await asyncio.to_thread(run)

    asyncio.run(scenario())


def test_a_fresh_gate_shows_its_price_and_its_verdict_is_that_of_the_screen(screen: Open) -> None:
    def play(ours: Screen, shown: Compared, server: FakeOpenAI) -> None:
        before = server.count
        ours.session.run(GateRequest("bench", fresh=True, ask_first=True))
        asked = ours.wait(AskFirst)
        assert (asked.estimate.to_ask, asked.why) == (12, "Gate on fresh answers of both sides?")
        ours.wait(Compared)
        assert server.count == before
        ours.session.run(GateRequest("bench", fresh=True, ask_first=True, agreed=True))
        ended = ours.wait(WorkEnded)
        assert any(isinstance(e, Working) and e.what == "Gate: v1 and v2" for e in ours.seen)
        assert server.count == before + 12
        assert ended.result.result.provider_calls == 12
        after = ours.wait(Compared)
        assert after.gate is not None
        assert not after.gate.exploratory
        assert (after.gate.verdict, after.gate.headline) == (
            ended.result.result.verdict,
            ended.result.result.headline,
        )

    on_server(screen, play)


def test_an_adjudication_shows_the_price_of_all_looks_and_leaves_nothing_behind_when_declined(
    screen: Open,
) -> None:
    def play(ours: Screen, shown: Compared, server: FakeOpenAI) -> None:
        assert shown.gate is not None
        assert shown.gate.verdict == "inconclusive"
        ours.session.run(GateRequest("bench", adjudicate=True, ask_first=True))
        asked = ours.wait(AskFirst)
        assert asked.estimate.to_ask == 2 * 6 * 3  # four times the trials, and one is there
        declined = ours.wait(Compared)
        assert declined.gate == shown.gate
        ours.session.run(asked.request.__class__("bench", adjudicate=True, ask_first=True, agreed=True))
        ended = ours.wait(WorkEnded)
        assert len(ended.result.result.looks) > 1
        after = ours.wait(Compared)
        assert after.gate is not None
        assert after.gate.verdict == ended.result.result.verdict
        assert after.gate.trials == ended.result.result.trials
        full = ours.session.verdict().result(PATIENCE_S)
        assert [look.look for look in full.looks] == [look.look for look in ended.result.result.looks]

    on_server(screen, play)


def test_deciding_while_a_gate_is_under_way_does_not_end_it(screen: Open) -> None:
    def play(ours: Screen, shown: Compared, server: FakeOpenAI) -> None:
        ours.session.run(GateRequest("bench", fresh=True, agreed=True))
        ours.wait(Working, lambda w: w.done > 0)
        ours.session.decide(shown.comparison, [shown.comparison.pairs[0]], "accepted").result(PATIENCE_S)
        reviews.put(ours.root, [Decision("bench", "other", "m", "accepted", ("a",), ("b",))])
        ended = ours.wait(WorkEnded)
        assert ended.result is not None
        assert not ended.result.cancelled
        assert ended.result.result.provider_calls == 12

    on_server(screen, play, latency_ms=60)


def test_a_save_ends_a_gate_and_is_evaluated(screen: Open) -> None:
    def play(ours: Screen, shown: Compared, server: FakeOpenAI) -> None:
        ours.session.run(GateRequest("bench", fresh=True, agreed=True))
        ours.wait(Working, lambda w: w.done > 0)
        ours.save("prompts/bench.md", "user:", "user:\nA question:")
        ended = ours.wait(WorkEnded)
        assert ended.result.cancelled
        assert ended.result.result.verdict == "inconclusive"
        assert ours.wait(RunEnded, lambda e: e.version.number == 3).run.state == "complete"

    on_server(screen, play, latency_ms=60)


def test_where_more_trials_can_not_help_nothing_is_asked_and_it_is_said_why(screen: Open) -> None:
    cases = [{"id": "one", "vars": {"question": "alpha"}}]
    ours, shown = reviewed(screen, cases=cases)
    assert shown.gate is not None
    assert shown.gate.verdict == "inconclusive"
    ours.session.run(GateRequest("bench", adjudicate=True, ask_first=True))
    ended = ours.wait(WorkEnded)
    assert ended.result.result.reasons[-1].startswith("more trials were not asked")
    assert not any(isinstance(e, AskFirst) for e in ours.seen)


def test_opening_a_workspace_whose_decisions_are_broken_still_shows_the_cases(
    screen: Open, tmp_path: Path
) -> None:
    first = screen()
    first.wait(RunEnded)
    first.session.close()
    (first.root / reviews.REVIEWS_FILE).write_text("[")
    again = screen()
    assert again.wait(Notice, lambda n: n.key == "reviews" and bool(n.text)).text.startswith("reviews.yaml")
    assert len(again.wait(Compared).comparison.pairs) == 3
