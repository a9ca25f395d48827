"""Scorer entries of an eval file → validated uses."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from llmops_tui.domain.case import ScorerUse
from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.judge import scale_ends
from llmops_tui.domain.scorer_kind import ScorerKind
from llmops_tui.domain.scorers import SCORERS
from llmops_tui.workspace.code import SCORERS_FILE, Source

#: Accepted beside every scorer's own options.
_COMMON = ("weight", "threshold")


class ScorerMistake(Exception):
    """An entry that can't be used: what is wrong, and the remedy."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Resolved(msgspec.Struct, frozen=True):
    """`needs_expected`: without a reference of its own it can't judge a case without `expected`."""

    use: ScorerUse
    needs_expected: bool


class ScorerCatalogue:
    """Resolves entries; equal entries are resolved once.

    Args:
        source: the workspace's Python.
        revision: of its functions.
    """

    def __init__(self, source: Source, revision: str) -> None:
        self._source = source
        self._revision = revision
        self._known: dict[str, Resolved] = {}

    def resolve(self, entry: str | dict[str, Any]) -> Resolved:
        """One entry (`is_json`, `{max_words: 60}`, `{contains: {value: x, weight: 2}}`) as a use.

        Raises:
            ScorerMistake: an unknown scorer or option, or a value that does not fit.
        """
        key = entry if isinstance(entry, str) else json.dumps(entry, sort_keys=True, ensure_ascii=False)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._resolve(entry)
        return known

    def _resolve(self, entry: str | dict[str, Any]) -> Resolved:
        name, value, common = _take_apart(entry)
        if name in SCORERS:
            if name in self._source.functions:
                raise ScorerMistake(
                    f"'{name}' is a built-in scorer and a function of {SCORERS_FILE}",
                    "give the function another name",
                )
            return _built_in(SCORERS[name], value, common)
        if name in self._source.functions:
            return self._function(name, value, common)
        remedy = did_you_mean(name, set(SCORERS) | set(self._source.functions))
        if self._source.broken and not remedy.startswith("did you mean"):
            raise ScorerMistake(f"the scorer '{name}' is not known", f"mend {SCORERS_FILE} first")
        raise ScorerMistake(f"there is no scorer '{name}'", remedy)

    def _function(self, name: str, value: Any, common: dict[str, Any]) -> Resolved:
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise ScorerMistake(
                f"the options of {name} must be a mapping", f"write {{{name}: {{option: value}}}}"
            )
        options = {k: v for k, v in value.items() if k not in _COMMON}
        weight, threshold = _weights(name, {**common, **{k: value[k] for k in _COMMON if k in value}})
        if wrong := self._source.functions[name].check(options):
            raise ScorerMistake(*wrong)
        use = ScorerUse(name, options, weight, threshold, self._revision, name, True)
        return Resolved(use, False)


def _take_apart(entry: str | dict[str, Any]) -> tuple[str, Any, dict[str, Any]]:
    """(name, what stands behind it, weight and threshold beside it)."""
    if isinstance(entry, str):
        return entry, None, {}
    names = [k for k in entry if k not in _COMMON]
    if len(names) != 1:
        said = "names no scorer" if not names else f"names {len(names)} scorers: {', '.join(names)}"
        raise ScorerMistake(f"an entry {said}", "start each scorer with '- '")
    return names[0], entry[names[0]], {k: entry[k] for k in _COMMON if k in entry}


def _built_in(kind: ScorerKind, value: Any, common: dict[str, Any]) -> Resolved:
    from pydantic import ValidationError

    given = _options(kind, value)
    common |= {k: given.pop(k) for k in _COMMON if k in given}
    try:
        options = kind.options.model_validate(given).model_dump(mode="json")
    except ValidationError as error:
        raise _mistake(kind, error) from None
    weight, threshold = _weights(kind.name, common, options.get("scale"))
    needs = kind.needs_reference(options)
    label = f"{kind.name}:{options['use']}" if kind.is_model_graded and options["use"] else kind.name
    use = ScorerUse(
        kind.name,
        options,
        weight,
        threshold,
        str(kind.revision),
        label,
        needs or kind.may_use_expected,
        uses_sources=kind.may_use_sources,
    )
    return Resolved(use, needs)


def _options(kind: ScorerKind, value: Any) -> dict[str, Any]:
    """What stands behind a scorer's name, as options: a mapping of them, or the shorthand."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return dict(value)
    if kind.shorthand is None:
        known = ", ".join(sorted(kind.options.model_fields)) or "none"
        raise ScorerMistake(f"{kind.name} takes no bare value", f"its options: {known}")
    return {kind.shorthand: value}


def _weights(name: str, common: dict[str, Any], scale: str | None = None) -> tuple[float, float | None]:
    """Weight and threshold; of a scale (`1-5`), the threshold is one of its grades."""
    weight, threshold = common.get("weight", 1.0), common.get("threshold")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not weight > 0:
        raise ScorerMistake(f"the weight of {name} must be a number above 0, not {weight}")
    if threshold is None:
        return float(weight), None
    low, high = (scale_ends(scale) if scale else None) or (0, 1)
    is_number = isinstance(threshold, (int, float)) and not isinstance(threshold, bool)
    if not is_number or not low <= threshold <= high:
        raise ScorerMistake(f"the threshold of {name} must be a number from {low} to {high}, not {threshold}")
    return float(weight), (threshold - low) / (high - low)


def _mistake(kind: ScorerKind, error: Any) -> ScorerMistake:
    first = error.errors(include_url=False)[0]
    option = str(first["loc"][0]) if first["loc"] else ""
    names = set(kind.options.model_fields)
    if first["type"] == "extra_forbidden":
        return ScorerMistake(
            f"{kind.name} has no option '{option}'", did_you_mean(option, names | set(_COMMON))
        )
    if first["type"] == "missing":
        example = f"{{{kind.name}: …}}" if option == kind.shorthand else f"{{{kind.name}: {{{option}: …}}}}"
        return ScorerMistake(f"{kind.name} needs '{option}'", f"write {example}")
    said = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return ScorerMistake(
        f"{kind.name}: '{option}' does not fit ({said})" if option else f"{kind.name}: {said}"
    )
