"""`guards tune --set`: a threshold written from the command line."""

from __future__ import annotations

import json

from desk import Desk


def test_a_threshold_is_written_and_nothing_else(desk: Desk) -> None:
    (file,) = (desk.root / "configs").glob("desk.yaml")
    text = file.read_text() + "guardrails:\n  - pii\n  - injection: {on: [input]}  # orders\n"
    file.write_text(text)
    code, out, err = desk("guards", "tune", "injection", "--set", "0.62")
    assert (code, out.strip()) == (0, "configs/desk.yaml: threshold of injection 0.5 → 0.62"), err
    assert file.read_text() == text.replace("{on: [input]}", "{on: [input], threshold: 0.62}")
    code, out, err = desk("guards", "tune", "injection", "--set", "0.7", "--config", "desk", "--json")
    assert code == 0, err
    assert {"before": 0.62, "after": 0.7}.items() <= json.loads(out).items()


def test_what_is_not_there_is_said_with_what_is(desk: Desk) -> None:
    (file,) = (desk.root / "configs").glob("desk.yaml")
    file.write_text(file.read_text() + "guardrails: [pii, injection]\n")
    code, _out, err = desk("guards", "tune", "injektion", "--set", "0.62")
    assert code == 2
    assert "did you mean 'injection'?" in err
    code, _out, err = desk("guards", "tune", "injection", "--set", "7")
    assert code == 2
    assert "above 0, at most 1" in err
