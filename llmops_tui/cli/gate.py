"""`gate`: is the candidate worse than the baseline? For a person, a hook or CI, by its exit code."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from llmops_tui.cli.options import shared_options, version_argument, version_option
from llmops_tui.cli.shell import Shell, root_of, warn, with_engine
from llmops_tui.cli.weights import fetch_weights
from llmops_tui.cli.working import INTERRUPTED, REFUSED, carry_out
from llmops_tui.domain.errors import LlmopsError, Problem, UsageError

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import GateRequest
    from llmops_tui.engine.gating import GateOutcome
    from llmops_tui.report.shapes import Places

#: Exit codes of several gates, the worst first: it is the command's.
WORST = (INTERRUPTED, 1, REFUSED, 3, 4, 0)
#: Width of a line where the output is no terminal.
PIPE_WIDTH = 100


class Held(msgspec.Struct, frozen=True):
    """What came of the gate of one configuration: its outcome, or why there is none."""

    config: str
    exit_code: int
    outcome: GateOutcome | None = None
    problems: tuple[Problem, ...] = ()


def _file(name: str, help_: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    kind: click.Path = click.Path(dir_okay=False, path_type=Path)
    return click.option(name, type=kind, metavar="FILE", help=help_)


@click.command()
@version_argument("candidate", required=False)
@version_option("--against", "baseline", "The version to hold it against; by default the promoted baseline.")
@click.option("--fresh", is_flag=True, help="Ask both sides anew, side by side: what CI should use.")
@click.option(
    "--adjudicate",
    is_flag=True,
    help="Where the verdict is inconclusive, ask more trials of every case, in planned looks.",
)
@click.option("--yes", "agreed", is_flag=True, help="Ask even where it costs more than the budget.")
@click.option(
    "--trust", "trusting", is_flag=True, help="Allow the workspace's Python to run, as `trust` does."
)
@_file("--junit", "Write the verdict as JUnit XML, which every CI shows.")
@_file("--markdown", "Write the verdict as markdown.")
@shared_options()
@click.pass_obj
def gate(
    shell: Shell,
    candidate: str | None,
    baseline: str | None,
    fresh: bool,
    adjudicate: bool,
    agreed: bool,
    trusting: bool,
    junit: Path | None,
    markdown: Path | None,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Tell whether a version is worse than the baseline: pass, fail or inconclusive.

    CANDIDATE is by default what is on disk. What either side lacks is asked; nothing else is. Exits with 0
    for pass, 1 for fail, 2 where workspace, call or budget say no, 3 where more answers than max_errors
    could not be had, and 4 for inconclusive. Without --config all configurations are gated, and the
    worst exit code is the command's.
    """
    from llmops_tui.engine.events import GateRequest

    for target in (junit, markdown):
        _check_target(target)
    if trusting:
        from llmops_tui.workspace import trust

        trust.trust(root_of(workspace))

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        names = _chosen(engine, config)
        if len(names) > 1 and (candidate or baseline):
            raise UsageError(
                Problem(
                    "versions are those of one configuration, and there are several",
                    f"name one with --config: {', '.join(names)}",
                )
            )
        warn(shell, engine.workspace)
        held: list[Held] = []
        for name in names:
            request = GateRequest(name, candidate, baseline, fresh, adjudicate, agreed=agreed)
            held.append(await _hold(shell, engine, request, alone=len(names) == 1))
            _tell(shell, engine, held[-1])
            if held[-1].exit_code == INTERRUPTED:
                break
        return _conclude(shell, engine, held, junit, markdown)

    return with_engine(workspace, body, writing=True, evaluating=True)


def _chosen(engine: Engine, config: str | None) -> list[str]:
    """The configurations to gate: the one named, else all. A mistake in any file is the answer then."""
    known = engine.workspace.configurations
    if config is not None or engine.workspace.errors or len(known) < 2:
        return [engine.configuration(config).name]
    return sorted(known)


async def _hold(shell: Shell, engine: Engine, request: GateRequest, *, alone: bool) -> Held:
    """Hold one gate. Among several, one that can't be held keeps the others from nothing."""
    from llmops_tui.engine.events import AskFirst

    try:
        outcome, interrupted = await carry_out(shell, engine, request)
    except LlmopsError as error:
        if alone:
            raise
        return Held(request.config, error.exit_code, problems=error.problems)
    if isinstance(outcome, AskFirst):
        return Held(request.config, REFUSED, problems=(Problem(outcome.why, "nothing was asked"),))
    code = outcome.result.exit_code
    if outcome.cancelled or interrupted:
        code = REFUSED if outcome.over_budget and not interrupted else INTERRUPTED
    return Held(request.config, code, outcome)


