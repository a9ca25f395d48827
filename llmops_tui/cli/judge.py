"""`judge`: how far models that judge agree with people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, choose_config, with_engine

if TYPE_CHECKING:
    from llmops_tui.engine.alignment import Alignment
    from llmops_tui.engine.engine import Engine

#: Disagreements that are shown; all are in `--json`.
SHOWN = 20


@click.command()
@click.argument("action", type=click.Choice(["align"]), expose_value=False)
@click.option(
    "--scorer", metavar="LABEL", help="Only this judge: judge, or judge 3f2a for one version of it."
)
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Labels from a JSONL file in place of reviews: case, passed; model, output and note if you like.",
)
@click.option(
    "--version", default="latest", metavar="VERSION", help="Whose answers labels without output mean."
)
@shared_options()
@click.pass_obj
def judge(
    shell: Shell,
    scorer: str | None,
    labels: Path | None,
    version: str,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Hold models that judge against people.

    align: how far each judge agrees with what people accepted and rejected in reviews, beyond chance (Cohen's
    kappa), and the answers on which they differ. Asks no model.
    """

    async def body(engine: Engine) -> int:
        from llmops_tui.domain.errors import Problem, UsageError
        from llmops_tui.engine.alignment import align, alignment_json, labels_of, read_labels

        name = choose_config(engine, config)
        if labels is not None:
            known = read_labels(labels)
        else:
            from llmops_tui.workspace import reviews

            known = labels_of(reviews.read(engine.root), name)
        if not known:
            remedy = "accept or reject changed cases in the app, or give --labels FILE"
            raise UsageError(Problem(f"nobody has judged an answer of {name} yet", remedy))
        found = align(engine.store, name, known, scorer=scorer, version=version)
        if not found:
            remedy = "evaluate with a judge among the scorers, so that it scores them: llmops-tui run"
            raise UsageError(Problem("no judge scored any of the answers that have a label", remedy))
        if shell.as_json:
            answer = {"config": name, "labels": len(known), "judges": [alignment_json(a) for a in found]}
            shell.print_json(answer)
        else:
            shell.print("\n\n".join(alignment_text(a) for a in found))
        return 0

    return with_engine(workspace, body, writing=False)


def alignment_text(alignment: Alignment) -> str:
    """One judge: the figures, the table, the disagreements."""
    from llmops_tui.domain.format import plural
    from llmops_tui.domain.safe_text import clean_line
    from llmops_tui.engine.alignment import FEW

    (both, person), (judge_, neither) = alignment.table
    lines = [alignment.scorer]
    if alignment.n == 0 or alignment.agreement is None:
        return f"{alignment.scorer}\n  no labelled answer has its verdict"
    kappa = "kappa is not defined: one of them only ever says one thing"
    if alignment.kappa is not None:
        kappa = f"kappa {alignment.kappa:.2f}"
        if alignment.low is not None and alignment.high is not None:
            kappa += f" ({alignment.low:.2f} to {alignment.high:.2f})"
    lines.append(f"  agrees on {both + neither} of {alignment.n} ({100 * alignment.agreement:.0f}%), {kappa}")
    if alignment.is_few:
        lines.append(f"  that is few: from {FEW} labels on, such figures begin to say something")
    if alignment.unjudged:
        lines.append(f"  without its verdict: {plural(alignment.unjudged, 'labelled answer')}")
    lines += [
        "",
        "                  judge passes  judge fails",
        f"  person passes   {both:>12}  {person:>11}",
        f"  person fails    {judge_:>12}  {neither:>11}",
    ]
    if alignment.disagreements:
        lines += ["", "  They differ on:"]
    for each in alignment.disagreements[:SHOWN]:
        what = "passed, people fail it" if each.judge else "failed, people pass it"
        lines.append("  " + clean_line(f"{each.case_id} on {each.model}: {what}"))
        lines.append("    judge: " + clean_line(each.reason))
        if each.note:
            lines.append("    person: " + clean_line(each.note))
    if (rest := len(alignment.disagreements) - SHOWN) > 0:
        lines.append(f"  and {rest} more; --json has them all")
    return "\n".join(lines)
