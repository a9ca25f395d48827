"""`docs/scorers.md`, made from the catalogue of scorers; a test says that it is current.

`python -m llmops_tui.report.scorer_docs > docs/scorers.md` makes it anew.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from llmops_tui.domain.scorer_kind import Example, ScorerKind
from llmops_tui.domain.scorers import SCORERS
from llmops_tui.report.catalogue_cells import cell, code_cell, first_sentence, on_one_line, shown_default

_INTRO = """\
# Scorers

<!-- Made from the catalogue in llmops_tui/domain/scorers.py. Change it there. -->

A scorer judges an output. It gives a **value** from 0 to 1, says whether that **passes**, and why. A case's
score is the weighted mean of its values; the case passes when every scorer passed.

```yaml
cases:
  - id: refund-window
    vars: {question: How many days do I have to ask for a refund?}
    expected: 30 days
    scorers:
      - contains                                          # no option: held against `expected`
      - {max_words: 60}                                   # one option, the usual one
      - {contains: {value: delivery, case_sensitive: false}}
      - {similarity: {value: You have 30 days., threshold: 0.7, weight: 2}}
```

Every scorer takes two options besides its own:

- `weight` (1): its share in the case's score, above 0.
- `threshold`: it passes from this value on. Without it, as said below for each: mostly only 1 passes.

What holds for all of them:

- `expected` by itself judges nothing: it is the reference of scorers that have none of their own. A case
  whose scorer finds neither is a mistake that `llmops-tui check` reports.
- Texts are compared in their composed form (Unicode NFC), line ends as LF, no-break spaces as spaces. Upper
  and lower case differ unless `case_sensitive: false`, which folds them as Unicode says (`ß` is `SS`).
- An output that can't be judged is an **error** with its reason, never a zero. Where there is nothing to say
  (a cost that is not known) the scorer is **unscored**.
- Changing a scorer, its options, weight or threshold, or `expected`, asks no model: the stored outputs are
  judged anew. Only scorers that ask a model themselves (`judge`, `criteria`, `factuality`, and the four of
  [retrieved context](judges.md#answers-from-retrieved-context) unless they say `method: words`) ask it again,
  where what it is told has changed: see [Judges](judges.md).
"""

_PYTHON = """\
## Your own, in Python

A function in `scorers.py` of the workspace is a scorer of that name. It asks for what it needs by name:
`output` (the text), `expected`, `vars`, `tags`, `case_id`, `context` (texts of the retrieved chunks),
`tool_calls`, `latency_s`, `cost_usd`, `guardrails` (names of those that fired), and its own options. It runs
in the worker process with a time limit, once the workspace is trusted (`llmops-tui trust`).

```python
# scorers.py
def polite(output, expected, words=("please", "thank")):
    found = [word for word in words if word in output.lower()]
    reason = f"says {', '.join(found)}" if found else "says none of them"
    return {"value": len(found) / len(words), "passed": bool(found), "reason": reason}
```

```yaml
scorers: [polite, {polite: {words: [welcome], weight: 0.5}}]
```

It may return

| returned | means |
| --- | --- |
| `True`, `False` | 1 and passed, 0 and failed |
| a number from 0 to 1 | the value; it passes by the entry's `threshold`, and without one that is not said |
| `None` | unscored: nothing to say about this output |
| `(value, reason)` | one of the above, and why |
| `{"value": …, "passed": …, "reason": …}` | each may be left out (`score` is `value` too); \
a `threshold` of the entry outdoes `passed` |

Anything else, a number outside 0 to 1, and whatever it raises is an error with its line.
"""


def scorers_markdown() -> str:
    """The whole page."""
    parts = [_INTRO, _overview(), "## Built in\n"]
    parts += [_section(kind) for kind in SCORERS.values()]
    return "\n".join([*parts, _PYTHON])


def _overview() -> str:
    rows = [f"| [`{k.name}`](#{k.name}) | {first_sentence(k.summary)} |" for k in SCORERS.values()]
    return "\n".join(["| scorer | judges |", "| --- | --- |", *rows]) + "\n"


def _section(kind: ScorerKind) -> str:
    lines = [f"### {kind.name}\n", kind.summary, ""]
    passes = "only 1 passes" if kind.passes_from == 1.0 else f"{kind.passes_from:g} and more pass"
    lines.append(f"Value: {kind.values}; {passes}, unless `threshold` says else.")
    if kind.shorthand:
        lines.append(f"`{{{kind.name}: …}}` sets `{kind.shorthand}`.")
    fields = kind.options.model_fields
    if fields:
        lines += ["", "| option | default | |", "| --- | --- | --- |"]
        lines += [
            f"| `{n}` | {shown_default(field)} | {cell(field.description or '')} |"
            for n, field in fields.items()
        ]
    if kind.examples:
        lines += ["", "| entry | `expected` | output | gives |", "| --- | --- | --- | --- |"]
        lines += [_row(example) for example in kind.examples]
    if kind.entries:
        lines += [
            "",
            "| entry |",
            "| --- |",
            *(f"| {code_cell(on_one_line(entry))} |" for entry in kind.entries),
        ]
    return "\n".join(lines) + "\n"


def _row(example: Example) -> str:
    if example.value is None:
        gives = "unscored"
    else:
        gives = f"{example.value:.3g}, {'passed' if example.passed else 'failed'}"
    output = code_cell(json.dumps(example.output, ensure_ascii=False))
    if example.latency_s:
        output += f" in {example.latency_s:g} s"
    if example.cost_usd is not None:
        output += f" for ${example.cost_usd:g}"
    if example.tools:
        output += " having called " + ", ".join(code_cell(_called(*call)) for call in example.tools)
    if example.calls:
        output += f" after {example.calls} model calls"
    if example.fired:
        output += f" after {', '.join(map(code_cell, example.fired))} fired"
    if example.retrieved:
        output += " from " + ", ".join(
            code_cell(json.dumps(t, ensure_ascii=False)) for t in example.retrieved
        )
    expected = "" if example.expected is None else code_cell(on_one_line(example.expected))
    if example.expected_sources:
        expected = f"sources {code_cell(on_one_line(list(example.expected_sources)))}"
        output = f"retrieved {code_cell(on_one_line(list(example.found)))}"
    return f"| {code_cell(on_one_line(example.entry))} | {expected} | {output} | {gives} |"


def _called(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({json.dumps(arguments, ensure_ascii=False)})"


if __name__ == "__main__":
    sys.stdout.write(scorers_markdown())
