"""Sends OTLP over HTTP: packed, in portions, again where the other side asks for it.

Source: opentelemetry.io/docs/specs/otlp, "OTLP/HTTP": 429, 502, 503 and 504 may be sent again, honouring
`Retry-After`; everything else is final; a 200 may say that some spans were refused (`partial_success`).
"""

from __future__ import annotations

import base64
import gzip
import http.client
import re
import time
from collections.abc import Callable, Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

from llmops_tui import __version__
from llmops_tui.domain.errors import LlmopsError, Problem
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.domain.trace import Trace
from llmops_tui.tracing.otlp import SERVICE, batches, encode

PATH = "/v1/traces"
_AGAIN = frozenset([429, 502, 503, 504])
#: What an HTTP header may hold (RFC 9110, 5.5) and be called (5.1).
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: Bytes of an answer that are looked at.
_ANSWER_BYTES = 64 << 10
_SHOWN = 300


class SendError(LlmopsError):
    """The endpoint can't be had, or does not take what it is sent."""

    exit_code = 3


class Sent(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        spans: that were taken.
        refused: spans that the endpoint did not take.
        said: what it said about that.
    """

    spans: int = 0
    requests: int = 0
    refused: int = 0
    said: tuple[str, ...] = ()


def url_of(endpoint: str) -> tuple[str, dict[str, str]]:
    """Where spans go, and the header for a name and password in the endpoint (`https://NAME:PASSWORD@host`).

    `/v1/traces` is added to a base, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it.

    Raises:
        SendError: it is no URL.
    """
    try:
        parts = urlsplit(endpoint.strip())
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        is_url = is_url and endpoint.isascii() and " " not in endpoint.strip()
    except ValueError:
        is_url = False
    if not is_url:
        # Not shown: a password may stand in it.
        raise SendError(Problem("the endpoint is not a URL", "write it as http://localhost:4318/v1/traces"))
    path = parts.path.rstrip("/")
    path = path if path.endswith(PATH) else path + PATH
    who, at, host = parts.netloc.rpartition("@")
    url = urlunsplit(parts._replace(netloc=host, path=path, fragment=""))
    if not at:
        return url, {}
    token = base64.b64encode(unquote(who).encode()).decode()
    return url, {"Authorization": f"Basic {token}"}


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


class Sender:
    """To one endpoint. Blocking: call it in a thread of its own where something else must go on.

    Args:
        headers: filled in. They are not shown in any message.
        retries: further attempts of one request.
        longest_wait_s: a `Retry-After` beyond that is an error.
        sleep, now: for tests.

    Raises:
        SendError: the endpoint is no URL, or a header can't be sent.
    """

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, str] | None = None,
        *,
        project: str = SERVICE,
        timeout_s: float = 30.0,
        retries: int = 5,
        longest_wait_s: float = 60.0,
        sleep: Callable[[float], Any] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.url, basic = url_of(endpoint)
        for name, value in (headers or {}).items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                shown = clean_line(name)[:40]
                raise SendError(
                    Problem(f"the header '{shown}' can't be sent", "it is plain ASCII, on one line")
                )
        self._headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            "User-Agent": f"{SERVICE}/{__version__}",
            **basic,
            **(headers or {}),
        }
        self._project = project
        self._timeout_s = timeout_s
        self._retries = retries
        self._longest_wait_s = longest_wait_s
        self._sleep = sleep
        self._now = now
        self._opener = build_opener(_NoRedirects)

    @property
    def place(self) -> str:
        """The endpoint as it may be shown: without what may be a secret in it."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return clean_line(f"{parts.scheme}://{parts.hostname}{port}{parts.path}")

    def send(self, traces: Iterable[Trace], on_batch: Callable[[Sent], Any] = lambda _sent: None) -> Sent:
        """Send them all.

        Args:
            on_batch: told of what was sent so far, after each request.

        Raises:
            SendError: says what was sent until then.
        """
        done = Sent()
        for request in batches(traces, project=self._project):
            count = sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)
            try:
                refused, said = self._post(gzip.compress(encode(request), 6))
            except SendError as error:
                if not done.requests:
                    raise
                problem = error.problems[0]
                text = f"{problem.message}; {counted(done.spans, 'span')} went before"
                raise SendError(msgspec.structs.replace(problem, message=text)) from error
            refused = min(refused, count)
            words = (*done.said, said) if said and said not in done.said else done.said
            done = Sent(done.spans + count - refused, done.requests + 1, done.refused + refused, words)
            on_batch(done)
        return done

    def _post(self, body: bytes) -> tuple[int, str]:
        """One request, again where that may help; gives how many spans were refused, and why."""
        for attempt in range(self._retries + 1):
            is_last = attempt == self._retries
            wait_s = float(min(1 << attempt, 16))
            try:
                request = Request(self.url, data=body, headers=self._headers, method="POST")
                with self._opener.open(request, timeout=self._timeout_s) as answer:
                    return _partial(answer.read(_ANSWER_BYTES), answer.headers.get("Content-Type", ""))
            except HTTPError as error:
                with error:
                    said = _message(error)
                    if error.code not in _AGAIN or is_last:
                        raise self._refusal(error.code, said) from None
                    asked_s = _retry_after(error.headers.get("Retry-After"), self._now())
                if asked_s is not None and asked_s > self._longest_wait_s:
                    text = f"{self.place} asks to wait {asked_s:.0f} s (HTTP {error.code})"
                    raise SendError(Problem(text, "send it later: what came before is sent")) from None
                wait_s = asked_s if asked_s is not None else wait_s
            except (URLError, OSError, http.client.HTTPException) as error:
                if is_last:
                    raise self._unreachable(error) from None
            self._sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _refusal(self, code: int, said: str) -> SendError:
        remedy = {
            400: "",
            401: "give the endpoint's key with --header, or under tracing.otlp.headers",
            403: "the key may not write there: look at its rights",
            404: "look at the path: it ends in /v1/traces (docs/traces-export.md has those of each tool)",
            405: "look at the path: it ends in /v1/traces (docs/traces-export.md has those of each tool)",
            413: "the endpoint takes smaller requests only: raise its limit",
            415: "the endpoint takes no protobuf: send it to a collector in between",
        }.get(code, "")
        if 300 <= code < 400:
            remedy = "it leads elsewhere: name the place itself"
        detail = f": {said}" if said else ""
        return SendError(Problem(f"{self.place} did not take the spans (HTTP {code}){detail}", remedy))

    def _unreachable(self, error: BaseException) -> SendError:
        reason = error.reason if isinstance(error, URLError) else error
        why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        text = f"{self.place} can't be reached: {clean_line(str(why))[:_SHOWN]}"
        return SendError(Problem(text, "is it running, and is the address right?"))


