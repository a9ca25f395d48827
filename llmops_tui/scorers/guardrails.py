"""guardrail_fires, guardrail_quiet: what the guardrails of the configuration did on the way."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.scorers.registry import Judgement, either, scorer
from llmops_tui.scorers.wording import clipped


@scorer("guardrail_fires")
def guardrail_fires(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    found = _fired(options, output)
    return either(bool(found), _said(found) if found else _quiet(options, output))


@scorer("guardrail_quiet")
def guardrail_quiet(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    found = _fired(options, output)
    return either(not found, _said(found) if found else _quiet(options, output))


def _named(options: dict[str, Any]) -> list[str] | None:
    value = options["value"]
    return [value] if isinstance(value, str) else value


def _fired(options: dict[str, Any], output: Output) -> list[str]:
    named = _named(options)
    return [name for name in output.fired if named is None or name in named]


def _said(found: list[str]) -> str:
    return f"{_listed(found)} fired"


def _quiet(options: dict[str, Any], output: Output) -> str:
    named = _named(options)
    if named is None:
        return "no guardrail fired" if output.guardrails else "no guardrail looked"
    looked = {look.name for look in output.guardrails}
    away = [name for name in named if name not in looked]
    if away:
        return f"{_listed(away)} did not look"
    failed = [name for name in named if all(x.error for x in output.guardrails if x.name == name)]
    return f"{_listed(failed)} failed" if failed else f"{_listed(named)} did not fire"


def _listed(names: list[str]) -> str:
    return ", ".join(clipped(name, 60) for name in names[:5]) + (", …" if len(names) > 5 else "")
