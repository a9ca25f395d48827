"""What commands that only look need: the version on disk recorded, and both sides judged alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llmops_tui.cli.shell import Shell
from llmops_tui.domain.errors import LlmopsError, Problem, StoreError, UsageError
from llmops_tui.domain.safe_text import clean

if TYPE_CHECKING:
    from llmops_tui.domain.run import VersionInfo
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.queries import Compared


def record_disk(shell: Shell, engine: Engine, config: str) -> None:
    """Note the version that is on disk, so that `latest` is it. Broken files are warned about."""
    try:
        engine.version(engine.configuration(config))
    except StoreError:
        pass  # a read-only folder: what is recorded can still be looked at
    except LlmopsError as error:
        for problem in error.problems:
            shell.say(f"warning: {clean(str(problem))}")


async def comparable(shell: Shell, engine: Engine, config: str, a: str | None, b: str | None) -> Compared:
    """Two versions compared, after the scores of both were brought up to the cases on disk.

    Asks no model.

    Raises:
        UsageError: a version is not there, or was never evaluated.
    """
    record_disk(shell, engine, config)
    comparison, _ = engine.queries.compare(config, a, b)
    sides = (comparison.baseline, comparison.candidate)
    for side in sides:
        if not side.rows:
            name = side.version.name
            raise UsageError(Problem(f"{name} was never evaluated", _remedy(engine, config, name)))

    await judge_alike(shell, engine, [side.version for side in sides])
    return engine.queries.compare(config, a, b)


async def judge_alike(shell: Shell, engine: Engine, versions: Iterable[VersionInfo]) -> None:
    """Bring the scores of versions up to the cases on disk; warns where they can't be. Asks no model."""
    try:
        for version in versions:
            await engine.rescore(version)
    except LlmopsError as error:
        shell.say(f"warning: the scores could not be brought up to date: {clean(str(error))}")


def _remedy(engine: Engine, config: str, name: str) -> str:
    if engine.queries.resolve(config, "latest").name == name:
        return f"evaluate it with: llmops-tui run --config {config}"
    return "only the version on disk can be evaluated: bring it back with git first"
