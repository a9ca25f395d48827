"""`gc`: drop what nothing needs any more."""

from __future__ import annotations

from pathlib import Path

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be dropped.")
@click.option(
    "--keep-runs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Keep the newest N runs of each configuration, instead of 20.",
)
@shared_options(config=False)
@click.pass_obj
def gc(shell: Shell, dry_run: bool, keep_runs: int | None, workspace: Path | None) -> int:
    """Drop stored outputs that no version and no review needs.

    Every version stays, with its newest complete run and that run's outputs: any two can still be compared.
    """
    from llmops_tui.domain import format as fmt
    from llmops_tui.engine.engine import DATABASE
    from llmops_tui.store import Store, Swept
    from llmops_tui.workspace import reviews

    root = root_of(workspace)
    database = root / DATABASE
    swept = Swept(0, 0, 0, 0, 0, dry_run)
    if database.exists():
        # A mistake in the file ends it here: what it decides about must not be dropped for that.
        decided = [h for d in reviews.read(root) for h in (*d.baseline, *d.candidate)]
        with Store.open(database) as store:
            kept = store.outputs.with_hashes(decided)
            if keep_runs is None:
                swept = store.gc(keep_outputs=kept, dry_run=dry_run)
            else:
                swept = store.gc(keep_runs=keep_runs, keep_outputs=kept, dry_run=dry_run)
    counts = {"runs": swept.runs, "outputs": swept.outputs, "calls": swept.calls, "texts": swept.texts}
    if shell.as_json:
        shell.print_json({"dry_run": dry_run, "dropped": counts, "freed_bytes": swept.freed_bytes})
        return 0
    dropped = ", ".join(fmt.plural(n, name[:-1]) for name, n in counts.items() if n)
    if not dropped:
        shell.print("nothing to drop")
    elif dry_run:
        shell.print(f"{dropped} would be dropped, some {fmt.size(swept.freed_bytes)}")
    else:
        shell.print(f"{dropped} dropped; {fmt.size(swept.freed_bytes)} freed")
    return 0
