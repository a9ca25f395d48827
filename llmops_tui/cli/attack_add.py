"""`attack import` and `attack add`: a list of attacks, or a live request, as attacks of the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmops_tui.cli.case import scorer_of
from llmops_tui.cli.live_options import open_live
from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, open_engine, root_of
from llmops_tui.domain.attack import FAMILIES
from llmops_tui.domain.safe_text import clean_line

if TYPE_CHECKING:
    from llmops_tui.domain.attack import Family

_scorers = click.option(
    *("--scorer", "scorers"),
    multiple=True,
    metavar="SCORER",
    help="Who judges the answer, as in an attack file: '{not_contains: pay@lark}'; repeatable.",
)
_into = click.option(
    "--into", metavar="FILE", help="The attack file; by default the first one about the configuration."
)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--family", type=click.Choice(FAMILIES), help="What all of them are after.")
@_into
@_scorers
@shared_options()
@click.pass_obj
def import_(
    shell: Shell,
    file: Path,
    family: Family | None,
    into: str | None,
    scorers: tuple[str, ...],
    workspace: Path | None,
    config: str | None,
) -> int:
    """Add the attacks of a list to the workspace: plain text (one a line), CSV, JSON, JSONL or YAML.

    A text stands under attack, prompt, text, payload or goal, what it is after under family or category;
    where that is not said, its words tell. What is there already, but for case, white space and what can't
    be seen, is left out and counted. Comments in the attack file stay. Asks no model.
    """
    from llmops_tui.engine.attack_imports import import_attacks

    parsed = tuple(scorer_of(text) for text in scorers)
    engine = open_engine(workspace, writing=True)
    try:
        name = engine.configuration(config).name
        done = import_attacks(engine, name, file, family=family, into=into, scorers=parsed)
    finally:
        engine.close()
    if shell.as_json:
        shell.print_json(
            {
                "file": done.file,
                "added": list(done.ids),
                "duplicates": done.duplicates,
                "families": done.families,
            }
        )
        return 0
    from llmops_tui.domain import format as fmt

    kinds = ", ".join(f"{fmt.count(n)} {name}" for name, n in done.families.items())
    left_out = f"; {fmt.plural(done.duplicates, 'duplicate')} left out" if done.duplicates else ""
    shell.print(
        f"{fmt.plural(len(done.ids), 'attack')} added to {done.file}{f' ({kinds})' * bool(kinds)}{left_out}"
    )
    if done.ids and done.unjudged:
        shell.say(
            f"warning: nobody judges them: give them scorers in {done.file}, or import with --scorer "
            "'{not_contains: …}'"
        )
    return 0


@click.command("add")
@click.option("--trace", "trace_id", required=True, metavar="ID", help="Of the live request.")
@click.option("--guardrail", default="", metavar="NAME", help="The guardrail that missed it.")
@click.option("--family", type=click.Choice(FAMILIES), help="What it is after; by default its words tell.")
@click.option("--id", "id_", metavar="ID", help="Its id; by default made of its words.")
@_into
@_scorers
@shared_options(config=False)
@click.pass_obj
def add(
    shell: Shell,
    trace_id: str,
    guardrail: str,
    family: Family | None,
    id_: str | None,
    into: str | None,
    scorers: tuple[str, ...],
    workspace: Path | None,
) -> int:
    """Make an attack of a live request: what carried it, how it got in, and what the answer gave away.

    The text is what looks most like an attack of all that went in: what the user wrote, a retrieved
    document, or what a tool gave. Without --scorer the attack has succeeded where an answer has what this
    one took from it. Asks no model.
    """
    import msgspec

    from llmops_tui.engine.attack_drafts import draft_attack
    from llmops_tui.engine.attack_keeping import keep

    parsed = tuple(scorer_of(text) for text in scorers)
    with open_live(workspace) as store:
        draft = draft_attack(store, trace_id, guardrail)
    changes: dict[str, Any] = {}
    if family is not None:
        changes["family"] = family
    if id_ is not None:
        changes["id"] = id_
    if parsed:
        changes["scorers"] = parsed
    draft = msgspec.structs.replace(draft, **changes)
    kept, file = keep(root_of(workspace), draft, into)
    if shell.as_json:
        shell.print_json(
            {"id": kept, "file": file, "family": draft.family, "way": draft.way, "text": draft.text}
        )
        return 0
    shell.print(f"{kept} ({draft.family}, by {draft.way}) added to {file}: {clean_line(draft.text)[:200]}")
    return 0
