"""The labelled texts of `data/`: one a line, `\\n` for a line's end."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"


def texts(name: str) -> list[str]:
    lines = (DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in lines if line.strip()]
