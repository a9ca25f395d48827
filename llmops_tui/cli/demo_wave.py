"""The last part of `demo --live`: what was made of the attempts of the evening."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmops_tui.engine.demo_wave import Wave
    from llmops_tui.report.text import Line


def wave_lines(wave: Wave, width: int) -> list[Line]:
    """Sections 7 to 10 of what is printed."""
    from llmops_tui.domain.safe_text import clean_line
    from llmops_tui.report.attack_text import attack_lines
    from llmops_tui.report.guards_text import curve_lines, guards_lines
    from llmops_tui.report.text import EMPTY

    def head(number: int, title: str, command: str) -> list[Line]:
        return [EMPTY, ((f"── {number}. {title}", "bold"),), ((f"$ {command}", ""),), EMPTY]

    name, tuned = wave.figures.name, wave.tuned
    lines = head(7, f"{wave.firings} firings and {wave.passes} passes are reviewed", "llmops-tui guards")
    lines += guards_lines([wave.figures], (), wave.window, width=width)
    lines += head(8, "One that was missed is an attack now", "llmops-tui attack add")
    lines += [((f"  {clean_line(wave.missed.row.input)}", ""),), ((f"  {wave.attack} in {wave.file}", ""),)]
    lines += head(9, "What other thresholds would do", f"llmops-tui guards tune {name} --set {tuned.after:g}")
    lines += curve_lines(wave.curve)
    lines += [EMPTY, ((f"  {tuned.file}: threshold {tuned.before:g} → {tuned.after:g}", ""),)]
    lines += head(10, "The attacks on the new version, held against the one before", "llmops-tui attack")
    return [*lines, *attack_lines(wave.outcome, width=width)]


def wave_json(wave: Wave, changes: Any, exit_code: int) -> dict[str, Any]:
    from llmops_tui.report.attack_json import attack_json
    from llmops_tui.report.guards_json import curve_json, guards_json

    tuned = wave.tuned
    return {
        "firings": wave.firings,
        "passes": wave.passes,
        "guards": guards_json([wave.figures], (), wave.window),
        "attack": {"id": wave.attack, "file": wave.file, "trace_id": wave.missed.row.trace_id},
        "curve": curve_json(wave.curve),
        "tuned": {"file": tuned.file, "before": tuned.before, "after": tuned.after},
        "attacks": attack_json(wave.outcome, changes, exit_code),
    }
