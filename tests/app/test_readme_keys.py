"""The key table of the README is the action table of the app."""

from __future__ import annotations

from pathlib import Path

from llmops_tui.app.actions import key_table_markdown

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_key_table_is_current() -> None:
    text = README.read_text(encoding="utf-8")
    kept = text.split("llmops_tui.app.actions` -->\n")[1].split("<!-- /keys -->")[0]
    assert kept.strip() == key_table_markdown().strip(), "uv run python -m llmops_tui.app.actions"
