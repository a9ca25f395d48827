"""What the collector answers, and that it answers once things are durable."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from receiving_end import JSON, PROTOBUF, WriterOfTests, body_of, json_of, receiving, request_of, until

from llmops_tui.domain.errors import StoreError


class TestSpansThatCome:
    @pytest.mark.parametrize(
        ("packing", "pack"),
        [
            ("", bytes),
            ("identity", bytes),
            ("gzip", gzip.compress),
            ("gzip", lambda body: gzip.compress(body[:7]) + gzip.compress(body[7:])),
            ("deflate", zlib.compress),
            ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ],
        ids=["plain", "identity", "gzip", "two gzips", "zlib", "raw deflate"],
    )
    async def test_are_kept_however_they_are_packed(self, tmp_path: Path, packing: str, pack) -> None:
        async with receiving(tmp_path) as end:
            headers = {"Content_Encoding": packing} if packing else {}
            answer = await end.post(pack(body_of((1, 1), (1, 2))), **headers)
            assert (answer.status, answer.body) == (200, b"")
            assert answer.headers["Content-Type"] == PROTOBUF
            assert end.spans() == [(1, 1), (1, 2)]

    async def test_are_kept_as_json(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            answer = await end.post(json_of((1, 1)), kind=f"{JSON}; charset=utf-8")
            assert (answer.status, answer.body, answer.headers["Content-Type"]) == (
                200,
                b"{}",
                f"{JSON}",
            )
            assert end.spans() == [(1, 1)]

    async def test_are_kept_once(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            for _ in range(2):
                assert (await end.post(body_of((1, 1), (2, 1)))).status == 200
            assert end.spans() == [(1, 1), (2, 1)]
            health = await end.health()
            assert (health["spans"], health["duplicates"]) == (2, 2)

    @pytest.mark.parametrize("path", ["/v1/traces", "/v1/traces/", "/api/public/otel/v1/traces"])
    async def test_are_taken_where_sdks_send_them(self, tmp_path: Path, path: str) -> None:
        async with receiving(tmp_path) as end:
            assert (await end.post(body_of((1, 1)), path)).status == 200
            assert end.spans() == [(1, 1)]

    async def test_may_come_in_chunks(self, tmp_path: Path) -> None:
        async def chunks():
            body = body_of((1, 1))
            for at in range(0, len(body), 10):
                yield body[at : at + 10]

        async with receiving(tmp_path) as end:
            assert (await end.post(chunks())).status == 200
            assert end.spans() == [(1, 1)]

    async def test_are_asked_for_where_the_client_waits_for_it(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            assert (await end.post(body_of((1, 1)), Expect="100-continue")).status == 200
            assert end.spans() == [(1, 1)]

    async def test_that_are_wrong_are_told_of_and_the_others_kept(self, tmp_path: Path) -> None:
        request = request_of((1, 1), (1, 2))
        request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
        async with receiving(tmp_path) as end:
            answer = await end.post(request.SerializeToString())
            partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
            assert (answer.status, partial.rejected_spans) == (200, 1)
            assert "id" in partial.error_message
            assert end.spans() == [(1, 2)]
            found = json.loads(request_json(request))
            answer = await end.post(json.dumps(found).encode(), kind=JSON)
            assert json.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "1"

    async def test_metrics_are_taken_and_dropped(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            assert (await end.post(b"\xff" * 1000, "/v1/metrics")).status == 200
            assert (await end.post(body_of((1, 1)))).status == 200
            assert end.spans() == [(1, 1)]

    async def test_nothing_at_all_is_fine(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            assert (await end.post(b"")).status == 200


def request_json(request) -> str:
    found = json.loads(json_of((1, 1), (1, 2)))
    found["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = "abcd"
    return json.dumps(found)


class TestAnAcknowledgement:
    async def test_comes_once_the_spans_are_durable(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            end.writer.gate.clear()
            sending = asyncio.create_task(end.post(body_of((1, 1))))
            await until(end.writer.waits.is_set)
            assert (await end.health())["queue"]["spans"] == 1
            assert not sending.done()
            assert end.spans() == []
            end.writer.gate.set()
            assert (await sending).status == 200
            assert end.spans() == [(1, 1)]

    async def test_of_all_that_waits_is_one_transaction(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            end.writer.gate.clear()
            first = asyncio.create_task(end.post(body_of((1, 1))))
            await until(end.writer.waits.is_set)
            rest = [asyncio.create_task(end.post(body_of((n, 1)))) for n in range(2, 12)]
            await waiting(end, 11)
            end.writer.gate.set()
            assert {(await sending).status for sending in (first, *rest)} == {200}
            assert end.writer.groups == [1, 10]

    async def test_is_not_given_where_the_disk_is_full_and_again_when_it_is_not(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            end.writer.fault = lambda batches: StoreError("the disk is full")
            for _ in range(3):
                answer = await end.post(body_of((1, 1)))
                assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
                assert "the disk is full" in answer.message
            assert end.spans() == []
            assert (await end.health())["status"] == "not writing"
            assert len(end.said) == 1
            assert "the disk is full" in end.said[0]
            end.writer.fault = lambda batches: None
            assert (await end.post(body_of((1, 1)))).status == 200
            assert end.spans() == [(1, 1)]
            health = await end.health()
            assert (health["status"], health["queue"]["bytes"]) == ("ok", 0)

    async def test_of_a_batch_that_cant_be_written_harms_no_other(self, tmp_path: Path) -> None:
        def fault(batches):
            names = [arrived.span.name for batch in batches for arrived in batch.spans]
            return TypeError("what is this?") if "strange" in names else None

        async with receiving(tmp_path) as end:
            end.writer.fault = fault
            end.writer.gate.clear()
            first = asyncio.create_task(end.post(body_of((1, 1))))
            await until(end.writer.waits.is_set)
            rest = [
                asyncio.create_task(end.post(body_of((n, 1), name="strange" if n == 3 else "chat")))
                for n in range(2, 6)
            ]
            await waiting(end, 5)
            end.writer.gate.set()
            assert [(await sending).status for sending in (first, *rest)] == [200, 200, 503, 200, 200]
            assert end.spans() == [(1, 1), (2, 1), (4, 1), (5, 1)]

    async def test_is_not_given_where_we_are_at_fault(self, tmp_path: Path) -> None:
        def intake(batch):
            if batch.spans[0].span.name == "strange":
                raise ZeroDivisionError("no price")
            return batch

        async with receiving(tmp_path, intake=intake) as end:
            answer = await end.post(body_of((1, 1), name="strange"))
            assert (answer.status, answer.message) == (500, "a defect of llmops-tui; its terminal says more")
            assert end.said == ["error: a defect of llmops-tui: ZeroDivisionError: no price"]
            assert (await end.post(body_of((2, 1)))).status == 200
            assert end.spans() == [(2, 1)]

    async def test_waits_for_no_client_that_went_away(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            end.writer.gate.clear()
            gone = asyncio.create_task(end.post(body_of((1, 1))))
            await until(end.writer.waits.is_set)
            gone.cancel()
            end.writer.gate.set()
            assert (await end.post(body_of((2, 1)))).status == 200
            assert end.spans() == [(1, 1), (2, 1)]


class TestADatabaseThatIsTakenAway:
    async def test_is_made_anew_and_nothing_is_acknowledged_into_nowhere(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            assert (await end.post(body_of((1, 1)))).status == 200
            end.writer.path.unlink()
            answer = await end.post(body_of((2, 1)))
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            assert "was deleted or replaced while it was in use" in answer.message
            assert (await end.post(body_of((2, 1)))).status == 200
            assert end.spans() == [(2, 1)]


async def waiting(end, count: int) -> None:
    async with asyncio.timeout(30):
        while (await end.health())["queue"]["requests"] < count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


class TestTheEnd:
    async def test_keeps_what_waits_and_closes_the_database(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            end.writer.gate.clear()
            sending = [asyncio.create_task(end.post(body_of((n, 1)))) for n in range(1, 5)]
            await waiting(end, 4)
            closing = asyncio.create_task(end.collector.close())
            end.writer.gate.set()
            assert {(await each).status for each in sending} == {200}
            await closing
            assert end.writer.is_closed
            assert end.spans() == [(1, 1), (2, 1), (3, 1), (4, 1)]

    async def test_is_said_to_those_who_still_send(self, tmp_path: Path) -> None:
        async with receiving(tmp_path, drain_s=30.0) as end:
            await asyncio.gather(end.health(), end.health())  # two connections that stay open
            end.writer.gate.clear()
            sending = asyncio.create_task(end.post(body_of((1, 1))))
            await until(end.writer.waits.is_set)
            closing = asyncio.create_task(end.collector.close())
            await asyncio.sleep(0)
            answer = await end.post(body_of((2, 1)))
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            end.writer.gate.set()
            assert (await sending).status == 200
            await closing


async def test_a_database_that_cant_be_opened_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "live.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError):
        async with receiving(tmp_path):
            pass


def test_the_stand_in_is_the_database_itself(tmp_path: Path) -> None:
    writer = WriterOfTests(tmp_path / "live.db").open()
    assert writer.ingest([], 1.0).spans == 0
    writer.close()
