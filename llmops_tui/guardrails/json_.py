"""json_schema: it is no JSON, or does not fit the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from itertools import islice
from typing import Any

from llmops_tui.guardrails.registry import (
    NOTHING,
    About,
    CannotCheck,
    Check,
    Deadline,
    Found,
    TooSlow,
    guardrail,
)
from llmops_tui.scorers.json_ import NotJson, read_json
from llmops_tui.scorers.wording import clipped, quoted

#: Of so many misfits the most telling one is named.
_LOOKED_AT = 50
_deadline: ContextVar[Deadline] = ContextVar("deadline")


@guardrail("json_schema")
def json_schema(options: dict[str, Any]) -> Check:
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    validator, fences = _validator(options["value"]), options["fences"]

    def check(text: str, _about: About, deadline: Deadline) -> Found:
        _deadline.set(deadline)
        try:
            value = read_json(text, fences=fences)
            misfit = best_match(islice(validator.iter_errors(value), _LOOKED_AT))
        except NotJson as error:
            return Found(1.0, str(error))
        except RecursionError:
            return Found(1.0, "nested too deeply to be checked")
        except Unresolvable as unresolved:
            raise CannotCheck(
                f"the schema refers to {quoted(str(unresolved.ref))}, which is not in it"
            ) from None
        except ArithmeticError as error:
            raise CannotCheck(f"the schema can't be held against a number in it: {error}") from None
        if misfit is None:
            return NOTHING
        where = clipped(misfit.json_path.removeprefix("$").removeprefix("."), 60)
        # What the schema asks for; the message of the library would repeat what is there.
        asked = f"{misfit.validator} {clipped(str(misfit.validator_value), 80)}"
        return Found(1.0, f"{where}: does not fit {asked}" if where else f"does not fit {asked}")

    return check


def _validator(schema: dict[str, Any]) -> Any:
    """A validator that fetches nothing, and asks the clock at every keyword."""
    from jsonschema import validators
    from referencing.jsonschema import EMPTY_REGISTRY

    base: Any = validators.validator_for(schema, default=validators.Draft202012Validator)
    keywords = {**base.VALIDATORS, "pattern": _pattern, "patternProperties": _pattern_properties}
    keywords |= {"additionalProperties": _additional_properties, "uniqueItems": _unique_items}
    timed = {name: _timed(keyword) for name, keyword in keywords.items()}
    made: Any = validators.extend(base, timed)  # type: ignore[no-untyped-call]
    return made(schema, registry=EMPTY_REGISTRY)


_Keyword = Callable[[Any, Any, Any, Any], Any]


def _timed(keyword: _Keyword) -> _Keyword:
    def timed(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:
        _deadline.get().check()
        return keyword(validator, wanted, instance, schema)

    return timed


def _matches(pattern: str, text: str) -> bool:
    import regex

    try:
        return regex.search(pattern, text, timeout=max(_deadline.get().left_s, 1e-6)) is not None
    except TimeoutError:
        raise TooSlow from None


def _misfit(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


def _pattern(_validator: Any, wanted: str, instance: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not _matches(wanted, instance):
        yield _misfit("does not match")


def _pattern_properties(validator: Any, wanted: dict[str, Any], instance: Any, _schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, schema in wanted.items():
        for name, value in instance.items():
            if _matches(pattern, name):
                yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in named or any(_matches(pattern, name) for pattern in patterns):
            continue
        if wanted is False:
            yield _misfit("has a further property")
        elif wanted is not True:
            yield from validator.descend(value, wanted, path=name)


def _unique_items(_validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    if not wanted or not isinstance(instance, list):
        return
    seen: set[Any] = set()
    for item in map(_hashable, instance):
        _deadline.get().check()
        if item in seen:
            yield _misfit("has an item twice")
            return
        seen.add(item)


def _hashable(value: Any) -> Any:
    """Equal where the JSON values are: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, dict):
        return ("object", frozenset((name, _hashable(each)) for name, each in value.items()))
    if isinstance(value, list):
        return ("array", *map(_hashable, value))
    return ("truth", value) if isinstance(value, bool) else ("scalar", value)
