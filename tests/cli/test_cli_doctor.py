"""`doctor`: the report, its JSON, and the exit code that CI goes by."""

from __future__ import annotations

import time

from desk import Desk
from made_traffic import Made, live_store

from llmops_tui.domain.format import cell_width


def test_the_report_says_what_is_next_first_and_fits_80_columns(desk: Desk) -> None:
    code, out, err = desk("doctor")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "Starting  desk"
    assert "3 items lacking for Baseline." in out
    assert lines.index("Next, for Baseline") < lines.index("Baseline  0 of 3 met")
    assert "  ✗ unmet   Prompts and configurations are committed" in lines
    assert "  ? unknown Requests are logged" in lines
    assert "            the workspace is not in a git repository" in lines
    assert "          → git init && git add -A && git commit" in lines
    assert max(cell_width(line) for line in lines) <= 80
    assert not (desk.root / ".llmops" / "llmops.db").exists()


def test_json_has_every_item(desk: Desk) -> None:
    now = time.time()
    live_store(desk.root, [Made(now - 60, config="desk")], now).close()
    found = desk.json("doctor")
    assert (found["rung"], found["next_rung"], found["configs"]) == ("none", "baseline", ["desk"])
    by_id = {item["id"]: item for item in found["items"]}
    assert by_id["logged"]["status"] == "met"
    assert by_id["logged"]["seen_at"] == now - 60
    assert by_id["versioned"]["remedy"].startswith("git init")
    assert found["next"] == ["versioned", "eval-set"]
    assert found["rungs"][0] == {"rung": "baseline", "reached": False, "met": 1, "items": 3}


def test_require_is_for_ci(desk: Desk) -> None:
    assert desk("doctor", "--require", "baseline")[0] == 1
    assert desk.json("doctor", "--require", "mature", code=1)["rung"] == "none"
    assert desk("doctor", "--require", "none")[0] == 2


def test_what_goes_wrong_is_a_sentence(desk: Desk) -> None:
    code, _out, err = desk("doctor", "--config", "dest")
    assert (code, err) == (2, "error: there is no configuration 'dest'; did you mean 'desk'?\n")
    (desk.root / "configs/desk.yaml").write_text("prompt: [\n", "utf-8")
    code, _out, err = desk("doctor")
    assert code == 2
    assert err.startswith("error: configs/desk.yaml")
