"""`trace export`: traces of a version into a file, or to an endpoint that takes OTLP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmops_tui.cli.options import shared_options, version_option
from llmops_tui.cli.shell import Shell, choose_config, with_engine

if TYPE_CHECKING:
    from llmops_tui.domain.configuration import Otlp
    from llmops_tui.domain.run import VersionInfo
    from llmops_tui.domain.trace import Trace
    from llmops_tui.engine.engine import Engine

#: The endpoint took some spans and refused others.
INCOMPLETE = 3


@click.command("export")
@click.argument("cases", nargs=-1, metavar="[CASE]...")
@version_option("--version", "version", "The version; by default the newest.")
@click.option(
    "--file",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write them into this file: .json (OTLP/JSON), .jsonl (a request a line) or .pb (protobuf).",
)
@click.option(
    "--otlp",
    "endpoint",
    metavar="URL",
    help="Send them there; /v1/traces is added where it lacks. By default tracing.otlp of llmops.yaml.",
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME=VALUE",
    help="With --otlp: a header; ${KEY} is read from the environment or .env. Repeatable.",
)
@click.option("--project", metavar="NAME", help="The project in Phoenix; by default llmops-tui.")
@shared_options()
@click.pass_obj
def trace_export(
    shell: Shell,
    cases: tuple[str, ...],
    version: str | None,
    target: Path | None,
    endpoint: str | None,
    headers: tuple[str, ...],
    project: str | None,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Export the traces of a version's newest run, of all cases or of those named.

    To a file, or as OTLP over HTTP to Phoenix, Langfuse, LangSmith or any collector (docs/traces-export.md).
    What is sent twice is the same spans again: ids stay. Asks no model. Exits with 3 where the endpoint
    can't be had, or did not take all of it.
    """
    if target is not None and (endpoint is not None or headers):
        raise click.UsageError("--file and --otlp are two places: name one")
    if headers and endpoint is None:
        raise click.UsageError("--header goes with --otlp")
    given = dict(_header(entry) for entry in headers)

    async def body(engine: Engine) -> int:
        name = choose_config(engine, config)
        side = engine.queries.side(name, version or "latest")
        _check(engine, side, cases)
        if target is not None:
            return _write(shell, engine, side, cases, target, project)
        return _send(shell, engine, side, cases, _place(engine, endpoint, given, project))

    return with_engine(workspace, body, writing=False)


def _header(entry: str) -> tuple[str, str]:
    name, is_there, value = entry.partition("=")
    if not is_there or not name.strip():
        # Not shown: it may be a key.
        raise click.UsageError("--header takes NAME=VALUE")
    return name.strip(), value.strip()


def _check(engine: Engine, version: VersionInfo, cases: tuple[str, ...]) -> None:
    """Every case has a result: a misspelt one must not be left out in silence."""
    from llmops_tui.domain.errors import Problem, UsageError, did_you_mean

    snapshot = engine.store.runs.snapshot(version.id)
    known = {row.case_id for row in snapshot.rows} if snapshot is not None else set()
    if not known:
        raise UsageError(Problem(f"{version.name} was not evaluated", "evaluate it: llmops-tui run"))
    unknown = [case for case in cases if case not in known]
    if unknown:
        text = f"{version.name} was not evaluated on a case '{unknown[0]}'"
        raise UsageError(Problem(text, did_you_mean(unknown[0], known)))


def _place(engine: Engine, endpoint: str | None, headers: dict[str, str], project: str | None) -> Otlp:
    """Where to send: as said in the call, or as the settings have it; variables filled in."""
    import msgspec

    from llmops_tui.domain.configuration import Otlp
    from llmops_tui.domain.errors import Problem, UsageError
    from llmops_tui.workspace import otlp_target

    file = None
    if endpoint is not None:
        otlp = Otlp(endpoint, headers)
    elif engine.workspace.otlp is not None:
        otlp, file = engine.workspace.otlp, "llmops.yaml"
    else:
        raise UsageError(
            Problem(
                "no place to export to is given",
                "name one with --file FILE or --otlp URL, or write tracing.otlp.endpoint into llmops.yaml",
            )
        )
    if project is not None:
        otlp = msgspec.structs.replace(otlp, project=project)
    return otlp_target(Path(engine.workspace.root), otlp, file)


