"""JSON: is_json, json_schema, json_field."""

from __future__ import annotations

import json
import re
from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.scorers.pattern import search
from llmops_tui.scorers.registry import CannotJudge, Judgement, either, scorer
from llmops_tui.scorers.wording import clipped, quoted, reference, shown

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)^[ \t]*\1", re.MULTILINE | re.DOTALL)


class NotJson(Exception):
    """The text is not JSON; the message is a clause that says where."""


def read_json(text: str, *, fences: bool) -> Any:
    """The value of a JSON text (RFC 8259).

    Args:
        fences: read what is in the first ``` block, where there is one.

    Raises:
        NotJson: it is none.
    """
    if fences and (block := _FENCE.search(text.replace("\r\n", "\n"))):
        text = block[2]
    if not text.strip():
        raise NotJson("the output is empty")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise NotJson(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJson("nested too deeply to be read") from None
    except ValueError:
        # Python refuses to convert integers of more than some 4,300 digits.
        raise NotJson("has a number with too many digits") from None


def _no_constant(name: str) -> Any:
    raise NotJson(f"not JSON: {name} is no JSON value")


def json_equal(a: Any, b: Any) -> bool:
    """Whether two JSON values are the same: 1 and 1.0 are, 1 and true are not."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(json_equal(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(json_equal(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


@scorer("is_json")
def is_json(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    try:
        value = read_json(output.text, fences=options["fences"])
    except NotJson as error:
        return Judgement(0.0, str(error))
    return Judgement(1.0, f"JSON: {_kind(value)}")


@scorer("json_schema")
def json_schema(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    try:
        value = read_json(output.text, fences=options["fences"])
    except NotJson as error:
        return Judgement(0.0, str(error))
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        misfit = best_match(_validator(options["value"]).iter_errors(value))
    except Unresolvable as unresolved:
        raise CannotJudge(
            f"the schema refers to {quoted(str(unresolved.ref))}, which is not in it; nothing is fetched: "
            "put that schema under $defs"
        ) from None
    if misfit is None:
        return Judgement(1.0, "fits the schema")
    where = clipped(misfit.json_path.removeprefix("$").removeprefix("."), 40)
    message = clipped(misfit.message, 120)
    return Judgement(0.0, f"{where}: {message}" if where else message)


def _validator(schema: dict[str, Any]) -> Any:
    """A validator that fetches nothing, and whose patterns have a time limit."""
    from jsonschema import ValidationError, validators
    from referencing.jsonschema import EMPTY_REGISTRY

    def pattern(_validator: Any, wanted: str, instance: Any, _schema: Any) -> Any:
        if isinstance(instance, str) and search(wanted, instance) is None:
            yield ValidationError(f"{shown(instance)} does not match {quoted(wanted)}")

    base = validators.validator_for(schema, default=validators.Draft202012Validator)
    limited: Any = validators.extend(base, {"pattern": pattern})  # type: ignore[no-untyped-call]
    return limited(schema, registry=EMPTY_REGISTRY)


@scorer("json_field")
def json_field(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    wanted = reference(options, case, "equals")
    path: str = options["path"]
    try:
        value = read_json(output.text, fences=options["fences"])
    except NotJson as error:
        return Judgement(0.0, str(error))
    try:
        for step in steps(path):
            value = _down(value, step)
    except LookupError:
        return Judgement(0.0, f"there is no {clipped(path, 60)} in the output")
    if json_equal(value, wanted):
        return Judgement(1.0, f"{clipped(path, 60)} is {shown(value)}")
    return either(False, f"{clipped(path, 60)} is {shown(value)}, not {shown(wanted)}")


def steps(path: str) -> list[str]:
    """`a.b[0]`, `$.a.b[0]` or the JSON Pointer `/a/b/0` (RFC 6901), as keys and indices."""
    if path.startswith("/"):
        return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    dotted = path.removeprefix("$").replace("[", ".").replace("]", "")
    return [step for step in dotted.split(".") if step]


def _down(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value[step]
    if isinstance(value, list) and re.fullmatch(r"-?[0-9]{1,9}", step):
        return value[int(step)]
    raise LookupError(step)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with {len(value)} field{'' if len(value) == 1 else 's'}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a text" if isinstance(value, str) else "null" if value is None else "a number or truth value"
