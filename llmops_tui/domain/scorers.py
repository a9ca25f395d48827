"""The catalogue of built-in scorers: names, options, revisions, examples.

The catalogue is data, so that the workspace can say "unknown option" without importing what
scores; `llmops_tui.scorers` holds the functions, one small file a family, and a test says that
the two agree. Raise `revision` when a scorer's judgement changes: its scores are then new.
"""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import scorer_options as options_of
from llmops_tui.domain.scorer_kind import Example, ScorerKind
from llmops_tui.domain.scorer_options import Options
from llmops_tui.domain.scorers_of_guardrails import GUARDRAIL_SCORERS
from llmops_tui.domain.scorers_of_retrieval import RAG_SCORERS
from llmops_tui.domain.scorers_of_sources import SOURCE_SCORERS
from llmops_tui.domain.scorers_of_tools import TOOL_SCORERS

SCORERS: dict[str, ScorerKind] = {}


def _add(name: str, options: type[Options], summary: str, *examples: Example, **more: Any) -> None:
    SCORERS[name] = ScorerKind(name=name, options=options, summary=summary, examples=examples, **more)


# -- text

_add(
    "equals",
    options_of.Equals,
    "The output is the reference, white space around it aside. A reference that is an object or a list is "
    "compared as JSON, a number or `true` as it is written in JSON.",
    Example("equals", "Refund\n", 1.0, True, expected="Refund"),
    Example({"equals": {"value": "refund", "case_sensitive": False}}, "Refund", 1.0, True),
    Example({"equals": "refund"}, "Refund", 0.0, False),
    reference="value",
)
_add(
    "contains",
    options_of.OneText,
    "The text is in the output.",
    Example({"contains": "30 days"}, "You have 30 days.", 1.0, True),
    Example({"contains": {"value": "VAT", "case_sensitive": False}}, "Our vat number is 12.", 1.0, True),
    Example("contains", "You have a month.", 0.0, False, expected="30 days"),
    reference="value",
)
_add(
    "contains_any",
    options_of.SeveralTexts,
    "At least one of the texts is in the output.",
    Example({"contains_any": ["30 days", "one month"]}, "You have one month.", 1.0, True),
    reference="value",
)
_add(
    "contains_all",
    options_of.SeveralTexts,
    "All of the texts are in the output.",
    Example({"contains_all": ["30 days", "receipt"]}, "30 days, with the receipt.", 1.0, True),
    Example({"contains_all": ["30 days", "receipt"]}, "You have 30 days.", 0.5, False),
    Example(
        {"contains_all": {"value": ["30 days", "receipt"], "threshold": 0.5}}, "You have 30 days.", 0.5, True
    ),
    reference="value",
    values="the share of the texts that are there",
)
_add(
    "not_contains",
    options_of.Unwanted,
    "The text, or each of several, is not in the output.",
    Example({"not_contains": "I think"}, "You have 30 days.", 1.0, True),
    Example({"not_contains": ["I think", "maybe"]}, "You have maybe 30 days.", 0.0, False),
)
_add(
    "starts_with",
    options_of.OneText,
    "The output starts with the text, white space before it aside.",
    Example({"starts_with": "Yes"}, "Yes, within 30 days.", 1.0, True),
    reference="value",
)
_add(
    "regex",
    options_of.Regex,
    "The pattern matches somewhere in the output. Matching has a time limit of one second: a pattern that "
    "takes longer is an error.",
    Example({"regex": r"\b\d+ days\b"}, "You have 30 days.", 1.0, True),
    Example({"regex": {"value": "yes|no", "whole": True, "case_sensitive": False}}, "Yes", 1.0, True),
)

# -- length

