"""`bundle`: versions with their answers, in a file."""

from __future__ import annotations

from pathlib import Path

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, choose_config, open_engine
from llmops_tui.cli.stored import record_disk


@click.command()
@click.argument("action", type=click.Choice(["save", "load"]))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("versions", nargs=-1)
@shared_options()
@click.pass_obj
def bundle(
    shell: Shell,
    action: str,
    file: Path,
    versions: tuple[str, ...],
    workspace: Path | None,
    config: str | None,
) -> int:
    """Carry versions and their answers from one database to another.

    `save` writes versions with the newest run of each to FILE; VERSIONS are those of one configuration, and
    by default the baseline of every configuration is taken. `load` takes what is in FILE into this database:
    what is there stays, and loading twice changes nothing. Asks no model.

    Load only bundles of people you trust: that an answer is the model's own can't be checked.
    """
    from llmops_tui.domain.errors import Problem, UsageError

    if action == "save":
        return _save(shell, file, versions, workspace, config)
    if versions:
        raise UsageError(Problem("all of a bundle is loaded", "leave out the versions"))
    return _load(shell, file, workspace)


def _save(
    shell: Shell, file: Path, versions: tuple[str, ...], workspace: Path | None, config: str | None
) -> int:
    from llmops_tui.domain.errors import Problem, UsageError
    from llmops_tui.engine import bundles

    engine = open_engine(workspace, writing=False)
    try:
        store = engine.store
        if versions or config is not None:
            name = choose_config(engine, config)
            found = [engine.queries.resolve(name, v) for v in versions or ("baseline",)]
        else:
            found = [v for c in store.versions.configs() if (v := store.versions.baseline(c)) is not None]
        if not found:
            raise UsageError(
                Problem("there is no baseline to save", "evaluate a version, or promote one: llmops-tui run")
            )
        rows = bundles.save(store, [v.id for v in found], file)
    finally:
        engine.close()
    names = [f"{v.config} {v.name}" for v in found]
    if shell.as_json:
        shell.print_json({"file": str(file), "versions": names, "outputs": len(rows.outputs)})
    else:
        shell.print(f"{', '.join(names)} with {len(rows.outputs):,} outputs; written to {file}")
    return 0


def _load(shell: Shell, file: Path, workspace: Path | None) -> int:
    from llmops_tui.engine import bundles

    engine = open_engine(workspace, writing=True)
    try:
        taken = bundles.load(engine.store, file)
        for name in engine.workspace.configurations:
            record_disk(shell, engine, name)  # what is on disk stays the latest
    finally:
        engine.close()
    counts = {"versions": taken.versions, "runs": taken.runs, "outputs": taken.outputs, "calls": taken.calls}
    if shell.as_json:
        shell.print_json({"file": str(file), "new": counts})
    elif any(counts.values()):
        shell.print("new here: " + ", ".join(f"{n:,} {what}" for what, n in counts.items() if n))
    else:
        shell.print("nothing new: all of it is here already")
    return 0
