"""How each of the three verdicts comes about, shown on a copy of the demo by the gate itself.

Nothing here decides or knows what comes out: each step edits files, and the gate judges them.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from llmops_tui.domain.errors import LlmopsError, UsageError
from llmops_tui.engine import demo
from llmops_tui.engine.engine import DATABASE, Engine
from llmops_tui.engine.evaluation import Emit
from llmops_tui.engine.events import AskFirst, GateRequest
from llmops_tui.engine.gating import Gate, GateOutcome

SETTINGS = "llmops.yaml"
CONFIG_FILE = f"configs/{demo.CONFIG}.yaml"


class Step(msgspec.Struct, frozen=True):
    """One verdict.

    Attributes:
        title: what is shown.
        edited: what was done to the files, as sentences.
        command: what a person would type.
        outcome: what the gate said.
    """

    title: str
    edited: tuple[str, ...]
    command: str
    outcome: GateOutcome


def copy(source: Path, target: Path) -> None:
    """The demo as the template has it; answers that the demo in `source` has already come along.

    Raises:
        UsageError: the template can't be written there.
    """
    from llmops_tui.store import Store
    from llmops_tui.workspace import template

    template.create(target)
    if not (source / DATABASE).is_file():
        return
    (target / DATABASE).parent.mkdir(parents=True, exist_ok=True)
    try:
        with Store.open(source / DATABASE, read_only=True) as store:
            store.copy_to(target / DATABASE)
    except LlmopsError:
        # What can't be read is asked again.
        shutil.rmtree((target / DATABASE).parent, ignore_errors=True)


async def show(engine: Engine, emit: Emit) -> AsyncIterator[Step]:
    """Gate a harmful edit, a harmless one, and one that so few cases can't settle.

    Args:
        engine: on a folder that `copy` made.

    Raises:
        LlmopsError: the model can't be had.
    """
    await demo.evaluate(engine, emit)
    configuration = engine.configuration(demo.CONFIG)
    baseline = engine.store.versions.set_baseline(engine.version(configuration).id)

    edited = _harmless(engine.root)
    outcome = await _gate(engine, GateRequest(demo.CONFIG), emit)
    yield Step("A harmless edit passes, and asks nothing", edited, "llmops-tui gate", outcome)

    edited = _harmful(engine.root)
    outcome = await _gate(engine, GateRequest(demo.CONFIG), emit)
    candidate = outcome.candidate
    yield Step("A harmful edit fails, and the cases are named", edited, "llmops-tui gate", outcome)

    edited = _about_users(engine.root, baseline.name, candidate.name)
    request = GateRequest(demo.CONFIG, baseline.name, candidate.name)
    outcome = await _gate(engine, request, emit)
    command = f"llmops-tui gate {baseline.name} --against {candidate.name}"
    yield Step("What so few cases can't settle is inconclusive", edited, command, outcome)


async def _gate(engine: Engine, request: GateRequest, emit: Emit) -> GateOutcome:
    engine.load()
    outcome = await Gate(engine).gate(request, emit)
    if isinstance(outcome, AskFirst):
        raise UsageError(outcome.why)
    return outcome


def _harmless(root: Path) -> tuple[str, ...]:
    prompt = root / demo.PROMPT
    text = prompt.read_text("utf-8")
    prompt.write_text(text.replace("system:\n", "system:\n{# Read by every customer. #}\n", 1), "utf-8")
    config = root / CONFIG_FILE
    first, *keys = config.read_text("utf-8").splitlines()
    config.write_text("\n".join([first, *reversed(keys)]) + "\n", "utf-8")
    return (f"{demo.PROMPT}: a comment", f"{CONFIG_FILE}: the keys in another order")


def _harmful(root: Path) -> tuple[str, ...]:
    from llmops_tui.workspace import template

    demo.edit(root)
    before, after = template.DEMO_EDIT
    return (f"{demo.PROMPT}: “{before}” → “{after}”",)


def _about_users(root: Path, baseline: str, candidate: str) -> tuple[str, ...]:
    file = root / SETTINGS
    file.write_text(file.read_text("utf-8") + "\ngate: {estimand: population}\n", "utf-8")
    return (
        f"{SETTINGS}: gate: {{estimand: population}}, which asks about customers' questions at large, "
        "of which the cases are a sample",
        f"nothing else: {baseline} is held against {candidate}, as if the edit were taken back",
    )
