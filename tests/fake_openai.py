"""A fake OpenAI-compatible server: for tests in the process, for benchmarks as a process of its own.

    python tests/fake_openai.py --port 0 --latency-ms 50     # prints its base URL

It answers with the last user message, so what is right is known beforehand. The model's name says
how it behaves: `random-0.2` is wrong one time in five, `quirk-…` plays a provider's quirk
(`fake_quirks.py`), `judge-…` judges (`fake_judges.py`). It embeds too (`fake_embeddings.py`).
`GET /stats` counts, `POST /reset` forgets.
A bare `asyncio.Protocol`, so that the server is not what a benchmark measures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

sys.path.insert(0, str(Path(__file__).parent))

WRONG = "I do not know."
PIECES = 3


class Asked(msgspec.Struct):
    """A request. `nth` counts, from 1, equal conversations with this model."""

    body: dict[str, Any]
    headers: dict[str, str]
    path: str
    nth: int = 1

    @property
    def model(self) -> str:
        return str(self.body.get("model"))

    @property
    def said(self) -> str:
        """The last user message."""
        messages = self.body.get("messages") or []
        return next((str(m["content"]) for m in reversed(messages) if m["role"] == "user"), "")


class Reply(msgspec.Struct):
    """What goes back.

    Attributes:
        pieces: the body; several are sent as chunks, with a pause between them where one is set.
        then: what becomes of the connection: `keep`, `close` (the last chunk is missing), `stale`
            (closed after a whole answer, unannounced), `hang` (the end never comes).
        pause_s: before each piece but the first.
    """

    status: int = 200
    headers: dict[str, str] = {}
    pieces: list[bytes] = []
    then: Literal["keep", "close", "stale", "hang"] = "keep"
    pause_s: float = 0.0


Script = Callable[[Asked], Reply]


def usage_of(asked: Asked, text: str) -> dict[str, Any]:
    """A token is a word."""
    sent = sum(len(str(m.get("content")).split()) for m in asked.body.get("messages") or [])
    got = len(text.split())
    return {"prompt_tokens": sent, "completion_tokens": got, "total_tokens": sent + got}


def completion(asked: Asked, message: dict[str, Any], finish_reason: str = "stop", **more: Any) -> Reply:
    """An answer in one piece of JSON. `more` replaces fields of the completion; None drops one."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": asked.model,
        "system_fingerprint": "fp_fake",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": usage_of(asked, str(message.get("content"))),
        **more,
    }
    body = {k: v for k, v in body.items() if v is not None}
    return Reply(pieces=[json.dumps(body).encode()])


def stream(
    asked: Asked,
    deltas: list[dict[str, Any]],
    finish_reason: str | None = "stop",
    *,
    done: bool = True,
    usage: dict[str, Any] | None = None,
) -> Reply:
    """An answer as server-sent events."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": asked.model, "system_fingerprint": "fp_fake"}  # fmt: skip
    choices = [{"index": 0, "delta": d, "finish_reason": None} for d in deltas]
    if finish_reason is not None:
        choices.append({"index": 0, "delta": {}, "finish_reason": finish_reason})
    chunks: list[dict[str, Any]] = [{**head, "choices": [c]} for c in choices]
    if usage is not None and (asked.body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": usage})
    return events([json.dumps(c).encode() for c in chunks] + ([b"[DONE]"] if done else []))


def events(data: list[bytes]) -> Reply:
    return Reply(
        headers={"content-type": "text/event-stream"}, pieces=[b"data: " + d + b"\n\n" for d in data]
    )


def error(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    """An error in OpenAI's form."""
    body = {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}
    }
    return Reply(status, headers or {}, [json.dumps(body).encode()])


