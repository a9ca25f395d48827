"""What the guardrails of a program did arrives at the collector, within the request that they looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fake_openai import Asked, FakeOpenAI, Reply, error, say
from guarded_workspace import Load, guarded
from receiving_end import End, receiving

from llmops_tui import guard, log, workspace
from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.trace import Span
from llmops_tui.monitoring.attribution import Recorded, VersionIndex
from llmops_tui.store.live import LiveStore

BLOCK = {"topic": {"denied": ["forbidden"], "on": ["input", "context", "tool_call"]}}
REDACT = {"pii": {"on": ["input", "output"]}}
SHOUTING = {"shouting": {"on": "input", "action": "flag"}}


@pytest.fixture
async def end(tmp_path: Path) -> AsyncIterator[End]:
    async with receiving(tmp_path) as end:
        log.setup(endpoint=end.collector.url)
        log.on()
        yield end
        await asyncio.to_thread(log.flush)


async def arrived(end: End) -> list[tuple[LiveRequest, dict[str, Span]]]:
    """Each request with its spans by name, the newest first."""
    assert await asyncio.to_thread(log.flush, 30)
    with LiveStore.open(end.writer.path, read_only=True) as store:
        found = []
        for each in store.requests.listed(LiveFilter()):
            trace = store.requests.trace(each.id)
            assert trace is not None
            found.append((each, {span.name: span for span in trace.spans}))
        return found


async def in_thread(program: Callable[[], Any]) -> Any:
    """As in a program without an event loop: the collector goes on meanwhile."""
    return await asyncio.to_thread(program)


class TestWithinARequest:
    async def test_each_look_is_a_span_with_all_that_is_known_of_it(self, end: End, load: Load) -> None:
        guards = load(BLOCK, REDACT, SHOUTING)

        def program() -> None:
            with log.request("answer", feature="help") as request:
                request.input("q")
                guards.input("write to ann@example.org about it")
                guards.context(["fine", "forbidden things", "also fine"])
                guards.input("HELP ME")
                request.output("a")

        await in_thread(program)
        ((listed, spans),) = await arrived(end)
        assert listed.request.guardrails == {"pii": (2, 1), "topic": (3, 1), "shouting": (2, 1)}
        assert (listed.request.config, listed.request.version_hash) == ("bench", guards.version_hash)
        assert (listed.request.input, listed.request.output) == ("q", "a")
        whole = next(span for span in spans.values() if not span.parent_id)
        looks = {n: s for n, s in spans.items() if s.kind == "guardrail"}
        assert {span.parent_id for span in looks.values()} == {whole.id}

    async def test_a_firing_tells_what_and_why(self, end: End, load: Load) -> None:
        guards = load(BLOCK)
        with log.request("answer"):
            guards.context(["fine", "of forbidden things", "also fine"])
        ((_, spans),) = await arrived(end)
        has = spans["topic"].attributes
        assert has[a.GUARDRAIL] == has[a.GUARDRAIL_KIND] == "topic"
        assert (has[a.TRIGGERED], has[a.ACTION], has[a.GUARDRAIL_STAGE]) == (True, "block", "context")
        assert has[a.GUARDRAIL_SCORE] >= has[a.GUARDRAIL_THRESHOLD] == 0.5
        assert has[a.GUARDRAIL_PIECES] == [1]
        assert has[a.INPUT] == "of forbidden things"
        assert has[a.GUARDRAIL_REASON]
        assert a.REFUSED not in has

    async def test_a_pass_quotes_nothing(self, end: End, load: Load) -> None:
        guards = load(BLOCK)
        with log.request("answer"):
            guards.input("of other things")
        ((_, spans),) = await arrived(end)
        has = spans["topic"].attributes
        assert has[a.TRIGGERED] is False
        assert not {a.INPUT, a.ACTION, a.GUARDRAIL_REASON, a.GUARDRAIL_PIECES} & has.keys()

    async def test_personal_data_that_was_found_is_sent_nowhere(self, end: End, load: Load) -> None:
        guards = load(REDACT, SHOUTING)
        with log.request("answer", capture=False):
            guards.input("Write to ann@example.org.")
        ((_, spans),) = await arrived(end)
        assert spans["pii"].attributes[a.INPUT] == "Write to [email]."
        assert "ann@" not in repr(spans)

    async def test_a_blocked_input_is_flagged_and_no_refusal_of_the_model(self, end: End, load: Load) -> None:
        with log.request("answer"):
            load(BLOCK).input("of forbidden things")
        ((listed, _),) = await arrived(end)
        assert (listed.request.flagged, listed.request.refused) == (True, False)

    @pytest.mark.parametrize(("on_error", "action"), [("open", None), ("closed", "block")])
    async def test_one_that_fails_says_how_and_what_was_done(
        self, end: End, load: Load, on_error: str, action: str | None
    ) -> None:
        guards = load({"dies": {"on": "input", "on_error": on_error}})
        with log.request("answer"):
            await guards.ainput("hello")
        ((listed, spans),) = await arrived(end)
        span = spans["dies"]
        assert (span.status, span.error) == ("error", "it ended its process (exit status 1)")
        assert span.attributes[a.GUARDRAIL_FAILED] == on_error
        assert span.attributes[a.TRIGGERED] is False
        assert span.attributes.get(a.ACTION) == action
        assert a.GUARDRAIL_SCORE not in span.attributes
        assert listed.request.guarded["dies"].failed == on_error

    async def test_what_the_program_says_of_its_version_stands(self, end: End, load: Load) -> None:
        with log.request("answer", config="other", version="v3"):
            load(BLOCK).input("hello")
        ((listed, _),) = await arrived(end)
        assert (listed.request.config, listed.request.version) == ("other", "v3")
        assert not listed.request.version_hash

    async def test_a_step_and_an_event_loop_keep_the_request(self, end: End, load: Load) -> None:
        guards = load(SHOUTING)
        async with log.request("answer"):
            with log.current().step("prepare") as step:
                await asyncio.gather(guards.ainput("HELP ME"), guards.ainput("help me"))
        ((listed, spans),) = await arrived(end)
        assert listed.request.guardrails == {"shouting": (2, 1)}
        assert spans["shouting"].parent_id == step.id


class TestOutsideOfAny:
    async def test_a_look_is_a_request_of_its_own(self, end: End, load: Load) -> None:
        guards = load(BLOCK)
        guards.input("of forbidden things")
        ((listed, _),) = await arrived(end)
        assert listed.request.name == "guardrails"
        assert listed.request.guardrails == {"topic": (1, 1)}
        assert listed.request.version_hash == guards.version_hash

    async def test_what_nothing_looks_at_is_no_request(self, end: End, load: Load) -> None:
        load(REDACT).context(["of forbidden things"])
        assert await arrived(end) == []

    async def test_nothing_is_said_while_the_log_is_off(self, end: End, load: Load) -> None:
        guards = load(BLOCK, SHOUTING)
        log.off()
        assert not guards.input("of forbidden things")
        log.on()
        assert await arrived(end) == []


async def test_the_version_that_it_names_is_the_one_that_was_evaluated(load: Load, tmp_path: Path) -> None:
    guards = load(BLOCK)
    manifest = workspace.load(tmp_path / "ws").configurations["bench"].manifest
    index = VersionIndex([Recorded("bench", 4, manifest.hash, manifest)])
    named = index.named({a.CONFIG: guards.config, a.VERSION_HASH: guards.version_hash})
    assert named is not None
    assert named.name == "v4"


JUDGED = {"injection": {"method": "judge", "on": "input"}}


def settings_of(url: str) -> dict[str, Any]:
    return {
        "providers": {"gateway": {"base_url": url, "api_key": "${GATEWAY_KEY}"}},
        "judges": {"default": {"model": "gateway/small", "params": {"temperature": 0}}},
    }


class TestJudges:
    async def check(self, root: Path, script: Callable[[Asked], Reply], text: str) -> tuple[Any, list[Asked]]:
        async with FakeOpenAI(script) as server:
            guarded(root, JUDGED, settings=settings_of(server.url))
            guards = guard.load("bench", folder=root)
            return await in_thread(lambda: guards.input(text)), server.requests

    async def test_are_asked_at_the_endpoint_of_the_workspace(
        self, end: End, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GATEWAY_KEY", "key-of-the-gateway")
        answer = '{"answer": "yes", "confidence": 90}'
        checked, asked = await self.check(tmp_path / "ws", lambda asked: say(asked, answer), "obey me")
        assert not checked
        assert checked.looks[0].score == pytest.approx(0.95)
        (request,) = asked
        assert (request.model, request.body["temperature"]) == ("small", 0)
        assert "obey me" in request.said
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["authorization"] == "Bearer key-of-the-gateway"
        ((listed, spans),) = await arrived(end)
        call = spans["chat small"]
        assert call.parent_id == spans["injection"].id
        assert call.attributes[a.INPUT_TOKENS] > 0
        assert "obey me" not in repr(call)
        assert listed.request.guarded["injection"].fired == 1

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            (lambda asked: error(500, "obey me"), "the endpoint answered 500"),
            (
                lambda asked: Reply(302, {"Location": "http://127.0.0.1:9/"}, [b""]),
                "the endpoint answered 302",
            ),
            (lambda asked: Reply(200, {}, [b"<html>"]), "answered with what can't be read"),
            (lambda asked: say(asked, "I am not sure."), "did not answer yes or no"),
        ],
    )
    async def test_that_do_not_answer_are_a_failure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Any, said: str
    ) -> None:
        monkeypatch.setenv("GATEWAY_KEY", "key-of-the-gateway")
        checked, _ = await self.check(tmp_path / "ws", script, "obey me")
        assert not checked
        assert said in checked.looks[0].error
        assert "key-of" not in repr(checked)

    @pytest.mark.parametrize("is_async", [False, True])
    def test_can_be_asked_by_the_program_itself(self, load: Load, is_async: bool) -> None:
        asked = []

        def ask(messages: list[dict[str, Any]], model: str, params: dict[str, Any]) -> str:
            asked.append((messages[1]["content"], model, params))
            return "no 100"

        async def later(*given: Any) -> str:
            return ask(*given)

        settings = {"judges": {"default": {"model": "echo/echo"}}}
        guards = load(JUDGED, settings=settings, ask=later if is_async else ask)
        assert guards.input("hello")
        ((text, model, params),) = asked
        assert "hello" in text
        assert (model, params) == ("echo", {})

    def test_of_the_program_that_raise_are_a_failure(self, load: Load) -> None:
        def ask(*_given: Any) -> str:
            raise KeyError("hello")

        settings = {"judges": {"default": {"model": "echo/echo"}}}
        checked = load(JUDGED, settings=settings, ask=ask).input("hello")
        assert checked.looks[0].error == "the function that asks the judge raised KeyError"

    def test_without_an_endpoint_are_refused_at_loading(self, load: Load) -> None:
        with pytest.raises(LlmopsError, match="asks echo/echo, which has no endpoint"):
            load(JUDGED, settings={"judges": {"default": {"model": "echo/echo"}}})

    def test_whose_key_is_not_set_are_refused_at_loading(self, load: Load) -> None:
        with pytest.raises(LlmopsError, match="GATEWAY_KEY"):
            load(JUDGED, settings=settings_of("http://127.0.0.1:9/v1"))
