"""`gate`: each exit code comes of a real workspace, and the answer says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import CONFIG, EVALS, PROMPT, Desk
from fake_openai import Asked, Reply, error, say
from serving import serving
from small_workspace import write_workspace

#: Two cases are won for the one that is lost.
BETTER = PROMPT.replace("30 days", "two weeks, from 9 to 5,") + "It is red.\n"


def settings(desk: Desk, text: str) -> None:
    (desk.root / "llmops.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def evaluated(desk: Desk) -> Desk:
    """v1 is evaluated, and the baseline."""
    desk.json("run")
    return desk


# -- the three verdicts and their exit codes


def test_a_harmless_edit_asks_nothing_and_passes(evaluated: Desk) -> None:
    config = evaluated.root / "configs" / "desk.yaml"
    lines = config.read_text(encoding="utf-8").splitlines()
    config.write_text("# in another order\n" + "\n".join(reversed(lines)) + "\n", encoding="utf-8")
    for how in ((), ("--fresh", "--adjudicate")):
        found = evaluated.json("gate", *how)
        assert (found["verdict"], found["exit_code"], found["provider_calls"]) == ("pass", 0, 0)
        assert "nothing changed" in found["reasons"][0]
        assert (found["baseline"], found["candidate"], found["exploratory"]) == ("v1", "v1", False)


def test_a_harmful_edit_fails_with_1_and_names_the_case(evaluated: Desk) -> None:
    evaluated.edit_prompt(PROMPT.replace("30 days", "two weeks"))
    found = evaluated.json("gate", code=1)
    assert (found["verdict"], found["decided_by"]) == ("fail", "pass_rate")
    assert found["reasons"][0].endswith("worse: days")
    (flip,) = found["flips"]
    assert (flip["id"], flip["flip"], flip["critical"]) == ("days", "pass→fail", False)
    assert found["changed_parts"] == ["prompt"]
    # What the candidate lacked was asked, and nothing else.
    assert found["provider_calls"] == 4
    assert evaluated.json("gate", code=1)["provider_calls"] == 0


def test_the_text_begins_with_the_word_and_has_every_part(evaluated: Desk) -> None:
    evaluated.edit_prompt(PROMPT.replace("30 days", "two weeks"))
    code, out, err = evaluated("gate")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == "fail  desk v2 against v1: −33.3 points"
    assert lines[1] == "v1 (baseline) → v2 · changed: prompt"
    assert lines[2] == "pass 66.7% → 33.3%  −33.3 pts · 3 cases · 4 requests sent · $0"
    assert "- the pass rate fell by 33.3 points, from 66.7% to 33.3% (3 cases)" in out
    assert "▼ days   pass → fail" in lines
    (rule,) = [line for line in lines if line.startswith("pass_rate")]
    assert rule.split()[:2] == ["pass_rate", "failed"]


def test_what_so_few_cases_cannot_settle_is_inconclusive_with_4(evaluated: Desk) -> None:
    settings(evaluated, "gate: {estimand: population}\n")
    evaluated.edit_prompt(PROMPT.replace("30 days", "two weeks"))
    found = evaluated.json("gate", code=4)
    assert (found["verdict"], found["exploratory"]) == ("inconclusive", True)
    (rule,) = [r for r in found["rules"] if r["rule"] == "pass_rate"]
    assert rule["ok"] is None
    assert rule["interval"][0] < rule["observed"] < rule["interval"][1]
    assert "cases would decide" in rule["would_decide"]
    code, out, _ = evaluated("gate")
    assert code == 4
    assert out.splitlines()[0].startswith("inconclusive  desk v2 against v1: about ")
    assert "What would decide" in out
    assert "gate --fresh asks both sides anew" in " ".join(out.split())


def test_answers_that_could_not_be_had_are_3_and_no_regression(tmp_path: Path, desk: Desk) -> None:
    broken = False

    def script(asked: Asked) -> Reply:
        if broken and "Who" in asked.said:
            return error(400, "no answer to this")
        return say(asked, asked.said)

    with serving(script) as server:
        provider = {"fake": {"base_url": server.url, "retries": 0}}
        cases = [
            {"id": q, "vars": {"question": f"{q}?"}, "scorers": [{"contains": q}]} for q in ("Who", "When")
        ]
        write_workspace(desk.root, cases=cases, models=["fake/m"], settings={"providers": provider})
        (desk.root / "configs" / "desk.yaml").unlink()
        desk.json("run")
        broken = True
        (desk.root / "prompts" / "bench.md").write_text("user:\n{{ question }} Hm?\n", encoding="utf-8")
        found = desk.json("gate", code=3)
        assert (found["verdict"], found["decided_by"]) == ("inconclusive", "errors")
        assert found["failures"]
        assert "no answer to this" in found["failures"][0]
        code, out, _ = desk("gate")
        assert (code, "Failures" in out) == (3, True)
        # Put up with, it is left out.
        settings = {"providers": provider, "gate": {"max_errors": 1, "max_drop": 0.9}}
        (desk.root / "llmops.yaml").write_text(json.dumps(settings), encoding="utf-8")
        found = desk.json("gate")
        assert (found["verdict"], found["rows"]) == ("pass", 1)


def test_without_a_baseline_or_with_a_broken_file_it_is_2(desk: Desk) -> None:
    error = desk.json("gate", code=2)["error"]
    assert "'desk' has no baseline" in error["message"]
    assert "promote" in error["problems"][0]["remedy"]
    desk.edit_prompt("user:\n{{ qestion }}\n")
    assert "did you mean 'question'" in desk.json("gate", code=2)["error"]["message"]


# -- what is held against what


def test_any_two_recorded_versions_can_be_held_together(evaluated: Desk) -> None:
    for text in (PROMPT.replace("30 days", "two weeks"), BETTER):
        evaluated.edit_prompt(text)
        evaluated.json("run")
    found = evaluated.json("gate", "v1", "--against", "v2")
    assert (found["baseline"], found["candidate"], found["verdict"]) == ("v2", "v1", "pass")
    assert evaluated.json("gate", "v2", code=1)["candidate"] == "v2"
    # Without a name it is what is on disk: one case lost, one won.
    found = evaluated.json("gate")
    assert (found["candidate"], found["verdict"]) == ("v3", "pass")
    assert {f["flip"] for f in found["flips"]} == {"pass→fail", "fail→pass"}
    assert "v9" in evaluated.json("gate", "v9", code=2)["error"]["message"]


def test_accepted_changes_count_as_wanted_and_rejected_ones_fail(evaluated: Desk) -> None:
    evaluated.edit_prompt(PROMPT.replace("30 days", "two weeks"))
    evaluated.json("gate", code=1)
    evaluated.json("review", "--accept", "days")
    found = evaluated.json("gate")
    assert (found["verdict"], [a["id"] for a in found["accepted"]]) == ("pass", ["days"])
    assert "1 accepted change counted as wanted: days" in " ".join(found["reasons"])
    evaluated.json("review", "--reject", "refund")
    found = evaluated.json("gate", code=1)
    assert (found["decided_by"], found["headline"]) == ("review", "rejected: refund")


def test_a_case_known_to_fail_is_left_out_and_named(evaluated: Desk) -> None:
    evals = evaluated.root / "evals" / "desk.yaml"
    marked = EVALS.replace("30 days}]\n", "30 days}]\n    known_failing: legal decides\n", 1)
    evals.write_text(marked, encoding="utf-8")
    evaluated.edit_prompt(PROMPT.replace("30 days", "two weeks"))
    found = evaluated.json("gate")
    assert "1 case known to fail left out: days" in " ".join(found["reasons"])
    assert found["flips"][0]["known_failing"] == "legal decides"


def test_all_configurations_are_gated_and_the_worst_exit_code_wins(evaluated: Desk) -> None:
    other = evaluated.root / "configs" / "other.yaml"
    other.write_text(CONFIG.replace("desk.md", "other.md"), encoding="utf-8")
    (evaluated.root / "prompts" / "other.md").write_text(PROMPT, encoding="utf-8")
    # It has no baseline yet: that is a 2, and the other is gated all the same.
    found = evaluated.json("gate", code=2)
    assert [(g["config"], g["exit_code"]) for g in found["gates"]] == [("desk", 0), ("other", 2)]
    assert "has no baseline" in found["gates"][1]["error"]["message"]
    evaluated.json("run", "--config", "other")
    assert evaluated.json("gate")["verdict"] == "pass"
    (evaluated.root / "prompts" / "other.md").write_text(PROMPT.replace("30", "40"), encoding="utf-8")
    found = evaluated.json("gate", code=1)
    assert (found["verdict"], found["exit_code"]) == ("fail", 1)
    code, out, _ = evaluated("gate")
    assert code == 1
    words = [line.split()[:2] for line in out.splitlines() if line.startswith(("pass  ", "fail  "))]
    assert words == [["pass", "desk"], ["fail", "other"]]
    assert evaluated.json("gate", "--config", "desk")["config"] == "desk"
    assert "name one with --config: desk, other" in evaluated.json("gate", "v1", code=2)["error"]["message"]


def test_python_of_the_workspace_runs_only_where_it_is_trusted(evaluated: Desk) -> None:
    (evaluated.root / "scorers.py").write_text(
        "def short(output):\n    return len(output) < 600\n", encoding="utf-8"
    )
    evals = evaluated.root / "evals" / "desk.yaml"
    evals.write_text(
        EVALS.replace("{question: Hm?}", "{question: Hm?}\n    scorers: [short]"), encoding="utf-8"
    )
    evaluated.edit_prompt(BETTER)
    assert "llmops-tui trust" in evaluated.json("gate", code=2)["error"]["message"]
    assert evaluated.json("gate", "--trust")["verdict"] == "pass"


# -- where it is written


def test_reports_are_written_where_they_are_asked_for(evaluated: Desk, tmp_path: Path) -> None:
    evaluated.edit_prompt(PROMPT.replace("30 days", "two weeks"))
    junit, markdown = tmp_path / "gate.xml", tmp_path / "gate.md"
    assert evaluated("gate", "--junit", str(junit), "--markdown", str(markdown))[0] == 1
    assert 'name="days"' in junit.read_text(encoding="utf-8")
    text = markdown.read_text(encoding="utf-8")
    assert text.startswith("# desk: v1 → v2\n\n## Verdict: fail\n")
    assert "The pass rate by tag" in text


def test_a_report_that_cannot_be_written_is_said_before_anything_is_asked(evaluated: Desk) -> None:
    evaluated.edit_prompt(BETTER)
    message = evaluated.json("gate", "--junit", "/nowhere/gate.xml", code=2)["error"]["message"]
    assert "there is no folder /nowhere" in message
    assert evaluated.json("versions")["versions"][0]["run"] is None
