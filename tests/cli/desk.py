"""A small workspace on disk for the command line: four cases on `echo`, which answers what it was told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmops_tui.cli.main import main

CONFIG = """\
prompt: prompts/desk.md
models: [echo/parrot]
params: {temperature: 0}
evals: [evals/desk.yaml]
"""

PROMPT = """\
user:
{{ question }} You have 30 days for a refund.
"""

#: One word less and one more: `days` regresses, `hours` improves, the others stay.
EDITED = """\
user:
{{ question }} You have two weeks for a refund, from 9 to 5.
"""

EVALS = """\
cases:
  - id: days
    vars: {question: How long?}
    scorers: [{contains: 30 days}]
  - id: hours
    vars: {question: When?}
    scorers: [{contains: from 9 to 5}]
    tags: [opening]
  - id: refund
    vars: {question: What?}
    scorers: [{contains: refund}]
  - id: unjudged
    vars: {question: Hm?}
"""


def make_desk(root: Path, *, config: str = CONFIG) -> Path:
    """Write the workspace; gives its folder."""
    for name, text in {
        "configs/desk.yaml": config,
        "prompts/desk.md": PROMPT,
        "evals/desk.yaml": EVALS,
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


class Desk:
    """The workspace, and the command run in it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command line."""
        code = main([*arguments, "--workspace", str(self.root)], lambda _root, _config: 0)
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """The one object on stdout of a command that ends with `code`."""
        ended, out, err = self(*arguments, "--json")
        assert ended == code, out + err
        answer: dict[str, Any] = json.loads(out)
        return answer

    def edit_prompt(self, text: str = EDITED) -> None:
        (self.root / "prompts" / "desk.md").write_text(text, encoding="utf-8")
