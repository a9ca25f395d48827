"""`demo --verdicts`: three verdicts by the real gate on the real model, and the person's demo left alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from llmops_tui.cli.main import main
from llmops_tui.engine import demo_verdicts
from llmops_tui.engine.engine import DATABASE
from llmops_tui.workspace import template
from llmops_tui.workspace.yaml_document import Document

#: Of the template's cases, two that the demo's edit loses on the embedded model, and two that it wins.
CASES = ("password", "refund-sale", "refund-speed", "bank-transfer")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The template with four cases: the model is slow."""
    folder = tmp_path / "template"
    shutil.copytree(template.source(), folder, ignore=shutil.ignore_patterns(".llmops"))
    evals = folder / "evals" / "helpdesk.yaml"
    content: dict[str, Any] = Document(evals.read_text(encoding="utf-8")).value
    content["cases"] = [case for case in content["cases"] if case["id"] in CASES]
    assert len(content["cases"]) == len(CASES)
    evals.write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(template, "source", lambda: folder)
    return folder


def run(*arguments: str) -> int:
    return main(["demo", *arguments], lambda *_: 0)


def test_each_verdict_comes_about_by_the_gate_and_the_demo_stays_as_it_was(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = tmp_path / "demo"
    demo_verdicts.copy(tmp_path, demo)
    prompt = demo / "prompts" / "helpdesk.md"
    prompt.write_text("user:\nMy own. {{ question }}\n", encoding="utf-8")
    before = {f: f.read_bytes() for f in demo.rglob("*") if f.is_file()}

    assert run(str(demo), "--verdicts", "--json") == 0
    harmless, harmful, open_ = json.loads(capsys.readouterr().out)["steps"]
    assert (harmless["verdict"], harmless["exit_code"], harmless["provider_calls"]) == ("pass", 0, 0)
    assert "what is asked is the same on both sides" in harmless["reasons"][0]
    assert (harmful["verdict"], harmful["exit_code"], harmful["decided_by"]) == ("fail", 1, "critical")
    assert [f["id"] for f in harmful["flips"] if f["flip"] == "pass→fail"] == ["password", "refund-sale"]
    assert (open_["verdict"], open_["exit_code"], open_["provider_calls"]) == ("inconclusive", 4, 0)
    assert "cases would decide" in open_["reasons"][0]
    assert (open_["baseline"], open_["candidate"]) == (harmful["candidate"], harmful["baseline"])
    assert {f: f.read_bytes() for f in demo.rglob("*") if f.is_file()} == before
    assert not (demo / DATABASE).exists()


def test_answers_that_the_demo_has_are_not_asked_again(small: Path, tmp_path: Path) -> None:
    from llmops_tui.store import Store

    (tmp_path / "demo" / ".llmops").mkdir(parents=True)
    with Store.open(tmp_path / "demo" / DATABASE) as store:
        store.runs.next_generation()
    demo_verdicts.copy(tmp_path / "demo", tmp_path / "copy")
    with Store.open(tmp_path / "copy" / DATABASE) as store:
        assert store.runs.next_generation() == 2


def test_a_database_that_cannot_be_read_is_left_out(small: Path, tmp_path: Path) -> None:
    (tmp_path / "demo" / ".llmops").mkdir(parents=True)
    (tmp_path / "demo" / DATABASE).write_bytes(b"nothing of the kind" * 100)
    demo_verdicts.copy(tmp_path / "demo", tmp_path / "copy")
    assert not (tmp_path / "copy" / DATABASE).exists()
    assert (tmp_path / "copy" / "prompts").is_dir()


def test_it_has_nothing_to_reset(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--verdicts", "--reset") == 2
    assert "works on a copy" in capsys.readouterr().err
