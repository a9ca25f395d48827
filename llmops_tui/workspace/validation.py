"""What a person wrote, held against the pydantic models of `domain.schema`; mistakes as sentences."""

from __future__ import annotations

import copy
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from llmops_tui.domain import schema
from llmops_tui.domain.attack_schema import AttackFile
from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.workspace.overlay import Lines, Overlay
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.yaml_document import Document, YamlError

M = TypeVar("M", bound=BaseModel)
Loc = tuple[str | int, ...]

FILE_KINDS: dict[str, type[BaseModel]] = {
    "config": schema.ConfigFile,
    "evals": schema.EvalFile,
    "attacks": AttackFile,
    "workspace": schema.WorkspaceFile,
}
#: Mistakes of one file that are shown; a wrong format makes thousands.
SHOWN = 50


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of file: `config`, `evals`, `attacks` or `workspace`.

    Raises:
        UsageError: another kind.
    """
    if kind not in FILE_KINDS:
        raise UsageError(Problem(f"there is no schema '{kind}'", did_you_mean(kind, set(FILE_KINDS))))
    made = FILE_KINDS[kind].model_json_schema()
    if kind == "config":
        from llmops_tui.workspace.guardrail_schema import guardrail_entry_schema

        made["properties"]["guardrails"]["items"] = guardrail_entry_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def validate(
    model: type[M], value: Any, file: str, line_of: Callable[[Loc], int | None]
) -> tuple[M | None, list[Problem]]:
    """The value as a model, and every mistake in it.

    Where there are mistakes, the model is made of what is right, so that the rest can be checked as
    well; None where that is not enough for one.
    """
    if value is None:
        value = {}
    if not isinstance(value, dict):
        what = f"must be a mapping of keys to values, not {_kind(value)}"
        return None, [Problem(what, "write 'key: value' lines", file, line_of(()))]
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
    problems = _problems(model, errors, file, line_of)
    try:
        return model.model_validate(_without(value, [_real_loc(model, e["loc"]) for e in errors])), problems
    except ValidationError:
        return None, problems


def _without(value: Any, locs: list[Loc]) -> Any:
    """A value without the keys at some paths."""
    kept = copy.deepcopy(value)
    for loc in locs:
        inner = kept
        for step in loc[:-1]:
            known = isinstance(inner, dict) and step in inner
            inner = inner[step] if known else None
        if loc and isinstance(inner, dict):
            inner.pop(loc[-1], None)
    return kept


def read_document(reader: Reader, path: str) -> Document | None:
    """A YAML file, parsed; None with a problem recorded."""
    text = reader.text(path)
    if text is None:
        return None
    try:
        return Document(text)
    except YamlError as error:
        reader.problems.append(error.problem(path))
        return None


def read_validated(
    reader: Reader, model: type[M], path: str, overlay: Overlay | None = None
) -> tuple[M, Document | Lines] | None:
    """A YAML file as a model (see `validate`), with its lines; None with problems recorded.

    Args:
        overlay: values that take the place of the file's own.
    """
    document = read_document(reader, path)
    if document is None:
        return None
    value = document.value if overlay is None else overlay.on(document.value)
    lines = document if overlay is None else overlay.lines(document)
    found, problems = validate(model, value, path, lines.line)
    reader.problems += problems
    return (found, lines) if found is not None else None


def _problems(
    model: type[BaseModel], errors: list[ErrorDetails], file: str, line_of: Callable[[Loc], int | None]
) -> list[Problem]:
    found: dict[Loc, list[ErrorDetails]] = {}
    for error in errors:
        found.setdefault(_real_loc(model, error["loc"]), []).append(error)
    problems = []
    for loc, group in list(found.items())[:SHOWN]:
        if loc == ("gate", "max_drop", "pass_rate"):
            loc = loc[:2]  # most people write the one number
        message, remedy = _sentence(model, loc, group)
        problems.append(Problem(message, remedy, file, line_of(loc)))
    if len(found) > SHOWN:
        problems.append(Problem(f"and {len(found) - SHOWN} more mistakes like these", "", file))
    return problems


def _sentence(model: type[BaseModel], loc: Loc, group: list[ErrorDetails]) -> tuple[str, str]:
    first = group[0]
    key = _dotted(loc)
    if first["type"] == "extra_forbidden":
        owner, _ = _owner(model, loc)
        where = f" in {_dotted(loc[:-1])}" if len(loc) > 1 else ""
        return f"unknown key '{loc[-1]}'{where}", did_you_mean(str(loc[-1]), set(owner.model_fields))
    if first["type"] == "missing":
        owner, field = _owner(model, loc)
        info = owner.model_fields.get(field)
        help_ = info.description if info is not None and info.description else ""
        where = f" in {_dotted(loc[:-1])}" if len(loc) > 1 else ""
        return f"'{loc[-1]}' is missing{where}", f"add it: {help_}" if help_ else "add it"
    wanted = " or ".join(dict.fromkeys(_wanted(e) for e in group))
    value = first["input"]
    remedy = ""
    if "text" in wanted and isinstance(value, (int, float)) and not isinstance(value, bool):
        remedy = f'put it in quotes: "{value}"'
    elif "a list" in wanted and isinstance(value, (str, dict)):
        remedy = f"write [{value}]" if isinstance(value, str) else "start each entry with '- '"
    elif first["type"] == "literal_error":
        near = did_you_mean(str(value), set(_literals(first)))
        remedy = near if near.startswith("did you mean") else ""
    if loc[:2] == ("gate", "max_drop") and value == 0:
        remedy = (
            "no number of cases can prove that nothing at all was lost; write auto, or a share such as 0.05"
        )
    return f"'{key}' must be {wanted}, not {_kind(value)}" if key else f"must be {wanted}", remedy


_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "too_short": "a list with at least one entry",
    "string_too_short": "text that is not empty",
}


def _wanted(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _WANTED:
        return _WANTED[kind]
    if kind == "literal_error":
        several = _literals(error)
        return several[0] if len(several) == 1 else "one of " + ", ".join(several)
    context = error.get("ctx", {})
    bounds = {
        "greater_than": ("more than", "gt"),
        "greater_than_equal": ("at least", "ge"),
        "less_than": ("less than", "lt"),
        "less_than_equal": ("at most", "le"),
    }
    if kind in bounds:
        word, name = bounds[kind]
        return f"{word} {context.get(name):g}"
    if kind == "string_too_long":
        return f"text of at most {context.get('max_length')} characters"
    said = error["msg"]
    return said.removeprefix("Input should be ").removeprefix("Value error, ")


def _literals(error: ErrorDetails) -> list[str]:
    said = str(error.get("ctx", {}).get("expected", ""))
    return [part.strip().strip("'") for part in said.replace(" or ", ", ").split(",") if part.strip()]


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value}"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 40 else f"'{value[:40]}…'"
    return "a list" if isinstance(value, list) else "a mapping"


def _dotted(loc: Loc) -> str:
    text = ""
    for step in loc:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


# -- walking the models along a path


def _real_loc(model: type[BaseModel], loc: Loc) -> Loc:
    """A path without the steps that pydantic adds for the members of a union."""
    steps: list[str | int] = []
    annotation: Any = model
    for step in loc:
        options = _options(annotation)
        models = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
        if models and isinstance(step, str):
            info = models[0].model_fields.get(step)
            annotation = info.annotation if info is not None else Any
        elif isinstance(step, int) and any(typing.get_origin(o) is list for o in options):
            annotation = next(typing.get_args(o)[0] for o in options if typing.get_origin(o) is list)
        elif len(options) > 1 or not any(typing.get_origin(o) is dict for o in options):
            break  # a member of a union: the value itself is what is wrong
        else:
            annotation = next(typing.get_args(o)[1] for o in options if typing.get_origin(o) is dict)
        steps.append(step)
    return tuple(steps)


def _owner(model: type[BaseModel], loc: Loc) -> tuple[type[BaseModel], str]:
    """The model that has (or lacks) the last step of a path as a field."""
    owner: type[BaseModel] = model
    annotation: Any = model
    for step in loc[:-1]:
        for option in _options(annotation):
            origin = typing.get_origin(option)
            if isinstance(option, type) and issubclass(option, BaseModel):
                info = option.model_fields.get(str(step))
                annotation = info.annotation if info is not None else Any
                break
            if origin is dict:
                annotation = typing.get_args(option)[1]
                break
            if origin is list:
                annotation = typing.get_args(option)[0]
                break
        for option in _options(annotation):
            if isinstance(option, type) and issubclass(option, BaseModel):
                owner = option
    return owner, str(loc[-1])


def _options(annotation: Any) -> tuple[Any, ...]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _options(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return tuple(o for a in typing.get_args(annotation) if a is not type(None) for o in _options(a))
    return (annotation,)
