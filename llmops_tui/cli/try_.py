"""`try`: variants of the configuration on disk, without touching a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of, warn, with_engine
from llmops_tui.cli.weights import fetch_weights
from llmops_tui.cli.working import INTERRUPTED, REFUSED, agreed, interruptible

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import Estimate, TryRequest
    from llmops_tui.engine.trying import Trying, TryOutcome

#: Some outputs could not be had.
INCOMPLETE = 3


@click.command("try")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PATH=VALUE",
    help="Another value for a key of the configuration, as YAML; may be given several times.",
)
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="PATH=V1,V2",
    help="Every one of these values in turn; given several times, every combination.",
)
@click.option(
    "--case", "ids", multiple=True, metavar="ID", help="Only this case; may be given several times."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only cases with this tag; likewise.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N of those.")
@click.option("--fresh", is_flag=True, help="Ask everything anew, side by side: latencies compare then.")
@click.option("--yes", "yes", is_flag=True, help="Go on even where it costs more than the budget.")
@click.option(
    "--trust", "trusting", is_flag=True, help="Allow the workspace's Python to run, as `trust` does."
)
@shared_options()
@click.pass_obj
def try_(
    shell: Shell,
    sets: tuple[str, ...],
    sweeps: tuple[str, ...],
    ids: tuple[str, ...],
    tags: tuple[str, ...],
    limit: int | None,
    fresh: bool,
    yes: bool,
    trusting: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Try other models, parameters or prompts without touching a file, and rank them.

    PATH is any key of the configuration: models, params.temperature, retrieval.top_k, prompt. What was
    answered before is not asked again. Ctrl-C keeps what is done. Exits with 3 where some outputs could not
    be had.

    \b
    llmops-tui try --set models=openai/gpt-x-2026-01-01
    llmops-tui try --sweep params.temperature=0,0.3,0.7 --sweep retrieval.top_k=1,3
    """
    from llmops_tui.engine.events import Subset, TryRequest

    if trusting:
        from llmops_tui.workspace import trust

        trust.trust(root_of(workspace))

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        name = engine.configuration(config).name
        warn(shell, engine.workspace)
        subset = Subset(ids, tags, limit)
        return await _try(shell, engine, TryRequest(name, sets, sweeps, subset, fresh=fresh, agreed=yes))

    return with_engine(workspace, body, writing=True, evaluating=True)


async def _try(shell: Shell, engine: Engine, request: TryRequest) -> int:
    import msgspec

    from llmops_tui.domain.safe_text import clean
    from llmops_tui.engine.events import AskFirst
    from llmops_tui.engine.trying import Trying

    trying = Trying(engine, request)
    for warning in trying.warnings:
        shell.say(f"warning: {clean(warning)}")
    shell.say(price_words(trying))
    if trying.objection is not None and not request.agreed:
        if not agreed(shell, AskFirst(request, trying.price, trying.objection)):
            return REFUSED
        trying = Trying(engine, msgspec.structs.replace(request, agreed=True))
    from llmops_tui.cli.progress import progress_of

    with interruptible(engine) as state, progress_of(shell) as on_event:
        tried = await trying.carry_out(on_event)
    return _tell(shell, tried, interrupted=state.on)


def price_words(trying: Trying) -> str:
    """`Try 6 variants and v1: 112 answers, 16 known before, 96 requests, about $0.12`."""
    price: Estimate = trying.price
    from llmops_tui.domain import format as fmt

    parts = [fmt.plural(price.cached + price.to_ask, "answer"), f"{fmt.count(price.cached)} known before"]
    if not price.requests:
        return f"{trying.what}: {', '.join(parts)}, nothing to ask"
    parts.append(f"at most {fmt.plural(price.requests, 'request')}")
    if price.cost_usd is None:
        parts.append("at a price that is not known")
    else:
        parts.append(f"about {fmt.money(price.cost_usd)}" if price.cost_usd else "free of charge")
    return f"{trying.what}: {', '.join(parts)}"


def _tell(shell: Shell, tried: TryOutcome, *, interrupted: bool) -> int:
    from llmops_tui.report.ranking_json import try_json
    from llmops_tui.report.ranking_text import ranking_lines
    from llmops_tui.report.text import print_lines

    if shell.as_json:
        shell.print_json(try_json(tried))
    else:
        print_lines(ranking_lines(tried), sys.stdout)
    if interrupted:
        shell.say("interrupted; what was done is kept, and the next try goes on from there")
        return INTERRUPTED
    if tried.cancelled:
        shell.say("error: the budget was reached; what was done is kept, and --yes goes on from there")
        return REFUSED
    return INCOMPLETE if any(row.standing.errors for row in tried.ranking.rows) else 0