_add(
    "max_words",
    options_of.Limit,
    "The output has at most that many words. Words are what white space separates; for scripts without "
    "spaces use `max_chars`.",
    Example({"max_words": 60}, "You have 30 days.", 1.0, True),
    Example({"max_words": 3}, "You have 30 days.", 0.0, False),
)
_add(
    "min_words",
    options_of.Limit,
    "The output has at least that many words, counted as `max_words` does.",
    Example({"min_words": 3}, "You have 30 days.", 1.0, True),
)
_add(
    "max_chars",
    options_of.Limit,
    "The output has at most that many characters: code points of its composed form (NFC), white "
    "space included.",
    Example({"max_chars": 280}, "You have 30 days.", 1.0, True),
)

# -- JSON

_add(
    "is_json",
    options_of.Json,
    "The output is JSON (RFC 8259: no `NaN`, no comments), nothing before or after it.",
    Example("is_json", '{"days": 30}', 1.0, True),
    Example("is_json", '```json\n{"days": 30}\n```', 0.0, False),
    Example({"is_json": {"fences": True}}, 'Here it is:\n```json\n{"days": 30}\n```', 1.0, True),
    shorthand=None,
)
_add(
    "json_schema",
    options_of.JsonSchema,
    "The output is JSON and fits the schema. `format` is not checked; a `$ref` may point into the "
    "schema only, "
    "nothing is ever fetched.",
    Example({"json_schema": {"value": {"type": "object", "required": ["days"]}}}, '{"days": 30}', 1.0, True),
    Example(
        {"json_schema": {"value": {"properties": {"days": {"type": "integer"}}}}},
        '{"days": "30"}',
        0.0,
        False,
    ),
)
_add(
    "json_field",
    options_of.JsonField,
    "One field of the JSON output has the wanted value. `1` and `1.0` are equal, `1` and `true` or "
    '`"1"` are not.',
    Example({"json_field": {"path": "refund.days", "equals": 30}}, '{"refund": {"days": 30}}', 1.0, True),
    Example({"json_field": "tags[0]"}, '{"tags": ["refund"]}', 1.0, True, expected="refund"),
    reference="equals",
    shorthand="path",
)

# -- numbers

_add(
    "number",
    options_of.Number,
    "The number is in the output. Digits may be grouped (`1,234`, `1'234`, `1_234`, or with "
    "no-break spaces); "
    "currency and percent signs are passed over; numbers in words are not understood.",
    Example({"number": 1234.5}, "That makes $1,234.50 in all.", 1.0, True),
    Example({"number": {"tolerance": 0.5}}, "About 30 days.", 1.0, True, expected=30.4),
    Example({"number": {"value": 30, "pick": "last"}}, "Not 30 but 14 days.", 0.0, False),
    Example({"number": {"value": 1234.5, "decimal": ","}}, "Das macht 1.234,50 €.", 1.0, True),
    reference="value",
)

# -- nearness to a reference

_add(
    "similarity",
    options_of.Similarity,
    "How much of the characters of output and reference are shared, in order (normalised Indel "
    "similarity, by "
    "rapidfuzz), white space around them aside.",
    Example({"similarity": "You have 30 days."}, "You have 31 days.", 1 - 2 / 34, True),
    Example("similarity", "No.", 0.0, False, expected="kitten"),
    reference="value",
    passes_from=0.8,
    values="from 0 (nothing shared) to 1 (equal)",
)
_add(
    "token_f1",
    options_of.WordOverlap,
    "Which words output and reference share, in any order: the harmonic mean of precision and "
    "recall, as in SQuAD "
    "(Rajpurkar et al., 2016), but articles count. Words have no punctuation.",
    Example({"token_f1": "30 days from delivery"}, "Within 30 days from delivery.", 8 / 9, True),
    reference="value",
    passes_from=0.5,
    values="from 0 to 1",
)
_add(
    "rouge_l",
    options_of.WordOverlap,
    "Which words output and reference share in the same order: F1 over their longest common "
    "subsequence of words, "
    "ROUGE-L of Lin, 2004, with β = 1.",
    Example({"rouge_l": "30 days from delivery"}, "From delivery you have 30 days.", 0.4, False),
    reference="value",
    passes_from=0.5,
    values="from 0 to 1",
)

