"""The markdown report: reads top-down by importance, and shows hostile text as text."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from sample_comparison import Sample

from llmops_tui.domain.comparison import compare
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report import markdown_text
from llmops_tui.report.markdown import FULL_CASES, markdown

GITHUB = MarkdownIt("gfm-like")


def report(sample: Sample) -> str:
    return markdown(sample.comparison, sample.changes, sample.texts, sample.detail)


def shown(source: str) -> str:
    """What a reader of the rendered source sees, without the spaces that only keep GitHub from linking."""
    return html.unescape(re.sub(r"<[^>]*>", "", GITHUB.render(source))).replace("\u200b", "")


def test_it_says_what_was_compared_with_numbers_hashes_and_commits() -> None:
    text = report(Sample())
    assert text.startswith("# helpdesk: v11 → v12\n\n**▼ 1 regressed · ▲ 1 improved · ✗ 1")
    assert "| version | v11 (baseline, shipped) | v12 |" in text
    assert "| hash | `bbbbbbbbbb` | `cccccccccc` |" in text
    assert "1a2b3c4d5e with uncommitted changes" in text
    assert "**v12 is not finished: 1 error.**" in text


def test_regressions_come_first_and_what_needs_nobody_is_folded() -> None:
    text = report(Sample())
    order = ["## What changed", "## Summary", "## ▼ Regressed", "## ▲ Improved", "## ✗ Errors", "<details>"]
    places = [text.index(heading) for heading in [*order, "## How to reproduce"]]
    assert places == sorted(places)
    assert text.index("opening-hours") > text.index("<details>")
    assert text.count("<details>") == text.count("</details>") == 2


def test_a_regression_shows_changed_words_and_why() -> None:
    text = report(Sample())
    regressed = text[text.index("## ▼ Regressed") : text.index("## ▲ Improved")]
    assert "**pass → fail**, 1.00 → 0.00 (−1.00)" in regressed
    assert "- You [-have 30 days from delivery to-] ask for a refund." in regressed
    assert '| `contains` | 1.00 | 0.00 | −1.00 | "30 days" is not in the output |' in regressed


def test_what_changed_is_a_diff_for_a_prompt_and_a_line_for_a_parameter() -> None:
    text = report(Sample())
    assert "- params.temperature: `0` → `0.7`" in text
    assert "+ Answer the question.\n  Be brief." in text


def test_it_tells_how_to_make_it_again() -> None:
    text = report(Sample())
    assert "```sh\n# v12 had changes that were not committed yet\nllmops-tui run --config helpdesk\n" in text


def test_a_version_against_itself_says_that_nothing_differs() -> None:
    side = Sample().comparison.baseline
    same = compare(side, side)
    text = markdown(same, (), (), Sample().detail)
    assert "Nothing differs: every output and every score is the same" in text
    assert "## ▼ Regressed" not in text


def test_the_model_is_named_only_where_there_are_several() -> None:
    assert "### refund-window\n" in report(Sample())
    assert "### refund-window on `echo/b`" in report(Sample(models=("echo/a", "echo/b")))


def test_a_report_of_many_regressions_shows_some_in_full_and_lists_the_rest() -> None:
    sample = Sample({f"case-{n}": "after" for n in range(FULL_CASES + 20)})
    text = report(sample)
    assert text.count("**pass → fail**") == FULL_CASES
    assert "And 21 more cases:" in text
    assert f"| case-{FULL_CASES + 19} |" in text


HOSTILE = [
    "```\n</details><script>alert(1)</script>\n~~~~",
    "| a | b |\n|---|---|",
    "````````` many ticks `",
    "# heading\n\n- list\n\n> quote",
    "\x1b[31mred\x1b[0m \x07 \u202egnp.exe",
    "@everyone #1 https://evil.example www.evil.example [x](javascript:alert(1)) ![i](http://e/i.png)",
    "$x^2$ :smile: &amp; &#64;x <b>bold</b> <!-- hidden",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_output_stays_inside_its_block(text: str) -> None:
    sample = Sample({"hostile": f"{text}\nnew"})
    sample.old_texts["hostile"] = f"{text}\nold"  # so that its lines stand unmarked as well
    rendered = GITHUB.render(report(sample))
    calm = GITHUB.render(report(Sample({"hostile": "calm"})))
    for tag in ("<h1", "<h2", "<h3", "<details", "</details", "<table", "<pre", "<script", "<img", "<a "):
        assert rendered.count(tag) == calm.count(tag), tag
    assert "\x1b" not in rendered
    assert "\u202e" not in rendered


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_and_reasons_are_shown_as_they_are(text: str) -> None:
    for source in (f"### {markdown_text.inline(text)}", f"x {markdown_text.code(text)}"):
        assert re.sub(r"\s+", " ", shown(source)).removeprefix("x ").strip() == re.sub(
            r"\s+", " ", clean_line(text)
        )


@given(st.text(alphabet=st.sampled_from("ab1 `*_[]()<>|~\\#@&:$!.-+={}\n/;wx"), max_size=40))
def test_any_text_in_a_table_cell_is_one_cell_that_shows_it(text: str) -> None:
    source = markdown_text.table(
        ["a", "b"], [[f"x{markdown_text.inline(text)}y", f"x{markdown_text.code(text)}y"]]
    )
    cells = re.findall(r"<td>(.*?)</td>", GITHUB.render(source), flags=re.DOTALL)
    assert len(cells) == 2
    for cell in cells:
        seen = html.unescape(re.sub(r"<[^>]*>", "", cell)).replace("\u200b", "")
        assert re.sub(r"\s+", "", seen) == re.sub(r"\s+", "", f"x{clean_line(text)}y")