def say(asked: Asked, text: str, finish_reason: str = "stop") -> Reply:
    """A plain answer, streamed if that was asked for."""
    if not asked.body.get("stream"):
        return completion(asked, {"role": "assistant", "content": text}, finish_reason)
    size = max(1, -(-len(text) // PIECES))
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    deltas = [{"role": "assistant", "content": ""}, *({"content": p} for p in parts)]
    return stream(asked, deltas, finish_reason, usage=usage_of(asked, text))


class FakeOpenAI:
    """The server, as an async context manager.

    Args:
        script: what to answer; by default by the model's name.
        latency_ms: before each answer.
        wrong: share of answers that are wrong, whatever the model.
        keep: remember requests in `requests` (those for embeddings are always in `embedded`).
    """

    def __init__(
        self, script: Script | None = None, *, port: int = 0, latency_ms: float = 0.0, wrong: float = 0.0,
        seed: int = 1, keep: bool = True,
    ) -> None:  # fmt: skip
        self._script = script or self.by_name
        self._port = port
        self.latency_s = latency_ms / 1000
        self.wrong = wrong
        self._random = random.Random(seed)
        self._keep = keep
        self._server: asyncio.Server | None = None
        self.connections: set[Connection] = set()
        self.forget()

    def forget(self) -> None:
        self.requests: list[Asked] = []
        self.embedded: list[Asked] = []
        self.count = 0
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.in_flight = self.most_in_flight = 0
        self._by_model: Counter[str] = Counter()
        self._nth: Counter[tuple[str, str]] = Counter()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", self._port, backlog=2048
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self.connections):
            connection.abort()

    def by_name(self, asked: Asked) -> Reply:
        """The behaviour that the model's name asks for."""
        if asked.model.startswith("quirk-"):
            from fake_quirks import QUIRKS

            return QUIRKS[asked.model.removeprefix("quirk-")](asked)
        if asked.model.startswith("judge-"):
            from fake_judges import judging

            return judging(asked)
        share = (
            float(asked.model.removeprefix("random-")) if asked.model.startswith("random-") else self.wrong
        )
        return say(asked, WRONG if share and self._random.random() < share else asked.said)

    def stats(self) -> dict[str, Any]:
        return {
            "requests": self.count,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "most_in_flight": self.most_in_flight,
            "by_model": dict(self._by_model),
        }

    def reply_to(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Reply, bool]:
        """The reply, and whether it is a model's answer (and so has a latency)."""
        if path == "/stats":
            return Reply(pieces=[json.dumps(self.stats()).encode()]), False
        if path == "/reset":
            self.forget()
            return Reply(pieces=[b"{}"]), False
        if method == "POST" and path.split("?")[0].endswith("/embeddings"):
            from fake_embeddings import embedding

            asked = Asked(msgspec.json.decode(body), headers, path)
            self.embedded.append(asked)
            asked.nth = len(self.embedded)
            return embedding(asked), True
        if method != "POST" or not path.split("?")[0].endswith("/chat/completions"):
            return error(404, f"Invalid URL ({method} {path})"), False
        self.last_at = time.time()
        self.first_at = self.first_at or self.last_at
        self.count += 1
        asked = Asked(msgspec.json.decode(body), headers, path)
        self._by_model[asked.model] += 1
        if self._keep:
            same = (asked.model, json.dumps(asked.body.get("messages")))
            self._nth[same] += 1
            asked.nth = self._nth[same]
            self.requests.append(asked)
        return self._script(asked), True


class Connection(asyncio.Protocol):
    """One connection: HTTP/1.1, kept alive, one request after another."""

    def __init__(self, server: FakeOpenAI) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._busy = False
        self._answering = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.connections.discard(self)
        self._answered()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        if len(self._buffer) < end + 4 + size:
            return
        body, self._buffer = self._buffer[end + 4 : end + 4 + size], self._buffer[end + 4 + size :]
        self._busy = True
        method, path, _ = first.split(" ", 2)
        reply, is_answer = self._server.reply_to(method, path, headers, body)
        if is_answer:
            self._answering = True
            self._server.in_flight += 1
            self._server.most_in_flight = max(self._server.most_in_flight, self._server.in_flight)
        if is_answer and self._server.latency_s:
            self._loop.call_later(self._server.latency_s, self._send, reply)
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        if self._transport is None or (not reply.pieces and reply.then == "hang"):
            return
        headers = {"content-type": "application/json", **reply.headers}
        whole = len(reply.pieces) == 1 and reply.then in ("keep", "stale")
        if whole:
            headers["content-length"] = str(len(reply.pieces[0]))
        else:
            headers["transfer-encoding"] = "chunked"
        head = (
            f"HTTP/1.1 {reply.status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        )
        if not reply.pieces:
            self._transport.close()
            return
        pieces = reply.pieces if whole else [b"%x\r\n%s\r\n" % (len(p), p) for p in reply.pieces]
        if reply.pause_s:
            self._transport.write(head.encode() + pieces[0])
            self._drip(pieces[1:], reply, whole)
        else:
            self._transport.write(head.encode() + b"".join(pieces))
            self._finish(reply, whole)

    def _drip(self, pieces: list[bytes], reply: Reply, whole: bool) -> None:
        if self._transport is None:
            return
        if not pieces:
            self._finish(reply, whole)
            return
        self._transport.write(pieces[0])
        self._loop.call_later(reply.pause_s, self._drip, pieces[1:], reply, whole)

    def _finish(self, reply: Reply, whole: bool) -> None:
        if self._transport is None or reply.then == "hang":
            return
        if not whole and reply.then != "close":
            self._transport.write(b"0\r\n\r\n")
        self._answered()
        self._busy = False
        if reply.then == "keep":
            self._next()
        else:
            self._transport.close()

    def _answered(self) -> None:
        if self._answering:
            self._answering = False
            self._server.in_flight -= 1


async def main(arguments: argparse.Namespace) -> None:
    server = FakeOpenAI(
        port=arguments.port, latency_ms=arguments.latency_ms, wrong=arguments.wrong, seed=arguments.seed,
        keep=arguments.quirks,
    )  # fmt: skip
    async with server:
        print(server.url, flush=True)
        if arguments.until_eof:
            await asyncio.to_thread(sys.stdin.buffer.read)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible server; prints its base URL.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="before each answer")
    parser.add_argument("--wrong", type=float, default=0.0, help="share of answers that are wrong")
    parser.add_argument("--seed", type=int, default=1, help="of what is wrong")
    parser.add_argument("--quirks", action="store_true", help="count equal requests, for models `quirk-…`")
    parser.add_argument("--until-eof", action="store_true", help="end when stdin closes")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(parser.parse_args()))
