"""Kinds of guardrails for tests, put beside the built-in ones; and a watch that keeps what it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.guardrails.use import GuardrailUse, Stage
from llmops_tui.domain.model import Model
from llmops_tui.guardrails import checks
from llmops_tui.guardrails.registry import (
    CHECKS,
    NOTHING,
    About,
    CannotCheck,
    Check,
    Deadline,
    Found,
    Match,
    TooSlow,
)

HASH = "0" * 64


def finds(options: dict[str, Any]) -> Check:
    """Fires where a word is, and says where."""
    word, score = re.compile(options.get("word", "bad")), options.get("score", 1.0)

    def check(text: str, _about: About, _deadline: Deadline) -> Found:
        places = tuple(Match(m.start(), m.end(), "[word]") for m in word.finditer(text))
        if not places:
            return NOTHING
        return Found(score, "a word that may not be there", () if options.get("nowhere") else places)

    return check


def fails(options: dict[str, Any]) -> Check:
    """Fails where a text says how."""
    if options.get("unprepared"):
        raise ValueError("no such pattern")

    def check(text: str, _about: About, deadline: Deadline) -> Found:
        while "late" in text and deadline.left_s:
            pass
        if "slow" in text:
            raise TooSlow
        if "cannot" in text:
            raise CannotCheck("the text is in no language")
        if "raise" in text:
            raise ValueError(f"about {text}")
        if "nan" in text:
            return Found(float("nan"))
        return Found(1.0, "fires") if "fire" in text else NOTHING

    return check


def use_kinds(patch: pytest.MonkeyPatch) -> None:
    for name, prepare in {"finds": finds, "fails": fails, "pii": finds, "injection": finds}.items():
        patch.setitem(checks.MODULES, name, "registry")
        patch.setitem(CHECKS, name, prepare)


class Kept:
    """A watch: looks with their evidence, and the judge's answer in turn."""

    def __init__(self, *answers: str | Exception) -> None:
        self.looks: list[tuple[Look, str]] = []
        self.asked: list[tuple[Model, ChatRequest]] = []
        self.began: list[str] = []
        self._answers = list(answers)

    @contextmanager
    def look(self, use: GuardrailUse, stage: Stage) -> Iterator[Kept]:
        self.began.append(f"{use.name} {stage}")
        yield self

    async def ask(self, model: Model, request: ChatRequest) -> str:
        self.asked.append((model, request))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def saw(self, look: Look, evidence: str) -> None:
        self.looks.append((look, evidence))


def use_of(kind: str, name: str = "", on: Stage = "input", **rest: Any) -> GuardrailUse:
    return GuardrailUse(name or kind, kind, (on,), **rest)
