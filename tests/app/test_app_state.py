"""How results of a run come in among the cases on screen."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from made_up import SMOL, Answers, helpdesk, manifests, run_info, version

from llmops_tui.app.arranged import Totals
from llmops_tui.app.bench_state import BenchState
from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import compare
from llmops_tui.domain.manifest import changed_parts
from llmops_tui.domain.run import RunInfo, Snapshot, VersionInfo, make_rows

CHANGED = tuple(changed_parts(*manifests()))


def bench() -> tuple[BenchState, Answers]:
    answers = Answers()
    baseline, candidate, cases = helpdesk(answers)
    state = BenchState()
    state.cases_read(cases, (SMOL,))
    state.show(compare(baseline, candidate), CHANGED, ())
    return state, answers


def next_run(number: int = 13) -> tuple[RunInfo, VersionInfo]:
    return run_info(number, 20, "running", elapsed_s=None), version(number)


def names(state: BenchState) -> list[str]:
    return [case for case, _ in state.visible]


def test_regressed_cases_come_first_then_improved_then_reworded_ones() -> None:
    state, _ = bench()
    assert names(state)[:6] == [
        "refund-window",
        "cancel-order",
        "shipping-cost",
        "warranty",
        "gift-card",
        "contact-phone",
    ]


def test_rows_of_the_run_before_stay_until_their_new_result_is_there() -> None:
    state, answers = bench()
    state.run_started(*next_run(), CHANGED)
    key = ("refund-window", SMOL)
    assert state.pairs[key].candidate is not None
    assert state.pairs[key].candidate.score == 0.0
    assert key in state.stale
    state.items_done([answers.item("refund-window", "You have 30 days.", 1.0)])
    assert key not in state.stale
    assert state.pairs[key].candidate.score == 1.0
    assert state.pairs[key].change == "same"


def test_the_order_stands_still_while_results_come_in() -> None:
    state, answers = bench()
    before = names(state)
    state.run_started(*next_run(), CHANGED)
    for case in reversed(before):
        state.items_done([answers.item(case, "another answer", 0.25)])
    assert names(state) == before


def test_rows_that_are_to_come_count_neither_as_regressed_nor_as_the_same() -> None:
    state, answers = bench()
    state.run_started(*next_run(), CHANGED)
    assert state.totals.pending == 20
    assert set(state.totals.counts.values()) == {0}
    state.items_done([answers.item("vat-number", "I do not know.", 0.0)])
    assert state.totals.counts["regressed"] == 1
    assert state.totals.judged == 1
    assert not state.is_complete


def test_a_save_shows_the_cases_before_anything_was_asked() -> None:
    """The version on disk is new: the store has no row of it, and the screen keeps the old ones."""
    state, answers = bench()
    baseline, _, _ = helpdesk(answers)
    new = version(13)
    never = RunInfo(0, 13, "manual", "interrupted", new.created_at, 0, 0)
    state.show(compare(baseline, Snapshot(new, never, ())), CHANGED, ())
    assert len(state.visible) == 20
    assert set(state.stale.values()) == {"v12"}
    assert len(state.stale) == 20
    assert state.totals.counts["removed"] == 0
    assert names(state)[:2] == ["refund-window", "cancel-order"]


def test_a_cancelled_run_has_rows_missing_and_none_that_were_removed() -> None:
    state, answers = bench()
    baseline, candidate, _ = helpdesk(answers)
    cut_short = Snapshot(version(13), run_info(13, 20, "cancelled"), candidate.rows[:5])
    state.show(compare(baseline, cut_short), CHANGED, ())
    assert state.totals.pending == 15
    assert state.totals.counts["removed"] == 0
    assert state.unfinished == 15
    assert not state.is_complete


def test_a_case_that_was_taken_out_is_removed_once_the_run_is_complete() -> None:
    state, answers = bench()
    baseline, candidate, _ = helpdesk(answers)
    state.show(compare(baseline, Snapshot(version(13), run_info(13, 19), candidate.rows[:-1])), CHANGED, ())
    assert state.totals.counts["removed"] == 1
    assert state.is_complete


def test_a_further_trial_leaves_the_score_alone_and_the_row_in_its_place() -> None:
    state, answers = bench()
    before = names(state)
    state.run_started(run_info(13, 21, "running"), version(12), CHANGED)
    assert not state.stale
    state.items_done([answers.item("refund-window", "You have 30 days.", 1.0, trial=1, extra=True)])
    row = state.pairs["refund-window", SMOL].candidate
    assert row is not None
    assert row.score == 0.0
    assert len(row.items) == 2
    assert names(state) == before


def test_asking_everything_anew_marks_all_rows_as_old() -> None:
    state, _ = bench()
    state.run_started(run_info(13, 20, "running", generation=1), version(12), CHANGED)
    assert len(state.stale) == 20


def test_a_replaced_model_takes_over_the_rows_of_the_one_before() -> None:
    state, answers = bench()
    state.cases_read([], ("gateway/big",))
    state.run_started(*next_run(), CHANGED)
    assert len(state.visible) == 20
    assert state.models == ("gateway/big",)
    state.items_done([answers.item("refund-window", "You have 30 days.", 1.0, model="gateway/big")])
    pair = state.pairs["refund-window", "gateway/big"]
    assert pair.baseline is not None
    assert pair.change == "same"
    assert len(state.pairs) == 20


def test_a_case_that_is_new_comes_last_while_the_run_goes_on() -> None:
    state, answers = bench()
    state.run_started(*next_run(), CHANGED)
    state.items_done([answers.item("aaa-new", "An answer.", 1.0)])
    assert names(state)[-1] == "aaa-new"
    assert state.totals.counts["new"] == 1


def test_the_next_changed_case_is_found_round_the_end_and_in_the_filtered_list() -> None:
    state, _ = bench()
    found = state.next_change(("contact-phone", SMOL), 1)
    assert found == ("refund-window", SMOL)
    assert state.next_change(("refund-window", SMOL), -1) == ("contact-phone", SMOL)
    state.model = "gateway/none"
    state.narrow()
    assert state.next_change(None, 1) is None


def test_the_filter_knows_tags_of_the_cases_on_disk_and_outputs_that_were_read() -> None:
    from llmops_tui.app.case_filter import parse

    state, answers = bench()
    state.narrow(parse("tag:refunds"))
    assert names(state) == ["refund-window"]
    unread = state.unread_outputs()
    assert len(unread) == len(set(unread))
    state.output_texts = {hash_: answers.texts[id_].lower() for id_, hash_ in unread.items()}
    state.narrow(parse('"weekdays"'))
    assert set(names(state)) == {"opening-hours", "contact-phone"}
    assert not state.unread_outputs()


SCORES = st.sampled_from([None, 0.0, 0.25, 1.0, "error"])


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=12), st.data())
def test_totals_that_were_kept_up_to_date_are_those_of_the_whole_comparison(
    scores: list[tuple[object, object]], data: st.DataObject
) -> None:
    answers = Answers()

    def item(k: int, score: object) -> object:
        if score == "error":
            return answers.item(f"c{k}", None, None)
        return answers.item(f"c{k}", f"text {score}", score)  # type: ignore[arg-type]

    left = [item(k, a) for k, (a, _) in enumerate(scores)]
    right = [item(k, b) for k, (_, b) in enumerate(scores)]
    baseline = Snapshot(version(1), run_info(1, len(left)), make_rows(left))  # type: ignore[arg-type]
    whole = compare(baseline, Snapshot(version(3), run_info(3, len(right)), make_rows(right)))  # type: ignore[arg-type]
    state = BenchState()
    state.show(compare(baseline, baseline), (), ())
    state.run_started(run_info(3, len(right), "running"), version(3), ())
    for one in data.draw(st.permutations(right)):
        state.items_done([one])  # type: ignore[list-item]
    assert {**state.totals.counts, "pending": state.totals.pending} == whole.counts
    assert state.totals.judged == whole.pass_rate.n
    if whole.mean_score.n:
        assert state.totals.mean_score is not None
        assert abs(state.totals.mean_score[1] - (whole.mean_score.candidate or 0.0)) < 1e-9
    fresh = Totals()
    for pair in state.pairs.values():
        fresh.count(pair)
    assert fresh.statuses == state.totals.statuses


def test_a_case_on_disk_is_known_with_its_tags() -> None:
    state, _ = bench()
    state.cases_read([Case("refund-window", {}, tags=("new-tag",))], (SMOL,))
    from llmops_tui.app.case_filter import parse

    state.narrow(parse("tag:new-tag"))
    assert names(state) == ["refund-window"]
    assert msgspec.structs.asdict(state.pairs["refund-window", SMOL])["case_id"] == "refund-window"
