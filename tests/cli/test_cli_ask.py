"""`ask`: a made-up input, answered by two versions, and kept as a case."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from desk import CONFIG, EVALS, Desk, make_desk
from fake_openai import Asked, Reply, error, say
from serving import serving

from llmops_tui.cli.ask import Teller
from llmops_tui.domain.output import Output
from llmops_tui.engine.engine import DATABASE
from llmops_tui.engine.playground_events import Answering
from llmops_tui.store import Store


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_both_versions_answer_and_their_difference_is_shown(desk: Desk) -> None:
    assert desk("run")[0] == 0
    desk.edit_prompt()
    code, out, err = desk("ask", "--var", "question=Why?")
    assert code == 0, err
    assert "v1  baseline · echo/parrot\nWhy? You have 30 days for a refund.\n" in out
    assert "on disk  candidate · echo/parrot\nWhy? You have two weeks for a refund, from 9 to 5.\n" in out
    assert "[-30 days-]" in out
    assert "2 requests" in err
    with Store.open(desk.root / DATABASE, read_only=True) as store:
        assert [v.name for v in store.versions.list("desk")] == ["v1"]
        assert len(store.runs.list("desk")) == 1


def test_what_is_not_given_is_read_from_stdin(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "two\nlines\n")
    answer = desk.json("ask")
    assert answer["vars"] == {"question": "two\nlines"}
    assert answer["answers"][0]["text"] == "two\nlines You have 30 days for a refund."
    type_in(monkeypatch, "")
    code, _out, err = desk("ask")
    assert code == 2
    assert "the prompt reads question; give --var question=…" in err


def test_the_json_has_both_answers_and_what_they_took(desk: Desk) -> None:
    desk("run")
    desk.edit_prompt()
    answer = desk.json("ask", "--case", "days")
    assert {k: answer[k] for k in ("config", "baseline", "candidate", "case", "calls", "kept")} == {
        "config": "desk",
        "baseline": "v1",
        "candidate": "on disk",
        "case": "days",
        "calls": 1,
        "kept": None,
    }
    left, right = answer["answers"]
    assert (left["side"], left["cached"], right["side"], right["cached"]) == (
        "baseline",
        True,
        "candidate",
        False,
    )
    assert [s["passed"] for s in left["scores"] + right["scores"]] == [True, False]
    assert right["output_tokens"] == 13


def test_another_version_can_answer_in_the_baseline_s_place(desk: Desk) -> None:
    desk("run")
    desk.edit_prompt()
    desk("run")
    assert desk.json("ask", "--var", "question=x", "--against", "v1")["baseline"] == "v1"
    code, _out, err = desk("ask", "--var", "question=x", "--against", "v7")
    assert code == 2
    assert "v7" in err


def test_it_is_kept_as_a_case_and_its_answer_is_expected(desk: Desk) -> None:
    arguments = ["--var", "question=Do you ship?", "--keep", "ships", "--tag", "new", "--expected-answer"]
    code, out, err = desk("ask", *arguments)
    assert code == 0, err
    assert "kept as case ships in evals/desk.yaml" in out
    text = (desk.root / "evals/desk.yaml").read_text()
    assert text == EVALS + (
        "  - id: ships\n    vars:\n      question: Do you ship?\n"
        '    expected: "Do you ship? You have 30 days for a refund."\n    tags: [new]\n'
    ).replace("question: Do you ship?", 'question: "Do you ship?"')
    # Its answer is there already: nothing of it is asked.
    ran = desk.json("run")
    assert (ran["cases"], ran["cached_outputs"]) == (5, 1)


def test_an_id_is_made_where_none_is_named(desk: Desk) -> None:
    answer = desk.json("ask", "--keep", "--var", "question=Do you ship to Japan?")
    assert answer["kept"] == {"id": "do-you-ship-to-japan", "file": "evals/desk.yaml"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--var", "question=x", "--keep", "days"], "the id 'days' is there already"),
        (["--case", "days", "--keep", "again"], "the case 'days' asks just this already"),
        (["--var", "question=x", "--tag", "a"], "go with --keep"),
        (["--var", "question"], "--var takes NAME=VALUE"),
        (["--var", "queston=x"], "did you mean 'question'?"),
        (["--case", "dais"], "did you mean 'days'?"),
        (["--var", "question=x", "--keep", "a", "--expected", "b", "--expected-answer"], "one thing"),
    ],
)
def test_what_can_t_be_is_refused_before_anything_is_asked(
    desk: Desk, arguments: list[str], said: str
) -> None:
    code, out, err = desk("ask", *arguments)
    assert code == 2
    assert said in err
    assert out == ""
    assert (desk.root / "evals/desk.yaml").read_text() == EVALS


def on_server(root: Path, url: str, **settings: Any) -> None:
    make_desk(root, config=CONFIG.replace("echo/parrot", "fake/m"))
    price = {"m": {"input": 1.0, "output": 1_000_000.0}}
    provider = {"base_url": url, "price": price, "retries": 0}
    (root / "llmops.yaml").write_text(json.dumps({"providers": {"fake": provider}, **settings}))


def test_over_budget_nothing_is_asked_unless_it_is_agreed_to(desk: Desk) -> None:
    with serving() as server:
        on_server(desk.root, server.url, budget={"per_run_usd": 0.5})
        code, _out, err = desk("ask", "--var", "question=x")
        assert code == 2
        assert "budget.per_run_usd" in err
        assert server.count == 0
        assert desk("ask", "--var", "question=x", "--yes")[0] == 0
        assert server.count == 1


def test_an_answer_that_could_not_be_had_is_told(desk: Desk) -> None:
    def script(asked: Asked) -> Reply:
        return error(400, "no such luck") if "bad" in asked.said else say(asked, "fine")

    with serving(script) as server:
        on_server(desk.root, server.url)
        code, out, _err = desk("ask", "--var", "question=bad")
        assert code == 3
        assert "✗ " in out
        assert "no such luck" in out
        answer = desk.json("ask", "--var", "question=bad", code=3)
        assert answer["answers"][0]["text"] is None
        assert "no such luck" in answer["answers"][0]["failure"]


# -- on a terminal


def told(capsys: pytest.CaptureFixture[str], *events: Answering) -> str:
    teller = Teller(streams=True)
    for event in events:
        teller(event)
    return capsys.readouterr().out


def piece(side: int, text: str, *, done: bool = False) -> Answering:
    output = Output(text) if done else None
    return Answering(0, 0, side, ("v1", "v2")[side], "m", text, done=done, output=output)


def test_answers_stream_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    out = told(
        capsys,
        piece(0, ""),
        piece(1, "Second "),
        piece(0, "Fir"),
        piece(0, "First"),
        piece(1, "Second one", done=True),
    )
    assert out == "v1  baseline · m\nFirst"
    out = told(capsys, piece(1, "Second one", done=True), piece(0, "Fir"), piece(0, "First.", done=True))
    assert out.startswith("v2  candidate · m\nSecond one\n")


def test_a_text_that_begins_anew_is_printed_anew_and_obeys_no_escape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = told(capsys, piece(0, "half an"), piece(0, "whole"), piece(0, "whole\x1b[2J it is", done=True))
    assert "half an\nwhole it is\n" in out
    assert "\x1b" not in out
