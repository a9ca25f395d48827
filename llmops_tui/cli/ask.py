"""`ask`: a made-up input, answered by two versions; it may be kept as a case."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, warn, with_engine
from llmops_tui.cli.weights import fetch_weights
from llmops_tui.domain.errors import BudgetError, Problem, UsageError

if TYPE_CHECKING:
    from llmops_tui.domain.playground import NewCase, Variable
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import Event, PlaygroundSides
    from llmops_tui.engine.playground_events import Answered, PlaygroundRequest
    from llmops_tui.report.playground import Answer

#: Some answers could not be had; the budget says no.
INCOMPLETE = 3
REFUSED = 2
PIPE_WIDTH = 100


class Keeping:
    """How the input is to be kept; `id` None: it is not, empty: its id is made of its words."""

    def __init__(
        self, id_: str | None, file: str | None, tags: tuple[str, ...], expected: str | None, answer: bool
    ) -> None:
        self.id, self.file, self.tags, self.expected, self.answer = id_, file, tags, expected, answer
        if id_ is None and (file or tags or expected is not None or answer):
            raise click.UsageError("--file, --tag, --expected and --expected-answer go with --keep")
        if expected is not None and answer:
            raise click.UsageError("--expected and --expected-answer are two ways to say one thing")


@click.command()
@click.option(
    "--var", "given", multiple=True, metavar="NAME=VALUE", help="An input; may be given several times."
)
@click.option("--case", "case_id", metavar="ID", help="Begin with the inputs of this case.")
@click.option("--against", metavar="VERSION", help="The other version; by default the baseline.")
@click.option(
    "--again",
    "trial",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Ask for the N-th answer to these inputs; each is asked for once and kept.",
)
@click.option(
    "--keep",
    "keep_id",
    is_flag=False,
    flag_value="",
    metavar="[ID]",
    help="Write the input into an eval file, as a case; without ID one is made of its words.",
)
@click.option(
    "--file", "keep_file", metavar="FILE", help="With --keep: the eval file; by default the first one."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="With --keep: a tag; repeatable.")
@click.option("--expected", metavar="TEXT", help="With --keep: what is expected.")
@click.option(
    "--expected-answer", is_flag=True, help="With --keep: the answer of what is on disk is expected."
)
@click.option("--yes", "agreed", is_flag=True, help="Ask even where it costs more than the budget.")
@shared_options()
@click.pass_obj
def ask(
    shell: Shell,
    given: tuple[str, ...],
    case_id: str | None,
    against: str | None,
    trial: int,
    keep_id: str | None,
    keep_file: str | None,
    tags: tuple[str, ...],
    expected: str | None,
    expected_answer: bool,
    agreed: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Ask the baseline and what is on disk something, and see both answers.

    An input that --var does not give is read from stdin. Answers stream on a terminal. Nothing is
    recorded but the requests themselves, which are not asked twice; what they cost counts for the budget.
    Exits with 3 where an answer could not be had. Put --keep without ID before another option.
    """
    keeping = Keeping(keep_id, keep_file, tags, expected, expected_answer)

    async def body(engine: Engine) -> int:
        from llmops_tui.engine.playground import Playground
        from llmops_tui.engine.playground_events import PlaygroundRequest

        await fetch_weights(shell, engine)
        name = engine.configuration(config).name
        warn(shell, engine.workspace)
        engine.queries.sync_baseline(name)
        sides = Playground(engine).sides(name, against)
        values = _values(shell, engine, name, sides.variables, given, case_id)
        new = _new_case(engine, name, values, keeping)
        request = PlaygroundRequest(name, values, 0, against, trial - 1, agreed)
        return await _ask(shell, engine, request, sides, new, keeping)

    return with_engine(workspace, body, writing=True, evaluating=True)


def _values(
    shell: Shell,
    engine: Engine,
    config: str,
    variables: tuple[Variable, ...],
    given: tuple[str, ...],
    case_id: str | None,
) -> dict[str, Any]:
    """The inputs: of the case, over them those of `--var`, and what is lacking from stdin."""
    from llmops_tui.domain.errors import did_you_mean
    from llmops_tui.domain.playground import lacking, values_of

    texts: dict[str, str] = {}
    names = {v.name for v in variables}
    for entry in given:
        name, is_there, text = entry.partition("=")
        if not is_there:
            raise click.UsageError(f"--var takes NAME=VALUE, and got '{entry}'")
        if name not in names:
            raise UsageError(Problem(f"the prompt reads no '{name}'", did_you_mean(name, names)))
        texts[name] = text
    values: dict[str, Any] = {}
    if case_id is not None:
        cases = {case.id: case for case in engine.configuration(config).cases}
        if case_id not in cases:
            raise UsageError(Problem(f"there is no case '{case_id}'", did_you_mean(case_id, set(cases))))
        values = dict(cases[case_id].vars)
    values |= values_of(variables, texts)
    missing = lacking(variables, values)
    if len(missing) == 1:
        if sys.stdin.isatty():
            shell.say(f"{missing[0]}: type it, then ctrl-d on a line of its own")
        values |= values_of(variables, {missing[0]: sys.stdin.read().removesuffix("\n")})
        missing = lacking(variables, values)
    if missing:
        example = " ".join(f"--var {name}=…" for name in missing)
        raise UsageError(Problem(f"the prompt reads {', '.join(missing)}", f"give {example}"))
    return values


def _new_case(engine: Engine, config: str, values: dict[str, Any], keeping: Keeping) -> NewCase | None:
    """The case to be kept, looked at before anything is asked: money must not go before a refusal."""
    from llmops_tui.domain.playground import NewCase, checked, suggested_id

    if keeping.id is None:
        return None
    cases = engine.configuration(config).cases
    id_ = keeping.id or suggested_id(values, [case.id for case in cases])
    return checked(NewCase(id_, values, keeping.expected, keeping.tags), cases)


