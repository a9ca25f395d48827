"""`docs/guardrails-reference.md`, made from the catalogue of guardrails; a test says that it is current.

`python -m llmops_tui.report.guardrail_docs > docs/guardrails-reference.md` makes it anew.
"""

from __future__ import annotations

import json
import sys

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.guardrails.kind import (
    FUNCTION_TIMEOUT_S,
    JUDGE_TIMEOUT_S,
    GuardrailExample,
    GuardrailKind,
)
from llmops_tui.report.catalogue_cells import cell, code_cell, first_sentence, on_one_line, shown_default

_INTRO = f"""\
# Guardrails: reference

<!-- Made from the catalogue in llmops_tui/domain/guardrails/catalogue.py. Change it there. -->

What each built-in guardrail fires on, and its options. How they are put into a configuration and what follows
when one fires is on the page of [guardrails](guardrails.md).

## Of all guardrails

| key | default | |
| --- | --- | --- |
| `name` | the kind | What figures and attacks go by; once in a configuration. |
| `on` | see below | A stage, or a list: `input`, `context`, `tool_call`, `tool_result`, `output`. |
| `action` | see below | `block`, `redact`, `flag` or `fallback`. |
| `threshold` | see below | The score, above 0 and up to 1, from which it fires. |
| `timeout_s` | see below | Seconds for one look; of a judge {JUDGE_TIMEOUT_S:g}, of a function \
{FUNCTION_TIMEOUT_S:g}. |
| `on_error` | `closed`; with `flag` `open` | What happens when it fails itself. |
| `message` | a standard sentence | What the user is told where it ends the request; `fallback` needs one. |
| `judge` | `default` | A judge of `judges` in llmops.yaml, for `method: judge` or `both`. |

| action | at `input` and `output` | at `context` | at `tool_call` and `tool_result` |
| --- | --- | --- | --- |
| `block` | the request ends with `message`, as refused | the chunk is left out | not made, or not handed \
on; the model is told so |
| `redact` | what was found is replaced by its label | the same | the same; a call whose arguments would \
be no JSON any more is not made |
| `flag` | it goes on, and is seen | the same | the same |
| `fallback` | the request ends with `message` as its answer | the same | the same |

A guardrail **fails** when it takes longer than `timeout_s`, raises, or can't do its work on a text.
`on_error: open` lets the text pass, and the look says how it failed. `closed` treats it as fired; `redact`
and `flag`, which then have nothing to go by, block. What is longer than some million characters no guardrail
looks at: each fails on it.
"""


def guardrails_markdown() -> str:
    """The whole page."""
    parts = [_INTRO, _overview()]
    return "\n".join([*parts, *map(_section, GUARDRAILS.values())])


def _overview() -> str:
    head = ["## Built in\n", "| guardrail | fires on | looks at | does |", "| --- | --- | --- | --- |"]
    rows = [
        f"| [`{kind.name}`](#{kind.name}) | {cell(first_sentence(kind.summary))} "
        f"| {', '.join(kind.on)} | {kind.action} |"
        for kind in GUARDRAILS.values()
    ]
    return "\n".join([*head, *rows]) + "\n"


def _section(kind: GuardrailKind) -> str:
    lines = [f"### {kind.name}\n", kind.summary, ""]
    lines += [f"- Looks at {_listed(kind.on)}{_elsewhere(kind)}. Does `{kind.action}`."]
    lines += [f"- Score: {kind.values}; fires from {kind.threshold:g}, within {kind.timeout_s:g} s."]
    if kind.shorthand:
        lines += [f"- `{{{kind.name}: …}}` sets `{kind.shorthand}`."]
    fields = kind.options.model_fields
    if fields:
        lines += ["", "| option | default | |", "| --- | --- | --- |"]
        lines += [
            f"| `{name}` | {shown_default(field)} | {cell(field.description or '')} |"
            for name, field in fields.items()
        ]
    if kind.examples:
        lines += ["", "| entry | text | fires | left by `redact` |", "| --- | --- | --- | --- |"]
        lines += map(_row, kind.examples)
    return "\n".join(lines) + "\n"


def _listed(stages: tuple[str, ...]) -> str:
    return ", ".join(f"`{stage}`" for stage in stages)


def _elsewhere(kind: GuardrailKind) -> str:
    others = tuple(stage for stage in kind.may if stage not in kind.on)
    return f"; may look at {_listed(others)} too" if others else ""


def _row(example: GuardrailExample) -> str:
    text = _text(example.text)
    if example.context:
        text += " from " + ", ".join(map(_text, example.context))
    left = "" if example.redacted is None else _text(example.redacted)
    return (
        f"| {code_cell(on_one_line(example.entry))} | {text} | {'yes' if example.fires else 'no'} | {left} |"
    )


def _text(text: str) -> str:
    return code_cell(json.dumps(text, ensure_ascii=False))


if __name__ == "__main__":
    sys.stdout.write(guardrails_markdown())
