"""The verdict: which rule decides, in which order, and what it says."""

from __future__ import annotations

import msgspec
import pytest
from gate_cases import MODEL, given

from llmops_tui.domain.gate.judge import judge
from llmops_tui.domain.gate.result import GateResult, RuleResult
from llmops_tui.domain.gate.settings import GateSettings, MaxDrop

RULES = GateSettings()


def rule(result: GateResult, name: str) -> RuleResult:
    (found,) = [r for r in result.rules if r.rule == name]
    return found


# -- facts: a runtime that repeats itself


def test_on_a_deterministic_runtime_any_net_drop_is_a_fact_and_names_the_cases() -> None:
    result = judge(given("pppp", "ppfp", fact=True), RULES)
    assert (result.verdict, result.decided_by, result.exit_code) == ("fail", "pass_rate", 1)
    assert "c2" in result.reasons[0]
    assert "25.0 points" in result.reasons[0]
    assert not result.exploratory


def test_on_a_deterministic_runtime_one_lost_and_one_won_is_no_drop() -> None:
    result = judge(given("ppfp", "pfpp", fact=True), RULES)
    assert result.verdict == "pass"
    assert [(f.case_id, f.direction) for f in result.flips] == [("c1", "pass→fail"), ("c2", "fail→pass")]


def test_a_drop_within_a_stated_limit_passes_by_fact() -> None:
    settings = GateSettings(max_drop=MaxDrop(pass_rate=0.3))
    assert judge(given("pppp", "ppfp", fact=True), settings).verdict == "pass"
    assert judge(given("pppp", "pffp", fact=True), settings).verdict == "fail"


def test_a_critical_case_that_regressed_fails_whatever_was_gained() -> None:
    result = judge(given("pfff", "fppp", fact=True, tags={"c0": ["critical"]}), RULES)
    assert (result.verdict, result.decided_by) == ("fail", "critical")
    assert result.headline == "critical: c0"


def test_of_users_requests_a_few_cases_prove_nothing_even_where_answers_repeat() -> None:
    settings = GateSettings(estimand="population")
    result = judge(given("pppp", "ppfp", fact=True), settings)
    assert result.verdict == "inconclusive"
    assert "cases would decide" in result.reasons[0]


# -- noise: tests and intervals


def test_few_noisy_cases_are_inconclusive_and_say_what_would_decide() -> None:
    result = judge(given("p" * 10, "p" * 8 + "ff"), GateSettings(max_drop=MaxDrop(pass_rate=0.05)))
    assert (result.verdict, result.exit_code) == ("inconclusive", 4)
    assert "would decide" in result.reasons[0]
    assert result.exploratory


def test_an_inconclusive_verdict_is_let_pass_where_the_workspace_says_so() -> None:
    settings = GateSettings(max_drop=MaxDrop(pass_rate=0.05), on_inconclusive="pass")
    result = judge(given("p" * 10, "p" * 8 + "ff"), settings)
    assert (result.verdict, result.exit_code) == ("inconclusive", 0)


def test_many_flips_one_way_fail_by_the_test() -> None:
    result = judge(given("p" * 60, "p" * 40 + "f" * 20), RULES)
    assert (result.verdict, result.decided_by) == ("fail", "pass_rate")
    found = rule(result, "pass_rate")
    assert found.p_value is not None
    assert found.p_value < 0.001
    assert "McNemar" in result.reasons[0]


def test_many_unchanged_cases_pass_by_their_interval() -> None:
    result = judge(given("p" * 400, "p" * 400), GateSettings(max_drop=MaxDrop(pass_rate=0.02)))
    assert result.verdict == "pass"
    assert "ruled out" in result.reasons[0]


def test_unchanged_results_of_ten_cases_do_not_prove_two_points() -> None:
    result = judge(given("p" * 10, "p" * 10), GateSettings(max_drop=MaxDrop(pass_rate=0.02)))
    assert result.verdict == "inconclusive"


def test_a_noisy_critical_case_needs_five_trials_a_side_to_fail() -> None:
    tags = {"c0": ["critical"]}
    few = judge(given({"c0": "ppp", "c1": "ppp"}, {"c0": "fff", "c1": "ppp"}, tags=tags), RULES)
    assert few.verdict == "inconclusive"
    assert "5 trials a side" in " ".join(few.reasons)
    many = judge(given({"c0": "p" * 6, "c1": "p" * 6}, {"c0": "f" * 6, "c1": "p" * 6}, tags=tags), RULES)
    assert (many.verdict, many.decided_by) == ("fail", "critical")


