"""A judge's reply, read strictly: one JSON object of the wanted form, or a sentence on what is wrong.

The reply is the word of a model that was shown untrusted text, so nothing is guessed: no verdict
from prose, no nearest word, no first of two objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from llmops_tui.scorers.wording import clipped

T = TypeVar("T")


class NotInForm(Exception):
    """The reply is not what was asked for; the text is a clause that the judge and the person are told."""


def read_reply(text: str, read: Callable[[dict[str, Any]], T]) -> T:
    """What `read` makes of the one object in a reply that it takes.

    A judge without structured output may put a fence or a sentence around its object. Where several
    objects are of the form, one of them may be quoted from what was judged: then none is taken.

    Args:
        read: raises `NotInForm` for an object of another form.

    Raises:
        NotInForm: there is no such object, or several.
    """
    found: list[T] = []
    why = "it holds no JSON object"
    for value in _objects(text):
        try:
            found.append(read(value))
        except NotInForm as error:
            why = str(error)
    if len(found) == 1:
        return found[0]
    raise NotInForm(f"it holds {len(found)} verdicts" if found else why)


def _objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text that stand in no other one, in order."""
    decoder = json.JSONDecoder(object_pairs_hook=_without_repeats)
    objects, at = [], 0
    while (at := text.find("{", at)) >= 0:
        try:
            value, at = decoder.raw_decode(text, at)
        except RecursionError:
            break  # what is within it nests as deep, and would be tried again from every brace
        except ValueError:
            at += 1
        else:
            objects.append(value)
    return objects


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def fields(value: Any, names: list[str]) -> list[Any]:
    """The values of an object that has exactly these keys.

    Raises:
        NotInForm: it has others, or is no object.
    """
    if not isinstance(value, dict):
        raise NotInForm(f"{clipped(json.dumps(value), 40)} is no object")
    missing = [name for name in names if name not in value]
    if missing:
        raise NotInForm(f"`{missing[0]}` is missing")
    if spare := [name for name in value if name not in names]:
        raise NotInForm(f"`{clipped(spare[0], 40)}` was not asked for")
    return [value[name] for name in names]


def one_of(value: Any, allowed: list[Any], name: str) -> Any:
    """A value that is allowed; `true` is no 1, and `4.0` no 4.

    Raises:
        NotInForm: it is another.
    """
    if not any(type(value) is type(each) and value == each for each in allowed):
        said = clipped(json.dumps(value, ensure_ascii=False), 40)
        known = ", ".join(str(a) for a in allowed[:6]) + (", …" if len(allowed) > 6 else "")
        raise NotInForm(f"`{name}` is {said}, and must be one of {known}")
    return value


def reason_of(value: Any) -> str:
    """
    Raises:
        NotInForm: it is no text, or an empty one.
    """
    if not isinstance(value, str) or not value.strip():
        raise NotInForm("`reason` must be a text that says why")
    return clipped(value, 400)
