"""Asks a model that judges: by the program's own function, or at an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import inspect
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from http.client import HTTPException
from typing import Any, NamedTuple

from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model, Usage
from llmops_tui.guard.waiting import in_thread
from llmops_tui.guardrails.registry import CannotCheck

#: A program's own: (messages, name of the model, parameters) → the answer's text, or an awaitable of it.
Ask = Callable[[list[dict[str, Any]], str, dict[str, Any]], str | Awaitable[str]]
#: Bytes of an answer that are read.
_LONGEST = 4 << 20


class Answer(NamedTuple):
    text: str
    usage: Usage


async def ask_own(ask: Ask, model: Model, request: ChatRequest) -> Answer:
    """
    Raises:
        CannotCheck: the function raised, or gave no text.
    """

    def run() -> Any:
        given = ask(list(request.messages), model.name, dict(request.params))
        return asyncio.run(_awaited(given)) if inspect.isawaitable(given) else given

    try:
        text = await asyncio.wrap_future(in_thread(run))
    except Exception as error:
        raise CannotCheck(f"the function that asks the judge raised {type(error).__name__}") from None
    if not isinstance(text, str):
        raise CannotCheck(f"the function that asks the judge gave no text, but {type(text).__name__}")
    return Answer(text, Usage())


async def _awaited(awaitable: Awaitable[str]) -> str:
    return await awaitable


class Endpoint:
    """An OpenAI-compatible endpoint.

    Args:
        setup: with its key filled in.
        timeout_s: of one request.
    """

    def __init__(self, setup: ProviderSetup, timeout_s: float) -> None:
        self._setup = setup
        self._timeout_s = timeout_s
        # A redirect would take the key elsewhere.
        self._opener = urllib.request.build_opener(_NoRedirect)

    async def __call__(self, model: Model, request: ChatRequest) -> Answer:
        """
        Raises:
            CannotCheck: it does not answer.
        """
        try:
            return await asyncio.wrap_future(in_thread(lambda: self._ask(model, request)))
        except urllib.error.HTTPError as error:
            raise CannotCheck(f"the judge could not be asked: the endpoint answered {error.code}") from None
        except TimeoutError:
            raise CannotCheck(f"the judge did not answer within {self._timeout_s:g} s") from None
        except (OSError, HTTPException) as error:
            raise CannotCheck(f"the judge could not be asked: {type(error).__name__}") from None
        except (ValueError, LookupError, TypeError):
            raise CannotCheck("the judge's endpoint answered with what can't be read") from None

    def _ask(self, model: Model, request: ChatRequest) -> Answer:
        params = dict(request.params)
        extra = params.pop("extra_body", None) or {}
        body = {"model": model.name, "messages": list(request.messages), **params, **extra}
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._setup.api_key:
            headers["Authorization"] = f"Bearer {self._setup.api_key}"
        url = f"{self._setup.base_url.rstrip('/')}/chat/completions"
        sent = urllib.request.Request(url, json.dumps(body).encode(), headers | self._setup.headers)
        with self._opener.open(sent, timeout=self._timeout_s) as reply:
            answer = json.loads(reply.read(_LONGEST))
        text = answer["choices"][0]["message"]["content"]
        if not isinstance(text, str):
            raise TypeError
        return Answer(text, _usage(answer.get("usage")))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def _usage(told: Any) -> Usage:
    if not isinstance(told, dict):
        return Usage()
    counts = [told.get(name) for name in ("prompt_tokens", "completion_tokens")]
    return Usage(*(count if type(count) is int and count >= 0 else None for count in counts))
