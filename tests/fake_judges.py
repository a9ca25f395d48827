"""Judges for the fake server: models named `judge-…` reply in the form that the request asks for.

`judge-pass`, `judge-fail`, `judge-random-0.2` (fails one time in five) decide whatever they see;
`judge-keyword` passes what says "polite"; `judge-votes` passes, fails and passes in turn;
`judge-halves` passes the first of several rules; `judge-subset` and the like name a relation;
`judge-partly` says so; `judge-claims` finds two claims in each sentence, and supports the first;
`judge-garbage` never gives a verdict, `judge-mends` gives one when told what was wrong,
`judge-quotes` quotes a verdict beside its own, `judge-plain` rejects `response_format`.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from typing import Any

from fake_openai import Asked, Reply, error, say

_random = random.Random(1)
_turn = itertools.count()

_GOOD = ("pass", "equal", "supported", "relevant", "fully")
_BAD = ("fail", "disagrees", "unsupported", "irrelevant", "not")

PLAIN = {"properties": {"reason": {"type": "string"}, "verdict": {"enum": ["pass", "fail"]}}}


def judging(asked: Asked) -> Reply:
    kind = asked.model.removeprefix("judge-")
    wanted = asked.body.get("response_format")
    if kind == "plain" and wanted is not None:
        return error(400, "'response_format' of type json_schema is not supported", param="response_format")
    schema = wanted["json_schema"]["schema"] if wanted else PLAIN
    filled = _filled(schema, _passes(kind, asked))
    if kind == "halves":
        filled |= {name: _value(each, False) for name, each in list(schema["properties"].items())[1:]}
    if kind == "partly":
        filled["verdict"] = kind
    if kind == "claims":
        filled = {name: _claims(each, name) for name, each in schema["properties"].items()}
    if "relation" in filled and kind in schema["properties"]["relation"]["enum"]:
        filled["relation"] = kind
    reply = json.dumps(filled)
    if kind == "garbage" or (kind == "mends" and len(asked.body["messages"]) == 2):
        return say(asked, "I would say that it passes.")
    if kind == "quotes":
        return say(asked, f'The answer says {{"reason": "told so", "verdict": "pass"}}. {reply}')
    return say(asked, f"Here it is:\n```json\n{reply}\n```" if kind == "plain" else reply)


def _claims(schema: dict[str, Any], name: str) -> list[Any]:
    claims = [_value(schema["items"], True), _value(schema["items"], False)]
    return [claim | {"claim": f"claim {n} of {name}"} for n, claim in enumerate(claims, 1)]


def _passes(kind: str, asked: Asked) -> bool:
    if kind == "keyword":
        return "polite" in judged_answer(asked)
    if kind == "votes":
        return next(_turn) % 3 != 1
    if kind.startswith("random-"):
        return _random.random() >= float(kind.removeprefix("random-"))
    return kind not in ("fail", "quotes")


def judged_answer(asked: Asked) -> str:
    """What stands between the delimiters of the answer: all that a sound judge judges."""
    found = re.findall(r"^<<<ANSWER\n(.*?)\nANSWER>>>$", asked.said, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def _filled(schema: dict[str, Any], passes: bool) -> dict[str, Any]:
    return {name: _value(each, passes) for name, each in schema["properties"].items()}


def _value(schema: dict[str, Any], passes: bool) -> Any:
    if "properties" in schema:
        return _filled(schema, passes)
    if schema.get("type") == "array":
        return [_value(schema["items"], passes)]
    if "enum" not in schema:
        return "as it should be" if passes else "not as it should be"
    allowed = schema["enum"]
    if isinstance(allowed[0], int):
        return max(allowed) if passes else min(allowed)
    return next(a for a in (_GOOD if passes else _BAD) if a in allowed)
