"""`gate` in a job of GitHub Actions: annotations, the job's summary, and a log that gives no commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import PROMPT, Desk
from small_workspace import write_workspace


@pytest.fixture
def job(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The summary's file; the workspace is a folder of the repository."""
    summary = tmp_path / "summary.md"
    summary.write_text("Before.\n", encoding="utf-8")
    desk.json("run")
    desk.edit_prompt(PROMPT.replace("30 days", "two weeks"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    return summary


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def test_annotations_point_at_the_cases_and_leave_stdout_alone(desk: Desk, job: Path) -> None:
    code, out, err = desk("gate", "--json")
    assert (code, json.loads(out)["verdict"]) == (1, "fail")
    first, second = commands(err)
    assert first.startswith("::error title=desk%3A fail::v2 against v1: the pass rate fell by 33.3 points")
    assert second == (
        "::error file=desk/evals/desk.yaml,line=2,title=desk%3A days::days on echo/parrot: "
        "passed → failed (pass_rate)"
    )
    assert commands(out) == []


def test_the_summary_is_added_to_what_is_there(desk: Desk, job: Path) -> None:
    desk("gate")
    text = job.read_text(encoding="utf-8")
    assert text.startswith("Before.\n# desk: v1 → v2\n\n## Verdict: fail\n")
    assert "The pass rate by tag" in text


def test_a_gate_that_passes_annotates_nothing(desk: Desk, job: Path) -> None:
    desk.edit_prompt(PROMPT)
    code, _, err = desk("gate")
    assert (code, commands(err)) == (0, [])
    assert "## Verdict: pass" in job.read_text(encoding="utf-8")


def test_a_gate_that_cannot_be_held_among_several_is_an_error(desk: Desk, job: Path) -> None:
    config = desk.root / "configs" / "desk.yaml"
    (desk.root / "configs" / "new.yaml").write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    code, _, err = desk("gate")
    assert code == 1
    assert any(c.startswith("::error ::new: 'new' has no baseline") for c in commands(err))


def test_a_summary_that_cannot_be_written_is_a_warning(
    desk: Desk, job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job.parent / "nowhere" / "summary.md"))
    code, _, err = desk("gate")
    assert code == 1
    assert "warning: the job's summary can't be written" in err


HOSTILE = ["::error::a", "##[error]a", "::stop-commands::x", "a%0A::error::b"]


def test_no_id_and_no_answer_is_a_command_in_the_log(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.root / "configs" / "desk.yaml").unlink()
    cases = [{"id": id_, "vars": {"question": id_}, "scorers": [{"contains": "today"}]} for id_ in HOSTILE]
    write_workspace(desk.root, cases=cases, prompt="{{ question }} today")
    desk.json("run")
    write_workspace(desk.root, cases=cases, prompt="{{ question }} tomorrow")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    code, out, err = desk("gate")
    assert (code, commands(out)) == (1, [])
    # What begins as an annotation is parsed as one, whatever is in it.
    assert all(line.startswith("::error ") for line in commands(err))
    assert len(commands(err)) == 1 + len(HOSTILE)
    # What other verbs print of models is none either.
    assert commands(desk("compare")[1]) == []
    assert commands(desk("gate", "--json")[1]) == []