def test_several_rules_are_held_together_so_that_chance_has_no_more_chances() -> None:
    tags = {f"c{n}": [f"t{n % 8}"] for n in range(40)}
    settings = GateSettings(max_drop=MaxDrop(tags={f"t{n}": None for n in range(8)}))
    result = judge(given("p" * 40, "f" * 5 + "p" * 35, tags=tags), settings)
    alone, together = rule(result, "pass_rate").p_value, rule(result, "pass_rate").p_adjusted
    assert alone is not None
    assert together is not None
    assert together > alone


# -- what people decided


def test_a_rejected_change_fails_though_nothing_was_lost() -> None:
    result = judge(given("pp", "pp", fact=True, decisions={"c1": "rejected"}), RULES)
    assert (result.verdict, result.decided_by) == ("fail", "review")
    assert "c1" in result.reasons[0]


def test_an_accepted_change_counts_as_wanted_and_is_said() -> None:
    result = judge(given("pp", "pf", fact=True, decisions={"c1": "accepted"}), RULES)
    assert result.verdict == "pass"
    assert "accepted change" in " ".join(result.reasons)
    assert "c1" in " ".join(result.reasons)


def test_an_accepted_critical_change_is_no_regression() -> None:
    tags = {"c0": ["critical"]}
    assert judge(given("pp", "fp", fact=True, tags=tags), RULES).verdict == "fail"
    accepted = given("pp", "fp", fact=True, tags=tags, decisions={"c0": "accepted"})
    assert judge(accepted, RULES).verdict == "pass"


def test_a_case_known_to_fail_is_left_out_and_said() -> None:
    result = judge(given("pp", "pf", fact=True, known_failing=["c1"]), RULES)
    assert result.verdict == "pass"
    assert "known to fail" in " ".join(result.reasons)


def test_a_case_known_to_fail_that_passes_asks_for_its_mark_to_be_removed() -> None:
    result = judge(given("pf", "pp", fact=True, known_failing=["c1"]), RULES)
    assert "remove the mark" in " ".join(result.reasons)


# -- errors and what is missing


def test_errors_are_inconclusive_with_a_code_of_their_own_even_beside_a_regression() -> None:
    result = judge(given("ppp", "fep", fact=True), RULES)
    assert (result.verdict, result.decided_by, result.exit_code) == ("inconclusive", "errors", 3)


def test_errors_within_the_limit_are_left_out() -> None:
    result = judge(given("ppp", "epp", fact=True), GateSettings(max_errors=1))
    assert (result.verdict, result.rows) == ("pass", 2)


def test_a_run_that_is_not_finished_is_inconclusive() -> None:
    result = judge(given("ppp", "ppm", fact=True), RULES)
    assert (result.verdict, result.decided_by) == ("inconclusive", "missing")


def test_cases_without_a_scorer_are_no_evidence() -> None:
    result = judge(given("uu", "uu", fact=True), RULES)
    assert result.verdict == "inconclusive"
    assert "scorer" in result.reasons[0]


# -- cost and latency


def test_cost_is_not_judged_unless_both_sides_were_asked_side_by_side() -> None:
    settings = GateSettings(max_cost_increase=0.1)
    result = judge(given("pp", "pp", fact=True), settings)
    assert result.verdict == "pass"
    assert not rule(result, "cost").judged
    fresh = judge(given("pp", "pp", fact=True, fresh_pairs=True), settings)
    assert rule(fresh, "cost").ok


# -- the unit


def test_cases_of_one_group_are_one_cluster() -> None:
    groups = {f"c{n}": f"g{n // 4}" for n in range(20)}
    result = judge(given("p" * 20, "p" * 16 + "f" * 4, groups=groups), GateSettings(estimand="population"))
    assert (result.rows, result.clusters) == (20, 5)


def test_cases_that_share_a_request_are_one_cluster() -> None:
    one = given("pp", "pp")
    ids = [p.candidate.first.output_id for p in one.comparison.pairs if p.candidate]
    shared = msgspec.structs.replace(one, same_request=dict.fromkeys(ids, "request"))
    assert judge(shared, RULES).clusters == 1


def test_flaky_cases_are_labelled_and_stay() -> None:
    result = judge(given({"a": "pfp", "b": "ppp"}, {"a": "ppf", "b": "ppp"}), RULES)
    (found,) = result.flaky
    assert (found.case_id, found.model, found.passed, found.trials) == ("a", MODEL, (2, 2), (3, 3))
    assert result.rows == 2


def test_a_version_is_never_worse_than_itself() -> None:
    one = given("pf", "pf")
    same = msgspec.structs.replace(one.comparison, candidate=one.comparison.baseline)
    result = judge(msgspec.structs.replace(one, comparison=same), RULES)
    assert (result.verdict, result.exploratory) == ("pass", False)


@pytest.mark.parametrize("look", [1, 2, 3])
def test_later_looks_have_a_stricter_level_than_alpha(look: int) -> None:
    result = judge(given("p" * 60, "p" * 58 + "ff", look=look), RULES)
    assert (rule(result, "pass_rate").alpha or 1.0) < 0.05


