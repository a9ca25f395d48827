"""What a step calls by its own means: recorded, and otherwise as if nobody looked."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import httpx
import openai
import pytest
import requests
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from llmops_tui.domain import semconv as a
from llmops_tui.worker import instrument
from llmops_tui.worker.code import WorkspaceCode
from llmops_tui.worker.functions import Functions
from llmops_tui.worker.instrument import Scope, SpanList, recording
from llmops_tui.worker.modules import ModuleSet

ANSWER = {
    "id": "x",
    "model": "served",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
}
PIECES = [
    {"model": "served", "choices": [{"index": 0, "delta": {"content": "hel"}}]},
    {"model": "served", "choices": [{"index": 0, "delta": {"content": "lo"}, "finish_reason": "stop"}]},
    {"model": "served", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
]
STREAM = b"".join(b"data: " + json.dumps(p).encode() + b"\n\n" for p in PIECES) + b"data: [DONE]\n\n"


class Handler(BaseHTTPRequestHandler):
    """Answers chats: the model's name says how."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = body.get("model")
        if model == "broken":
            self._reply(500, {"error": {"message": "out of order"}})
        elif model == "drops":
            self.close_connection = True
        elif self.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
            self._reply(200, {"object": "list", "model": model, "data": data, "usage": {"prompt_tokens": 4}})
        elif body.get("stream"):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(STREAM), 50):
                piece = STREAM[start : start + 50]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._reply(200, ANSWER, packed=model == "packed")

    def do_CONNECT(self) -> None:
        self.send_response(200)  # what follows on this connection is for the host behind the proxy: us
        self.end_headers()
        self.close_connection = False

    def _reply(self, status: int, body: Any, *, packed: bool = False) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        if packed:
            data = gzip.compress(data)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Some tests go away before their answer is whole."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True, scope="module")
def hooks() -> None:
    instrument.install()


KEY = {"Authorization": "Bearer sk-of-nobody"}


def chat(model: str = "m", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], "temperature": 0, **more}


def by_httpx(url: str, body: dict[str, Any]) -> bytes:
    with httpx.Client() as client:
        return client.post(f"{url}/chat/completions", json=body, headers=KEY).content


def by_httpx_stream(url: str, body: dict[str, Any]) -> bytes:
    with httpx.stream("POST", f"{url}/chat/completions", json=body, headers=KEY) as response:
        return b"".join(response.iter_bytes())


def by_httpx_async(url: str, body: dict[str, Any]) -> bytes:
    async def ask() -> bytes:
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", f"{url}/chat/completions", json=body, headers=KEY) as response,
        ):
            return b"".join([piece async for piece in response.aiter_bytes()])

    return asyncio.run(ask())


def by_aiohttp(url: str, body: dict[str, Any]) -> bytes:
    async def ask() -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/chat/completions", json=body, headers=KEY) as response,
        ):
            return await response.read()

    return asyncio.run(ask())


def by_aiohttp_stream(url: str, body: dict[str, Any]) -> bytes:
    async def ask() -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/chat/completions", data=json.dumps(body), headers=KEY) as response,
        ):
            return b"".join([line async for line in response.content])

    return asyncio.run(ask())


def by_urllib(url: str, body: dict[str, Any]) -> bytes:
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), KEY)
    with urllib.request.urlopen(request) as response:
        data: bytes = response.read()
    return gzip.decompress(data) if response.headers["Content-Encoding"] else data


def by_requests(url: str, body: dict[str, Any]) -> bytes:
    return requests.post(f"{url}/chat/completions", json=body, headers=KEY, timeout=20).content


def by_requests_stream(url: str, body: dict[str, Any]) -> bytes:
    with requests.post(
        f"{url}/chat/completions", json=body, headers=KEY, stream=True, timeout=20
    ) as response:
        return b"".join(response.iter_content(7))


WAYS = [
    by_httpx,
    by_httpx_stream,
    by_httpx_async,
    by_aiohttp,
    by_aiohttp_stream,
    by_urllib,
    by_requests,
    by_requests_stream,
]


