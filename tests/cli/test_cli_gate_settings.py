"""`gate:` of `llmops.yaml`: every key is read, has its effect, and is refused where it makes no sense."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from fake_openai import FakeOpenAI
from serving import serving
from small_workspace import write_workspace

Gate = Callable[..., dict[str, Any]]
#: Ten cases; the edit loses the two refunds, and wins the two of opening hours.
QUESTIONS = ["refund", "refund", "open", "open", "lamp", "lamp", "lamp", "lamp", "lamp", "lamp"]
PROMPT = "user:\n{{ question | replace('open', 'closed') }} today\n"
EDITED = "user:\n{{ question | replace('refund', 'nothing') }} today\n"
LOSING = "user:\n{{ question | replace('open', 'closed') | replace('refund', 'nothing') }} today\n"


def cases() -> list[dict[str, Any]]:
    return [
        {
            "id": f"{word}-{n}",
            "vars": {"question": f"{word} {n}"},
            "scorers": [{"contains": word}, {"max_words": {"value": 9}}],
            "tags": [word, "vital"] if n == 0 else [word],
        }
        for n, word in enumerate(QUESTIONS)
    ]


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """The baseline is evaluated."""
    desk = Desk(write_workspace(tmp_path / "shop", prompt=PROMPT, cases=cases()), capsys)
    desk.json("run")
    return desk


def write(desk: Desk, prompt: str, **gate: Any) -> None:
    (desk.root / "prompts" / "bench.md").write_text(prompt, encoding="utf-8")
    file = desk.root / "llmops.yaml"
    there = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps({**there, "gate": gate}), encoding="utf-8")


def rule(found: dict[str, Any], name: str) -> dict[str, Any]:
    (one,) = [r for r in found["rules"] if r["rule"] == name]
    return dict(one)


def test_max_drop_is_a_share_or_what_the_set_can_prove(shop: Desk) -> None:
    write(shop, LOSING)
    found = shop.json("gate", code=1)
    assert (rule(found, "pass_rate")["limit"], rule(found, "pass_rate")["limit_is_auto"]) == (0.0, True)
    write(shop, LOSING, max_drop=0.2)
    found = shop.json("gate")
    assert (rule(found, "pass_rate")["limit"], rule(found, "pass_rate")["limit_is_auto"]) == (0.2, False)
    write(shop, LOSING, max_drop={"pass_rate": 0.19})
    assert shop.json("gate", code=1)["decided_by"] == "pass_rate"


def test_tags_and_scorers_have_limits_of_their_own(shop: Desk) -> None:
    # What is lost here and won there is no drop of the whole, and one of the tag.
    write(shop, EDITED)
    assert shop.json("gate")["verdict"] == "pass"
    write(shop, EDITED, max_drop={"tags": {"refund": 0.5, "lamp": "auto"}})
    found = shop.json("gate", code=1)
    assert (found["decided_by"], rule(found, "tag:lamp")["ok"]) == ("tag:refund", True)
    write(shop, LOSING, max_drop={"pass_rate": 0.9, "scorers": {"contains": 0.1, "max_words": 0.1}})
    found = shop.json("gate", code=1)
    assert (found["decided_by"], rule(found, "scorer:max_words")["ok"]) == ("scorer:contains", True)
    assert rule(found, "scorer:contains")["observed"] == pytest.approx(0.2)


def test_critical_names_the_tag_of_cases_that_may_not_regress(shop: Desk) -> None:
    write(shop, EDITED, critical="vital")
    found = shop.json("gate", code=1)
    assert (found["decided_by"], found["headline"]) == ("critical", "critical: refund-0")
    assert [f["id"] for f in found["flips"] if f["critical"]] == ["refund-0"]


def test_estimand_alpha_and_what_inconclusive_does(shop: Desk) -> None:
    write(shop, LOSING, estimand="population", max_drop=0.1)
    found = shop.json("gate", code=4)
    assert rule(found, "pass_rate")["p_value"] == 0.25
    write(shop, LOSING, estimand="population", max_drop=0.1, alpha=0.45)
    assert shop.json("gate", code=1)["decided_by"] == "pass_rate"
    write(shop, LOSING, estimand="population", max_drop=0.1, on_inconclusive="pass")
    found = shop.json("gate")
    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 0)


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with serving() as fake:
        yield fake


def test_cost_and_latency_are_judged_side_by_side_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], server: FakeOpenAI
) -> None:
    provider = {"base_url": server.url, "price": {"m": {"input": 1, "output": 1}}}
    root = write_workspace(
        tmp_path / "shop",
        prompt="user:\n{{ question }}\n",
        cases=cases(),
        models=["fake/m"],
        config={"trials": 3},
        settings={"providers": {"fake": provider}},
    )
    desk = Desk(root, capsys)
    desk.json("run")
    longer = "user:\n{{ question }} and so on and on\n"
    write(desk, longer, max_cost_increase=0.5, max_latency_increase=100.0, max_drop=0.9)
    found = desk.json("gate")
    assert (rule(found, "cost")["judged"], rule(found, "latency")["judged"]) == (False, False)
    assert "gate --fresh" in rule(found, "cost")["why"]
    found = desk.json("gate", "--fresh", code=1)
    assert (found["decided_by"], rule(found, "cost")["observed"]) == ("cost", pytest.approx(2.5))
    assert rule(found, "latency")["ok"] is True
    write(desk, longer, max_cost_increase=3.0, max_drop=0.9)
    assert desk.json("gate")["verdict"] == "pass"


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"max_drop": 0}, "'gate.max_drop' must be auto or more than 0, not 0; no number of cases can prove"),
        ({"max_drop": 1.5}, "'gate.max_drop' must be"),
        ({"max_drop": {"tags": {"refund": 0}}}, "no number of cases can prove"),
        ({"max_drop": {"pass_rat": 0.1}}, "did you mean 'pass_rate'?"),
        ({"alpha": 0}, "'gate.alpha' must be more than 0, not 0"),
        ({"alpha": 0.5}, "'gate.alpha' must be less than 0.5, not 0.5"),
        ({"estimand": "populaton"}, "did you mean 'population'?"),
        ({"critical": ""}, "'gate.critical' must be text that is not empty"),
        ({"max_errors": -1}, "'gate.max_errors' must be at least 0, not -1"),
        ({"max_cost_increase": -0.1}, "'gate.max_cost_increase' must be at least 0"),
        ({"max_latency_increase": "much"}, "'gate.max_latency_increase' must be a number"),
        ({"budget": {"calls": 1.5}}, "'gate.budget.calls' must be a whole number"),
        ({"budget": {"usd": -1}}, "'gate.budget.usd' must be at least 0"),
        ({"on_inconclusive": "warn"}, "'gate.on_inconclusive' must be one of fail, pass"),
        ({"budgets": {}}, "did you mean 'budget'?"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(desk: Desk, gate: dict[str, Any], said: str) -> None:
    write_workspace(desk.root, settings={"gate": gate})
    (desk.root / "configs" / "desk.yaml").unlink()
    error = desk.json("check", code=2)["error"]
    assert said in error["message"]
    assert error["problems"][0]["file"] == "llmops.yaml"


def test_a_gate_with_a_setting_that_makes_no_sense_is_not_held(desk: Desk) -> None:
    (desk.root / "llmops.yaml").write_text("gate:\n  max_drop: 0\n", encoding="utf-8")
    error = desk.json("gate", code=2)["error"]
    assert error["message"].startswith("llmops.yaml:2 'gate.max_drop' must be auto or more than 0, not 0")


def test_a_rule_about_a_tag_or_a_scorer_that_no_case_has_is_warned_about(shop: Desk) -> None:
    write(shop, PROMPT, critical="vitl", max_drop={"tags": {"refnd": 0.1}, "scorers": {"contain": 0.1}})
    code, _, err = shop("gate")
    assert code == 0
    assert "llmops.yaml:1 no case has the tag 'vitl'" in err
    assert "did you mean 'refund'?" in err
    assert "no case is scored by 'contain'" in err
    write(shop, PROMPT, critical="vital", max_drop={"tags": {"refund": 0.1}, "scorers": {"contains": 0.1}})
    assert shop("gate")[2] == ""
