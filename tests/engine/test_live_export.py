"""Traces that are sent while a run is under way: nothing waits for them, and nothing breaks by them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from fake_collector import Collector, Reply, collecting, partial
from small_workspace import write_workspace

from llmops_tui.domain.configuration import Otlp, Workspace
from llmops_tui.domain.run import Item, VersionInfo
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.engine.events import Event, Notice
from llmops_tui.engine.live_export import Kept, LiveExport, opened, reading

VERSION = VersionInfo(1, "bench", 1, "a" * 64, 0.0)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("NO_PROXY", "*")
    with collecting() as found:
        yield found


class Notices(list[Notice]):
    def __call__(self, event: Event) -> None:
        assert isinstance(event, Notice)
        self.append(event)

    @property
    def texts(self) -> list[str]:
        return [notice.text for notice in self]


def kept(*cases: str) -> list[Kept]:
    return [Kept(VERSION, 1, Item(case, "echo/echo", 0, "passed", output_id=1)) for case in cases]


def read(portion: Sequence[Kept]) -> Iterable[Trace]:
    for n, each in enumerate(portion, 1):
        yield Trace(f"{n:032x}", "", (Span(f"{n:016x}", "", each.item.case_id, "request", 1.0, 2.0),))


def live(
    collector: Collector,
    notices: Notices,
    read: Callable[[Sequence[Kept]], Iterable[Trace]] = read,
    **rest: int,
) -> LiveExport:
    return LiveExport(Otlp(collector.url, {"x-api-key": "sesame"}), read, notices, **rest)


def test_what_was_kept_is_sent_by_the_end(collector: Collector) -> None:
    notices = Notices()
    export = live(collector, notices)
    export.outputs(kept("one", "two"))
    export.outputs(kept("three"))
    export.close(30)
    assert collector.names == ["one", "two", "three"]
    assert collector.headers[0]["x-api-key"] == "sesame"
    assert notices == []


def test_nothing_kept_asks_nobody(collector: Collector) -> None:
    notices = Notices()
    live(collector, notices).close(30)
    assert (collector.requests, notices) == ([], [])


def test_too_many_waiting_drops_the_oldest_and_says_so_once(collector: Collector) -> None:
    """The collector holds its answer until all have come: what is given meanwhile has to wait."""
    asked, go = threading.Event(), threading.Event()

    def gate() -> None:
        asked.set()
        go.wait(30)

    collector.gate = gate
    notices = Notices()
    export = live(collector, notices, waiting=3)
    export.outputs(kept("first"))
    assert asked.wait(30)
    export.outputs(kept(*(f"later {n}" for n in range(5))))
    export.outputs(kept("last"))
    go.set()
    export.close(30)
    assert collector.names == ["first", "later 3", "later 4", "last"]
    assert len(notices) == 1
    assert "some are left out; send them with: llmops-tui trace export" in notices.texts[0]


def test_an_endpoint_that_refuses_is_told_once_and_never_raised(collector: Collector) -> None:
    collector.replies = [Reply(401)] * 9
    notices = Notices()
    export = live(collector, notices)
    export.outputs(kept("one"))
    export.close(30)
    assert [notice.level for notice in notices] == ["error"]
    assert "(HTTP 401)" in notices.texts[0]
    assert "sesame" not in notices.texts[0]


def test_a_partial_refusal_is_told(collector: Collector) -> None:
    collector.replies = [Reply(200, partial(1, "too old"))]
    notices = Notices()
    export = live(collector, notices)
    export.outputs(kept("one"))
    export.close(30)
    assert "refused 1 span: too old" in notices.texts[0]


def test_a_defect_in_reading_is_told_and_not_raised(collector: Collector) -> None:
    def broken(_portion: Sequence[Kept]) -> Iterable[Trace]:
        raise ZeroDivisionError("oh")

    notices = Notices()
    export = live(collector, notices, broken)
    export.outputs(kept("one"))
    export.close(30)
    assert notices.texts == ["traces can't be sent: ZeroDivisionError: oh"]


def test_the_end_does_not_wait_for_a_slow_endpoint(collector: Collector) -> None:
    asked, go = threading.Event(), threading.Event()

    def gate() -> None:
        asked.set()
        go.wait(30)

    collector.gate = gate
    notices = Notices()
    export = live(collector, notices)
    export.outputs(kept("one"))
    assert asked.wait(30)
    export.outputs(kept("two"))
    export.close(0)
    go.set()
    assert notices.texts == ["2 traces could not be sent in time; send them with: llmops-tui trace export"]


def test_traces_are_read_from_the_database_of_the_run(collector: Collector, tmp_path: Path) -> None:
    import asyncio

    from llmops_tui.engine.engine import DATABASE, Engine

    root = write_workspace(tmp_path / "ws")
    notices = Notices()

    async def run() -> list[Kept]:
        from llmops_tui.engine.events import RunRequest

        engine = Engine.open(root, evaluating=True)
        try:
            engine.load(engine.launch_worker)
            await engine.evaluate(RunRequest("bench"))
            snapshot = engine.store.runs.snapshot(engine.queries.resolve("bench", "latest").id)
            assert snapshot is not None
            items = [item for row in snapshot.rows for item in row.items]
            return [Kept(snapshot.version, snapshot.run.id, item) for item in items]
        finally:
            engine.close()

    export = live(collector, notices, reading(root / DATABASE))
    export.outputs(asyncio.run(run()))
    export.close(60)
    assert notices == []
    assert {"one", "two", "three"} <= set(collector.names)
    assert collector.names.count("chat echo") == 3


def workspace(otlp: Otlp | None) -> Workspace:
    return Workspace("/nowhere", {}, otlp=otlp)


def test_only_where_the_settings_ask_for_it(tmp_path: Path) -> None:
    notices = Notices()
    assert opened(workspace(None), tmp_path / "db", notices) is None
    assert opened(workspace(Otlp("http://localhost")), tmp_path / "db", notices) is None
    assert notices == []


def test_a_key_that_is_not_set_is_told(tmp_path: Path) -> None:
    notices = Notices()
    otlp = Otlp("http://localhost", {"x-api-key": "${NOT_THERE}"}, live=True)
    assert opened(workspace(otlp), tmp_path / "db", notices) is None
    assert "NOT_THERE, which is not set" in notices.texts[0]
