"""Writing a report of a comparison to a file."""

from __future__ import annotations

from pathlib import Path

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.engine.engine import Engine


def report_text(engine: Engine, config: str, a: str | None, b: str | None) -> str:
    """The markdown report of two versions.

    Raises:
        UsageError: a version is not there.
    """
    from llmops_tui.report.markdown import markdown

    comparison, changes = engine.queries.compare(config, a, b)
    texts = engine.queries.texts(comparison.baseline.version, comparison.candidate.version)
    drift = engine.queries.drift(comparison)
    return markdown(comparison, changes, texts, engine.queries.detail, drift=drift)


def write_report(engine: Engine, config: str, a: str | None, b: str | None, target: Path | None) -> Path:
    """Write the report; by default `report-<config>-v1-v2.md` in the workspace.

    Raises:
        UsageError: a version is not there, or the file can't be written.
    """
    text = report_text(engine, config, a, b)
    if target is None:
        comparison, _ = engine.queries.compare(config, a, b)
        names = f"{comparison.baseline.version.name}-{comparison.candidate.version.name}"
        target = engine.root / f"report-{config}-{names}.md"
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            Problem(f"the report can't be written to {target}: {error.strerror}", "name another file with -o")
        ) from error
    return target
