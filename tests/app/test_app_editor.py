"""Which command opens a file at its line, and how text is copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops_tui.app.clipboard import tool, write_file
from llmops_tui.app.editor import command, editor_words, opens_window
from llmops_tui.domain.errors import UsageError

FILE = Path("/w/prompts/help desk.md")


@pytest.mark.parametrize(
    ("editor", "call"),
    [
        ("vi", ["vi", "+4", str(FILE)]),
        ("/usr/bin/nvim -p", ["/usr/bin/nvim", "-p", "+4", str(FILE)]),
        ("nano", ["nano", "+4", str(FILE)]),
        ("emacsclient -t", ["emacsclient", "-t", "+4", str(FILE)]),
        ("code --wait", ["code", "--wait", "--goto", f"{FILE}:4"]),
        ("hx", ["hx", f"{FILE}:4"]),
        ("my-editor", ["my-editor", str(FILE)]),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(editor: str, call: list[str]) -> None:
    assert command(editor_words({"EDITOR": editor}), FILE, 4) == call


def test_visual_comes_before_editor_and_an_empty_one_does_not_count() -> None:
    assert editor_words({"VISUAL": "hx", "EDITOR": "vi"}) == ["hx"]
    assert editor_words({"VISUAL": " ", "EDITOR": "vi"}) == ["vi"]


def test_without_an_editor_the_sentence_says_how_to_set_one() -> None:
    with pytest.raises(UsageError, match="no editor is set; set EDITOR"):
        editor_words({})
    with pytest.raises(UsageError, match="close its quotation marks"):
        editor_words({"EDITOR": "vi 'x"})


def test_editors_with_a_window_of_their_own_leave_the_terminal_alone() -> None:
    assert opens_window(["/usr/bin/code"])
    assert not opens_window(["vim"])


def make(folder: Path, name: str) -> None:
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


def test_the_machines_own_tool_is_used_where_the_app_runs_on_it(tmp_path: Path) -> None:
    make(tmp_path, "xclip")
    path = str(tmp_path)
    assert tool({"DISPLAY": ":0"}, path) == ("xclip", "-selection", "clipboard")
    assert tool({}, path) is None
    assert tool({"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1"}, path) is None
    make(tmp_path, "wl-copy")
    assert tool({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, path) == ("wl-copy",)


def test_a_copy_in_a_file_is_the_persons_alone() -> None:
    file = write_file("text with \ud800", "../refund window/[x]")
    try:
        assert file.stat().st_mode & 0o077 == 0
        assert "/" not in file.name
        assert file.read_text().startswith("text with")
    finally:
        file.unlink()
