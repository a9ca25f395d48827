"""An explanation as text and as markdown: bars, sentences, and text that nobody vouches for."""

from __future__ import annotations

import msgspec
import pytest
from sample_comparison import Sample

from llmops_tui.domain.attribution import Attribution, CaseShares, Explanation, Interaction, Share
from llmops_tui.domain.statistics.assess import Evidence
from llmops_tui.report.explain_markdown import explanation_blocks
from llmops_tui.report.explain_text import bar, explanation_lines, interaction_words, moved_by
from llmops_tui.report.text import plain

NASTY = "models.gateway/a|b<script> → c\x1b[31m"


def evidence(*, by_fact: bool = False) -> Evidence:
    return Evidence(
        20, 20, 1.0, 0.75, 0.5, -0.25, -0.4, -0.1, 0.02, 0.99, by_fact, "exact McNemar test", "Tango", 6, 1
    )


def explanation(**how: object) -> Explanation:
    comparison = Sample().comparison
    measure = Attribution(
        "pass_rate",
        evidence(),
        True,
        shares=(Share("prompt", -0.35, -0.6, -0.1), Share(NASTY, 0.1, -0.1, 0.3)),
    )
    case = CaseShares("refund `x`", "m", "pass_rate", -1.0, "pass→fail", (("prompt", -1.0),))
    found = Explanation(
        comparison.baseline.version,
        comparison.candidate.version,
        "explained",
        "2 parts changed; the difference is shared out over them by 2 versions in between",
        measures=(measure,),
        cases=(case,),
        corners=2,
    )
    return msgspec.structs.replace(found, **how)


def test_a_bar_is_an_interval_around_a_share_and_a_block_for_a_fact() -> None:
    assert bar(-1.0, None, None, 1.0, 11) == "█████│     "
    assert bar(0.4, None, None, 1.0, 11) == "     │██   "
    assert bar(0.0, None, None, 1.0, 11) == "     │     "
    assert bar(-0.4, -1.0, 0.2, 1.0, 11) == "───●─┼─    "


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_and_hold_no_escapes(width: int) -> None:
    text = plain(explanation_lines(explanation(), width=width))
    assert "\x1b" not in text
    assert all(len(line) <= width for line in text.splitlines())
    assert "all intervals are right together with 95 %" in " ".join(text.split())
    assert "p = 0.020 by the exact McNemar test" in text


def test_what_is_not_proven_says_what_would_prove_it() -> None:
    open_ = Attribution("pass_rate", evidence(), False, "about 12 trials of each case would")
    text = plain(explanation_lines(explanation(measures=(open_,), cases=()), width=100))
    assert "not proven: p = 0.020 by the exact McNemar test; about 12 trials of each case would" in text


def test_parts_that_work_only_together_are_said_to() -> None:
    measure = explanation().measures[0]
    together = Interaction(("prompt", "corpus"), Share("", -0.4, -0.6, -0.2), (-0.05, 0.0), -0.4)
    assert interaction_words(together, measure) == (
        "prompt and corpus do it only together: together −40.0 pts, alone −5.0 pts and 0.0 pts"
    )
    overlap = Interaction(("prompt", "corpus"), Share("", 0.2, 0.1, 0.3), (-0.3, -0.2), -0.3)
    assert "do less together than apart" in interaction_words(overlap, measure)


def test_a_part_names_the_cases_that_it_moved_most() -> None:
    def case(name: str, *shares: tuple[str, float]) -> CaseShares:
        return CaseShares(name, "m", "pass_rate", sum(v for _, v in shares), None, shares)

    cases = (
        case("one", ("prompt", -1.0)),
        case("two", ("prompt", -0.5), (NASTY, -0.5)),
        case("three", (NASTY, 0.8), ("prompt", -0.2)),
    )
    assert moved_by(explanation(cases=cases), "prompt") == (["one", "two"], [])
    assert moved_by(explanation(cases=cases), NASTY) == (["two"], ["three"])
    text = plain(explanation_lines(explanation(cases=cases)))
    assert "    ▼ one and two\n" in text
    assert "    ▼ two   ▲ three\n" in text


def test_cases_beyond_the_most_are_counted() -> None:
    cases = explanation().cases * 60
    assert "and 10 more cases" in plain(explanation_lines(explanation(cases=cases)))


def test_markdown_shows_names_as_text() -> None:
    text = "\n\n".join(explanation_blocks(explanation(notes=("a|b <i> was left out",))))
    assert text.startswith("## Explanation")
    assert "<code>models.gateway/a&#124;b&lt;script&gt;" in text
    assert "| total | −25.0 pts |" in text
    assert "\x1b" not in text
    assert "As they were seen" in text
    assert "a\\|b &lt;i> was left out" in text


def test_a_fact_needs_no_interval() -> None:
    fact = Attribution("pass_rate", evidence(by_fact=True), True, shares=(Share("prompt", -0.25),))
    text = "\n\n".join(explanation_blocks(explanation(measures=(fact,))))
    assert "| `prompt` | −25.0 pts | a fact |" in text
    assert "As they were seen" not in text
