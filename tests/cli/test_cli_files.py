"""Commands around the files: `init`, `check`, `schema`, `trust`; and mistakes told as sentences."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from desk import Desk

from llmops_tui.cli.main import main


def command(*arguments: str) -> int:
    return main(arguments, lambda _root, _config: 0)


def test_outside_a_workspace_the_remedy_is_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for verb in ("check", "run", "compare", "versions"):
        assert command(verb) == 2
        assert "make one with: llmops-tui init" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("check", "--workspace", str(tmp_path / "nowhere")) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_init_makes_a_workspace_that_has_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "new"
    assert command("init", str(target)) == 0
    assert "configs/helpdesk.yaml" in capsys.readouterr().out
    assert command("check", "--workspace", str(target), "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is True
    assert answer["configurations"][0]["name"] == "helpdesk"


def test_init_leaves_a_folder_alone_that_holds_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    assert command("init", str(tmp_path)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]
    assert capsys.readouterr().err.startswith("error: ")


def test_check_names_file_line_and_remedy_of_every_mistake(desk: Desk) -> None:
    desk.edit_prompt("user:\nHello\n{{ qestion }}\n")
    config = desk.root / "configs" / "desk.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "modells: [x]\n", encoding="utf-8")
    code, out, _ = desk("check")
    assert code == 2
    assert "configs/desk.yaml:5" in out
    error = desk.json("check", code=2)["error"]
    assert error["exit_code"] == 2
    assert {p["file"] for p in error["problems"]} >= {"configs/desk.yaml"}


def test_check_says_what_is_fine(desk: Desk) -> None:
    assert desk("check")[:2] == (0, "configs/desk.yaml is fine: 4 cases on echo/parrot\n")


def test_broken_files_do_not_hide_what_is_recorded(desk: Desk) -> None:
    desk.json("run")
    desk.edit_prompt("user:\n{{ question\n")
    code, out, err = desk("versions")
    assert code == 0
    assert out.splitlines()[1].startswith("v1 (baseline)")
    assert "prompts/desk.md:2" in err
    assert desk.json("run", code=2)["error"]["problems"][0]["file"] == "prompts/desk.md"


@pytest.mark.parametrize(("kind", "key"), [("config", "models"), ("evals", "cases"), ("workspace", "budget")])
def test_schemas_describe_the_files(kind: str, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("schema", kind) == 0
    assert key in json.loads(capsys.readouterr().out)["properties"]


def test_trust_is_noted_for_the_folder(desk: Desk) -> None:
    assert desk.json("trust") == {"workspace": str(desk.root), "trusted": True}


def test_an_error_nobody_foresaw_is_a_sentence_and_debug_shows_where(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("out of cheese")

    monkeypatch.setattr("llmops_tui.workspace.load", broken)
    code, out, err = desk("check")
    assert (code, out) == (70, "")
    assert err.startswith(
        "error: a defect of llmops-tui: RuntimeError: out of cheese; run it again with --debug"
    )
    assert desk.json("check", code=70)["error"]["exit_code"] == 70
    with pytest.raises(RuntimeError):
        desk("check", "--debug")


def test_a_reader_that_has_had_enough_is_no_error(desk: Desk) -> None:
    read, write = os.pipe()
    os.close(read)
    code = "from llmops_tui.entry import main; main()"
    command = [sys.executable, "-c", code, "check", "--workspace", str(desk.root)]
    try:
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_workspace_may_be_named_before_the_command_too(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--workspace", str(desk.root), "check") == 0
    assert "configs/desk.yaml is fine" in capsys.readouterr().out
