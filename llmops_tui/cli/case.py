"""`case`: a live request as a case of an eval set."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmops_tui.cli.live_options import found_request, open_live, trace_of
from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, open_engine
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.safe_text import clean, clean_line

if TYPE_CHECKING:
    from llmops_tui.domain.live.listing import LiveRequest
    from llmops_tui.domain.playground import NewCase
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.live_cases import Alike, Kept
    from llmops_tui.store.live import LiveStore


@click.command()
@click.argument("trace_id")
@click.option("--expected", metavar="TEXT", help="What should have been answered.")
@click.option(
    *("--scorer", "scorers"),
    multiple=True,
    metavar="SCORER",
    help="Who judges it, as in an eval file: contains, or '{contains: 30 days}'; repeatable.",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag beside `live`; repeatable.")
@click.option(
    "--var", "given", multiple=True, metavar="NAME=VALUE", help="An input that the trace doesn't have."
)
@click.option("--file", "file", metavar="FILE", help="The eval file; by default evals/live.yaml.")
@click.option("--id", "id_", metavar="ID", help="Its id; by default made of its words.")
@click.option("--force", is_flag=True, help="Don't ask, though there are cases that ask nearly the same.")
@shared_options()
@click.pass_obj
def case(
    shell: Shell,
    trace_id: str,
    expected: str | None,
    scorers: tuple[str, ...],
    tags: tuple[str, ...],
    given: tuple[str, ...],
    file: str | None,
    id_: str | None,
    force: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Make a case of a live request, with the answer that it should have had.

    Its inputs, what was retrieved and the wrong answer are written into an eval file, with the trace that it
    came from. Cases that ask nearly the same are shown first. A file that the configuration doesn't read yet
    is named in it. Asks no model; the next run and gate know the case.
    """
    from llmops_tui.engine import live_cases

    # What is empty would be in every answer.
    if expected is not None and not clean(expected).strip():
        expected = None
    if expected is None and not scorers:
        raise UsageError(
            Problem("a case needs something to be held against", "give --expected TEXT, or --scorer")
        )
    parsed = tuple(scorer_of(text) for text in scorers)
    engine = open_engine(workspace, writing=True)
    try:
        with open_live(workspace, writing=True) as store:
            listed = found_request(store, trace_id)
            name = live_cases.config_of(engine, listed.request, config)
            chosen = live_cases.eval_file_of(engine.root, file or live_cases.LIVE_FILE)
            new = live_cases.case_of_request(
                engine,
                name,
                listed.request,
                trace_of(store, listed),
                expected=expected,
                scorers=parsed,
                tags=tags,
                id_=id_,
                given=_given(given),
            )
            new = live_cases.with_scorers(engine, new, chosen)
            near = live_cases.alike(new, engine.configuration(name).cases)
            if not _agreed(shell, engine, name, new, near, chosen, force=force):
                return 1
            kept = live_cases.keep(engine, name, new, chosen)
            _note(shell, store, listed, kept)
            _tell(shell, name, new, near, kept)
    finally:
        engine.close()
    return 0


def scorer_of(text: str) -> Any:
    """A scorer as it would be read from an eval file."""
    from llmops_tui.workspace.yaml_document import Document, YamlError

    try:
        value = Document(text).value
    except YamlError:
        value = None
    if not isinstance(value, str | dict) or not value:
        raise UsageError(
            Problem(f"'{text}' is no scorer", "write its name, or '{contains: 30 days}' as in an eval file")
        )
    return value


def _given(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, is_there, value = text.partition("=")
        if not is_there:
            raise click.UsageError(f"--var takes NAME=VALUE, and got '{text}'")
        pairs[name] = value
    return pairs


def _agreed(
    shell: Shell, engine: Engine, config: str, new: NewCase, near: list[Alike], file: str, *, force: bool
) -> bool:
    """Show what is alike, and ask; without a terminal, near-duplicates are a reason to stop.

    Raises:
        UsageError: nobody can be asked.
    """
    from llmops_tui.engine.live_cases import needs_naming

    if force:
        return True
    for each in near:
        place = f"{each.file}:{each.line}" if each.line else each.file
        shell.say(f"{each.likeness:.0f} % alike: {each.case_id} ({place}): {clean_line(each.text)[:200]}")
    naming = needs_naming(engine.configuration(config), file)
    if not near and not naming:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        if not near:
            return True
        message = f"{len(near)} case{'s ask' if len(near) > 1 else ' asks'} nearly the same"
        raise UsageError(Problem(message, "add it nevertheless with --force"))
    also = f", and name that file in configs/{config}.yaml" if naming else ""
    return click.confirm(f"Write '{new.id}' into {file}{also}?", default=not near, err=True)


def _note(shell: Shell, store: LiveStore, listed: LiveRequest, kept: Kept) -> None:
    """The request was looked at. The case is written: that this can't be noted is a warning."""
    from llmops_tui.domain.errors import StoreError

    try:
        store.looked.mark(listed.request.trace_id, time.time(), f"case {kept.id}")
    except StoreError as error:
        shell.say(f"warning: {error}")


def _tell(shell: Shell, config: str, new: NewCase, near: list[Alike], kept: Kept) -> None:
    if shell.as_json:
        shell.print_json(
            {
                "case": {**new.entry(), "id": kept.id},
                "config": config,
                "file": kept.file,
                "added_to": kept.added_to or None,
                "alike": [
                    {"id": a.case_id, "file": a.file, "line": a.line, "likeness": a.likeness} for a in near
                ],
            }
        )
        return
    shell.print(f"{kept.id} is a case of {kept.file} now")
    if kept.added_to:
        shell.print(f"{kept.file} was added to the evals of {kept.added_to}")
    shell.say(f"hold what is on disk against it with: llmops-tui run --config {config}")
    if kept.added_to:
        shell.say(f"then commit {kept.file} and {kept.added_to}")
