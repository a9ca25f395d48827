"""What works beside the receiver, and what it says: faults are told, and take nothing with them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from receiving_end import body_of, receiving, until

from llmops_tui.monitoring.collector import ListenError
from llmops_tui.monitoring.collector.figures import Figures
from llmops_tui.monitoring.collector.listening import is_loopback, listen
from llmops_tui.monitoring.collector.reporting import Report, line
from llmops_tui.monitoring.collector.supervising import supervise
from llmops_tui.monitoring.collector.telling import Told


class Breaking:
    """A task that breaks so many times and then waits for the end."""

    name = "alerts"

    def __init__(self, times: int) -> None:
        self.times = times
        self.runs = 0

    async def run(self, stop: asyncio.Event) -> None:
        self.runs += 1
        if self.runs <= self.times:
            raise ValueError("no such \x1b[31mmetric")
        await stop.wait()


class TestATask:
    async def test_that_breaks_is_told_and_run_again(self) -> None:
        said: list[str] = []
        stop, task = asyncio.Event(), Breaking(3)
        supervising = asyncio.create_task(supervise(task, stop, Told(said.append), first_wait_s=0.001))
        await until(lambda: task.runs == 4)
        stop.set()
        await supervising
        assert said == ["warning: alerts broke off and starts again in 0.001 s: ValueError: no such metric"]

    async def test_that_is_done_is_not_run_again(self) -> None:
        class Done(Breaking):
            async def run(self, stop: asyncio.Event) -> None:
                self.runs += 1

        task = Done(0)
        await supervise(task, asyncio.Event(), Told(print))
        assert task.runs == 1

    async def test_waits_longer_each_time_and_ends_while_it_waits(self) -> None:
        said: list[str] = []
        stop, task = asyncio.Event(), Breaking(10)
        tell = Told(said.append, every_s=0)
        supervising = asyncio.create_task(supervise(task, stop, tell, first_wait_s=0.002))
        await until(lambda: task.runs == 4)
        waits = [float(text.split(" in ")[1].split(" s")[0]) for text in said]
        assert waits == [0.002, 0.004, 0.008, 0.016]
        stop.set()
        await supervising

    async def test_takes_nothing_of_the_receiver_with_it(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            stop, task = asyncio.Event(), Breaking(1)
            running = asyncio.create_task(end.collector.run(stop, [task]))
            await until(lambda: task.runs == 1)
            assert (await end.post(body_of((1, 1)))).status == 200
            assert "alerts broke off" in end.said[0]
            stop.set()
            await running
            assert end.writer.is_closed

    async def test_that_does_not_end_is_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Deaf(Breaking):
            async def run(self, stop: asyncio.Event) -> None:
                self.runs += 1
                await asyncio.Event().wait()

        monkeypatch.setattr("llmops_tui.monitoring.collector.collector._TASKS_S", 0.01)
        async with receiving(tmp_path) as end:
            stop, task = asyncio.Event(), Deaf(0)
            running = asyncio.create_task(end.collector.run(stop, [task]))
            await until(lambda: task.runs == 1)
            stop.set()
            await running
            assert end.writer.is_closed

    async def test_writes_in_the_same_thread(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            await end.post(body_of((1, 1)))
            counts = await end.collector.writing.call(lambda writer: writer.store.counts())
            assert counts["spans"] == 1


class TestTheReport:
    def test_says_what_came(self) -> None:
        figures = Figures(since=0.0, spans=45_678, signals=3, aside=2)
        assert (
            line(figures, 12.5, 1) == "12.5 spans/s · 45,678 spans kept · 3 signals · 2 set aside · 1 alert"
        )

    async def test_is_silent_where_nothing_came(self) -> None:
        said: list[str] = []
        figures, stop = Figures(since=0.0), asyncio.Event()
        running = asyncio.create_task(Report(figures, said.append, every_s=0.001).run(stop))
        await asyncio.sleep(0.01)
        assert said == []
        figures.spans = 5
        await until(lambda: bool(said))
        stop.set()
        await running
        assert len(said) == 1


def test_the_same_fault_is_told_once_in_a_while() -> None:
    said: list[str] = []
    now = 0.0
    tell = Told(said.append, clock=lambda: now)
    for now in (0.0, 1.0, 59.0, 60.0, 61.0):
        tell("writing", f"the disk is full at {now:g}")
        tell("other", "something else")
    assert said == ["the disk is full at 0", "something else", "the disk is full at 60", "something else"]


def test_a_terminal_that_takes_nothing_is_no_fault() -> None:
    def say(_line: str) -> None:
        raise OSError(28, "No space left on device")

    Told(say)("writing", "the disk is full")


class TestAPort:
    def test_in_use_is_a_sentence_with_a_remedy(self) -> None:
        sockets = listen(None, 0)
        try:
            port = sockets[0].getsockname()[1]
            assert {each.getsockname()[1] for each in sockets} == {port}
            with pytest.raises(ListenError, match=rf"port {port} is in use; name another with --port N"):
                listen(None, port)
        finally:
            for each in sockets:
                each.close()

    def test_of_no_address_is_a_sentence(self) -> None:
        with pytest.raises(ListenError, match="no address"):
            listen("no such host\x00", 0)
        with pytest.raises(ListenError, match=r"192\.0\.2\.1"):
            listen("192.0.2.1", 0)

    def test_is_loopback_only_where_nobody_else_reaches_it(self) -> None:
        assert is_loopback(None)
        assert is_loopback("127.0.0.1")
        assert is_loopback("::1")
        assert is_loopback("localhost")
        assert not is_loopback("0.0.0.0")
        assert not is_loopback("::")
        assert not is_loopback("192.0.2.1")
        assert not is_loopback("no such host\x00")
