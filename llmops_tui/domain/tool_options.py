"""Options of the scorers of tool calls, as a person writes them."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from llmops_tui.domain.scorer_options import Options, Text, Texts
from llmops_tui.domain.tool_matchers import matcher


class CalledTool(Options):
    value: Text | Texts = Field(description="The tool, or several: all of them must be called.")
    times: int | None = Field(
        None, ge=1, description="Each is called exactly that often; without it, at least once."
    )


class ToolArgs(Options):
    tool: Text = Field(description="The tool.")
    args: dict[str, Any] = Field(
        description="What its arguments should be. Those that are not named here may be anything. A value "
        "stands for itself, or is `{regex: …}` (found somewhere in it), `{any: true}` (is there), or "
        "`{equals: …}` (a value that looks like one of these)."
    )
    exact: bool = Field(False, description="There are no other arguments, within objects neither.")
    call: int | None = Field(
        None, description="Which call of that tool: `1` the first, `-1` the last; without it, any of them."
    )

    @field_validator("args")
    @classmethod
    def _patterns_compile(cls, value: dict[str, Any]) -> dict[str, Any]:
        _check(value)
        return value

    @field_validator("call")
    @classmethod
    def _counts_from_one(cls, value: int | None) -> int | None:
        if value == 0:
            raise ValueError("calls are counted from 1, or from -1 backwards")
        return value


def _check(value: Any) -> None:
    """
    Raises:
        ValueError: a matcher in it can't be used.
    """
    match matcher(value):
        case "regex":
            import regex

            pattern = value["regex"]
            if not isinstance(pattern, str):
                raise ValueError("regex needs a text")
            try:
                regex.compile(pattern)
            except regex.error as error:
                raise ValueError(f"the pattern can't be read: {error}") from None
        case "any":
            if value["any"] is not True:
                raise ValueError("write {any: true}")
        case None if isinstance(value, (dict, list)):
            for each in value.values() if isinstance(value, dict) else value:
                _check(each)


class ToolOrder(Options):
    value: Texts = Field(description="The tools in order.")
    exact: bool = Field(False, description="No other call may stand before, between or behind them.")


class NoTool(Options):
    value: Text | Texts | None = Field(
        None, description="The tools that must not be called; without it, none at all."
    )


class MaxSteps(Options):
    value: int = Field(ge=1, description="Model calls; as many are fine.")
