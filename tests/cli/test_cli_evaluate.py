"""`run` and what comes of it: counts, comparison, versions, report, promotion."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from desk import CONFIG, Desk, make_desk


def test_a_run_counts_its_cases_and_makes_the_first_baseline(desk: Desk) -> None:
    result = desk.json("run")
    assert (result["version"], result["config"], result["state"]) == ("v1", "desk", "complete")
    assert (result["cases"], result["passed"], result["failed"], result["errors"], result["unscored"]) == (
        4,
        2,
        1,
        0,
        1,
    )
    assert result["pass_rate"] == pytest.approx(2 / 3)
    assert (result["provider_calls"], result["cached_outputs"], result["cost_usd"]) == (4, 0, 0.0)

    again = desk.json("run")
    assert (again["state"], again["provider_calls"], again["cached_outputs"]) == ("unchanged", 0, 4)
    assert again["passed"] == 2
    assert desk.json("show", "baseline")["name"] == "v1"


def test_a_run_says_in_words_how_it_went_and_how_it_stands_against_the_baseline(desk: Desk) -> None:
    code, out, err = desk("run")
    assert code == 0, err
    assert out.startswith("v1 (baseline)  4 cases: 2 passed, 1 failed, 1 unscored   pass rate 66.7%")
    assert "4 requests sent · 0 known before" in out
    desk.edit_prompt()
    _, out, _ = desk("run")
    assert "against v1: ▼ 1 regressed   ▲ 1 improved   ≈ 2 the same" in out
    code, out, _ = desk("run")
    assert (code, "nothing changed, nothing asked" in out) == (0, True)


def test_a_guardrail_that_fails_itself_is_told_and_looks_again(desk: Desk) -> None:
    (desk.root / "guardrails.py").write_text("def tone(text): raise KeyError(text)\n")
    config = desk.root / "configs/desk.yaml"
    config.write_text(CONFIG + "guardrails: [{tone: {on_error: open}}]\n")
    said = "a guardrail failed itself in 4 cases: tone (guardrails.py:1 KeyError"
    assert said in desk("run", "--trust")[1]
    code, out, _ = desk("run")
    assert code == 0
    assert said in out
    assert "0 requests sent" in out
    failed = desk.json("run")["guard_failures"]
    assert [case["id"] for case in failed["cases"]] == ["days", "hours", "refund", "unjudged"]
    assert failed["guardrails"]["tone"].startswith("guardrails.py:1 KeyError")
    config.write_text(CONFIG + "guardrails: [{tone: {on_error: open, message: No.}}]\n")
    desk("run")
    assert f"v1: {said}" in desk("compare")[1]
    assert f"v2: {said}" in desk("compare")[1]
    assert desk.json("compare")["candidate_guard_failures"] == failed
    code, out, _ = desk("gate", "--markdown", str(desk.root / "gate.md"))
    assert code == 3
    assert said in " ".join(out.split())
    assert "a guardrail failed itself in 4 cases" in (desk.root / "gate.md").read_text()
    assert any(said in reason for reason in desk.json("gate", code=3)["reasons"])


def test_some_cases_are_chosen_by_id_tag_and_limit(desk: Desk) -> None:
    assert desk.json("run", "--case", "refund")["cases"] == 1
    assert desk.json("run", "--tag", "opening")["provider_calls"] == 1
    assert desk.json("run", "--limit", "2")["cached_outputs"] == 1
    error = desk.json("run", "--case", "refnd", code=2)["error"]
    assert error["message"] == "there is no case 'refnd'; did you mean 'refund'?"


def test_a_comparison_tells_what_the_edit_did(desk: Desk) -> None:
    desk.json("run")
    desk.edit_prompt()
    desk.json("run")
    result = desk.json("compare")
    assert (result["baseline"], result["candidate"], result["changed_parts"]) == ("v1", "v2", ["prompt"])
    assert {c["id"]: c["change"] for c in result["cases"]} == {
        "days": "regressed",
        "hours": "improved",
        "refund": "same",
        "unjudged": "same",
    }
    days = result["cases"][0]
    assert days["candidate_output"] == "How long? You have two weeks for a refund, from 9 to 5."
    assert (days["flip"], days["delta"], days["output_changed"]) == ("pass→fail", -1.0, True)

    code, out, err = desk("compare")
    assert (code, err) == (0, "")
    assert out.startswith(
        "desk  v1 (baseline) → v2\nchanged: prompt · echo/parrot\n▼ 1 regressed   ▲ 1 improved"
    )
    reverse = desk.json("compare", "v2", "v1")
    assert reverse["counts"] == result["counts"]
    assert reverse["cases"][0]["change"] == "improved"


def test_versions_are_listed_shown_labelled_and_promoted(desk: Desk) -> None:
    desk.json("run")
    desk.edit_prompt()
    desk.json("run")
    assert desk.json("label", "v2", "two weeks")["version"]["labels"] == ["two weeks"]
    listed = desk.json("versions")["versions"]
    assert [v["name"] for v in listed] == ["v2", "v1"]
    assert (listed[0]["changed_parts"], listed[0]["run"]["passed"]) == (["prompt"], 2)
    shown = desk.json("show", "two weeks")
    assert shown["name"] == "v2"
    assert {"prompt", "params.temperature", "models.echo/parrot"} <= {p["part"] for p in shown["parts"]}
    assert desk.json("show", shown["hash"][:8])["name"] == "v2"

    promoted = desk.json("promote", "latest")
    assert (promoted["baseline"]["name"], promoted["before"]) == ("v2", "v1")
    assert shown["hash"] in (desk.root / "baselines.yaml").read_text(encoding="utf-8")
    _, out, _ = desk("versions")
    assert out.splitlines()[1].startswith("v2 (baseline, two weeks)")
    _, out, _ = desk("show", "v2")
    assert "  {{ question }} You have two weeks for a refund, from 9 to 5." in out


def test_a_version_that_is_not_there_is_answered_with_what_is(desk: Desk) -> None:
    desk.json("run")
    assert "v9" in desk.json("compare", "v1", "v9", code=2)["error"]["message"]


def test_what_was_not_evaluated_is_not_compared(desk: Desk) -> None:
    desk.json("run")
    desk.edit_prompt()
    code, out, err = desk("compare")
    assert (code, out) == (2, "")
    assert err == "error: v2 was never evaluated; evaluate it with: llmops-tui run --config desk\n"
    assert "v2 can't be promoted" in desk.json("promote", "v2", code=2)["error"]["message"]


def test_an_incomplete_run_is_not_promoted(desk: Desk) -> None:
    desk.json("run", "--limit", "2")
    assert "can't be promoted" in desk.json("promote", "v1", code=2)["error"]["message"]


def test_new_expectations_are_held_against_old_outputs_without_asking(desk: Desk) -> None:
    desk.json("run")
    desk.edit_prompt()
    desk.json("run")
    evals = desk.root / "evals" / "desk.yaml"
    evals.write_text(evals.read_text(encoding="utf-8").replace("30 days", "two weeks"), encoding="utf-8")
    assert desk.json("run")["provider_calls"] == 0
    assert {c["id"]: c["change"] for c in desk.json("compare")["cases"]}["days"] == "improved"


def test_the_report_is_written_where_it_is_asked_for(desk: Desk, tmp_path: Path) -> None:
    desk.json("run")
    desk.edit_prompt()
    desk.json("run")
    target = tmp_path / "report.md"
    assert desk("report", "-o", str(target))[:2] == (0, f"written to {target}\n")
    text = target.read_text(encoding="utf-8")
    assert text.startswith("# desk: v1 → v2")
    assert "### days" in text
    assert desk("report")[1].split("Written by")[0] == text.split("Written by")[0]
    code, _, err = desk("report", "-o", str(tmp_path / "nowhere" / "report.md"))
    assert code == 2
    assert "can't be written" in err


def test_several_configurations_need_a_name_but_for_check(desk: Desk) -> None:
    (desk.root / "configs" / "other.yaml").write_text(CONFIG.replace("0}", "1}"), encoding="utf-8")
    error = desk.json("run", code=2)["error"]
    assert error["message"] == "there are 2 configurations; name one with --config: desk, other"
    assert desk.json("run", "--config", "other")["config"] == "other"
    assert [c["name"] for c in desk.json("check")["configurations"]] == ["desk", "other"]
    assert "did you mean 'desk'" in desk.json("run", "--config", "desc", code=2)["error"]["message"]


def test_a_model_that_cannot_be_had_ends_with_three_and_is_no_regression(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_desk(tmp_path / "down", config=CONFIG.replace("echo/parrot", "gateway/some-model"))
    (root / "llmops.yaml").write_text(
        'providers:\n  gateway: {base_url: "http://127.0.0.1:9/v1", retries: 0}\n', encoding="utf-8"
    )
    desk = Desk(root, capsys)
    result = desk.json("run", code=3)
    assert (result["cases"], result["errors"], result["passed"]) == (4, 4, 0)
    assert result["failures"]
    assert desk.json("versions")["versions"][0]["is_baseline"] is False
    code, out, _ = desk("run")
    assert (code, "4 errors" in out) == (3, True)


def test_a_run_over_budget_is_refused_before_it_asks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_desk(tmp_path / "dear", config=CONFIG.replace("echo/parrot", "gateway/some-model"))
    (root / "llmops.yaml").write_text(
        'providers:\n  gateway:\n    base_url: "http://127.0.0.1:9/v1"\n    retries: 0\n'
        "    price: {some-model: {input: 100, output: 100}}\nbudget: {per_run_usd: 0.01}\n",
        encoding="utf-8",
    )
    desk = Desk(root, capsys)
    error = desk.json("run", code=2)["error"]
    assert "more than budget.per_run_usd ($0.01)" in error["message"]
    assert "--yes" in error["problems"][0]["remedy"]
    assert desk.json("versions")["versions"][0]["run"] is None


def test_gc_drops_old_runs_and_leaves_every_version_comparable(desk: Desk) -> None:
    desk.json("run", "--limit", "1")
    desk.json("run")
    desk.edit_prompt()
    desk.json("run")
    before = desk.json("compare")
    would = desk.json("gc", "--keep-runs", "1", "--dry-run")
    assert (would["dry_run"], would["dropped"]["runs"]) == (True, 1)
    did = desk.json("gc", "--keep-runs", "1")
    assert did["dropped"] == would["dropped"]
    assert desk("gc", "--keep-runs", "1")[:2] == (0, "nothing to drop\n")
    assert desk.json("compare") == before


def test_a_version_that_does_worse_is_promoted_by_force_with_a_note(desk: Desk) -> None:
    desk.json("run")
    desk.edit_prompt("user:\n{{ question }} Nothing is known of any refund.\n")
    desk.json("run")
    code, out, err = desk("promote", "v2")
    assert (code, out) == (2, "")
    assert "error: v2 can't be promoted: its gate against v1 fails: the pass rate fell by 33.3 points" in err
    assert "--note" in desk.json("promote", "v2", "--force", code=2)["error"]["message"]
    promoted = desk.json("promote", "v2", "--force", "--note", "no refunds any more")
    assert promoted["baseline"]["name"] == "v2"
    assert "note: no refunds any more\n  forced: true" in (desk.root / "baselines.yaml").read_text("utf-8")


def test_the_report_begins_with_the_verdict_and_asks_nothing(desk: Desk) -> None:
    desk.json("run")
    desk.edit_prompt("user:\n{{ question }} Nothing is known of any refund.\n")
    desk.json("run")
    text = desk.json("report")["markdown"]
    assert text.index("## Verdict: fail") < text.index("## What was compared")
    assert "| `pass_rate` | **failed** |" in text
    assert "| days | `echo/parrot` | pass → fail | 100.0% | 0.0% |" in text


def test_a_comparison_is_written_as_csv(desk: Desk) -> None:
    desk.json("run")
    desk.edit_prompt()
    desk.json("run")
    target = desk.root / "rows.csv"
    code, out, _ = desk("compare", "--csv", str(target), "--texts")
    assert (code, out) == (0, f"written to {target}\n")
    lines = target.read_text("utf-8").splitlines()
    assert lines[1].startswith("days,echo/parrot,,regressed,pass→fail,false,passed,failed,1.0,0.0,-1.0,")
    assert "opening" in lines[2]
    assert desk("compare", "--csv", "-", "v1", "v2")[1].startswith("case,model,tags,")
    assert desk("compare", "--texts")[0] == 2
    assert desk("compare", "--csv", str(desk.root / "no" / "where.csv"))[0] == 2


def test_a_bundle_is_saved_and_loaded(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "desk.bundle"
    assert "no baseline to save" in desk.json("bundle", "save", str(file), code=2)["error"]["message"]
    desk.json("run")
    assert desk.json("bundle", "save", str(file))["versions"] == ["desk v1"]
    assert desk("bundle", "load", str(file))[1] == "nothing new: all of it is here already\n"
    shutil.rmtree(desk.root / ".llmops")
    desk.edit_prompt()
    loaded = desk.json("bundle", "load", str(file))["new"]
    assert (loaded["versions"], loaded["runs"], loaded["outputs"]) == (1, 1, 4)
    desk.json("run")
    answer = desk.json("compare", "v1", "latest")
    assert (answer["counts"]["regressed"], answer["counts"]["improved"]) == (1, 1)
    assert "can't be read" in desk.json("bundle", "load", str(tmp_path / "no"), code=2)["error"]["message"]
