"""The one table of actions: bindings, footer, palette, help and the README's key table come from it.

A user's keymap (`settings.yaml`) overrides the keys by id.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from textual.binding import Binding, BindingType

Scope = Literal["bench", "history", "matrix", "trace", "live", "guards", "playground", "everywhere"]


class Action(msgspec.Struct, frozen=True):
    """One thing a person can do.

    Attributes:
        id: `action_<id>` is the method that does it; also its name in a keymap.
        keys: as Textual names them; empty: in the palette only.
        title: a few words for the footer and the palette.
        help: one sentence.
        scopes: screens that have it.
        footer: rank in the footer, lower is kept longer; 0: not there.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    scopes: tuple[Scope, ...] = ("bench",)
    group: str = "Look"
    footer: int = 0


#: What every screen between the lines on top and the keys has.
_BOTH: tuple[Scope, ...] = ("bench", "history", "matrix")
#: The same, the Trace, the Live screen and the Guards.
_LOOKS: tuple[Scope, ...] = (*_BOTH, "trace", "live", "guards")
#: The same, and the playground.
_PANES: tuple[Scope, ...] = (*_LOOKS, "playground")
_CASES: tuple[Scope, ...] = ("bench", "matrix")
_PLAY: tuple[Scope, ...] = ("playground",)
_TRACE: tuple[Scope, ...] = ("trace",)
_LIVE: tuple[Scope, ...] = ("live",)
_GUARDS: tuple[Scope, ...] = ("guards",)
#: Screens of live traffic.
_TRAFFIC: tuple[Scope, ...] = ("live", "guards")
_ALL: tuple[Scope, ...] = ("everywhere",)

