"""Gates as the engine hands them to the reports, made from lines of results."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.gate.judge import judge
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.engine.gating import GateOutcome
from tests.domain import gate_cases


def outcome(given: gate_cases.GateInput, settings: GateSettings | None = None, **more: object) -> GateOutcome:
    comparison = given.comparison
    versions = [
        msgspec.structs.replace(side.version, config="bench", is_baseline=n == 0)
        for n, side in enumerate((comparison.baseline, comparison.candidate))
    ]
    result = judge(given, settings or GateSettings())
    return GateOutcome(comparison, result, *versions, **more)  # type: ignore[arg-type]
