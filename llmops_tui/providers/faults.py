"""What went wrong at a provider, as a sentence with a remedy: one reading for all clients."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec

from llmops_tui.domain.call import Failure

#: Longest quotation of a provider's words.
MAX_SAID = 300
RETRIED = frozenset({408, 409, 425, 429})

_CONTEXT = re.compile(
    r"context.{0,12}(length|size|window)|maximum context|too many (input )?tokens|prompt is too long"
    r"|exceeds? the (maximum|model).{0,30}tokens|input length.{0,40}exceed",
    re.I,
)
_FILTERED = re.compile(r"content_filter|content_policy|ResponsibleAI|content management policy", re.I)
_REJECTED = re.compile(
    r"unsupported|not support|does not support|unrecogni[sz]ed|unknown|not permitted|not allowed|unexpected"
    r"|deprecated|invalid|must be|only the default|cannot be|extra",
    re.I,
)
_NO_MODEL = re.compile(
    r"model.{0,80}(not found|does not exist|not exist|not a valid|unknown|no access|not have access)"
    r"|(no such|unknown|invalid) model|not a valid model",
    re.I,
)
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|credit balance|billing", re.I)


class Said(msgspec.Struct, frozen=True):
    """What an error body says; empty where it does not."""

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""


class Asked(msgspec.Struct, frozen=True):
    """What was asked, as far as a sentence about its failure needs it.

    Attributes:
        params: names of the parameters that were sent.
        local: the model runs on this machine.
    """

    provider: str
    model: str
    params: Collection[str] = ()
    local: bool = False


class Fault(msgspec.Struct, frozen=True):
    """A failure, and what to do with it.

    Attributes:
        retry: asking again may help.
        filtered: the provider declined the content: a refusal, which is an answer.
    """

    failure: Failure
    retry: bool = False
    filtered: bool = False


def clean(text: str, limit: int = MAX_SAID) -> str:
    """A provider's words on one line: no markup, no control characters, cut to `limit`."""
    if "<html" in text[:2000].lower():
        title = re.search(r"<title[^>]*>(.*?)</title>", text[:20_000], re.I | re.S)
        text = title.group(1) if title else re.sub(r"<[^>]*>", " ", text[:20_000])
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: limit * 20]).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def read_error(body: bytes) -> Said:
    """The error in a response body: OpenAI's form, those of the look-alikes, or plain text."""
    try:
        return said_in(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return Said(clean(body.decode("utf-8", "replace")))


def said_in(value: Any) -> Said:
    """The error in a decoded body or in an `error` field."""
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and "msg" in value[0]:
            return Said(clean("; ".join(_located(v) for v in value if isinstance(v, dict))))
        return said_in(value[0]) if value else Said()
    if not isinstance(value, dict):
        return Said(clean(str(value))) if value is not None else Said()
    for key in ("error", "errors", "detail"):
        if value.get(key):
            inner = said_in(value[key])
            code = inner.code or _word(value.get("code"))
            return msgspec.structs.replace(inner, code=code, message=inner.message or _text(value))
    return Said(
        message=clean(_text(value)),
        code=_word(value.get("code") or value.get("status")),
        type=_word(value.get("type")),
        param=_word(value.get("param")),
    )


def _located(entry: dict[str, Any]) -> str:
    """One entry of a FastAPI validation error."""
    place = ".".join(str(p) for p in entry.get("loc") or () if p != "body")
    return f"{place}: {entry['msg']}" if place else str(entry["msg"])


def _text(value: dict[str, Any]) -> str:
    for key in ("message", "msg", "error_description", "title", "reason"):
        if isinstance(value.get(key), str):
            return str(value[key])
    return ""


def _word(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def hide_key(said: Said, key: str | None) -> Said:
    """Providers quote the key that they don't know."""
    if not key or key not in said.message:
        return said
    return msgspec.structs.replace(said, message=said.message.replace(key, "[key]"))


def status_of(said: Said) -> int:
    """The status that an error within a 200 stands for; one worth a retry where it names none."""
    if said.code.isdigit() and 400 <= int(said.code) <= 599:
        return int(said.code)
    words = f"{said.code} {said.type}".lower()
    for sign, status in (
        ("rate_limit", 429),
        ("overloaded", 503),
        ("auth", 401),
        ("permission", 403),
        ("not_found", 404),
        ("context_length", 400),
        ("context_size", 400),
        ("invalid_request", 400),
        ("content_filter", 400),
    ):
        if sign in words:
            return status
    return 500


def fault_of(asked: Asked, status: int, said: Said) -> Fault:
    """What a response with an error status means.

    Args:
        status: HTTP status, or `status_of` an error that came with a 200.
    """
    name = asked.provider
    quoted = f"{name} answered {status}: {said.message}" if said.message else f"{name} answered {status}"
    about = f"{said.code} {said.type} {said.message}"

    def fault(kind: str, remedy: str, message: str = quoted, retry: bool = False) -> Fault:
        return Fault(Failure(kind, message, remedy, name), retry)

    if status == 402 or (status in (403, 429) and _QUOTA.search(about)):
        return fault("rate_limit", f"the account of {name} has no credit left: see its plan and billing")
    if status in (401, 403) and not _FILTERED.search(about):
        return fault(
            "auth",
            f"look at the key of {name}: providers.{name}.api_key in llmops.yaml, and the variable it names",
        )
    if status == 429:
        return fault("rate_limit", f"lower providers.{name}.concurrency in llmops.yaml", retry=True)
    if status in RETRIED or status >= 500:
        return fault("unavailable", "the fault is on their side: ask again later", retry=True)
    if 300 <= status < 400:
        return fault("refused_request", f"set providers.{name}.base_url in llmops.yaml to where it now is")
    if _FILTERED.search(about):
        return Fault(Failure("refused_request", quoted, "", name), filtered=True)
    if status == 413 or _CONTEXT.search(about) or "context" in said.type or "context" in said.code:
        return fault("context_length", _context_remedy(asked))
    if (param := rejected_param(asked, said)) is not None:
        message = f"{name} rejects the parameter '{param}' for {asked.model}: {said.message}"
        return fault("refused_request", _param_remedy(param, said), message)
    if status == 404 or _NO_MODEL.search(about):
        return fault("refused_request", _missing_remedy(asked, about))
    return fault("refused_request", "")


def rejected_param(asked: Asked, said: Said) -> str | None:
    """The parameter that was sent and is not taken; None where the error is about something else."""
    root = said.param.split(".")[0].split("[")[0]
    if root in asked.params:
        return root
    if not _REJECTED.search(f"{said.code} {said.message}"):
        return None
    found = [p for p in asked.params if re.search(rf"(?<![\w-]){re.escape(p)}(?![\w-])", said.message)]
    return max(found, key=len) if found else None


def refused_stream(status: int, said: Said, body: dict[str, Any]) -> str | None:
    """What to leave out where an endpoint does not stream, or does not know `stream_options`."""
    if status not in (400, 404, 405, 415, 422, 501) or not body.get("stream"):
        return None
    text = f"{said.param} {said.message}".lower()
    if "stream" not in text:
        return None
    options = "stream_options" in text or "include_usage" in text
    return "stream_options" if options and "stream_options" in body else "stream"


def _param_remedy(param: str, said: Said) -> str:
    if param == "max_tokens" and "max_completion_tokens" in said.message:
        return "write max_completion_tokens in its place under params of the configuration"
    return f"take {param} out of params in the configuration, or set it to a value that the model takes"


def _context_remedy(asked: Asked) -> str:
    shorten = "shorten the prompt, or give it less context (retrieval.top_k)"
    if asked.local:
        return f"{shorten}, or raise providers.{asked.provider}.context in llmops.yaml"
    return shorten


def _missing_remedy(asked: Asked, about: str) -> str:
    if "model" in about.lower():
        return f"look whether {asked.provider} serves a model '{asked.model}' and you may use it"
    return f"look at providers.{asked.provider}.base_url in llmops.yaml: most end in /v1"
