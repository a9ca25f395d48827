"""Colours can be read, frames are whole at every size, and nothing that was written by others breaks them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from fake_session import FakeSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up import SMOL, run_info, version
from piloting import opened, press, screen, settle
from rich.cells import cell_len
from textual.color import Color
from textual.theme import Theme

from llmops_tui.app.actions import ACTIONS, keys_of
from llmops_tui.app.settings import Settings
from llmops_tui.app.theme import DARK, GROUNDS, LIGHT, PAIRS, TEXTS, suits_terminal
from llmops_tui.app.widgets.output_pane import OutputPane
from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import Problem
from llmops_tui.domain.format import SYMBOLS
from llmops_tui.domain.run import make_row
from llmops_tui.engine.events import Notice, TextChange, WorkspaceBroken

NASTY = (
    "[/some/path] [bold]x[/] [@click=app.quit]y[/] [",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x00 \x7f",
    "日本語のテキストは幅が二倍です。" * 8,
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽 e\u0301\u0301\u0301 \u200b\u2060",
    "שלום \u202eevil\u202c \u2066x\u2069 عربى",
    "tab\there\r\nand\rthere\x0bnow",
    "word " * 3_000,
    "x" * 50_000,
    "",
    "\n\n\n",
    "\ud800 lone",
    "$secondary {curly} %s \\[ \\x1b",
)


def colour(theme: Theme, name: str) -> Color:
    return Color.parse(theme.variables.get(name) or getattr(theme, name))


def luminance(colour: Color) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio, WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
def test_every_text_has_a_contrast_of_at_least_four_and_a_half_to_one(theme: Theme) -> None:
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS] + list(PAIRS)
    weak = {
        f"{text} on {ground}": round(ratio, 2)
        for text, ground in pairs
        if (ratio := contrast(colour(theme, text), colour(theme, ground))) < 4.5
    }
    assert not weak


def test_symbols_take_one_cell() -> None:
    for symbol in [*SYMBOLS.values(), *"…≠◆●○⊗│−→▁█━✓✗!–·▸"]:
        assert cell_len(symbol) == 1
    assert all(cell_len(key) == len(key) for a in ACTIONS for key in keys_of(a, {}))


def test_a_light_terminal_that_says_so_gets_the_light_theme() -> None:
    assert suits_terminal({"COLORFGBG": "0;15"}) == LIGHT.name
    assert suits_terminal({"COLORFGBG": "15;default;0"}) == DARK.name
    assert suits_terminal({}) == DARK.name


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (100, 30), (160, 50), (200, 60)])
async def test_frames_are_whole_at_every_size(size: tuple[int, int]) -> None:
    async with opened(size=size) as (app, _, pilot):
        for keys in ([], ["enter"], ["escape", "2"], ["1", "question_mark"], ["escape", "V"]):
            await press(pilot, *keys)
            lines = screen(app).splitlines()
            assert len(lines) == size[1]
            assert {cell_len(line) for line in lines} == {size[0]}


@pytest.mark.parametrize("name", ["llmops-light", "nord", "ansi-dark"])
async def test_other_themes_have_our_colours_too(name: str) -> None:
    async with opened(settings=Settings(theme=name)) as (app, _, _pilot):
        assert app.theme == name
        assert "refund-window" in screen(app)


async def test_a_theme_that_does_not_exist_is_said() -> None:
    async with opened(settings=Settings(theme="sunset")) as (app, _, _pilot):
        assert "There is no theme 'sunset'" in screen(app)


async def test_an_ansi_theme_without_colours_would_be_black_on_black_and_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(settings=Settings(theme="ansi-dark")) as (app, _, _pilot):
        assert app.theme == DARK.name


async def test_no_colour_is_used_when_the_person_asks_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as (app, _, _pilot):
        styles = {segment.style for strip in app.screen._compositor.render_strips() for segment in strip}
        colours = {c.triplet for style in styles if style for c in (style.color, style.bgcolor) if c}
        assert len(colours) > 2
        assert all(c is None or len(set(c)) == 1 for c in colours)
        for word in ("▼", "▲", "−1.00", "+1.00", "regressed"):
            assert word in screen(app)


def whole(app: object, size: tuple[int, int]) -> None:
    lines = screen(app).split("\n")
    assert len(lines) == size[1]
    assert {cell_len(line) for line in lines} == {size[0]}
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "".join(lines))


def hostile(text: str) -> FakeSession:
    """A session in which everything that others write is this text."""
    session = FakeSession(Path("/nowhere/[bold]help"))
    case = text[:200] or "empty"
    answers = session.answers
    extra = make_row([answers.item(case, text, 0.0)])
    before = make_row([answers.item(case, f"{text} before", 1.0)])
    erred = make_row([answers.item("z", None, None, failure=text)])
    session.candidate = msgspec.structs.replace(
        session.candidate,
        rows=(extra, erred, *session.candidate.rows),
        version=version(12, labels=(text[:80],)),
        run=run_info(12, 22),
    )
    session.baseline = msgspec.structs.replace(session.baseline, rows=(before, *session.baseline.rows))
    session.cases = [*session.cases, Case(case, {text[:50]: text}, text, tags=(text[:50],))]
    session.changes = [TextChange(text[:60], text[:60], text, f"{text}!")]
    session.configs = ["helpdesk", text[:40]]
    session.models = [SMOL, text[:60]]
    return session


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
async def test_what_others_wrote_is_shown_as_text_and_leaves_the_layout_whole(text: str) -> None:
    session, size = hostile(text), (120, 40)
    async with opened(session, size=size) as (app, _, pilot):
        whole(app, size)
        session.emit(
            WorkspaceBroken((Problem(text, text, text[:90], 3),)),
            Notice("error", text, key="k"),
            Notice("info", text[:300] or "x"),
        )
        await settle(pilot)
        whole(app, size)
        for keys in (["v"], ["w"], ["j"], ["k", "2"], ["1", "o"], ["escape", "r"], ["m"], ["escape", "V"]):
            await press(pilot, *keys)
            whole(app, size)


@given(st.text(max_size=60))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_at_all_can_be_an_output_and_a_name(text: str) -> None:
    import asyncio

    async def look() -> None:
        size = (100, 30)
        async with opened(hostile(text), size=size) as (app, _, pilot):
            whole(app, size)
            await press(pilot, "2")
            whole(app, size)

    asyncio.run(look())


async def test_an_output_of_a_megabyte_is_shown_at_its_start_and_the_rest_is_counted() -> None:
    session = FakeSession(Path("/nowhere/helpdesk"))
    rows = list(session.candidate.rows)
    rows[1] = make_row([session.answers.item("refund-window", "word " * 200_000, 0.0)])
    session.candidate = msgspec.structs.replace(session.candidate, rows=tuple(rows))
    async with opened(session) as (app, _, pilot):
        await press(pilot, "v", "tab", "G")
        lines = app.screen.query_one("#output", OutputPane).lines
        assert "900,000 more characters; y copies all" in "".join(t for line in lines for t, _ in line)
        await press(pilot, "y")
        assert len(app.clipboard) == 1_000_000
