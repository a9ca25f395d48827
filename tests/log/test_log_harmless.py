"""Whatever the program hands over and whatever the collector does, the program goes on as before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_collector import LogCollector, attributes, log_collector

from llmops_tui import log
from llmops_tui.domain import semconv as a
from llmops_tui.log import outbox
from llmops_tui.log.bounded import SIZE, Bound
from llmops_tui.log.outbox import Outbox
from llmops_tui.log.posting import Post
from llmops_tui.log.settings import Settings


class Nasty:
    """Everything that can be asked of it fails."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    __str__ = __repr__

    def __iter__(self) -> Any:
        raise RuntimeError("iter")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    def __hash__(self) -> int:
        return 1


class NastyError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("str")


def test_nothing_that_is_logged_raises(collector: LogCollector) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with log.request("nasty", user=Nasty(), tags=5, anything=Nasty()) as r:
        for value in (
            Nasty(),
            loop,
            {Nasty(): 1},
            {1: {2: {3: loop}}},
            b"\xff",
            float("nan"),
            10**400,
            "\ud800",
            object,
        ):
            r.input(value).output(value).set("x", value)
            r.model("m", value, value)
            r.model(value, value, nonsense=value)
            r.retrieval(value, value)
            r.tool(value, value, value)
            r.signal(value, value)
            r.usage(value, value, value)
            r.error(value)
            assert r.stream(5) == 5
        r.model(1, 2, 3, 4, 5, 6)
    log.request(5, 6, 7)
    assert log.flush()
    assert log.problems().faults > 0
    assert collector.span("nasty")


def test_an_error_whose_text_fails_is_raised_unchanged(collector: LogCollector) -> None:
    with pytest.raises(NastyError), log.request("x"):
        raise NastyError
    assert log.flush()
    assert attributes(collector.span("x"))[a.ERROR_TYPE].endswith("NastyError")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda s: st.lists(s) | st.dictionaries(st.text() | st.integers(), s) | st.tuples(s, s),
        max_leaves=30,
    )
)
def test_any_value_becomes_json(value: Any) -> None:
    json.dumps(Bound().of(value), allow_nan=False)


def test_what_is_huge_is_cut() -> None:
    for huge in ("x" * 10_000_000, ["y" * 1000] * 100_000, {str(n): "z" * 500 for n in range(100_000)}):
        assert len(json.dumps(Bound().of(huge))) < 2 * SIZE


def test_data_is_written_down_field_by_field_and_secrets_are_not() -> None:
    import msgspec
    from pydantic import BaseModel

    class Order(BaseModel):
        number: int
        password: str = "hunter2"

    class Item(msgspec.Struct):
        name: str
        at: datetime

    found = Bound().of([Order(number=3), Item("cup", datetime(2026, 1, 2, tzinfo=UTC))])
    assert found == [
        {"number": 3, "password": "[redacted]"},
        {"name": "cup", "at": "2026-01-02 00:00:00+00:00"},
    ]


def test_a_decorator_leaves_alone_what_is_no_function(collector: LogCollector) -> None:
    class Thing:
        pass

    assert log.request(Thing) is Thing
    assert log.request("x")(5) == 5  # type: ignore[type-var]

    class Bot:
        @log.request("static")
        @staticmethod
        def static(n: int) -> int:
            return n

        @log.request("class")
        @classmethod
        def made(cls, n: int) -> str:
            return f"{cls.__name__} {n}"

        @log.request("method")
        def method(self, n: int) -> int:
            return n

    assert (Bot.static(1), Bot().static(1), Bot.made(2), Bot().method(3)) == (1, 1, "Bot 2", 3)
    assert log.request("p")(partial(lambda x, y: x + y, 1))(2) == 3
    assert log.flush()
    assert attributes(collector.span("method"))[a.INPUT] == 3


def test_off_means_off(collector: LogCollector) -> None:
    @log.request
    def answer(n: int) -> Any:
        return log.current().stream([n])

    @log.request
    def items() -> Any:
        yield 1
        return 2

    log.off()
    assert answer(1) == [1]
    assert list(items()) == [1]
    with log.request("x") as r:
        r.model("m", "q", "a").usage(1)
        assert list(r.stream([1])) == [1]
    log.signal("thumb", 1, session="s")
    log.on()
    assert log.flush()
    assert collector.requests == []
    answer(1)
    assert log.flush()
    assert len(collector.spans) == 1


def test_a_busy_collector_gets_it_later_and_once(collector: LogCollector) -> None:
    collector.replies = [(503, {}), (502, {})]
    for n in range(5):
        with log.request(f"r{n}"):
            pass
    log.flush(0.0)
    while not log.flush(1.0):
        pass
    assert sorted(s["name"] for s in collector.spans) == [f"r{n}" for n in range(5)]
    assert log.problems().unreachable == 2


