"""`matrix`: the grid as text, JSON and CSV; and one model beside another."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from desk import CONFIG, Desk, make_desk


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    desk = Desk(make_desk(tmp_path / "desk"), capsys)
    desk.json("run")
    desk.edit_prompt()
    desk.json("run")
    return desk


def test_trouble_is_on_top_and_flips_stand_out(desk: Desk) -> None:
    code, out, _ = desk("matrix")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["case", "v1", "baseline", "v2"]
    assert lines[1].split() == ["days", "✓", "1.00", "▼", "0.00"]
    assert lines[2].split() == ["hours", "✗", "0.00", "▲", "1.00"]
    assert lines[4].split() == ["unjudged", "·", "·"]
    assert lines[5].split() == ["pass", "rate", "66.7%", "66.7%"]
    assert "▼ failed, and passed before" in lines[-1]


def test_the_same_as_json(desk: Desk) -> None:
    result = desk.json("matrix", "--sort", "file")
    assert (result["config"], result["by"]) == ("desk", "versions")
    assert [c["name"] for c in result["columns"]] == ["v1", "v2"]
    assert [c["id"] for c in result["cases"]] == ["days", "hours", "refund", "unjudged"]
    assert result["cases"][0]["cells"][1] == {
        "status": "failed",
        "score": 0.0,
        "passed": 0,
        "trials": 1,
        "flaky": False,
        "flip": "pass→fail",
        "model": "echo/parrot",
        "judged_otherwise": False,
    }
    assert result["columns"][0]["pass_rate"] == pytest.approx(2 / 3)
    assert [c["name"] for c in desk.json("matrix", "--last", "1")["columns"]] == ["v2"]
    assert [c["id"] for c in desk.json("matrix", "--tag", "opening")["cases"]] == ["hours"]


def test_the_same_as_csv(desk: Desk) -> None:
    code, out, _ = desk("matrix", "--csv", "--sort", "name")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert len(rows) == 8
    assert rows[1]["case"] == "days"
    assert (rows[1]["version"], rows[1]["status"], rows[1]["flip"]) == ("v2", "failed", "pass→fail")
    assert rows[2]["tags"] == "opening"


def test_models_of_a_version_and_one_beside_the_other(desk: Desk) -> None:
    config = CONFIG.replace("[echo/parrot]", "[echo/parrot, echo/other]")
    (desk.root / "configs" / "desk.yaml").write_text(config, encoding="utf-8")
    desk.json("run")
    result = desk.json("matrix", "--models")
    assert [(c["name"], c["model"]) for c in result["columns"]] == [
        ("v3@echo/parrot", "echo/parrot"),
        ("v3@echo/other", "echo/other"),
    ]
    _, out, _ = desk("matrix", "v3", "--models")
    assert "echo/parrot" in out.splitlines()[0]
    compared = desk.json("compare", "v3@parrot", "v3@other")
    assert (compared["baseline"], compared["candidate"]) == ("v3@echo/parrot", "v3@echo/other")
    assert compared["counts"]["same"] == 4
    assert compared["changed_parts"] == ["models.echo/other"]
    _, out, _ = desk("compare", "v3@parrot", "v3@other")
    assert "v3@echo/parrot → v3@echo/other" in out
    assert "the same version" not in out
    assert desk("report", "v3@parrot", "v3@other")[0] == 0


def test_versions_have_the_figures_of_the_plots(desk: Desk) -> None:
    desk.json("promote", "v2", "--force", "--note", "a customer waits")
    newest, first = desk.json("versions")["versions"]
    rate = newest["figures"]["pass_rate"]
    assert (rate["value"], rate["n"], rate["method"]) == (pytest.approx(2 / 3), 3, "Wilson, 3 cases")
    assert rate["low"] < rate["value"] < rate["high"]
    assert newest["figures"]["tags"]["opening"]["value"] == 1.0
    assert newest["figures"]["latency_p50_s"] <= newest["figures"]["latency_p95_s"]
    assert newest["figures"]["mean_cost_usd"] == 0.0
    assert newest["figures"]["promotion"]["note"] == "a customer waits"
    assert first["figures"]["promotion"] is None
    desk("gate", "v2", "--against", "v1")
    gated = desk.json("show", "v2")["figures"]["verdict"]
    assert (gated["verdict"], gated["against"]) == ("pass", "v1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("matrix", "v1"), "add --models"),
        (("matrix", "--models", "--last", "2"), "--models is about one version"),
        (("matrix", "--last", "2", "--all"), "choose one"),
        (("matrix", "--csv", "--json"), "choose one"),
        (("matrix", "--models", "v9"), "has no version 'v9'"),
        (("matrix", "--tag", "openin"), "did you mean 'opening'"),
        (("compare", "v1@nobody", "v2"), "v1 has no model 'nobody'"),
        (("promote", "v2@parrot"), "is one model of v2"),
    ],
)
def test_a_mistake_is_a_sentence(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = desk(*arguments)
    assert code == 2
    assert said in out + err


def test_before_anything_was_evaluated_it_says_so(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = Desk(make_desk(tmp_path_factory.mktemp("fresh") / "desk"), capsys)
    code, out, _ = fresh("matrix")
    assert code == 0
    assert fresh.json("matrix")["cases"] == []
    assert "v1" in out or "nothing was evaluated yet" in out
