"""Tools: functions of `tools.py` that a model may call. Their schemas, and calling them.

What is wrong with a call is said to the model, so that it can mend it; nothing here fails a job.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain.canonical import canonical_json
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.worker.code import CodeError, WorkspaceCode
from llmops_tui.worker.modules import ModuleSet
from llmops_tui.worker.results import BadResult, json_value, text_of

if TYPE_CHECKING:
    from pydantic import BaseModel

TOOLS_MODULE = "tools"
#: Longest description of a tool; providers refuse longer ones (OpenAI: 1024).
DESCRIPTION_LIMIT = 1024


class ToolResult(msgspec.Struct, frozen=True):
    """What came of a call.

    Attributes:
        text: for the model: the result (a text, or JSON), or what went wrong.
        value: the result, JSON; None where there is none.
        error: a sentence; empty where it went well.
        arguments: as validated, JSON; what the model wrote where that is no JSON object.
    """

    text: str
    value: Any = None
    error: str = ""
    arguments: Any = None


class _Tool(msgspec.Struct, frozen=True):
    function: Callable[..., Any]
    schema: dict[str, Any]
    arguments: type[BaseModel]
    names: dict[str, inspect.Parameter]


class ToolBox:
    """The tools of one version.

    Args:
        modules: of the version.
        code: runs functions with a time limit.
    """

    def __init__(self, modules: ModuleSet, code: WorkspaceCode) -> None:
        self._modules = modules
        self._code = code
        self._tools: dict[str, _Tool] = {}
        self._lock = threading.Lock()

    async def schema(self, name: str, timeout_s: float | None = None) -> dict[str, Any]:
        """A tool as a provider is told of it: `{"type": "function", "function": {…}}`.

        Loads `tools.py`, which runs its code.

        Raises:
            CodeError: it can't be loaded, has no such function, or its signature can't be told.
        """
        tool: _Tool = await self._code.call(lambda: self._tool(name), timeout_s, _SLOW)
        return tool.schema

    async def call(self, name: str, arguments_json: str, timeout_s: float | None = None) -> ToolResult:
        """Call a tool as a model asked for it. Never raises for what model or tool do wrong.

        Args:
            arguments_json: a JSON object; empty: none are given.
            timeout_s: time limit of the call; None: that of the settings.
        """
        given: Any = arguments_json
        try:
            given = _object(arguments_json)
            tool: _Tool = await self._code.call(lambda: self._tool(name), timeout_s, _SLOW)
            result: ToolResult = await self._code.call(lambda: _called(name, tool, given), timeout_s, _SLOW)
        except _BadCall as error:
            return _failed(str(error), given)
        except CodeError as error:
            return _failed(f"{name} failed: {error}", given)
        return result

    def _tool(self, name: str) -> _Tool:
        with self._lock:
            if name not in self._tools:
                self._tools[name] = _read(self._modules.get(f"{TOOLS_MODULE}:{name}"), name)
            return self._tools[name]


_SLOW = "raise timeout_s of the tool if it may"


class _BadCall(Exception):
    """What the model asked for can't be done; a sentence for the model."""


def _failed(error: str, given: Any) -> ToolResult:
    return ToolResult(f"Error: {error}", None, error, given)


def _object(arguments_json: str) -> dict[str, Any]:
    if not arguments_json.strip():
        return {}
    try:
        given = msgspec.json.decode(arguments_json)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _BadCall(f"the arguments are not JSON: {error}; give one JSON object") from error
    if not isinstance(given, dict):
        raise _BadCall("the arguments are not a JSON object; give them by name")
    return given


def _read(function: Any, name: str) -> _Tool:
    from pydantic import ConfigDict, Field, create_model
    from pydantic.errors import PydanticUserError

    if not callable(function):
        raise TypeError(f"{name} is not a function")
    said, described = described_by(inspect.getdoc(function) or "")
    names = dict(inspect.signature(function).parameters)
    try:
        hints = _hints(function)
    except (NameError, TypeError, SyntaxError) as error:
        raise TypeError(
            f"the annotations of {name} in tools.py can't be read: {error}; import what they name"
        ) from error
    fields: dict[str, Any] = {}
    takes_rest = False
    for place, (parameter, how) in enumerate(names.items()):
        if how.kind is how.VAR_KEYWORD:
            takes_rest = True
            continue
        if how.kind is how.VAR_POSITIONAL:
            continue
        default = ... if how.default is how.empty else how.default
        # A field's own name must not hide what a pydantic model has: the tool's name is the alias.
        fields[f"p{place}"] = (
            hints.get(parameter, Any),
            Field(default, alias=parameter, description=described.get(parameter)),
        )
    config = ConfigDict(extra="allow" if takes_rest else "forbid", arbitrary_types_allowed=False)
    try:
        arguments = create_model(name, __config__=config, **fields)
        parameters = arguments.model_json_schema(by_alias=True)
    except (PydanticUserError, TypeError, NameError) as error:
        reason = str(error).split("\n")[0]
        raise TypeError(f"no schema can be made of the parameters of {name}: {reason}") from error
    parameters.pop("description", None)
    function_schema = {
        "name": name,
        "description": said[:DESCRIPTION_LIMIT],
        "parameters": _without_titles(parameters),
    }
    return _Tool(function, {"type": "function", "function": function_schema}, arguments, names)


