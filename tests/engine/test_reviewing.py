"""Decisions that last: they belong to outputs, survive a restart, and can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.errors import UsageError, WorkspaceError
from llmops_tui.domain.review import decisions_of, to_review
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.reviewing import Reviewing

PROMPT = "user:\n{{ question }} You have 30 days.\n"
EDITED = "user:\n{{ question }} You have two weeks.\n"
CASES: list[dict[str, Any]] = [
    {"id": "days", "vars": {"question": "How long?"}, "scorers": [{"contains": "30 days"}]},
    {"id": "exact", "vars": {"question": "x"}, "expected": "x You have 30 days.", "scorers": ["equals"]},
    {"id": "free", "vars": {"question": "Hm?"}},
]


class Desk(Bench):
    """A bench whose prompt was edited, and its reviewing."""

    def __init__(self, root: Path, **parts: Any) -> None:
        super().__init__(root, prompt=PROMPT, **{"cases": CASES, **parts})
        self.reviewing = Reviewing(self.engine)

    async def edit(self, prompt: str = EDITED) -> None:
        self.write("prompts/bench.md", prompt)
        await self.evaluate()

    @property
    def comparison(self) -> Comparison:
        return self.engine.queries.compare("bench", None, None)[0]

    def pair(self, case: str) -> Pair:
        return next(p for p in self.comparison.pairs if p.case_id == case)

    def choices(self) -> dict[str, str | None]:
        decided = decisions_of(self.reviewing.decisions(), self.comparison)
        return {case: d.choice for (case, _), d in decided.items()}

    def left(self) -> list[str]:
        return [p.case_id for p in to_review(self.comparison, self.reviewing.decided(self.comparison))]

    def decide(self, case: str, choice: Any, note: str | None = None) -> None:
        self.reviewing.decide(self.comparison, [self.pair(case)], choice, note)

    def reopen(self) -> None:
        self.engine.close()
        self.engine = Engine.open(self.root)
        self.engine.load()
        self.reviewing = Reviewing(self.engine)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setenv("USER", "ada")
    made: list[Desk] = []

    async def start(**parts: Any) -> Desk:
        made.append(Desk(tmp_path / "ws", **parts))
        await made[-1].evaluate()
        await made[-1].edit()
        return made[-1]

    yield start
    for desk in made:
        desk.engine.close()


async def test_a_decision_takes_a_case_out_of_the_queue_and_says_who_and_when(make: Any) -> None:
    desk = await make()
    assert desk.left() == ["days", "exact", "free"]
    desk.decide("days", "accepted", "two weeks is the law")
    assert desk.left() == ["exact", "free"]
    (decision,) = desk.reviewing.decisions()
    assert (decision.by, decision.note) == ("ada", "two weeks is the law")
    assert decision.at.endswith("Z")


async def test_decisions_survive_a_restart(make: Any) -> None:
    desk = await make()
    desk.decide("days", "rejected")
    desk.reopen()
    assert desk.choices() == {"days": "rejected"}


async def test_a_decision_goes_with_the_outputs_and_comes_back_with_them(make: Any) -> None:
    desk = await make()
    desk.decide("days", "accepted")
    await desk.edit("user:\n{{ question }} You have a month.\n")
    assert desk.choices() == {}
    assert "days" in desk.left()
    desk.decide("days", "rejected")
    desk.configure(params={"temperature": 0.5})
    await desk.edit(EDITED)
    assert desk.comparison.candidate.version.name == "v4"
    assert desk.choices() == {"days": "accepted"}
    assert len(desk.reviewing.decisions()) == 2


async def test_another_version_with_the_same_outputs_keeps_the_decision(make: Any) -> None:
    desk = await make()
    desk.decide("days", "accepted")
    desk.configure(params={"temperature": 0.5})
    await desk.evaluate()
    assert desk.comparison.candidate.version.name == "v3"
    assert desk.choices() == {"days": "accepted"}


async def test_a_note_alone_leaves_the_case_in_the_queue_and_is_kept_by_a_decision(make: Any) -> None:
    desk = await make()
    desk.decide("days", None, "ask legal")
    assert "days" in desk.left()
    desk.decide("days", "rejected")
    assert [(d.choice, d.note) for d in desk.reviewing.decisions()] == [("rejected", "ask legal")]
    desk.decide("days", None, "legal says no")
    assert [(d.choice, d.note) for d in desk.reviewing.decisions()] == [("rejected", "legal says no")]


async def test_an_empty_note_that_stood_alone_leaves_nothing(make: Any) -> None:
    desk = await make()
    desk.decide("days", None, "hm")
    desk.decide("days", None, "")
    assert desk.reviewing.decisions() == ()


async def test_notes_hold_nothing_that_a_terminal_obeys(make: Any) -> None:
    desk = await make()
    desk.decide("days", "accepted", "look\x1b[2J here\r\n")
    assert desk.reviewing.decisions()[0].note == "look here"


async def test_several_are_decided_and_undone_as_one(make: Any) -> None:
    desk = await make()
    desk.decide("exact", "rejected")
    pairs = [p for p in desk.comparison.pairs if p.case_id in ("days", "exact")]
    desk.reviewing.decide(desk.comparison, pairs, "accepted")
    assert desk.choices() == {"days": "accepted", "exact": "accepted"}
    assert desk.reviewing.undo() == "Undone: accepting 2 cases."
    assert desk.choices() == {"exact": "rejected"}
    assert desk.reviewing.undo() == "Undone: rejecting 'exact'."
    assert desk.choices() == {}
    with pytest.raises(UsageError, match="nothing to undo"):
        desk.reviewing.undo()


async def test_undo_leaves_alone_what_a_colleague_decided_since(make: Any) -> None:
    desk = await make()
    desk.decide("free", "accepted")
    desk.decide("days", "accepted")
    other = Reviewing(desk.engine)
    other.decide(desk.comparison, [desk.pair("days")], "rejected")
    with pytest.raises(UsageError, match="decided anew since"):
        desk.reviewing.undo()
    assert desk.choices()["days"] == "rejected"
    assert desk.reviewing.undo() == "Undone: accepting 'free'."


async def test_a_decision_is_forgotten_and_that_is_undone(make: Any) -> None:
    desk = await make()
    desk.decide("days", "accepted", "yes")
    desk.reviewing.clear(desk.comparison, desk.pair("days"))
    assert desk.choices() == {}
    with pytest.raises(UsageError, match="nothing is decided"):
        desk.reviewing.clear(desk.comparison, desk.pair("days"))
    desk.reviewing.undo()
    assert desk.choices() == {"days": "accepted"}


async def test_what_has_no_answer_cannot_be_decided_on(make: Any) -> None:
    desk = await make(config={"models": ["echo/echo"]})
    desk.cases(*CASES, {"id": "late", "vars": {"question": "?"}})
    desk.engine.load()
    version = desk.engine.queries.resolve("bench", "latest")
    await desk.engine.rescore(version)
    pending = desk.pair("late")
    assert pending.pending
    with pytest.raises(UsageError, match="'late' has no answer"):
        desk.reviewing.decide(desk.comparison, [pending], "accepted")


# -- the eval set


async def test_an_answer_becomes_the_expected_one_and_the_case_passes(make: Any) -> None:
    desk = await make()
    assert desk.pair("exact").change == "regressed"
    before = (desk.root / "evals/bench.yaml").read_text()
    said = desk.reviewing.take_expected(desk.comparison, desk.pair("exact"))
    assert said == "The answer is now 'expected' of 'exact' in evals/bench.yaml."
    after = (desk.root / "evals/bench.yaml").read_text()
    assert after == before.replace("x You have 30 days.", "x You have two weeks.")
    assert desk.choices() == {"exact": "accepted"}
    desk.engine.load()
    await desk.engine.rescore(desk.engine.queries.resolve("bench", "latest"))
    assert desk.rows()["exact"].status == "passed"
    assert desk.choices() == {"exact": "accepted"}
    assert desk.reviewing.undo() == "Undone: taking the answer of 'exact' over as expected."
    assert (desk.root / "evals/bench.yaml").read_text() == before
    assert desk.choices() == {}


async def test_where_no_scorer_looks_at_expected_that_is_said(make: Any) -> None:
    desk = await make()
    said = desk.reviewing.take_expected(desk.comparison, desk.pair("days"))
    assert "None of its scorers is held against 'expected'" in said


async def test_undo_of_an_edit_refuses_where_the_file_was_edited_since(make: Any) -> None:
    desk = await make()
    desk.reviewing.take_expected(desk.comparison, desk.pair("exact"))
    desk.replace("evals/bench.yaml", '"free"', '"freedom"')
    with pytest.raises(UsageError, match="edited since"):
        desk.reviewing.undo()
    assert desk.choices() == {"exact": "accepted"}


async def test_an_answer_that_can_not_be_noted_as_accepted_is_not_taken_over(make: Any) -> None:
    desk = await make()
    before = (desk.root / "evals/bench.yaml").read_text()
    desk.write("reviews.yaml", "bench: [{case: a, model: m}]\n")
    with pytest.raises(WorkspaceError, match="lines of its own"):
        desk.reviewing.take_expected(desk.comparison, desk.pair("exact"))
    assert (desk.root / "evals/bench.yaml").read_text() == before


async def test_structure_stays_structure(make: Any) -> None:
    case = {"id": "s", "vars": {"question": "2"}, "expected": {"n": 1}, "scorers": ["equals"]}
    desk = await make(cases=[case])
    await desk.edit('user:\n{"n": {{ question }}}\n')
    desk.reviewing.take_expected(desk.comparison, desk.pair("s"))
    (written,) = desk.engine.load().configurations["bench"].cases
    assert written.expected == {"n": 2}


async def test_trials_that_differ_have_no_answer_to_take_over(make: Any, monkeypatch: Any) -> None:
    desk = await make(config={"trials": 2})
    monkeypatch.setattr(desk.engine.store.outputs, "texts", lambda ids: {i: f"answer {i}" for i in ids})
    with pytest.raises(UsageError, match="gave 2 different answers"):
        desk.reviewing.take_expected(desk.comparison, desk.pair("exact"))


async def test_a_case_is_marked_as_known_to_fail_and_unmarked(make: Any) -> None:
    desk = await make()
    before = (desk.root / "evals/bench.yaml").read_text()
    desk.reviewing.mark_known_failing("bench", "days", "the model\ncan't count")
    cases = {c.id: c for c in desk.engine.load().configurations["bench"].cases}
    assert cases["days"].known_failing == "the model can't count"
    assert (await desk.nothing()).version.name == "v2"
    desk.reviewing.unmark_known_failing("bench", "days")
    assert (desk.root / "evals/bench.yaml").read_text() == before
    desk.reviewing.undo()
    desk.reviewing.undo()
    assert (desk.root / "evals/bench.yaml").read_text() == before
    with pytest.raises(UsageError, match="say why"):
        desk.reviewing.mark_known_failing("bench", "days", " ")
    with pytest.raises(UsageError, match="did you mean 'days'"):
        desk.reviewing.mark_known_failing("bench", "day", "x")


async def test_a_mistake_in_the_file_is_told_and_keeps_it(make: Any) -> None:
    desk = await make()
    desk.write("reviews.yaml", "bench:\n  - case: days\n")
    with pytest.raises(WorkspaceError, match=r"reviews\.yaml:2 .*no 'model'"):
        desk.decide("days", "accepted")
    assert (desk.root / "reviews.yaml").read_text() == "bench:\n  - case: days\n"
