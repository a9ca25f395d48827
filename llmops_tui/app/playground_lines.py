"""The answers of the playground → lines: side by side while they come, compared once both are there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from llmops_tui.app import score_lines
from llmops_tui.app.lines import EMPTY, Line, Span, cut_line, line_width, pad_line, shown, shown_line, wrap
from llmops_tui.app.output_lines import Side, guard_span, layout
from llmops_tui.app.output_text import MAX_SHOWN, OutputDoc, TrialDiff, facts, guards, output_text
from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.prose_diff import Diff, diff
from llmops_tui.domain.score import combine
from llmops_tui.engine.events import Estimate, OutputDetail, PairDetail
from llmops_tui.engine.playground_events import Answered, Answering

Column = tuple[Answering | None, Answering | None]


def compared(columns: Sequence[Column]) -> dict[int, Diff]:
    """Column → the difference of its texts, where both are there. May take a while: not for the UI thread."""
    return {
        n: diff(_text(left), _text(right))
        for n, (left, right) in enumerate(columns)
        if left is not None and right is not None and left.output is not None and right.output is not None
    }


def lines(
    columns: Sequence[Column],
    diffs: Mapping[int, Diff],
    ended: Answered | None,
    width: int,
    *,
    split: bool,
) -> list[Line]:
    """Everything in the pane."""
    out: list[Line] = []
    for sentence in (*(ended.said if ended else ()), _about_case(ended)):
        if sentence:
            out += wrap(((as_sentence(sentence), "dim"),), width)
    if out:
        out.append(EMPTY)
    over = ended is not None
    for n, (left, right) in enumerate(columns):
        if n:
            out.append(EMPTY)
        if len(columns) > 1 or _models_differ(left, right):
            out.append(cut_line(((f"── {_models(left, right)} ", "dim"),), width))
        out += _column(left, right, diffs.get(n), width, split, over)
        out += _scores(left, right, width)
    if ended is not None and ended.cancelled and columns:
        out += [EMPTY, (("Cancelled. What had come is above; what had come whole is kept.", "warning"),)]
    return out


def as_sentence(clause: str) -> str:
    """A clause as a sentence of its own."""
    text = shown_line(clause)
    return f"{text[:1].upper()}{text[1:]}."


def title(columns: Sequence[Column], ended: Answered | None, asking: bool, price: Estimate | None) -> str:
    """How it stands, in a few words for the frame."""
    if asking:
        open_ = sum(a is not None and not a.done for pair in columns for a in pair)
        return f"Answers · {fmt.plural(open_, 'answer')} to come" if open_ else "Answers · asking"
    if ended is not None and not ended.problem and columns:
        there = [a for pair in columns for a in pair if a is not None]
        failed = sum(bool(a.failure) for a in there)
        if failed:
            return f"Answers · {failed} of {len(there)} could not be had"
        if ended.cancelled:
            return "Answers · cancelled"
        if not ended.calls:
            return "Answers · answered before, nothing asked"
        return f"Answers · {fmt.plural(ended.calls, 'request')} · {fmt.money(ended.cost_usd)}"
    return f"Answers · {price_words(price)}" if price is not None else "Answers"


def price_words(price: Estimate) -> str:
    """`2 requests, about $0.0004 ($0.12 spent today)`: what sending takes."""
    words = fmt.plural(price.requests, "request")
    if price.cost_usd is None:
        words += " at a price that is not known"
    elif price.cost_usd == 0:
        words += ", free of charge"
    else:
        words += f", about {fmt.money(price.cost_usd)}"
    return words + (f" ({fmt.money(price.spent_today_usd)} spent today)" if price.spent_today_usd else "")


def answer_facts(answer: Answering) -> str:
    """`1.3 s · first token after 200 ms · 42 tokens · $0.002`."""
    output = answer.output
    if output is None:
        return ""
    words = facts(output).split(" · ")
    if output.ttft_s is not None:
        words.insert(next((n for n, w in enumerate(words) if w[:1].isdigit()), 0) + 1, _first(output.ttft_s))
    return " · ".join([*words, *(["answered before"] if answer.cached else [])])


def _first(ttft_s: float) -> str:
    return f"first token {fmt.seconds(ttft_s)}"


def _text(answer: Answering) -> str:
    text = output_text(answer.output) if answer.output is not None else answer.text
    text = shown(text)
    if len(text) > MAX_SHOWN:
        return f"{text[:MAX_SHOWN]}\n… {fmt.count(len(text) - MAX_SHOWN)} more characters; y copies all"
    return text


def _about_case(ended: Answered | None) -> str:
    return f"the case {ended.case_id} asks just this: its scorers judge" if ended and ended.case_id else ""


def _models(left: Answering | None, right: Answering | None) -> str:
    names = dict.fromkeys(shown_line(a.model) for a in (left, right) if a is not None)
    return " → ".join(names)


def _models_differ(left: Answering | None, right: Answering | None) -> bool:
    return left is not None and right is not None and left.model != right.model


def _column(
    left: Answering | None, right: Answering | None, found: Diff | None, width: int, split: bool, over: bool
) -> list[Line]:
    both = left is not None and right is not None
    if not both or found is not None or not split or width < 60:
        return _one_below(left, right, found, width, split, over)
    assert left is not None
    assert right is not None
    half = (width - 3) // 2
    rest = width - 3 - half
    bar: Span = (" │ ", "rule")
    sides = zip_longest(_alone(left, half, over), _alone(right, rest, over), fillvalue=EMPTY)
    return [(*pad_line(a, half), bar, *cut_line(b, rest)) for a, b in sides]


def _one_below(
    left: Answering | None, right: Answering | None, found: Diff | None, width: int, split: bool, over: bool
) -> list[Line]:
    if found is None or left is None or right is None:
        return [line for a in (left, right) if a is not None for line in _alone(a, width, over)]
    trial = TrialDiff(
        *("", found, _text(left), _text(right), answer_facts(left), answer_facts(right)),
        left_guards=guards(left.output),
        right_guards=guards(right.output),
    )
    doc = OutputDoc((), (trial,), 0)
    return list(layout(doc, _side(left), _side(right), width, split=split).lines)


def _side(answer: Answering) -> Side:
    verdict = combine(answer.scores) if answer.scores else None
    if verdict is None or verdict.score is None:
        return Side(answer.version)
    word = {"passed": "pass", "failed": "fail"}.get(verdict.status, verdict.status)
    style = {"passed": "improved", "failed": "regressed"}.get(verdict.status, "dim")
    return Side(answer.version, f"{fmt.score(verdict.score)} {word}", style)


def _alone(answer: Answering, width: int, over: bool) -> list[Line]:
    """One answer: how it stands, and its text. `over`: no more of it comes."""
    side = _side(answer)
    head: list[Span] = [(answer.version, "bold")]
    if side.result:
        head.append((f"  {side.result}", side.style))
    words = answer_facts(answer).split(" · ") if answer.output is not None else []
    if not answer.done:
        words = ["cancelled" if over else "answering …" if answer.text else "asked …"]
    while words and line_width(head) + 2 + len(" · ".join(words)) > width:
        words.pop()
    if words:
        head.append(("  " + " · ".join(words), "dim"))
    out = [cut_line(head, width)]
    if said := guards(answer.output):
        out.append(cut_line([guard_span(said)], width))
    if answer.waiting:
        out += wrap(((shown_line(answer.waiting), "warning"),), width)
    if answer.failure:
        out += wrap(((f"✗ {shown_line(answer.failure)}", "error"),), width, 2)
    text = _text(answer)
    if text:
        out += [row for line in text.split("\n") for row in wrap(((line, ""),), width)]
    elif answer.output is not None:
        out.append((("(empty)", "dim"),))
    return out


def _scores(left: Answering | None, right: Answering | None, width: int) -> list[Line]:
    there = [a for a in (left, right) if a is not None]
    if not any(a.scores for a in there) or not all(a.done for a in there):
        return []
    sides = [
        (OutputDetail(a.output, a.scores),) if a is not None and a.output is not None else ()
        for a in (left, right)
    ]
    pair = Pair("", "", "same", None, None, None, None, None)
    names = (left.version if left else "", right.version if right else "")
    detail = PairDetail(pair, *sides)
    return [EMPTY, *score_lines.lines(detail, names, width, alone=left is None)]