def _hints(function: Any) -> dict[str, Any]:
    import typing

    target = function if inspect.isroutine(function) else type(function).__call__
    hints = typing.get_type_hints(target, include_extras=True)
    hints.pop("return", None)
    return hints


_SECTION = re.compile(r"^(Args|Arguments|Parameters|Params):\s*$")
_OTHER_SECTION = re.compile(r"^[A-Z][A-Za-z ]+:\s*$")
_ITEM = re.compile(r"^\s+\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")


def described_by(docstring: str) -> tuple[str, dict[str, str]]:
    """A docstring in Google's style → what the function does, and parameter → description.

    What the function does is everything above the first section.
    """
    lines = inspect.cleandoc(docstring).splitlines()
    starts = [i for i, line in enumerate(lines) if _OTHER_SECTION.match(line)]
    said = "\n".join(lines[: starts[0]] if starts else lines).strip()
    found: dict[str, str] = {}
    for start in starts:
        if not _SECTION.match(lines[start]):
            continue
        current, indent = "", 0
        for line in lines[start + 1 :]:
            if line.strip() and not line.startswith((" ", "\t")):
                break
            depth = len(line) - len(line.lstrip())
            item = _ITEM.match(line)
            if item is not None and (not current or depth <= indent):
                current, indent = item[1], depth
                found[current] = item[2].strip()
            elif current and line.strip():
                found[current] = f"{found[current]} {line.strip()}".strip()
    return said, found


def _without_titles(schema: Any, *, names: bool = False) -> Any:
    """The schema without the titles that pydantic makes up.

    Args:
        names: its keys are names of properties or of definitions, of which one may be `title`.
    """
    if isinstance(schema, dict):
        return {
            key: _without_titles(value, names=not names and key in ("properties", "$defs"))
            for key, value in schema.items()
            if names or key != "title" or not isinstance(value, str)
        }
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    return schema


def _validated(
    name: str, tool: _Tool, given: dict[str, Any]
) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Positional and named arguments for the call, and all of them as JSON.

    Raises:
        _BadCall: they are not what the function takes.
    """
    from pydantic import ValidationError

    try:
        valid = tool.arguments.model_validate(given)
    except ValidationError as error:
        said = [_mistake(each) for each in error.errors(include_url=False, include_context=False)[:5]]
        known = ", ".join(tool.names)
        raise _BadCall(f"{name} was called wrongly: {'; '.join(said)}. It takes: {known}") from error
    positional: list[Any] = []
    named: dict[str, Any] = dict(valid.model_extra or {})
    for place, (parameter, how) in enumerate(tool.names.items()):
        if how.kind in (how.VAR_KEYWORD, how.VAR_POSITIONAL):
            continue
        if how.kind is how.POSITIONAL_ONLY:
            positional.append(getattr(valid, f"p{place}"))
        else:
            named[parameter] = getattr(valid, f"p{place}")
    shown = msgspec.json.decode(canonical_json(given))
    return positional, named, shown


def _mistake(error: Any) -> str:
    place = ".".join(str(step) for step in error["loc"])
    kind, given = error["type"], error.get("input")
    if kind == "missing":
        return f"'{place}' is missing"
    if kind == "extra_forbidden":
        return f"there is no parameter '{place}'"
    shown = clean_line(repr(given))
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    return f"'{place}': {error['msg']}, not {shown}"


def _called(name: str, tool: _Tool, given: dict[str, Any]) -> ToolResult:
    """All of a call in which code of the workspace may run: validators, the function, serializers."""
    try:
        positional, named, shown = _validated(name, tool, given)
        value = json_value(_run(tool.function, positional, named), _converted)
    except _BadCall as error:
        return _failed(str(error), given)
    except BadResult as error:
        return _failed(f"{name} {error}", given)
    return ToolResult(text_of(value), value, "", shown)


def _run(function: Callable[..., Any], positional: list[Any], named: dict[str, Any]) -> Any:
    returned = function(*positional, **named)
    return asyncio.run(_finish(returned)) if inspect.isawaitable(returned) else returned


async def _finish(awaitable: Any) -> Any:
    return await awaitable


def _converted(value: Any) -> Any:
    """Dataclasses, pydantic models, dates, enumerations and the like as JSON."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, UnicodeDecodeError) as error:
        raise TypeError(str(error)) from error
