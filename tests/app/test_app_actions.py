"""The one table of actions, and what is made from it: footer, palette, help, keymaps."""

from __future__ import annotations

import re

import pytest
from piloting import commands, cursor, opened, press, screen, settle, toasts
from textual.binding import Binding

from llmops_tui.app.actions import ACTIONS, GROUPS, bindings, key_table_markdown, keys_of, of_scope
from llmops_tui.app.app import LlmopsApp
from llmops_tui.app.screens.bench import BenchScreen
from llmops_tui.app.screens.guards import GuardsScreen
from llmops_tui.app.screens.history import HistoryScreen
from llmops_tui.app.screens.live import LiveScreen
from llmops_tui.app.screens.matrix import MatrixScreen
from llmops_tui.app.screens.playground import PlaygroundScreen
from llmops_tui.app.screens.trace import TraceScreen
from llmops_tui.app.settings import Settings, checked
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.engine.events import RunRequest

OWNERS = {
    "bench": BenchScreen,
    "history": HistoryScreen,
    "playground": PlaygroundScreen,
    "matrix": MatrixScreen,
    "trace": TraceScreen,
    "live": LiveScreen,
    "guards": GuardsScreen,
    "everywhere": LlmopsApp,
}


# -- the table


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.id)
def test_every_action_of_the_table_can_be_done_where_it_says(action: object) -> None:
    for scope in action.scopes:  # type: ignore[attr-defined]
        assert callable(getattr(OWNERS[scope], f"action_{action.id}", None))  # type: ignore[attr-defined]


def test_no_key_means_two_things_on_one_screen() -> None:
    for scope in ("bench", "history", "matrix", "trace", "live", "guards", "playground"):
        keys = [key for a in (*of_scope(scope), *of_scope("everywhere")) for key in a.keys]
        assert len(keys) == len(set(keys))


def test_keys_that_terminals_take_are_not_bound() -> None:
    taken = {key for action in ACTIONS for key in action.keys}
    assert not taken & {"ctrl+q", "ctrl+b", "ctrl+m", "ctrl+h", "ctrl+i", "ctrl+z"}
    assert not any(key.startswith("alt+") for key in taken)


def test_bindings_carry_the_id_of_their_action() -> None:
    ids = {b.id for scope in OWNERS for b in bindings(scope) if isinstance(b, Binding)}
    assert ids == {action.id for action in ACTIONS if action.keys}


def test_the_key_table_of_the_readme_has_every_action() -> None:
    table = key_table_markdown()
    assert {a.group for a in ACTIONS} == set(GROUPS)
    for action in ACTIONS:
        assert action.help in table
    assert "| `?` | everywhere | Keys of this screen. |" in table


# -- the app


async def test_the_palette_has_every_action_of_the_screen_and_does_it() -> None:
    async with opened() as (app, session, pilot):
        listed = {command.title.lower() for command in app.get_system_commands(app.screen)}
        wanted = {a.title.lower() for a in (*of_scope("bench"), *of_scope("everywhere"))} - {"palette"}
        assert listed == wanted
        await press(pilot, "colon", *"rerun failed")
        await press(pilot, "enter")
        await press(pilot, "enter")
        assert commands(session, "run") == [("run", RunRequest("helpdesk", "retry", only_failed=True))]


async def test_the_help_screen_names_every_key_of_the_screen() -> None:
    async with opened(size=(100, 120)) as (app, _, pilot):
        await press(pilot, "question_mark")
        text = screen(app)
        for action in (*of_scope("bench"), *of_scope("everywhere")):
            assert action.help.split(":")[0][:50].rstrip(".") in text
        assert "✗ could not be had" in text
        await press(pilot, "escape")
        assert "refund-window" in screen(app)


async def test_the_footer_is_made_from_the_table() -> None:
    async with opened(size=(200, 40)) as (app, _, _pilot):
        footer = screen(app).splitlines()[-1]
        shown = re.findall(r"(\S+) ([a-zA-Z ]+?)(?:  |$)", footer)
        assert len(shown) > 8
        table = {(keys_of(a, {})[0], a.title) for a in ACTIONS if a.keys}
        assert {(key, title.strip()) for key, title in shown} <= table


async def test_q_leaves_and_ctrl_c_leaves_at_the_second_time() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "q")
        assert app.return_value == 0
    async with opened() as (app, _, pilot):
        await press(pilot, "ctrl+c")
        assert app.is_running
        assert "ctrl+c once more quits" in toasts(app)
        await pilot.press("ctrl+c")
        assert app.return_value == 0


async def test_a_keymap_overrides_a_key_everywhere_it_is_shown() -> None:
    settings = Settings(theme="llmops-dark", keymap={"next_change": "f6", "open": "o"})
    async with opened(settings=settings) as (app, _, pilot):
        await press(pilot, "n")
        assert cursor(app) == "refund-window"
        await press(pilot, "f6")
        assert cursor(app) == "cancel-order"
        assert "f6 next change" in screen(app)
        await press(pilot, "question_mark")
        assert "f6" in app.screen.query_one("#keys", LinePane).lines[11][0][0] or "f6" in screen(app)


def test_a_mistake_in_the_keymap_names_file_and_remedy() -> None:
    found = checked({"rerun_al": "f7", "sort": "n"}, None, (), "settings.yaml")
    first, second = (str(p) for p in found.problems)
    assert first == "settings.yaml there is no action 'rerun_al'; did you mean 'rerun_all'?"
    assert second.startswith("settings.yaml 'n' of 'sort' is that of 'next_change'; give 'next_change'")
    assert checked({"sort": "f7"}, None, (), "settings.yaml") == Settings(keymap={"sort": "f7"})
    assert not checked({"sort": "n", "next_change": "f7"}, None, (), "settings.yaml").problems


async def test_the_theme_switches_between_dark_and_light() -> None:
    async with opened() as (app, _, pilot):
        before = app.screen.styles.background
        await app.run_action("app.toggle_theme")
        await settle(pilot)
        assert app.theme == "llmops-light"
        assert app.screen.styles.background != before