ACTIONS: tuple[Action, ...] = (
    # -- review
    Action("accept", ("a",), "accept", "Accept this change: it is what you want.", group="Review", footer=1),
    Action(
        "reject",
        ("x",),
        "reject",
        "Reject this change: the gate fails until it is gone.",
        group="Review",
        footer=1,
    ),
    Action(
        "skip",
        ("space",),
        "skip",
        "Leave it for later: on to the next open change.",
        group="Review",
        footer=9,
    ),
    Action("note", ("m",), "note", "Write a note on this change.", group="Review", footer=10),
    Action(
        "undo",
        ("u",),
        "undo",
        "Take back the last step of reviewing, files included.",
        group="Review",
        footer=11,
    ),
    Action(
        "accept_all", ("A",), "accept all", "Accept all open changes that are shown (asks).", group="Review"
    ),
    Action(
        "take_expected",
        ("=",),
        "accept as expected",
        "Accept, and write the new answer into the eval file as expected.",
        group="Review",
    ),
    Action(
        "known_failing",
        ("K",),
        "known to fail",
        "Mark the case as known to fail, with a reason; again: take the mark away.",
        group="Review",
    ),
    Action("forget", (), "forget decision", "Forget what was decided on this change.", group="Review"),
    Action("show_verdict", ("V",), "verdict", "Unfold the verdict to its numbers.", _BOTH, "Review", 4),
    Action(
        "gate_anew",
        ("!",),
        "gate anew",
        "Ask both sides anew and judge, after showing the price.",
        group="Review",
    ),
    Action(
        "adjudicate",
        ("J",),
        "adjudicate",
        "More trials of every case until an inconclusive verdict is clear, after showing the price.",
        group="Review",
        footer=3,
    ),
    # -- move
    Action("down", ("j", "down"), "down", "Next row, or scroll down.", _PANES, "Move"),
    Action("up", ("k", "up"), "up", "Previous row, or scroll up.", _PANES, "Move"),
    Action("top", ("g", "home"), "top", "First row.", _PANES, "Move"),
    Action("bottom", ("G", "end"), "bottom", "Last row.", _PANES, "Move"),
    Action("half_down", ("ctrl+d", "pagedown"), "half a page down", "Half a page down.", _PANES, "Move"),
    Action("half_up", ("ctrl+u", "pageup"), "half a page up", "Half a page up.", _PANES, "Move"),
    Action("next_pane", ("tab",), "next pane", "Focus the next pane.", _PANES, "Move"),
    Action("previous_pane", ("shift+tab",), "previous pane", "Focus the previous pane.", _PANES, "Move"),
    Action("open", ("enter",), "open", "Open the case under the cursor.", ("bench",), "Move", 3),
    Action(
        "compare_marked",
        ("enter", "c"),
        "compare",
        "Show on the Bench: the marked version against the one under the cursor.",
        ("history",),
        "Move",
        1,
    ),
    Action("left", ("h", "left"), "left", "One column to the left.", ("matrix", "live"), "Move"),
    Action("right", ("l", "right"), "right", "One column to the right.", ("matrix", "live"), "Move"),
    Action(
        "open_live",
        ("enter",),
        "requests, trace",
        "On a figure: the requests behind it. On a request: its trace.",
        _LIVE,
        "Move",
        1,
    ),
    Action(
        "next_wrong",
        ("n",),
        "next wrong",
        "Next request with something wrong: failed, flagged, refused, a bad signal, a low score.",
        _LIVE,
        "Move",
        5,
    ),
    Action("previous_wrong", ("N",), "previous wrong", "Previous one of them.", _LIVE, "Move"),
    Action(
        "compare_cell",
        ("enter", "c"),
        "compare",
        "Show the case on the Bench: this column against the marked one, or the one at its left.",
        ("matrix",),
        "Move",
        1,
    ),
    Action(
        "open_step",
        ("enter",),
        "open",
        "Fold or unfold the step; where the list has the screen, or nothing is below it: look at it.",
        _TRACE,
        "Move",
        3,
    ),
    Action("fold", ("h", "left"), "fold", "Fold the step, or go to the one above it.", _TRACE, "Move"),
    Action("unfold", ("l", "right"), "unfold", "Unfold the step, or go into it.", _TRACE, "Move"),
    Action("toggle_fold", ("space",), "fold or unfold", "Fold or unfold the step.", _TRACE, "Move"),
    Action(
        "fold_all",
        ("z",),
        "fold all",
        "Fold all steps but the first level, or unfold all.",
        _TRACE,
        "Move",
        15,
    ),
    Action(
        "next_difference",
        ("]",),
        "next difference",
        "Next step that is not the same in both versions.",
        _TRACE,
        "Move",
        1,
    ),
    Action("previous_difference", ("[",), "previous difference", "The one before.", _TRACE, "Move"),
    Action("back", ("escape",), "back", "Back: close the filter, a zoomed pane, the detail.", _PANES, "Move"),
    Action("next_change", ("n",), "next change", "Next changed case.", ("bench",), "Move", 1),
    Action("previous_change", ("N",), "previous change", "Previous changed case.", ("bench",), "Move"),
    Action("next_hunk", ("]",), "next hunk", "Next change inside the output.", ("bench",), "Move"),
    Action("previous_hunk", ("[",), "previous hunk", "Previous change in the output.", ("bench",), "Move"),
    # -- look
    Action(
        "filter",
        ("/",),
        "filter",
        "Filter: tag:refunds is:open score<0.5, any text.",
        _CASES,
        footer=2,
    ),
    Action(
        "sort", ("s",), "sort", "Sort the cases another way; the cursor stays on its case.", _CASES, footer=12
    ),
    Action("zoom", ("f",), "zoom", "Give the focused pane the whole screen, and back.", _LOOKS, footer=14),
    Action(
        "wrap",
        ("w",),
        "wrap",
        "Wrap long lines of the focused pane, or cut them.",
        ("bench", "trace"),
        footer=16,
    ),
    Action(
        "raw",
        ("v",),
        "raw or rendered",
        "The step as its attributes, JSON, or as people read it.",
        _TRACE,
        footer=5,
    ),
    Action("search", ("/",), "search", "Search all steps for a text.", _TRACE, footer=2),
    Action("next_match", ("n",), "next match", "Next match, in this step or a later one.", _TRACE, footer=1),
    Action("previous_match", ("N",), "previous match", "Previous match.", _TRACE),
    Action(
        "switch_sides",
        ("b",),
        "both or one",
        "Both versions step by step, the baseline's steps alone, or the candidate's.",
        _TRACE,
        footer=4,
    ),
    Action("next_trial", ("o",), "next trial", "The trace of the next trial.", _TRACE, footer=6),
    Action(
        "split",
        ("v",),
        "split or inline",
        "Outputs side by side, or one below the other.",
        ("bench", "playground"),
        footer=9,
    ),
    Action(
        "switch_columns",
        ("v",),
        "versions or models",
        "Versions side by side, or the models of the version under the cursor.",
        ("matrix",),
        footer=3,
    ),
    Action("older_models", ("[",), "version before", "The models of the version before.", ("matrix",)),
    Action("newer_models", ("]",), "version after", "The models of the version after.", ("matrix",)),
    Action(
        "widen",
        ("w",),
        "wider or narrower",
        "Scores in the cells, names above, or symbols alone.",
        ("matrix",),
    ),
    Action(
        "plot_figure",
        ("v",),
        "plot another figure",
        "Plot pass rate, mean score, cost or latency.",
        ("history",),
        footer=3,
    ),
    Action(
        "plot_next_tag", ("]",), "next tag", "Plot the cases of the next tag too.", ("history",), footer=5
    ),
    Action("plot_previous_tag", ("[",), "previous tag", "Plot those of the tag before.", ("history",)),
    Action(
        "trace",
        ("t",),
        "trace",
        "The trace of this case, from the first step where it parts from the baseline's.",
        _CASES,
        footer=3,
    ),
    Action(
        "choose_comparison",
        ("c",),
        "compare",
        "Choose which versions to compare.",
        ("bench",),
        "Look",
        6,
    ),
    Action(
        "explain",
        ("W",),
        "why",
        "Which changed part did how much of this difference? Shows the price first.",
        ("bench",),
        "Look",
        6,
    ),
    Action("switch", ("o",), "configuration", "Switch configuration, or show one model only.", footer=11),
    # -- guardrails
    Action(
        "open_guard",
        ("enter",),
        "open",
        "On a guardrail: what waits for your word. On an item: the trace of its request.",
        _GUARDS,
        "Move",
        1,
    ),
    Action(
        "next_queue",
        ("]",),
        "next queue",
        "Firings, the random sample, suspected misses, failures.",
        _GUARDS,
        footer=1,
    ),
    Action("previous_queue", ("[",), "previous queue", "The queue before.", _GUARDS),
    Action(
        "guard_right",
        ("a",),
        "right",
        "The guardrail was right: it fired on what it should, or let pass what it should.",
        _GUARDS,
        "Review",
        1,
    ),
    Action(
        "guard_wrong",
        ("x",),
        "wrong",
        "The guardrail was wrong: of a firing a false alarm, of a pass a miss.",
        _GUARDS,
        "Review",
        1,
    ),
    Action("undo_guard", ("u",), "undo", "Take back what was said last.", _GUARDS, "Review", 4),
    Action(
        "threshold",
        ("T",),
        "threshold",
        "What other thresholds would do, from what was reviewed; and write one.",
        _GUARDS,
        "Versions",
        3,
    ),
    Action(
        "make_attack",
        ("+",),
        "attack",
        "Make an attack case of this request: from then on every version is tried with it.",
        _GUARDS,
        "Take along",
        1,
    ),
    # -- live traffic
    Action("longer", ("w",), "window", "A longer window: 1 h, 6 h, 24 h, 7 d, 30 d.", _TRAFFIC, footer=2),
    Action("shorter", ("W",), "shorter window", "A shorter window.", _TRAFFIC),
    Action(
        "narrow",
        ("d",),
        "only …",
        "Only one version, feature, model, provider, user or configuration; lists them with counts.",
        _TRAFFIC,
        footer=4,
    ),
    Action(
        "filter_live",
        ("/",),
        "filter",
        "Filter: feature:refunds user:u1 is:failed slow.",
        _TRAFFIC,
        footer=4,
    ),
    Action("next_metric", ("m",), "metric", "Plot the next figure of this group.", _LIVE, footer=6),
    Action("choose_metric", ("M",), "any metric", "Choose a metric to plot, of all there are.", _LIVE),
    Action(
        "split_by",
        ("b",),
        "by …",
        "A line for each version, feature, model or user; or one for all.",
        _LIVE,
        footer=6,
    ),
    Action(
        "order_requests",
        ("o",),
        "order",
        "Requests newest, slowest, dearest or lowest score first.",
        _LIVE,
        footer=7,
    ),
    Action(
        "alerts",
        ("a",),
        "alerts",
        "What fires, and what has fired; enter lists its requests.",
        _LIVE,
        footer=3,
    ),
    Action(
        "rollout",
        ("V",),
        "rollout",
        "Is it safe to go on with the newest version? Held against the one before, over the window.",
        _LIVE,
        "Versions",
        5,
    ),
    Action(
        "trace_request", ("t",), "trace", "The trace of the request under the cursor.", _TRAFFIC, footer=8
    ),
    Action(
        "make_case",
        ("+",),
        "make a case",
        "Make an eval case of this live request, with the answer that it should have had.",
        ("live", "trace"),
        "Take along",
        4,
    ),
    # -- evaluate
    Action("cancel_run", ("C",), "cancel", "Cancel the run; what is done is kept.", _LOOKS, "Evaluate", 1),
    Action(
        "ask_again",
        ("r",),
        "ask again",
        "Ask this case once more: a further trial is added, none is replaced.",
        ("bench",),
        "Evaluate",
        5,
    ),
    Action(
        "rerun_failed",
        ("F",),
        "rerun failed",
        "Ask again what erred or is missing.",
        ("bench",),
        "Evaluate",
        4,
    ),
    Action(
        "rerun_all",
        ("R",),
        "rerun all",
        "Ask everything anew, after showing the price.",
        ("bench",),
        "Evaluate",
        13,
    ),
    Action(
        "try_variants",
        ("T",),
        "try",
        "Try other models, parameters or prompts without touching a file.",
        ("bench",),
        "Evaluate",
        13,
    ),
    Action(
        "toggle_watching",
        (".",),
        "pause or watch",
        "Pause watching the files, or go on.",
        _BOTH,
        "Evaluate",
        15,
    ),
    Action(
        "edit_messages",
        ("e",),
        "edit and ask",
        "Edit the messages of this model call, and ask them again beside the original.",
        _TRACE,
        "Evaluate",
        3,
    ),
    # -- the playground
    Action("ask", ("ctrl+s", "f5"), "ask", "Ask both versions what is typed.", _PLAY, "Playground", 1),
    Action(
        "ask_further",
        ("ctrl+r",),
        "ask again",
        "Ask the same once more: a further answer, kept beside the first.",
        _PLAY,
        "Playground",
        4,
    ),
    Action(
        "stop_asking",
        ("ctrl+o", "C"),
        "cancel",
        "Give up what was asked, or else the run; what is done is kept.",
        _PLAY,
        "Playground",
        1,
    ),
    Action(
        "keep_case",
        ("ctrl+t", "K"),
        "keep as a case",
        "Write the input into an eval file, as a case.",
        _PLAY,
        "Playground",
        2,
    ),
    Action("next_input", ("ctrl+n",), "next input", "Go to the next variable.", _PLAY, "Playground", 9),
    Action("type_input", ("enter",), "type", "Go to the input.", _PLAY, "Playground"),
    Action(
        "asked_before", ("ctrl+g",), "asked before", "Choose from what was asked.", _PLAY, "Playground", 5
    ),
    Action(
        "fill_in",
        ("ctrl+l",),
        "fill in",
        "Fill in the case under the Bench's cursor.",
        _PLAY,
        "Playground",
        6,
    ),
    Action(
        "other_side",
        ("h", "l", "left", "right"),
        "other side",
        "Choose whose answer is copied and taken over.",
        _PLAY,
        "Playground",
        8,
    ),
    # -- versions
    Action("promote", ("P",), "promote", "Make this version the baseline (asks).", _BOTH, "Versions", 7),
    Action(
        "mark",
        ("b",),
        "mark left side",
        "Take this version (or model) as left side.",
        ("history", "matrix"),
        "Versions",
        2,
    ),
    Action(
        "default_pair",
        ("0",),
        "baseline and latest",
        "Compare the baseline with the latest version again.",
        _BOTH,
        "Versions",
    ),
    Action(
        "bisect",
        ("B",),
        "bisect",
        "Which version broke this case? On the History: between the marked version and this one. Asks first.",
        _BOTH,
        "Versions",
        16,
    ),
    Action(
        "bisect_git",
        (),
        "bisect commits",
        "Which git commit broke this case? Asks first.",
        ("bench", "history"),
        "Versions",
    ),
    Action("label", ("L",), "label", "Give this version a label.", ("history",), "Versions", 4),
    # -- take along
    Action("edit", ("e",), "edit", "Open the file in $EDITOR, at its line.", _BOTH, "Take along", 8),
    Action("edit_prompt", ("p",), "edit prompt", "Open the prompt in $EDITOR.", _PANES, "Take along"),
    Action("copy", ("y",), "copy", "Copy what the focused pane shows.", _PANES, "Take along", 17),
    Action("save_copy", ("Y",), "copy to a file", "The same, into a file.", _PANES, "Take along"),
    Action("export", ("E",), "export", "Write the comparison as a report.", ("bench",), "Take along", 10),
    # -- the app
    Action("show_bench", ("1",), "Bench", "What did my last save change?", _PANES, "App", 18),
    Action("show_history", ("2",), "History", "Which versions have there been?", _PANES, "App", 18),
    Action("show_matrix", ("3",), "Matrix", "Where is red, over versions or models?", _PANES, "App", 18),
    Action("show_trace", ("4",), "Trace", "How did this answer come about, step by step?", _PANES, "App", 18),
    Action("show_live", ("5",), "Live", "How is production doing?", _PANES, "App", 18),
    Action(
        "show_guards", ("6",), "Guards", "Which guardrails fire, and how often rightly?", _PANES, "App", 18
    ),
    Action(
        "playground", ("i",), "playground", "Type an input, and see both versions answer.", _ALL, "App", 13
    ),
    Action(
        "doctor",
        ("D",),
        "ladder",
        "Where the workspace stands: Baseline, Repeatable or Mature, and what to do next.",
        _ALL,
        "App",
    ),
    Action("palette", ("ctrl+p", "colon"), "palette", "Every action by name.", _ALL, "App", 20),
    Action("help", ("question_mark",), "help", "Keys of this screen.", _ALL, "App", 1),
    Action("toggle_theme", (), "dark or light", "Switch between dark and light.", _ALL, "App"),
    Action("quit_app", ("q",), "quit", "Quit; what is done is kept.", _ALL, "App", 19),
    Action("interrupt", ("ctrl+c",), "quit", "Twice: quit.", _ALL, "App"),
)

