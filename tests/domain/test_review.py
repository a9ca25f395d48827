"""To which answers a decision belongs."""

from __future__ import annotations

import msgspec
import pytest

from llmops_tui.domain.comparison import Pair, make_pair
from llmops_tui.domain.review import Decision, answers, applies
from llmops_tui.domain.run import Item, Row, make_row


def row(side: int, *texts: str) -> Row:
    items = [
        Item("c", "m", n, "passed", 1.0, output_id=side * 100 + n, text_hash=text.ljust(12, "0"))
        for n, text in enumerate(texts)
    ]
    return make_row(items)


def decided(pair: Pair) -> Decision:
    return Decision("bench", "c", "m", "accepted", answers(pair.baseline), answers(pair.candidate))


def test_more_trials_that_give_the_same_answers_keep_a_decision() -> None:
    decision = decided(make_pair(row(1, "a"), row(2, "b", "c")))
    assert applies(decision, make_pair(row(1, "a", "a"), row(2, "c", "b", "b", "c")))


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(("b", "c", "d"), id="an answer that nobody saw"),
        pytest.param(("c",), id="an answer that is gone"),
        pytest.param(("d",), id="another answer"),
    ],
)
def test_it_does_not_apply_to_other_answers(candidate: tuple[str, ...]) -> None:
    decision = decided(make_pair(row(1, "a"), row(2, "b", "c")))
    assert not applies(decision, make_pair(row(1, "a"), row(2, *candidate)))
    assert not applies(decision, make_pair(row(1, "x"), row(2, "b", "c")))


def test_a_rejection_does_not_hold_against_answers_that_are_the_baselines_again() -> None:
    decision = msgspec.structs.replace(
        decided(make_pair(row(1, "right"), row(2, "right", "wrong"))), choice="rejected"
    )
    assert not applies(decision, make_pair(row(1, "right"), row(2, "right", "right")))