def spans(scope: Scope) -> list[Any]:
    recorder = SpanList()
    scope.finish(recorder)
    return recorder.spans


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "body", [chat(), chat("packed"), chat(stream=True)], ids=["whole", "packed", "streamed"]
)
def test_a_chat_is_a_span_of_the_step(url: str, way: Callable[..., bytes], body: dict[str, Any]) -> None:
    unseen = way(url, body)
    scope = Scope()
    with recording(scope):
        assert way(url, body) == unseen
    [(kind, name, start, end, attributes, error, parent)] = spans(scope)
    assert (kind, name, error, parent) == ("model", f"chat {body['model']}", "", -1)
    assert start <= end
    assert attributes[a.MODEL] == body["model"]
    assert attributes["gen_ai.request.temperature"] == 0
    assert attributes[a.INPUT_MESSAGES] == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    [said] = attributes[a.OUTPUT_MESSAGES]
    assert said["parts"] == [{"type": "text", "content": "hello"}]
    assert (attributes[a.INPUT_TOKENS], attributes[a.OUTPUT_TOKENS]) == (3, 2)
    assert attributes[a.FINISH_REASONS] == ["stop"]
    assert attributes[a.RESPONSE_MODEL] == "served"
    assert (a.TIME_TO_FIRST_CHUNK in attributes) == ("stream" in body)
    assert "sk-of-nobody" not in str(attributes)


@pytest.mark.parametrize("way", WAYS)
def test_an_error_status_is_the_spans_error(url: str, way: Callable[..., bytes]) -> None:
    scope = Scope()
    with recording(scope):
        try:
            way(url, chat("broken"))
        except urllib.error.HTTPError as error:
            error.read()
    [(*_, attributes, error, _)] = spans(scope)
    assert error == "HTTP 500: out of order"
    assert attributes[a.ERROR_TYPE] == "500"


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_breaks_raises_what_it_did_and_is_recorded(
    url: str, way: Callable[..., bytes]
) -> None:
    with pytest.raises(Exception) as unseen:
        way(url, chat("drops"))
    scope = Scope()
    with recording(scope), pytest.raises(type(unseen.value)):
        way(url, chat("drops"))
    [(*_, error, _)] = spans(scope)
    assert error


def test_outside_of_a_step_nothing_is_kept(url: str) -> None:
    scope = Scope()
    with recording(scope), recording(None):
        by_httpx(url, chat())
    by_urllib(url, chat())
    assert spans(scope) == []


def test_what_goes_to_the_gateway_is_recorded_there(url: str) -> None:
    scope = Scope(own=url.removeprefix("http://").removesuffix("/v1"))
    with recording(scope):
        for way in WAYS:
            way(url, chat())
    assert spans(scope) == []


def test_other_requests_are_nobodys_business(url: str) -> None:
    scope = Scope()
    with recording(scope):
        httpx.post(f"{url}/rerank", json={"model": "m"})
        httpx.post(f"{url}/chat/completions", content=b'{"messages": "of no model"}')
    assert [name for _, name, *_ in spans(scope)] == ["chat"]


def test_the_openai_client_is_seen_with_its_tool_calls_and_embeddings(url: str) -> None:
    scope = Scope()
    with recording(scope), openai.OpenAI(base_url=url, api_key="sk-of-nobody") as client:
        with client.chat.completions.create(stream=True, **chat()) as stream:
            assert "".join(c.choices[0].delta.content or "" for c in stream if c.choices) == "hello"
        client.embeddings.create(model="e", input=["text"], encoding_format="float")
    first, second = spans(scope)
    assert first[1] == "chat m"
    assert first[4][a.OUTPUT_TOKENS] == 2
    assert (second[0], second[1], second[4][a.INPUT]) == ("embedding", "embeddings e", ["text"])
    assert second[4][a.INPUT_TOKENS] == 4


def test_threads_that_a_step_starts_belong_to_it(url: str) -> None:
    scope, other = Scope(), Scope()
    with ThreadPoolExecutor(1) as pool:
        with recording(other):
            pool.submit(by_httpx, url, chat("first")).result()
        with recording(scope):
            pool.submit(by_httpx, url, chat("second")).result()
            thread = threading.Thread(target=by_urllib, args=(url, chat("third")))
            thread.start()
            thread.join()
        pool.submit(by_httpx, url, chat("nobody's")).result()
    assert [name for _, name, *_ in spans(scope)] == ["chat second", "chat third"]
    assert "chat second" not in [name for _, name, *_ in spans(other)]