# -- what it took

_add(
    "max_latency",
    options_of.Seconds,
    "The output took at most that many seconds, as measured when it was made: an output from the "
    "cache keeps its "
    "latency.",
    Example({"max_latency": 2}, "You have 30 days.", 1.0, True, latency_s=1.3),
    Example({"max_latency": 2}, "You have 30 days.", 0.0, False, latency_s=2.6),
)
_add(
    "max_cost",
    options_of.Usd,
    "The output cost at most that much. Where the price is not known the scorer says nothing: that "
    "is neither a "
    "pass nor a failure.",
    Example({"max_cost": 0.002}, "You have 30 days.", 1.0, True, cost_usd=0.0004),
    Example({"max_cost": 0.002}, "You have 30 days.", None, None),
    values="1, 0, or none where the cost is not known",
)

# -- refusals

_add(
    "refusal",
    options_of.Refusal,
    "The model refuses (or, with `false`, answers). A refusal is what the provider calls one, an answer that "
    "its content filter ended, or one that begins with a usual phrase (\"I'm sorry, but I can't "
    'help with\u2026") or '
    "has one of `phrases` within its first 300 characters.",
    Example("refusal", "I'm sorry, but I can't help with that.", 1.0, True),
    Example({"refusal": False}, "You have 30 days.", 1.0, True),
    Example({"refusal": {"phrases": ["not in the documents"]}}, "That is not in the documents.", 1.0, True),
)

# -- a model that judges

_add(
    "judge",
    options_of.Rubric,
    "A model judges the answer by a rule in words, and says why. With several `votes` the majority decides, "
    "and a tie is not a pass; of grades the mean counts. Grades pass by a `threshold` only, which is a grade "
    "too; without one, whether they pass is not said.",
    shorthand="rubric",
    values="1 or 0; of a scale, 0 for its lowest grade to 1 for its highest",
    entries=(
        {"judge": "Is the answer polite, and does it name a next step?"},
        {"judge": {"rubric_file": "rubrics/tone.md", "model": "gateway/gpt-x-2026-01-01"}},
        {"judge": {"rubric": "Does it answer what was asked?", "scale": "1-5", "threshold": 4, "votes": 3}},
    ),
)
_add(
    "criteria",
    options_of.SeveralRules,
    "A model judges the answer by several rules, each by itself, in one reply. It passes when it meets all "
    "of them (or `threshold` says from which share on). With several `votes` the majority decides for each "
    "rule.",
    shorthand="criteria",
    values="the weighted share of the rules that are met",
    entries=(
        {"criteria": ["polite", "answers in one language"]},
        {
            "criteria": {
                "criteria": [
                    "polite",
                    {"name": "grounded", "rubric": "states only facts of the context", "weight": 2},
                ],
                "threshold": 0.6,
            }
        },
    ),
)
_add(
    "factuality",
    options_of.Facts,
    "A model says how the facts of the answer relate to those of the reference: `equal`, `wording` (differs "
    "in nothing that matters), `superset` (all of them and more), `subset` (a part of them), or `disagrees`. "
    "Style does not count. Of several `votes` the relation named most often counts; of equally many, the "
    "worst.",
    reference="value",
    passes_from=0.8,
    values="that of the relation: 1 for `equal` and `wording`, 0.8 for `superset`, 0.5 for `subset`, 0 for "
    "`disagrees`, unless `values` says else",
    entries=(
        "factuality",
        {"factuality": "Refunds are possible within 30 days."},
        {"factuality": {"values": {"subset": 0.8}, "votes": 3}},
    ),
)

# -- tools, and answers from what was retrieved

SCORERS |= {kind.name: kind for kind in (*TOOL_SCORERS, *GUARDRAIL_SCORERS, *SOURCE_SCORERS, *RAG_SCORERS)}