class _NoRedirects(HTTPRedirectHandler):
    """A key is not carried to where a stranger points."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds, from a number of them or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - now, 0.0)
    except (TypeError, ValueError):
        return None


def _partial(body: bytes, content_type: str) -> tuple[int, str]:
    """How many spans a 200 refuses, and why; an answer that is no OTLP says nothing."""
    from google.protobuf.json_format import Parse, ParseError
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    answer = ExportTraceServiceResponse()
    try:
        if "json" in content_type:
            Parse(body, answer, ignore_unknown_fields=True)
        else:
            answer.ParseFromString(body)
    except (DecodeError, ParseError, UnicodeDecodeError):
        return 0, ""
    partial = answer.partial_success
    return max(partial.rejected_spans, 0), clean_line(partial.error_message)[:_SHOWN]


def _message(error: HTTPError) -> str:
    """What the endpoint says, from a `Status` (protobuf or JSON) or any other text."""
    try:
        body = error.read(_ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        return ""
    kind = error.headers.get("Content-Type", "")
    if "protobuf" in kind:
        return clean_line(_status_message(body))[:_SHOWN]
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    if isinstance(found, dict):
        for name in ("message", "error", "detail"):
            if isinstance(found.get(name), str):
                return clean_line(found[name])[:_SHOWN]
    if "html" in kind:
        return ""
    return clean_line(body.decode("utf-8", "replace"))[:_SHOWN]


def _status_message(body: bytes) -> str:
    """Field 2 of `google.rpc.Status`, read by hand: its classes are in a package of their own."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.trace.v1.trace_pb2 import Status

    try:
        # Its `message` is field 2 and a string too.
        return str(Status.FromString(body).message)
    except DecodeError:
        return ""