def test_what_a_proxy_is_told_to_open_a_way_is_not_looked_at(url: str) -> None:
    host, _, port = url.removeprefix("http://").removesuffix("/v1").partition(":")
    scope = Scope()
    with recording(scope):
        connection = http.client.HTTPConnection(host, int(port))
        connection.set_tunnel("behind.test", 80, {"Proxy-Authorization": "Basic of-nobody"})
        connection.request("POST", "/v1/chat/completions", json.dumps(chat()), KEY)
        assert json.load(connection.getresponse()) == ANSWER
        connection.close()
    [(_, name, _, _, attributes, error, _)] = spans(scope)
    assert (name, error, attributes["server.address"]) == ("chat m", "", "behind.test")
    assert "of-nobody" not in str(attributes)


def test_an_answer_that_nobody_reads_is_recorded_when_its_step_ends(url: str) -> None:
    scope = Scope()
    with recording(scope), httpx.Client() as client:
        response = client.send(
            client.build_request("POST", f"{url}/chat/completions", json=chat(stream=True)), stream=True
        )
        [(_, name, *_, error, _)] = spans(scope)
        response.close()
    assert (name, error) == ("chat m", "was not read to its end")


def test_spans_beyond_the_limit_are_counted() -> None:
    scope = Scope()
    for number in range(instrument.scope.SPAN_LIMIT + 5):
        scope.add(instrument.scope.Seen(str(number), "", "other", "x", 1.0, 2.0))
    found = spans(scope)
    assert len(found) == instrument.scope.SPAN_LIMIT + 1
    assert found[-1][1] == "5 further spans, not kept"


# -- OpenTelemetry


def test_spans_of_a_provider_are_told_with_their_parents(url: str) -> None:
    tracer = TracerProvider().get_tracer("ours")
    scope = Scope()
    with recording(scope):
        with tracer.start_as_current_span("plan", attributes={"steps": (1, 2)}) as span:
            span.add_event("thought", {"about": "it"})
            with tracer.start_as_current_span("look up", attributes={a.OPERATION: "execute_tool"}):
                by_httpx(url, chat())
        with pytest.raises(ValueError), tracer.start_as_current_span("fails"):
            raise ValueError("no")
    plan, tool, model, fails = spans(scope)
    assert (plan[0], plan[1], plan[6]) == ("other", "plan", -1)
    assert plan[4]["steps"] == [1, 2]
    assert plan[4]["events"][0]["name"] == "thought"
    assert (tool[0], tool[1], tool[6]) == ("tool", "look up", 0)
    assert (model[0], model[1], model[6]) == ("model", "chat m", 1)
    assert (fails[1], fails[5], fails[6]) == ("fails", "ValueError: no", -1)
    assert plan[2] <= tool[2] <= model[2] <= model[3] <= tool[3] <= plan[3]


def test_tokens_count_once_where_a_span_lies_around_a_request_that_we_saw(url: str) -> None:
    tracer = TracerProvider().get_tracer("ours")
    own = url.removeprefix("http://").removesuffix("/v1")
    for scope, kinds in ((Scope(), ["other", "model", "model"]), (Scope(own), ["other", "model"])):
        with recording(scope):
            with tracer.start_as_current_span("chat around", attributes={a.OPERATION: "chat"}):
                by_httpx(url, chat())
            with tracer.start_as_current_span(
                "chat elsewhere", attributes={"openinference.span.kind": "LLM"}
            ):
                pass
        assert [kind for kind, *_ in spans(scope)] == kinds


async def test_a_function_that_only_uses_the_api_has_its_spans_made(url: str) -> None:
    source = """
from opentelemetry import trace
from helper import ask
tracer = trace.get_tracer("app")
async def answer(url):
    with tracer.start_as_current_span("mine"):
        return await ask(url)
"""
    helper = """
import asyncio, json, urllib.request
def plain(url):
    body = json.dumps({"model": "m", "messages": []}).encode()
    with urllib.request.urlopen(url + "/chat/completions", body) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
async def ask(url):
    return await asyncio.to_thread(plain, url)
"""
    modules = ModuleSet({"app.py": source, "helper.py": helper}, "/nowhere", instrument.refresh)
    functions = Functions(modules, WorkspaceCode({}, "/nowhere", 20.0))
    scope = Scope()
    made = await functions.call("app:answer", {"url": url}, {}, 20.0, scope)
    functions.close()
    modules.close()
    assert made.text == "hello"
    assert [(name, parent) for _, name, *_, parent in spans(scope)] == [("mine", -1), ("chat m", 0)]
    theirs = TracerProvider()
    trace.set_tracer_provider(theirs)  # ours gives way
    assert trace.get_tracer_provider() is theirs
