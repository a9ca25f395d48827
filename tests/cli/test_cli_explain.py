"""`explain` as a person calls it: on four cases answered by `echo`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import CONFIG, Desk

#: `days` needs the 30 days, `hours` the hours, and `short` an answer cut at eight words.
MIXED = CONFIG.replace("{temperature: 0}", "{temperature: 0, max_tokens: 12}")


@pytest.fixture
def mixed(desk: Desk) -> Desk:
    """Two versions that differ in the prompt and in a parameter."""
    assert desk("run")[0] == 0
    desk.edit_prompt()
    (desk.root / "configs" / "desk.yaml").write_text(MIXED, encoding="utf-8")
    assert desk("run")[0] == 0
    return desk


def test_a_mixed_edit_is_told_part_by_part(mixed: Desk) -> None:
    code, out, err = mixed("explain")

    assert code == 0
    assert "Explain v1 → v2 by 2 versions in between? 8 requests, about $0" in err
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0] == "desk  v1 → v2"
    assert lines[1].startswith("2 parts changed; the difference is shared out over them by 2 versions")
    assert "pass rate 66.7% → 66.7%  0.0 pts" in out
    assert "a fact: the runtime repeats itself exactly" in out
    assert any(line.split()[:3] == ["▼", "days", "−1.00"] for line in lines)
    assert lines[-1] == "2 versions in between, 8 requests, $0"


def test_a_second_time_nothing_is_asked(mixed: Desk) -> None:
    first = mixed("explain")[1]

    _code, out, err = mixed("explain")

    assert err == ""
    assert out.splitlines()[:-1] == first.splitlines()[:-1]
    assert out.splitlines()[-1] == "2 versions in between, nothing asked"


def test_the_json_holds_every_figure(mixed: Desk) -> None:
    found = mixed.json("explain", "v1", "v2")

    page = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    for holder in (found, found["measures"][0], found["measures"][0]["shares"][0], found["cases"][0]):
        assert all(f"`{key}`" in page for key in holder)
    assert found["state"] == "explained"
    assert [p["part"] for p in found["parts"]] == ["prompt", "params.max_tokens"]
    (measure,) = found["measures"]
    assert measure["measure"] == "pass_rate"
    assert measure["by_fact"]
    assert sum(s["value"] for s in measure["shares"]) == pytest.approx(measure["delta"])
    cases = {c["id"]: c for c in found["cases"]}
    assert cases["days"]["shares"] == [{"part": "prompt", "value": -1.0}]
    assert cases["days"]["flip"] == "pass→fail"


def test_one_changed_part_is_named(desk: Desk) -> None:
    desk("run")
    desk.edit_prompt()
    desk("run")

    code, out, err = desk("explain")

    assert code == 0
    assert err == ""
    assert "Only prompt changed, so the whole difference (pass rate 0.0 pts) is its doing." in out


def test_an_unknown_version_is_refused(mixed: Desk) -> None:
    code, _out, err = mixed("explain", "v9")
    assert code == 2
    assert "no version 'v9'" in err


def test_a_budget_that_says_no_ends_it_without_a_terminal(mixed: Desk) -> None:
    settings = mixed.root / "llmops.yaml"
    settings.write_text("budget: {per_run_usd: 0.01}\n", encoding="utf-8")
    config = mixed.root / "configs" / "desk.yaml"
    config.write_text(MIXED.replace("echo/parrot", "gpt/model-x"), encoding="utf-8")
    provider = {
        "gpt": {
            "base_url": "http://127.0.0.1:9/v1",
            "api_key": "k",
            "price": {"model-x": {"input": 9, "output": 9}},
        }
    }
    settings.write_text(
        json.dumps({"providers": provider, "budget": {"per_run_usd": 0.00001}}), encoding="utf-8"
    )

    code, _out, err = mixed("explain", "v1", "latest")

    assert code == 2
    assert "more than budget.per_run_usd" in err
    assert "agree with --yes" in err


def test_versions_that_differ_in_nothing_are_told_so(desk: Desk) -> None:
    desk("run")
    code, out, _err = desk("explain", "latest", "latest")
    assert code == 0
    assert "they are one version, so there is nothing to explain" in out


def test_the_report_tells_what_was_explained(mixed: Desk, tmp_path: Path) -> None:
    before = mixed("report")[1]
    assert "## Explanation" not in before

    mixed("explain")
    _code, out, _err = mixed("report")

    assert "## Explanation" in out
    assert "| `prompt` |" in out
    assert out.index("## Explanation") < out.index("## Summary")
