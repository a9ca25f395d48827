"""A workspace with guardrails, and the program's side of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from small_workspace import write_workspace

from llmops_tui.guard.guarding import Guarding

#: `load({"topic": …}, "pii", ask=…)`: the guardrails of a workspace that has these.
Load = Callable[..., Guarding]

FUNCTIONS = """
import os, time

def shouting(text, vars):
    return "it shouts" if text.isupper() and not vars.get("may_shout") else None

def hangs(text):
    while True: pass

def dies(text): os._exit(1)

def raises(text): raise ValueError("no such thing")
"""


def guarded(root: Path, *guardrails: Any, **parts: Any) -> Path:
    files = {"guardrails.py": FUNCTIONS, **parts.pop("files", {})}
    return write_workspace(root, config={"guardrails": list(guardrails)}, files=files, **parts)
