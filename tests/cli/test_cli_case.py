"""`case`: a live request becomes a case, and the next run judges by it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from desk import CONFIG, EVALS, Desk
from live_desk import LiveDesk
from made_traffic import Made, live_store, trace_id_of

from llmops_tui.domain import semconv as a
from llmops_tui.workspace.yaml_document import Document

QUESTION = "Do you ship to Iceland, and what does it cost?"


@pytest.fixture
def live(desk: Desk) -> LiveDesk:
    now = time.time()
    requests = [
        Made(
            now - 60,
            "v3",
            "desk",
            feature="shipping",
            input=QUESTION,
            output="Yes, for free.",
            bad="thumb",
            documents=({"source": "docs/shipping.md", "content": "Iceland: 12 euros."},),
        ),
        Made(
            now - 50,
            "v3",
            "desk",
            input="ignored",
            attributes={a.VARIABLES: {"question": "Who?", "other": 1}},
        ),
        Made(now - 40, "v3", "desk", input="And when do you open?"),
    ]
    live_store(desk.root, requests, now).close()
    return LiveDesk(desk)


def read(root: Path, file: str) -> dict:  # type: ignore[type-arg]
    return Document((root / file).read_text(encoding="utf-8")).value  # type: ignore[no-any-return]


def test_a_request_becomes_a_case_that_a_run_judges_by(live: LiveDesk) -> None:
    assert live.run("case", trace_id_of(0)[:12], "--expected", "12 euros", "--tag", "iceland") == 0
    assert "is a case of evals/live.yaml now" in live.out
    assert "evals/live.yaml was added to the evals of configs/desk.yaml" in live.out
    (case,) = read(live.root, "evals/live.yaml")["cases"]
    assert case["vars"] == {"question": QUESTION}
    assert case["expected"] == "12 euros"
    assert case["tags"] == ["live", "shipping", "iceland"]
    assert case["scorers"] == [{"contains": {"case_sensitive": False}}]
    origin = case["origin"]
    assert (origin["trace"], origin["version"], origin["answer"]) == (trace_id_of(0), "v3", "Yes, for free.")
    assert origin["retrieved"] == [{"source": "docs/shipping.md", "text": "Iceland: 12 euros."}]
    assert live.run("check") == 0
    assert live.run("run", "--json") == 0
    assert live.run("matrix", "--json") == 0
    assert case["id"] in live.out


def test_the_configuration_keeps_its_text(live: LiveDesk) -> None:
    assert live.run("case", trace_id_of(0), "--expected", "x") == 0
    made = (live.root / "configs/desk.yaml").read_text()
    assert made == CONFIG.replace("[evals/desk.yaml]", "[evals/desk.yaml, evals/live.yaml]")
    assert (live.root / "evals/desk.yaml").read_text() == EVALS
    assert live.run("case", trace_id_of(2), "--expected", "x") == 0
    assert (live.root / "configs/desk.yaml").read_text() == made
    assert len(read(live.root, "evals/live.yaml")["cases"]) == 2


def test_variables_of_the_prompt_come_before_the_text(live: LiveDesk) -> None:
    words = [
        "--expected",
        "me",
        "--file",
        "evals/desk.yaml",
        "--scorer",
        "{max_words: 60}",
        "--id",
        "who",
        "--json",
    ]
    assert live.run("case", trace_id_of(1), *words) == 0
    found = json.loads(live.out)
    assert found["case"]["vars"] == {"question": "Who?"}
    assert found["added_to"] is None
    assert found["file"] == "evals/desk.yaml"
    assert [c["id"] for c in read(live.root, "evals/desk.yaml")["cases"]][-1] == "who"
    assert found["case"]["scorers"] == [{"max_words": 60}]


def test_what_is_nearly_there_is_shown_and_takes_force(live: LiveDesk) -> None:
    assert live.run("case", trace_id_of(0), "--expected", "12 euros", "--id", "first") == 0
    like = f"{QUESTION[:-1]} me?"
    again = [trace_id_of(2), "--expected", "12 euros", "--var", f"question={like}", "--id", "second"]
    assert live.run("case", *again) == 2
    assert "alike: first (evals/live.yaml:4)" in live.err
    assert "1 case asks nearly the same; add it nevertheless with --force" in live.err
    assert len(read(live.root, "evals/live.yaml")["cases"]) == 1
    assert live.run("case", *again, "--force") == 0
    assert len(read(live.root, "evals/live.yaml")["cases"]) == 2


def test_just_the_same_is_refused_with_force_too(live: LiveDesk) -> None:
    assert live.run("case", trace_id_of(0), "--expected", "x") == 0
    assert live.run("case", trace_id_of(0), "--expected", "x", "--force") == 2
    assert "asks just this already" in live.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a case needs something to be held against"),
        (["--expected", "x", "--scorer", "[1, 2]"], "is no scorer"),
        (["--scorer", "contained"], "contained"),
        (["--expected", "x", "--file", "evals/new.txt"], "call it evals/NAME.yaml"),
        (["--expected", "x", "--var", "question"], "--var takes NAME=VALUE"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(live: LiveDesk, words: list[str], said: str) -> None:
    assert live.run("case", trace_id_of(0), *words) == 2
    assert said in live.err
    assert not (live.root / "evals/live.yaml").exists()
    assert (live.root / "configs/desk.yaml").read_text() == CONFIG


def test_what_the_trace_lacks_is_named(live: LiveDesk) -> None:
    (live.root / "prompts/desk.md").write_text("user:\n{{ question }} {{ name }}\n")
    evals = EVALS.replace("question: ", "name: Ann, question: ")
    (live.root / "evals/desk.yaml").write_text(evals)
    assert live.run("case", trace_id_of(1), "--expected", "x") == 2
    assert "the trace has no name, which the prompt reads; give --var name=…" in live.err
    assert live.run("case", trace_id_of(1), "--expected", "x", "--var", "name=Bob") == 0
    (case,) = read(live.root, "evals/live.yaml")["cases"]
    assert case["vars"] == {"question": "Who?", "name": "Bob"}


def test_a_case_leaves_the_queue_and_is_in_the_weekly_report(live: LiveDesk) -> None:
    assert live.run("queue", "--json") == 0
    assert trace_id_of(0) in live.out
    assert live.run("case", trace_id_of(0), "--expected", "x", "--id", "iceland") == 0
    assert live.run("queue", "--json") == 0
    assert trace_id_of(0) not in live.out
    assert live.run("live", "report") == 0
    assert "- `iceland` in `evals/live.yaml`" in live.out


def test_terminal_escapes_of_the_trace_do_not_get_into_the_file(desk: Desk) -> None:
    now = time.time()
    live_store(
        desk.root, [Made(now, "v1", "desk", input="a\x1b[2Jb\u202e", output="x\x1b]0;y\x07")], now
    ).close()
    code, _out, err = desk("case", trace_id_of(0), "--expected", "x")
    assert code == 0, err
    text = (desk.root / "evals/live.yaml").read_text()
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("expected", ["", "  ", "\x1b"])
def test_an_expected_answer_of_nothing_is_none(live: LiveDesk, expected: str) -> None:
    assert live.run("case", trace_id_of(0), "--expected", expected) == 2
    assert "a case needs something to be held against" in live.err
    assert not (live.root / "evals/live.yaml").exists()


@pytest.mark.parametrize("file", ["./evals/desk.yaml", "evals//desk.yaml", "evals/../evals/desk.yaml"])
def test_a_file_that_is_named_another_way_is_the_same_file(live: LiveDesk, file: str) -> None:
    assert live.run("case", trace_id_of(0), "--expected", "12 euros", "--file", file) == 0
    assert "is a case of evals/desk.yaml now" in live.out
    assert (live.root / "configs/desk.yaml").read_text() == CONFIG
    assert live.run("check") == 0


@pytest.mark.parametrize(
    "file", ["../out.yaml", "/out.yaml", "llmops.yaml", "configs/new.yaml", "evals/a\nb.yaml"]
)
def test_a_file_that_no_configuration_could_read_is_refused(live: LiveDesk, file: str) -> None:
    assert live.run("case", trace_id_of(0), "--expected", "12 euros", "--file", file) == 2
    assert "name evals/NAME.yaml" in live.err
    assert (live.root / "configs/desk.yaml").read_text() == CONFIG
    assert not (live.root / "llmops.yaml").exists()
    assert live.run("check") == 0
