"""Small real workspaces on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_workspace(
    root: Path,
    *,
    prompt: str = "system:\nBe brief.\n\nuser:\n{{ question }}\n",
    cases: list[dict[str, Any]] | None = None,
    models: list[str] | None = None,
    config: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    files: dict[str, str] | None = None,
) -> Path:
    """A workspace named `bench` of three cases on `echo/echo`, or what is given instead."""
    for folder in ("configs", "prompts", "evals"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    if cases is None:
        cases = [
            {"id": "one", "vars": {"question": "alpha beta"}, "scorers": [{"contains": "alpha"}]},
            {
                "id": "two",
                "vars": {"question": "gamma"},
                "scorers": [{"contains": "delta"}],
                "tags": ["greek"],
            },
            {"id": "three", "vars": {"question": "free"}},
        ]
    body = {"prompt": "prompts/bench.md", "models": models or ["echo/echo"], "evals": ["evals/bench.yaml"]}
    # JSON is YAML: no dumper is needed to write a workspace.
    whole = {k: v for k, v in {**body, **(config or {})}.items() if v is not None}
    (root / "configs/bench.yaml").write_text(json.dumps(whole), encoding="utf-8")
    (root / "evals/bench.yaml").write_text(json.dumps({"cases": cases}, indent=1), encoding="utf-8")
    (root / "prompts/bench.md").write_text(prompt, encoding="utf-8")
    if settings is not None:
        (root / "llmops.yaml").write_text(json.dumps(settings), encoding="utf-8")
    for name, text in (files or {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root