def _traces(engine: Engine, version: VersionInfo, cases: tuple[str, ...]) -> Iterable[Trace]:
    from llmops_tui.engine.traces import Traces

    return Traces(engine.store).all(version, cases)


def _send(shell: Shell, engine: Engine, version: VersionInfo, cases: tuple[str, ...], place: Otlp) -> int:
    from llmops_tui.tracing import Sender, counted

    sender = Sender(place.endpoint, place.headers, project=place.project)
    counting = _Counting(_traces(engine, version, cases))
    sent = sender.send(counting)
    about = {
        "endpoint": sender.place,
        "requests": sent.requests,
        "refused": sent.refused,
        "said": list(sent.said),
    }
    if shell.as_json:
        shell.print_json(_answer(version, counting.traces, sent.spans, about))
    else:
        what = f"{counted(counting.traces, 'trace')} of {version.config} {version.name}"
        shell.print(f"sent {what} ({counted(sent.spans, 'span')}) to {sender.place}")
        if sent.refused:
            said = f": {'; '.join(sent.said)}" if sent.said else ""
            shell.say(f"warning: {counted(sent.refused, 'span')} were not taken{said}")
    return INCOMPLETE if sent.refused else 0


def _write(
    shell: Shell,
    engine: Engine,
    version: VersionInfo,
    cases: tuple[str, ...],
    target: Path,
    project: str | None,
) -> int:
    from llmops_tui.domain.errors import Problem, UsageError
    from llmops_tui.tracing import FORMATS, counted

    ending = target.suffix.lower()
    if ending not in FORMATS:
        known = ", ".join(FORMATS)
        raise UsageError(
            Problem(f"'{target.name}' does not say what to write", f"its ending is one of {known}")
        )
    counting = _Counting(_traces(engine, version, cases))
    beside = target.with_name(f"{target.name}.part")
    try:
        with beside.open("wb") as file:
            for piece in _pieces(counting, ending, project):
                file.write(piece)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        text = f"the traces can't be written to {target}: {error.strerror}"
        raise UsageError(Problem(text, "name another file with --file")) from error
    if shell.as_json:
        shell.print_json(_answer(version, counting.traces, counting.spans, {"file": str(target)}))
    else:
        what = f"{counted(counting.traces, 'trace')} of {version.config} {version.name}"
        shell.print(f"written {what} ({counted(counting.spans, 'span')}) to {target}")
    return 0


def _pieces(traces: Iterable[Trace], ending: str, project: str | None) -> Iterator[bytes]:
    import json

    from llmops_tui.tracing import SERVICE, batches, encode, jsonable, request_of

    project = project or SERVICE
    match ending:
        case ".jsonl":
            for request in batches(traces, project=project):
                yield json.dumps(jsonable(request), ensure_ascii=False).encode() + b"\n"
        case ".json":
            made = jsonable(request_of(traces, project=project))
            yield json.dumps(made, ensure_ascii=False, indent=1).encode() + b"\n"
        case _:
            yield encode(request_of(traces, project=project))


class _Counting:
    """Traces as they go by, counted."""

    def __init__(self, traces: Iterable[Trace]) -> None:
        self._source = traces
        self.traces = 0
        self.spans = 0

    def __iter__(self) -> Iterator[Trace]:
        for trace in self._source:
            self.traces += 1
            self.spans += len(trace.spans)
            yield trace


def _answer(version: VersionInfo, traces: int, spans: int, rest: dict[str, Any]) -> dict[str, Any]:
    about = {"config": version.config, "version": version.name, "traces": traces, "spans": spans}
    return {**about, **rest}
