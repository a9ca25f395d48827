"""Posts to the collector. Imported by the thread that sends: HTTP costs a program's start nothing."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from llmops_tui import __version__
from llmops_tui.log.encoding import encoded, request_of, signals_of
from llmops_tui.log.faults import PROBLEMS
from llmops_tui.log.spans import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from llmops_tui.log.settings import Settings

TRACES, SIGNALS = "/v1/traces", "/signals"
TIMEOUT_S = 5.0
_AGAIN = frozenset([408, 429, 502, 503, 504])
_ANSWER_BYTES = 64 << 10


class Post:
    """One connection that is kept while it holds."""

    def __init__(self) -> None:
        self._connection: http.client.HTTPConnection | None = None
        self._is_kept = False
        self._endpoint = ""
        self._base = ""

    def send(self, items: list[Any], settings: Settings) -> float | None:
        """Spans and signals; None where they are sent or given up, else the seconds until the next attempt
        (0: as the sender likes)."""
        spans = [item for item in items if isinstance(item, Span)]
        signals = [item for item in items if isinstance(item, dict)]
        if spans:
            body = request_of(_all_encoded(spans), settings.resource)
            asked_s = self._post(TRACES, body, len(spans), settings)
            if asked_s is not None:
                return asked_s
        # Should these have to go again, the spans go with them: sent twice they are the same spans.
        return self._post(SIGNALS, signals_of(signals), len(signals), settings) if signals else None

    def _post(self, path: str, body: bytes, count: int, settings: Settings) -> float | None:
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": f"llmops-tui-log/{__version__}",
        }
        if settings.token:
            headers["Authorization"] = f"Bearer {settings.token}"
        try:
            self._connect(settings.endpoint)
        except ValueError:
            _refuse(count, "the endpoint is no URL: write it as http://127.0.0.1:4318")
            return None
        try:
            status, said, asked = self._exchange(path, gzip.compress(body, 3), headers)
        except (OSError, http.client.HTTPException):
            self._close()
            return _later("the collector can't be reached: start it with llmops-tui collect")
        except ValueError:  # a token that no header can hold
            self._close()
            _refuse(count, "the token can't be sent: it is plain ASCII, on one line")
            return None
        if 200 <= status < 300:
            _partial(said)
            return None
        if status in _AGAIN:
            return _later(f"the collector is busy (HTTP {status})", asked)
        _refuse(count, f"the collector did not take what was logged (HTTP {status})")
        return None

    def _exchange(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str | None]:
        """Status, what was said, `Retry-After`. A kept connection that was closed meanwhile is made anew."""
        connection, was_kept = self._connection, self._is_kept
        assert connection is not None
        self._is_kept = False
        try:
            connection.request("POST", self._base + path, body, headers)
            answer = connection.getresponse()
        except (ConnectionError, http.client.BadStatusLine):
            connection.close()
            if not was_kept:
                raise
            connection.request("POST", self._base + path, body, headers)
            answer = connection.getresponse()
        said = answer.read(_ANSWER_BYTES)
        if answer.will_close or not answer.isclosed():
            self._close()
        else:
            self._is_kept = True
        return answer.status, said, answer.headers.get("Retry-After")

    def _connect(self, endpoint: str) -> None:
        """Raises ValueError where the endpoint is no URL."""
        if self._connection is not None and endpoint == self._endpoint:
            return
        self._close()
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("no URL")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._base = parts.path.rstrip("/").removesuffix(TRACES)
        self._endpoint = endpoint

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _all_encoded(spans: list[Span]) -> list[bytes]:
    found = []
    for span in spans:
        try:
            found.append(encoded(span))
        except Exception as error:  # of one span: the others go
            PROBLEMS.fault(error)
    return found


def _refuse(count: int, why: str) -> None:
    PROBLEMS.refused += count
    PROBLEMS.last = why


def _later(why: str, asked: str | None = None) -> float:
    PROBLEMS.unreachable += 1
    PROBLEMS.last = why
    if not asked:
        return 0.0
    if asked.strip().isdigit():
        return float(asked)
    try:
        return max(parsedate_to_datetime(asked).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _partial(said: bytes) -> None:
    """A 200 may say that some spans were refused (`partialSuccess`)."""
    try:
        partial = json.loads(said or b"{}").get("partialSuccess") or {}
        refused = int(partial.get("rejectedSpans") or 0)
    except (ValueError, AttributeError, TypeError, RecursionError):
        return
    if refused > 0:
        _refuse(refused, f"the collector refused some spans: {str(partial.get('errorMessage', ''))[:200]}")
