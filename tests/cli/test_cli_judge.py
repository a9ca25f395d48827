"""`judge align`: a judge held against what people decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from fake_openai import FakeOpenAI
from serving import serving
from small_workspace import write_workspace

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.review import HASH_DIGITS, Decision
from llmops_tui.workspace import reviews

#: The judge passes what says "polite"; the fourth is where people think otherwise.
QUESTIONS = ["be polite", "please, polite", "go away", "hello there"]


def judged(root: Path, server: FakeOpenAI, model: str = "keyword") -> None:
    entry = {"judge": {"rubric": "Polite?", "model": f"gateway/judge-{model}"}}
    cases = [{"id": f"c{n}", "vars": {"question": q}, "scorers": [entry]} for n, q in enumerate(QUESTIONS)]
    settings = {"providers": {"gateway": {"base_url": server.url, "retries": 0}}}
    write_workspace(root, cases=cases, prompt="{{ question }}", settings=settings)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.jsonl"
    lines = [
        {"case": "c0", "passed": True},
        {"case": "c1", "passed": True, "model": "echo/echo"},
        {"case": "c2", "passed": False, "output": "go away"},
        {"case": "c3", "passed": True, "note": "short, and friendly"},
        {"case": "c3", "passed": True, "output": "an answer that nobody gave"},
    ]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return file


def aligned(desk: Desk, *more: str) -> dict[str, Any]:
    (found,) = desk.json("judge", "align", *more)["judges"]
    assert isinstance(found, dict)
    return found


def test_agreement_with_labels_and_where_they_differ(desk: Desk, labels: Path) -> None:
    with serving() as server:
        judged(desk.root, server)
        assert desk("run", "--config", "bench")[0] == 0
        asked = server.count
        found = aligned(desk, "--config", "bench", "--labels", str(labels))
        code, text, _ = desk("judge", "align", "--config", "bench", "--labels", str(labels))
        assert server.count == asked
    assert code == 0
    assert found["scorer"].startswith("judge ")
    assert (found["n"], found["unjudged"], found["agreement"], found["few"]) == (4, 1, 0.75, True)
    assert (found["both_pass"], found["only_person_passes"]) == (2, 1)
    assert (found["only_judge_passes"], found["both_fail"]) == (0, 1)
    assert found["kappa"] == pytest.approx(0.5)
    (differing,) = found["disagreements"]
    assert (differing["case"], differing["judge_passed"]) == ("c3", False)
    assert "agrees on 3 of 4 (75%), kappa 0.50" in text
    assert "that is few: from 20 labels on" in text
    assert "c3 on echo/echo: failed, people pass it" in text
    assert "person: short, and friendly" in text


def test_reviews_are_labels_of_the_answers_that_were_judged(desk: Desk) -> None:
    def decision(case: int, choice: Any, at: str, text: str = "") -> Decision:
        answer = text_digest(text or QUESTIONS[case])[:HASH_DIGITS]
        return Decision(
            "bench",
            f"c{case}",
            "echo/echo",
            choice,
            ("0" * HASH_DIGITS,),
            (answer,),
            "",
            "me@example.org",
            at,
        )

    decisions = [
        decision(0, "rejected", "2026-01-01T00:00:00Z"),
        decision(2, "rejected", "2026-01-02T00:00:00Z"),
        decision(3, "accepted", "2026-01-02T00:00:00Z", "an answer of long ago"),
    ]
    with serving() as server:
        judged(desk.root, server)
        assert desk("run", "--config", "bench")[0] == 0
    reviews.put(desk.root, decisions)
    found = aligned(desk, "--config", "bench")
    assert (found["n"], found["unjudged"], found["both_fail"], found["only_judge_passes"]) == (2, 1, 1, 1)
    # The newest word on an answer counts.
    reviews.put(desk.root, [decision(0, "accepted", "2026-01-03T00:00:00Z")])
    assert aligned(desk, "--config", "bench")["agreement"] == 1.0


def test_each_version_of_a_judge_is_told_by_itself(desk: Desk, labels: Path) -> None:
    with serving() as server:
        for model in ("keyword", "fail"):
            judged(desk.root, server, model)
            assert desk("run", "--config", "bench")[0] == 0
    arguments = ("judge", "align", "--config", "bench", "--labels", str(labels))
    both = desk.json(*arguments)["judges"]
    assert sorted(j["agreement"] for j in both) == [0.25, 0.75]
    (one,) = desk.json(*arguments, "--scorer", both[0]["scorer"])["judges"]
    assert one == both[0]
    assert desk.json(*arguments, "--scorer", "judge")["judges"] == both
    code, _, err = desk(*arguments, "--scorer", "jugde")
    assert code == 2
    assert "no judge 'jugde' scored a labelled answer" in err


def test_nothing_to_hold_it_against_is_said_with_what_to_do(desk: Desk, tmp_path: Path) -> None:
    code, _, err = desk("judge", "align")
    assert code == 2
    assert "nobody has judged an answer of desk yet; accept or reject changed cases" in err
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"case": "days", "passed": true}\n{"case": "days"}\n', encoding="utf-8")
    code, _, err = desk("judge", "align", "--labels", str(torn))
    assert code == 2
    assert "torn.jsonl:2 is no label: " in err
    torn.write_text('{"case": "days", "passed": true}\n', encoding="utf-8")
    assert desk("run")[0] == 0
    code, _, err = desk("judge", "align", "--labels", str(torn))
    assert code == 2
    assert "no judge scored any of the answers that have a label" in err
