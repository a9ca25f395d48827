"""Inputs that a person makes up: which variables they fill, and the case that may be kept of them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.safe_text import clean

#: Words and characters of a suggested id.
ID_WORDS = 5
ID_LENGTH = 40
MAX_ID = 200


class Variable(msgspec.Struct, frozen=True):
    """One input of a prompt.

    Attributes:
        required: the prompt can't be rendered without it.
        is_json: the cases give it as something else than text (a list, a number): it is written as JSON.
    """

    name: str
    required: bool = True
    is_json: bool = False


class NewCase(msgspec.Struct, frozen=True):
    """A case to be kept in an eval file. `expected` None: it has none.

    Attributes:
        scorers: as they are written in the file.
        origin: where it came from, as `schema.OriginEntry`; empty: a person made it up.
    """

    id: str
    vars: dict[str, Any]
    expected: Any = None
    tags: tuple[str, ...] = ()
    scorers: tuple[Any, ...] = ()
    origin: dict[str, Any] = {}

    def entry(self) -> dict[str, Any]:
        """As it is written, without what is empty."""
        entry: dict[str, Any] = {"id": self.id, "vars": self.vars}
        if self.expected is not None:
            entry["expected"] = self.expected
        if self.scorers:
            entry["scorers"] = list(self.scorers)
        if self.tags:
            entry["tags"] = list(self.tags)
        if self.origin:
            entry["origin"] = self.origin
        return entry


def variables(read: Mapping[str, bool], cases: Sequence[Case]) -> tuple[Variable, ...]:
    """The inputs of a prompt.

    Args:
        read: variable → whether it must be given, in the order of the prompt.
        cases: what they give says how a variable is written.
    """
    others: dict[str, bool] = {}
    for case in cases:
        for name, value in case.vars.items():
            others[name] = others.get(name, True) and not isinstance(value, str)
    return tuple(Variable(name, needed, others.get(name, False)) for name, needed in read.items())


def shown_value(value: Any) -> str:
    """A value as a person edits it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def values_of(known: Sequence[Variable], texts: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, as values. An empty text of a variable that need not be given is left out.

    Raises:
        UsageError: a text is no JSON where JSON is wanted; a name is not known.
    """
    by_name = {variable.name: variable for variable in known}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        variable = by_name.get(name, Variable(name, required=False))
        if not text and not variable.required:
            continue
        values[name] = _json(name, text) if variable.is_json else clean(text)
    return values


def _json(name: str, text: str) -> Any:
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError) as error:
        what = "empty" if not text.strip() else f"no JSON ({error})"
        raise UsageError(
            Problem(f"{name} is {what}", "the cases give it as JSON: a number, a list, a mapping")
        ) from None
    return value


def lacking(known: Sequence[Variable], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Variables that must be given and are not, or are blank."""
    return tuple(
        v.name
        for v in known
        if v.required and (values.get(v.name) is None or not str(values[v.name]).strip())
    )


def by_name(known: Sequence[Variable], there: Mapping[str, Any]) -> dict[str, Any]:
    """What there is, by the names of the variables; a text alone fills the only one that must be given.

    What no variable is called is left out; what must be given may still be lacking.
    """
    values = {v.name: there[v.name] for v in known if v.name in there}
    needed = lacking(known, values)
    texts = [value for value in there.values() if isinstance(value, str) and value.strip()]
    if len(needed) == 1 and len(texts) == 1 and not values:
        values[needed[0]] = texts[0]
    return values


def suggested_id(values: Mapping[str, Any], taken: Collection[str]) -> str:
    """An id made of the first words of the longest text; none of those that are taken."""
    texts = sorted((v for v in values.values() if isinstance(v, str)), key=len, reverse=True)
    words = re.findall(r"[^\W_]+", texts[0].lower())[:ID_WORDS] if texts else []
    name = "-".join(words)[:ID_LENGTH].strip("-") or "case"
    return next(n for n in (name, *(f"{name}-{k}" for k in range(2, len(taken) + 3))) if n not in taken)


def checked(new: NewCase, cases: Sequence[Case]) -> NewCase:
    """The case, fit to be written.

    Raises:
        UsageError: its id is no id, or is taken; a case asks just this already.
    """
    id_ = clean(new.id).strip()
    if not id_ or "\n" in id_ or len(id_) > MAX_ID:
        raise UsageError(Problem("a case needs an id of one line", f"at most {MAX_ID} characters"))
    if any(case.id == id_ for case in cases):
        raise UsageError(Problem(f"the id '{id_}' is there already", "choose another"))
    same = twin(new.vars, cases)
    if same is not None:
        raise UsageError(
            Problem(f"the case '{same.id}' asks just this already", f"it is in {same.file}:{same.line or 1}")
        )
    tags = tuple(dict.fromkeys(tag for t in new.tags if (tag := clean(t).replace("\n", " ").strip())))
    expected = clean(new.expected) if isinstance(new.expected, str) else new.expected
    return msgspec.structs.replace(new, id=id_, tags=tags, expected=None if expected == "" else expected)


def twin(values: Mapping[str, Any], cases: Sequence[Case]) -> Case | None:
    """The case that has these very inputs, if there is one."""
    wanted = msgspec.json.encode(dict(values), order="deterministic")
    for case in cases:
        # Comparing is cheap; writing out tells 1 from true.
        if case.vars == values and msgspec.json.encode(case.vars, order="deterministic") == wanted:
            return case
    return None