def test_the_limit_stands_before_anything_is_seen_at_every_look() -> None:
    limits = {
        rule(judge(given("p" * 60, "p" * 58 + "ff", look=k), RULES), "pass_rate").limit for k in (1, 2, 3)
    }
    assert len(limits) == 1


def test_adjudication_is_proposed_only_while_a_look_of_it_could_tell() -> None:
    before, after = "p" * 40 + "f" * 10, "f" * 2 + "p" * 38 + "f" * 10

    def remedy(**how: object) -> str:
        result = judge(given(before, after, **how), GateSettings(max_drop=MaxDrop(pass_rate=0.1)))
        assert result.verdict == "inconclusive"
        return next(r for r in result.rules if r.rule == "pass_rate").would_decide

    assert "--adjudicate" in remedy()
    assert "--adjudicate" not in remedy(look=3)
    assert "--adjudicate" not in remedy(base_trials=0.25)


# -- what is a fact, and what is not


def test_any_drop_is_a_fact_however_many_rows_share_a_cluster() -> None:
    # Four rows of one group: half a cluster is two rows, and one is lost.
    groups = {f"c{n}": "one" for n in range(4)}
    result = judge(given("pppp", "pppf", fact=True, groups=groups), RULES)
    assert (result.verdict, rule(result, "pass_rate").limit) == ("fail", 0.0)


def test_what_a_noisy_judge_says_of_answers_that_repeat_is_no_fact() -> None:
    one = given("pppp", "pppf", fact=True, tags={"c3": ["critical"]})
    cases = {id_: msgspec.structs.replace(c, judged_alike=False) for id_, c in one.cases.items()}
    result = judge(msgspec.structs.replace(one, cases=cases), RULES)
    assert (result.verdict, result.by_fact) == ("inconclusive", False)
    assert judge(one, RULES).verdict == "fail"


def test_where_the_same_is_asked_on_both_sides_nothing_can_be_worse() -> None:
    settings = GateSettings(max_drop=MaxDrop(pass_rate=0.01))
    assert judge(given("ppf", "ppf"), settings).verdict == "inconclusive"
    result = judge(given("ppf", "ppf", same_requests=True), settings)
    assert (result.verdict, result.by_fact, result.exploratory) == ("pass", True, False)
    assert "what is asked is the same on both sides" in result.reasons[0]


def test_a_gate_that_was_cut_short_never_passes() -> None:
    assert judge(given("ppp", "ppp", fact=True), RULES).verdict == "pass"
    result = judge(given("ppp", "ppp", fact=True, cut_short=True), RULES)
    assert (result.verdict, result.decided_by, result.exit_code) == ("inconclusive", "missing", 4)
    assert "cut short" in result.reasons[0]


def test_a_case_of_many_trials_does_not_make_up_for_those_of_few() -> None:
    few = {f"c{n}": "p" for n in range(20)}
    uneven = {**few, "c0": "p" * 100}
    plain = judge(given(few, few), GateSettings())
    mixed = judge(given(uneven, uneven), GateSettings())
    ruled_out = [next(r.interval for r in result.rules if r.rule == "pass_rate") for result in (plain, mixed)]
    assert ruled_out[0] is not None
    assert ruled_out[1] is not None
    assert ruled_out[1][1] > ruled_out[0][1] * 0.8


def test_a_critical_case_without_a_result_keeps_the_gate_open_though_errors_are_put_up_with() -> None:
    tags = {"c0": ("critical",)}
    result = judge(given("pppp", "eppp", fact=True, tags=tags), GateSettings(max_errors=1))
    assert (result.verdict, result.decided_by) == ("inconclusive", "critical")
    assert "critical: c0 could not be judged" in result.reasons[0]
    tolerated = judge(given("pppp", "eppp", fact=True), GateSettings(max_errors=1))
    assert tolerated.verdict == "pass"
    assert "1 case could not be judged and left out: c0" in tolerated.reasons


def test_a_noisy_critical_case_passes_where_its_trials_are_within_chance() -> None:
    names = [f"c{n}" for n in range(40)]
    before = dict.fromkeys(names, "p" * 6)
    after = {**before, "c0": "pppppf"}
    tags = {"c0": ("critical",)}
    result = judge(given(before, after, tags=tags), GateSettings(max_drop=MaxDrop(pass_rate=0.1)))
    rule = next(r for r in result.rules if r.rule == "critical")
    assert rule.ok
    assert "within what chance gives" in rule.why
    assert result.verdict == "pass"
    few = judge(
        given(dict.fromkeys(names, "p"), {**dict.fromkeys(names, "p"), "c0": "f"}, tags=tags), GateSettings()
    )
    assert next(r for r in few.rules if r.rule == "critical").would_decide == "5 trials a side (trials: 5)"