BY_ID = {action.id: action for action in ACTIONS}
GROUPS = ("Move", "Look", "Review", "Evaluate", "Playground", "Versions", "Take along", "App")

_NAMES = {
    "question_mark": "?",
    "colon": ":",
    "escape": "esc",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "space": "space",
    "full_stop": ".",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def of_scope(scope: Scope) -> tuple[Action, ...]:
    """The actions of one screen (or those that are everywhere), in the table's order."""
    return tuple(a for a in ACTIONS if scope in a.scopes)


def bindings(scope: Scope) -> list[BindingType]:
    """Bindings of a screen or of the app; a keymap overrides them by id."""
    return [
        Binding(
            ",".join(_textual_name(key) for key in action.keys),
            action.id,
            action.title,
            show=False,
            id=action.id,
            priority=action.id == "interrupt",
        )
        for action in of_scope(scope)
        if action.keys
    ]


def _textual_name(key: str) -> str:
    """Textual splits keys at commas and names some characters."""
    return {",": "comma"}.get(key, key)


def key_name(key: str) -> str:
    """A key as people read it: `?`, `ctrl+p`, `↓`."""
    return _NAMES.get(key, key)


def keys_of(action: Action, keymap: dict[str, str]) -> tuple[str, ...]:
    """The keys of an action as people read them, with a user's keymap."""
    keys = tuple(keymap[action.id].split(",")) if action.id in keymap else action.keys
    return tuple(key_name(key.strip()) for key in keys if key.strip())


def key_table_markdown() -> str:
    """The key table of the README."""
    lines = ["| key | on | what it does |", "| --- | --- | --- |"]
    for group in GROUPS:
        for action in ACTIONS:
            if action.group != group:
                continue
            keys = " ".join(f"`{key}`" for key in keys_of(action, {})) or "(palette)"
            scopes = (
                "everywhere"
                if "everywhere" in action.scopes
                else " and ".join(scope.capitalize() for scope in action.scopes)
            )
            if action.scopes in (_BOTH, _LOOKS, _PANES):
                scopes = "everywhere"
            lines.append(f"| {keys} | {scopes} | {action.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(key_table_markdown())
