"""The catalogue, tools: which were called, how, and in how many steps."""

from __future__ import annotations

from llmops_tui.domain import tool_options as options_of
from llmops_tui.domain.scorer_kind import Example, ScorerKind

_LOOKUP = ("find_order", {"order": "1001", "lines": True})
_REFUND = ("refund", {"order": "1001", "amount": 12})

TOOL_SCORERS = (
    ScorerKind(
        name="called_tool",
        options=options_of.CalledTool,
        summary="The answer called the tool, or each of several. Calls of the whole answer count, of every "
        "step and turn, whether the tool then succeeded or not.",
        values="the share of the named tools that were called",
        examples=(
            Example({"called_tool": "find_order"}, "On its way.", 1.0, True, tools=(_LOOKUP,)),
            Example({"called_tool": ["find_order", "refund"]}, "On its way.", 0.5, False, tools=(_LOOKUP,)),
            Example(
                {"called_tool": {"value": "find_order", "times": 1}},
                "On its way.",
                0.0,
                False,
                tools=(_LOOKUP, _LOOKUP),
            ),
        ),
    ),
    ScorerKind(
        name="tool_args",
        options=options_of.ToolArgs,
        shorthand=None,
        summary="A tool was called with these arguments. `1` and `1.0` are equal, `1` and `true` or "
        '`"1"` are not.',
        examples=(
            Example(
                {"tool_args": {"tool": "find_order", "args": {"order": "1001"}}},
                "On its way.",
                1.0,
                True,
                tools=(_LOOKUP,),
            ),
            Example(
                {"tool_args": {"tool": "find_order", "args": {"order": "1001"}, "exact": True}},
                "On its way.",
                0.0,
                False,
                tools=(_LOOKUP,),
            ),
            Example(
                {"tool_args": {"tool": "refund", "args": {"order": {"regex": r"^\d{4}$"}}, "call": 1}},
                "Done.",
                1.0,
                True,
                tools=(_LOOKUP, _REFUND),
            ),
        ),
    ),
    ScorerKind(
        name="tool_order",
        options=options_of.ToolOrder,
        summary="The tools were called in this order. Other calls may stand between them, unless `exact`. "
        "Calls that a model makes at the same time are taken in the order in which it names them.",
        examples=(
            Example({"tool_order": ["find_order", "refund"]}, "Done.", 1.0, True, tools=(_LOOKUP, _REFUND)),
            Example({"tool_order": ["refund", "find_order"]}, "Done.", 0.0, False, tools=(_LOOKUP, _REFUND)),
        ),
    ),
    ScorerKind(
        name="no_tool",
        options=options_of.NoTool,
        summary="No tool was called, or none of those named.",
        examples=(
            Example("no_tool", "You have 30 days.", 1.0, True),
            Example({"no_tool": "refund"}, "On its way.", 1.0, True, tools=(_LOOKUP,)),
            Example({"no_tool": ["refund", "cancel"]}, "Done.", 0.0, False, tools=(_LOOKUP, _REFUND)),
        ),
    ),
    ScorerKind(
        name="max_steps",
        options=options_of.MaxSteps,
        summary="The answer took at most that many model calls. Calls of every step count, those that come "
        "from the cache too; those of judges and of guardrails do not.",
        examples=(
            Example({"max_steps": 3}, "On its way.", 1.0, True, calls=2),
            Example({"max_steps": 3}, "On its way.", 0.0, False, calls=5),
        ),
    ),
)
