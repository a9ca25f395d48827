"""What the answer called: called_tool, tool_args, tool_order, no_tool, max_steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.domain.tool_matchers import matcher
from llmops_tui.scorers.json_ import json_equal
from llmops_tui.scorers.pattern import search
from llmops_tui.scorers.registry import Judgement, either, scorer
from llmops_tui.scorers.wording import clipped, quoted, shown

#: Names or differences that a reason lists.
_LISTED = 6


class ToolCall(msgspec.Struct, frozen=True):
    """One call. `arguments` is the JSON value, or the text as the model wrote it where that is no JSON."""

    name: str
    arguments: Any
    is_json: bool = True


def tool_calls(output: Output) -> list[ToolCall]:
    """The calls of an output in order, from the provider's form (`{"function": {"name", "arguments"}}`)."""
    return [_call(call) for call in output.tool_calls]


def _call(call: dict[str, Any]) -> ToolCall:
    function = call.get("function")
    if not isinstance(function, dict):
        function = {}
    name, given = str(function.get("name", "")), function.get("arguments")
    if not isinstance(given, str):
        return ToolCall(name, {} if given is None else given)
    if not given.strip():
        return ToolCall(name, {})  # how some providers write "no arguments"
    try:
        return ToolCall(name, msgspec.json.decode(given))
    except (msgspec.DecodeError, RecursionError):
        return ToolCall(name, given, is_json=False)


@scorer("called_tool")
def called_tool(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    wanted, times = _named(options["value"]), options["times"]
    counts = Counter(call.name for call in tool_calls(output))
    amiss = [name for name in wanted if (counts[name] != times if times else not counts[name])]
    value = 1 - len(amiss) / len(wanted)
    if not amiss:
        return Judgement(1.0, f"called {_listed(wanted)}" + (f", {_times(times)} each" if times else ""))
    if times is None:
        return Judgement(value, f"did not call {_listed(amiss)}; {_summary(counts)}")
    said = [f"called {_name(name)} {_times(counts[name])}" for name in amiss[:_LISTED]]
    return Judgement(value, f"{', '.join(said)}, expected {_times(times)}")


@scorer("tool_args")
def tool_args(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    tool, number = options["tool"], options["call"]
    everything = tool_calls(output)
    calls = [call for call in everything if call.name == tool]
    if not calls:
        return Judgement(0.0, f"did not call {_name(tool)}; {_summary(Counter(c.name for c in everything))}")
    if number is not None:
        if abs(number) > len(calls):
            return Judgement(
                0.0, f"there is no call {number} of {_name(tool)}: it was called {_times(len(calls))}"
            )
        calls = [calls[number - 1 if number > 0 else number]]
    nearest: list[str] | None = None
    for call in calls:
        found = _differences(call, options["args"], options["exact"])
        if not found:
            return Judgement(1.0, f"called {_name(tool)} with these arguments")
        if nearest is None or len(found) < len(nearest):
            nearest = found
    assert nearest is not None
    told = "; ".join(nearest[:_LISTED]) + ("; …" if len(nearest) > _LISTED else "")
    which = f" (the nearest of {len(calls)} calls)" if len(calls) > 1 else ""
    return Judgement(0.0, f"{_name(tool)}{which}: {told}")


def _differences(call: ToolCall, wanted: dict[str, Any], exact: bool) -> list[str]:
    if not call.is_json:
        return [f"the arguments are no JSON: {quoted(str(call.arguments))}"]
    if not isinstance(call.arguments, dict):
        return [f"the arguments are {shown(call.arguments)}, not an object"]
    return list(_differ_fields(call.arguments, wanted, exact, ""))


def _differ_fields(given: dict[str, Any], wanted: dict[str, Any], exact: bool, path: str) -> Iterator[str]:
    """What is amiss, a clause each. `wanted` is a part of `given`, unless `exact`."""
    for name, want in wanted.items():
        at = f"{path}{name}"
        if name not in given:
            yield f"{clipped(at, 60)} was not given, expected {_expected(want)}"
        else:
            yield from _differ(given[name], want, exact, at)
    if exact:
        for name in given:
            if name not in wanted:
                yield f"{clipped(path + name, 60)} was {shown(given[name])}, and should not be there"


def _differ(given: Any, want: Any, exact: bool, at: str) -> Iterator[str]:
    kind = matcher(want)
    if kind is None and isinstance(given, dict) and isinstance(want, dict):
        yield from _differ_fields(given, want, exact, f"{at}.")
    elif kind is None and isinstance(given, list) and isinstance(want, list) and len(given) == len(want):
        for n, (mine, theirs) in enumerate(zip(given, want, strict=True)):
            yield from _differ(mine, theirs, exact, f"{at}[{n}]")
    elif not _fits(given, want, kind):
        yield f"{clipped(at, 60)} was {shown(given)}, expected {_expected(want)}"


def _fits(given: Any, want: Any, kind: str | None) -> bool:
    match kind:
        case "any":
            return True
        case "regex":
            text = given if isinstance(given, str) else msgspec.json.encode(given).decode()
            return search(want["regex"], text) is not None
        case "equals":
            return json_equal(given, want["equals"])
    return json_equal(given, want)


def _expected(want: Any) -> str:
    match matcher(want):
        case "any":
            return "any value"
        case "regex":
            return f"what matches {quoted(want['regex'])}"
        case "equals":
            return shown(want["equals"])
    return shown(want)


@scorer("tool_order")
def tool_order(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    wanted: list[str] = options["value"]
    called = [call.name for call in tool_calls(output)]
    if options["exact"]:
        same = called == wanted
        return either(same, f"called {_listed(called)}" + ("" if same else f", expected {_listed(wanted)}"))
    at = 0
    for n, name in enumerate(wanted):
        try:
            at = called.index(name, at) + 1
        except ValueError:
            behind = f" after {_name(wanted[n - 1])}" if n else ""
            return Judgement(0.0, f"{_name(name)} was not called{behind}; called {_listed(called)}")
    return Judgement(1.0, f"called {_listed(called)}")


@scorer("no_tool")
def no_tool(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    called = [call.name for call in tool_calls(output)]
    if options["value"] is None:
        return either(not called, f"called {_listed(called)}")
    unwanted = set(_named(options["value"]))
    found = [name for name in called if name in unwanted]
    if found:
        return Judgement(0.0, f"called {_listed(found)}")
    return Judgement(
        1.0, f"called {_listed(called)}, none of the tools named" if called else "called nothing"
    )


@scorer("max_steps")
def max_steps(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    n, most = len(output.calls), options["value"]
    return either(n <= most, f"{n:,} model call{'' if n == 1 else 's'}, at most {most:,}")


def _named(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(dict.fromkeys(value))


def _name(name: str) -> str:
    return clipped(name, 60) or "(a tool without a name)"


def _listed(names: list[str]) -> str:
    if not names:
        return "nothing"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(_name, names[:_LISTED])) + more


def _summary(counts: Counter[str]) -> str:
    return "it called " + _listed([f"{n}{'' if k == 1 else f' ({k} times)'}" for n, k in counts.items()])


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")