def test_a_collector_says_when_to_come_again(collector: LogCollector) -> None:
    collector.replies = [(429, {"Retry-After": "7"}), (503, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})]
    settings = Settings()
    settings.endpoint = collector.url
    post = Post()
    assert post.send([{"kind": "copy"}], settings) == 7.0
    assert outbox._longer(1.0, 7.0) == 7.0
    far = post.send([{"kind": "copy"}], settings)
    assert far is not None
    assert outbox._longer(1.0, far) == outbox.LONGEST_ASKED_S
    assert post.send([{"kind": "copy"}], settings) is None
    waits = [outbox._longer(2.0**n, 0) for n in range(12)]
    assert waits[-1] <= outbox.LONGEST_WAIT_S * 1.25
    assert waits[0] < waits[3] < waits[5]


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500, 301])
def test_a_refusal_is_final_and_counted(collector: LogCollector, status: int) -> None:
    collector.replies = [(status, {})]
    with log.request("x"):
        pass
    assert log.flush()
    assert log.problems().refused == 1
    assert str(status) in log.problems().last


@pytest.mark.parametrize("endpoint", ["", "no url", "ftp://x", "http://[::1", "http://127.0.0.1:99999"])
def test_an_endpoint_that_is_none_is_a_problem_to_be_read(collector: LogCollector, endpoint: str) -> None:
    log.setup(endpoint=endpoint)
    with log.request("x"):
        pass
    assert log.flush()
    assert log.problems().refused == 1
    assert "URL" in log.problems().last


def test_a_token_that_no_header_can_hold_is_a_problem_to_be_read(collector: LogCollector) -> None:
    log.setup(token="a\r\nHost: evil")
    with log.request("x"):
        pass
    assert log.flush()
    assert "token" in log.problems().last
    assert collector.requests == []


def test_a_full_queue_lets_the_oldest_go_and_counts_it(
    collector: LogCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "CAPACITY", 10)
    monkeypatch.setattr(Outbox, "_start", lambda self: None)
    box = Outbox()
    for n in range(25):
        box.put({"n": n}, 1)
    assert [item["n"] for item, _ in box._take()] == list(range(15, 25))
    assert log.problems().dropped == 15
    monkeypatch.setattr(outbox, "CAPACITY_SIZE", 100)
    for n in range(5):
        box.put({"n": n}, 60)
    assert [item["n"] for item, _ in box._take()] == [4]


PROGRAM = """
import os, sys
from llmops_tui import log
with log.request("parent"):
    pass
if "fork" in sys.argv:
    with log.request("around") as r:
        pid = os.fork()
        if pid == 0:
            r.tool("in child", {}, 1)
    if pid == 0:
        log.flush()
        os._exit(0)
    os.waitpid(pid, 0)
if "pool" in sys.argv:
    import multiprocessing
    @log.request
    def work(n): return n
    process = multiprocessing.get_context("fork").Process(target=work, args=(1,))
    process.start(); process.join()
sys.exit(3)
"""


def _run(url: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LLMOPS_TUI_ENDPOINT": url}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)


def test_a_program_that_ends_has_sent_what_it_logged() -> None:
    with log_collector() as collector:
        done = _run(collector.url)
        assert (done.returncode, done.stderr) == (3, b"")
        assert [s["name"] for s in collector.spans] == ["parent"]


def test_where_no_thread_could_be_had_the_next_span_tries_again(
    collector: LogCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    box = Outbox()
    before = threading.active_count()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        with pytest.raises(RuntimeError):
            box.put({"kind": "copy"}, 10)
    box.put({"kind": "copy"}, 10)
    assert threading.active_count() == before + 1
    assert box.flush(20)
    assert len(collector.signals) == 2


def test_a_program_ends_without_a_collector_too() -> None:
    done = _run("http://127.0.0.1:9")
    assert (done.returncode, done.stderr, done.stdout) == (3, b"", b"")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.parametrize(("way", "more"), [("fork", {"around", "execute_tool in child"}), ("pool", {"work"})])
def test_a_fork_sends_its_own_and_only_that(way: str, more: set[str]) -> None:
    with log_collector() as collector:
        done = _run(collector.url, way)
        assert (done.returncode, done.stderr) == (3, b"")
        names = [s["name"] for s in collector.spans]
        assert sorted(names) == sorted({"parent", *more})


def test_importing_it_brings_nothing_heavy() -> None:
    code = "import sys, llmops_tui.log; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"msgspec", "pydantic", "textual", "google.protobuf", "aiohttp", "http.client", "ssl", "numpy"}
    assert not heavy & set(loaded)
    assert Path(log.__file__).is_file()