def _tell(shell: Shell, engine: Engine, held: Held) -> None:
    """Print one gate as text; what only the person at the terminal needs goes to stderr."""
    from llmops_tui.domain.safe_text import clean

    outcome = held.outcome
    if outcome is None:
        for problem in held.problems:
            shell.say(f"error: {held.config}: {clean(str(problem))}")
        return
    if not shell.as_json:
        from llmops_tui.report.gate_text import gate_lines
        from llmops_tui.report.text import EMPTY, print_lines

        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if terminal else PIPE_WIDTH
        changes = engine.queries.changes(outcome.baseline, outcome.candidate)
        print_lines([*gate_lines(outcome, changes, width=max(width, 60)), EMPTY], sys.stdout)
    if held.exit_code == INTERRUPTED:
        shell.say("interrupted; what was answered is kept, and the next gate goes on from there")
    elif outcome.over_budget:
        shell.say(
            "error: the gate has cost what the budget in llmops.yaml allows, and was stopped; "
            "what was answered is kept"
        )


def _conclude(
    shell: Shell, engine: Engine, held: Sequence[Held], junit: Path | None, markdown: Path | None
) -> int:
    """Write what was asked for, tell GitHub, and give the exit code."""
    code = min((h.exit_code for h in held), key=WORST.index)
    if code != INTERRUPTED:
        _write_reports(engine, held, junit, markdown)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        _tell_github(shell, engine, held)
    if shell.as_json:
        shell.print_json(_json(engine, held, code))
    return code


def _json(engine: Engine, held: Sequence[Held], code: int) -> dict[str, object]:
    from llmops_tui.report.gate_json import gate_json, refused_json

    gates = []
    for each in held:
        if each.outcome is None:
            gates.append(refused_json(each.config, each.problems, each.exit_code))
        else:
            changes = engine.queries.changes(each.outcome.baseline, each.outcome.candidate)
            gates.append(gate_json(each.outcome, changes, each.exit_code))
    if len(gates) == 1:
        return gates[0]
    worst = next(g for g in gates if g["exit_code"] == code)
    return {"verdict": worst["verdict"], "exit_code": code, "gates": gates}


# -- files


def _check_target(target: Path | None) -> None:
    """A report that can't be written is said before anything is asked."""
    if target is not None and not target.resolve().parent.is_dir():
        raise UsageError(Problem(f"there is no folder {target.parent}", f"make it, or write {target.name}"))


def _write_reports(engine: Engine, held: Sequence[Held], junit: Path | None, markdown: Path | None) -> None:
    outcomes = [h.outcome for h in held if h.outcome is not None]
    if junit is not None:
        from llmops_tui.report.junit import junit_xml

        gates = [(o, _places(engine, o)) for o in outcomes]
        _write(junit, junit_xml(gates, at=time.time()), "--junit")
    if markdown is not None:
        from llmops_tui.engine.export import gate_report

        _write(markdown, "".join(gate_report(engine, o) for o in outcomes).encode(), "--markdown")


def _write(target: Path, data: bytes, option: str) -> None:
    try:
        target.write_bytes(data)
    except OSError as error:
        raise UsageError(
            Problem(f"{target} can't be written: {error.strerror}", f"name another file with {option}")
        ) from error


def _places(engine: Engine, outcome: GateOutcome) -> Places:
    configuration = engine.workspace.configurations.get(outcome.candidate.config)
    cases = configuration.cases if configuration is not None else ()
    return {case.id: (case.file, case.line) for case in cases}


# -- GitHub Actions


def _tell_github(shell: Shell, engine: Engine, held: Sequence[Held]) -> None:
    """Annotations on stderr (the runner reads it too, and stdout stays the answer), and the job's summary."""
    from llmops_tui.report.github import annotation_lines, command

    path_of = _path_at_top(engine.root)
    for each in held:
        lines = [command("error", f"{each.config}: {problem}", {}) for problem in each.problems]
        if each.outcome is not None:
            places = _places(engine, each.outcome)
            lines = annotation_lines(each.outcome, places, path_of, each.exit_code)
        sys.stderr.write("".join(line + "\n" for line in lines))
    sys.stderr.flush()
    if target := os.environ.get("GITHUB_STEP_SUMMARY"):
        _summarise(shell, engine, held, Path(target))


def _summarise(shell: Shell, engine: Engine, held: Sequence[Held], target: Path) -> None:
    from llmops_tui.engine.export import with_slices
    from llmops_tui.report.github import SUMMARY_BYTES, summary

    gates = [with_slices(engine, h.outcome) for h in held if h.outcome is not None]
    try:
        there = target.stat().st_size if target.exists() else 0
        with target.open("ab") as file:
            file.write(summary(gates, room=SUMMARY_BYTES - there).encode())
    except OSError as error:
        shell.say(f"warning: the job's summary can't be written: {error.strerror}")


def _path_at_top(root: Path) -> Callable[[str], str]:
    """What a file of the workspace is called in the repository that the job checked out."""
    top, prefix = os.environ.get("GITHUB_WORKSPACE"), Path()
    if top and root.resolve().is_relative_to(Path(top).resolve()):
        prefix = root.resolve().relative_to(Path(top).resolve())
    return lambda file: (prefix / file).as_posix()
