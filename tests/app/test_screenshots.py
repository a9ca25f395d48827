"""The pictures of the README are of this app: `uv run python screenshots/make.py` remakes them."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

PICTURES = Path(__file__).resolve().parents[2] / "screenshots"
sys.path.insert(0, str(PICTURES))

from make import SCENES, draw  # noqa: E402
from recording import Recording  # noqa: E402


@pytest.mark.parametrize("scene", SCENES)
async def test_a_picture_shows_what_the_app_draws_today(scene: str) -> None:
    recording = msgspec.json.decode((PICTURES / "demo.json").read_bytes(), type=Recording)
    drawn = await draw(recording, scene)
    kept = (PICTURES / scene).read_text(encoding="utf-8")
    assert drawn == kept, f"{scene} is stale: uv run python screenshots/make.py (--again asks no model)"


def test_every_picture_is_shown_and_none_is_left_over() -> None:
    assert {p.name for p in PICTURES.glob("*.svg")} == set(SCENES)
