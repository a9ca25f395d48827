"""The JSON Schema of an entry of `guardrails:`, for editors that complete and check."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.guardrails.kind import GuardrailKind
from llmops_tui.domain.guardrails.use import ACTIONS, STAGES

_STAGE = {"enum": list(STAGES)}
_COMMON: dict[str, Any] = {
    "name": {"type": "string", "description": "What figures go by; by default the kind."},
    "on": {
        "anyOf": [_STAGE, {"type": "array", "items": _STAGE, "minItems": 1}],
        "description": "Where it looks.",
    },
    "action": {"enum": list(ACTIONS), "description": "What becomes of what it fired on."},
    "threshold": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": "It fires from here on.",
    },
    "timeout_s": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds for one look."},
    "on_error": {"enum": ["open", "closed"], "description": "What happens when it fails itself."},
    "message": {"type": "string", "description": "What the user is told where it ends the request."},
    "judge": {"type": "string", "description": "A judge of llmops.yaml, for a method that asks one."},
}


def guardrail_entry_schema() -> dict[str, Any]:
    """`pii`, or `{injection: {on: [input, context]}}`. Other names are functions of guardrails.py."""
    kinds = {name: _kind(kind) for name, kind in GUARDRAILS.items()}
    return {
        "anyOf": [
            {"enum": list(GUARDRAILS)},
            {"type": "string", "description": "A function of guardrails.py."},
            {"type": "object", "properties": {**kinds, **_COMMON}, "minProperties": 1},
        ]
    }


def _kind(kind: GuardrailKind) -> dict[str, Any]:
    """What may stand behind its name: its options with the common keys, or the usual one's value alone."""
    made = kind.options.model_json_schema()
    options = made.get("properties", {})
    whole = {
        "type": "object",
        "properties": {**options, **_COMMON},
        "required": made.get("required", []),
        "additionalProperties": False,
    }
    ways = [whole]
    # A mapping is always one of options.
    usual = options.get(kind.shorthand, {})
    if usual and usual.get("type") != "object":
        ways.append({key: value for key, value in usual.items() if key not in ("default", "title")})
    return {"anyOf": ways, "description": kind.summary}