async def _ask(
    shell: Shell,
    engine: Engine,
    request: PlaygroundRequest,
    sides: PlaygroundSides,
    new: NewCase | None,
    keeping: Keeping,
) -> int:
    import msgspec

    from llmops_tui.engine.events import AskFirst
    from llmops_tui.engine.playground import Playground, keep

    teller = Teller(streams=sys.stdout.isatty() and not shell.as_json)
    result = await Playground(engine).ask(request, teller)
    if isinstance(result, AskFirst):
        if shell.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise BudgetError(Problem(result.why, "raise the budget, or agree with --yes"))
        if not click.confirm(f"{result.why}.\nAsk all the same?", err=True):
            return REFUSED
        result = await Playground(engine).ask(msgspec.structs.replace(request, agreed=True), teller)
        assert not isinstance(result, AskFirst)
    answers = teller.answers()
    kept = None
    if new is not None:
        last = next((a for a in answers if a.side == "candidate"), None)
        if keeping.answer:
            if last is None or last.output is None:
                raise UsageError(Problem("what is on disk gave no answer to be expected", "keep it without"))
            new = msgspec.structs.replace(new, expected=last.output.text)
        kept = keep(engine, request.config, new, keeping.file)
    _tell(shell, request, sides, teller, result, kept)
    return INCOMPLETE if any(a.output is None for a in answers) else 0


def _tell(
    shell: Shell,
    request: PlaygroundRequest,
    sides: PlaygroundSides,
    teller: Teller,
    result: Answered,
    kept: tuple[str, str] | None,
) -> None:
    from llmops_tui.domain import format as fmt
    from llmops_tui.domain.safe_text import clean_line
    from llmops_tui.report.playground import ask_json, difference_lines
    from llmops_tui.report.text import print_lines

    answers = teller.answers()
    if shell.as_json:
        shell.print_json(
            ask_json(
                request.config,
                (sides.left, sides.right),
                request.vars,
                answers,
                case_id=result.case_id,
                said=result.said,
                calls=result.calls,
                cost_usd=result.cost_usd,
                kept=kept,
            )
        )
        return
    teller.print_rest()
    width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if sys.stdout.isatty() else PIPE_WIDTH
    for left, right in teller.pairs():
        print_lines(difference_lines(left, right, max(width, 60)), sys.stdout)
    for sentence in result.said:
        shell.say(clean_line(sentence))
    if result.case_id:
        shell.say(clean_line(f"the case {result.case_id} asks just this; its scorers judged"))
    cost = fmt.money(result.cost_usd) if result.cost_usd is not None else "at a price that is not known"
    shell.say(f"{fmt.plural(result.calls, 'request')}, {cost}" if result.calls else "nothing was asked")
    if kept is not None:
        shell.print(clean_line(f"kept as case {kept[0]} in {kept[1]}"))


class Teller:
    """Prints answers in their order, the one whose turn it is while it comes.

    Args:
        streams: print what has come so far; else all at the end.
    """

    def __init__(self, *, streams: bool) -> None:
        self._streams = streams
        self._now: dict[tuple[int, int], Any] = {}
        self._printed: dict[tuple[int, int], str] = {}
        self._finished: set[tuple[int, int]] = set()

    def __call__(self, event: Event) -> None:
        from llmops_tui.engine.playground_events import Answering

        if not isinstance(event, Answering):
            return
        self._now[event.column, event.side] = event
        if self._streams:
            self._print_on()

    def print_rest(self) -> None:
        self._print_on()

    def answers(self) -> list[Answer]:
        return [_answer(self._now[place]) for place in sorted(self._now)]

    def pairs(self) -> list[tuple[Answer, Answer]]:
        columns = sorted({column for column, _ in self._now})
        both = [(self._now.get((n, 0)), self._now.get((n, 1))) for n in columns]
        return [(_answer(a), _answer(b)) for a, b in both if a is not None and b is not None]

    def _print_on(self) -> None:
        from llmops_tui.report.playground import fact_lines, head_line
        from llmops_tui.report.text import print_lines

        for place in sorted(self._now):
            event = self._now[place]
            if place in self._finished:
                continue
            if place not in self._printed:
                if not event.text and not event.done:
                    return
                if self._finished:
                    sys.stdout.write("\n")
                print_lines([head_line(_answer(event))], sys.stdout)
                self._printed[place] = ""
            self._print_text(place, event)
            if not event.done:
                return
            print_lines(fact_lines(_answer(event)), sys.stdout)
            self._finished.add(place)

    def _print_text(self, place: tuple[int, int], event: Any) -> None:
        """What has come since; where the text began anew, all of it on a new line."""
        from llmops_tui.domain.safe_text import clean
        from llmops_tui.report.diff_lines import output_text

        whole = output_text(_answer(event)) if event.output is not None else event.text
        # A last line end may turn out to be the end of the text.
        text = clean(whole) if event.done else clean(whole).rstrip("\n")
        before = self._printed[place]
        if not text.startswith(before):
            if not event.done:
                return
            sys.stdout.write("\n")
            before = ""
        sys.stdout.write(text[len(before) :])
        if event.done and text and not text.endswith("\n"):
            sys.stdout.write("\n")
        sys.stdout.flush()
        self._printed[place] = text


def _answer(event: Any) -> Answer:
    from llmops_tui.report.playground import Answer

    side = "candidate" if event.side else "baseline"
    return Answer(side, event.version, event.model, event.output, event.scores, event.failure, event.cached)
