"""More than the collector takes: it says so, with when to come back, and goes on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

from receiving_end import body_of, is_still_up, receiving, until


class TestAFlood:
    async def test_of_requests_is_a_429_and_then_over(self, tmp_path: Path) -> None:
        async with receiving(tmp_path, requests=4) as end:
            end.writer.gate.clear()
            sending = [asyncio.create_task(end.post(body_of((n, 1)))) for n in range(1, 31)]
            await until(lambda: sum(each.done() for each in sending) == 26)
            end.writer.gate.set()
            answers = [await each for each in sending]
            refused = [answer for answer in answers if answer.status != 200]
            assert len(refused) == 26
            assert {(answer.status, answer.headers["Retry-After"]) for answer in refused} == {(429, "2")}
            assert len(end.spans()) == 4
            await is_still_up(end)

    async def test_of_bytes_is_a_503_and_then_over(self, tmp_path: Path) -> None:
        body = body_of((1, 1), text="x" * 10_000)
        async with receiving(
            tmp_path, waiting_bytes=10_500, received_bytes=35_000, patience_s=30.0, requests=100
        ) as end:
            end.writer.gate.clear()
            sending = [asyncio.create_task(end.post(body)) for _ in range(20)]
            # One is written, one waits with its turn, two wait for theirs: there is no room for more.
            await until(lambda: sum(each.done() for each in sending) >= 15)
            end.writer.gate.set()
            answers = [await each for each in sending]
            refused = [answer for answer in answers if answer.status != 200]
            assert {(answer.status, answer.headers["Retry-After"]) for answer in refused} == {(503, "2")}
            assert len(refused) >= 15
            await is_still_up(end)

    async def test_that_is_not_kept_in_time_is_told_to_come_back(self, tmp_path: Path) -> None:
        async with receiving(tmp_path, waiting_spans=1, patience_s=0.05) as end:
            end.writer.gate.clear()
            first = asyncio.create_task(end.post(body_of((1, 1))))
            await until(end.writer.waits.is_set)
            # All of them, and not one after the other.
            for answer in await asyncio.gather(*(end.post(body_of((n, 1))) for n in range(2, 9))):
                assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            end.writer.gate.set()
            assert (await first).status == 200
            assert end.spans() == [(1, 1)]
            await is_still_up(end)

    async def test_of_connections_ends_at_the_limit(self, tmp_path: Path) -> None:
        async with receiving(tmp_path, connections=5) as end:
            held = [socket.create_connection(("127.0.0.1", end.port)) for _ in range(8)]
            answer = await end.post(body_of((1, 1)))
            assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
            held += [socket.create_connection(("127.0.0.1", end.port)) for _ in range(12)]
            reader, writer = await asyncio.open_connection("127.0.0.1", end.port)
            with contextlib.suppress(ConnectionError):  # it is closed at once
                async with asyncio.timeout(20):
                    assert await reader.read() == b""
            writer.close()
            for each in held:
                each.close()
            await until(lambda: not end.collector.connections)
            await is_still_up(end)
