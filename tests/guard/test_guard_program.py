"""What a team's program calls, and what it gets back."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
from guarded_workspace import Load, guarded

from llmops_tui import guard
from llmops_tui.domain.errors import LlmopsError

EVERYWHERE = ["input", "context", "tool_call", "tool_result", "output"]
BLOCK = {"topic": {"denied": ["forbidden"], "on": EVERYWHERE}}
REDACT = {"pii": {"on": EVERYWHERE}}


class TestWhatGoesOn:
    def test_a_text_that_nothing_fires_on_is_as_it_was(self, load: Load) -> None:
        checked = load(BLOCK, REDACT).input("How long do I have?")
        assert checked
        assert (checked.text, checked.blocked, checked.ends) == ("How long do I have?", False, False)
        assert [look.name for look in checked.looks] == ["topic", "pii"]

    def test_a_redacted_text_goes_on_without_what_was_found(self, load: Load) -> None:
        checked = load(REDACT).input("Write to ann@example.org.")
        assert checked
        assert checked.text == str(checked) == "Write to [email]."

    @pytest.mark.parametrize("method", ["input", "output"])
    def test_a_blocked_text_ends_the_request_with_the_message(self, load: Load, method: str) -> None:
        block = {"topic": {**BLOCK["topic"], "message": "Ask me about orders."}}
        checked = getattr(load(block), method)("a forbidden text")
        assert not checked
        assert (checked.text, checked.blocked, checked.ends) == ("Ask me about orders.", True, True)
        assert checked.looks[0].triggered

    def test_documents_keep_their_shape_and_those_that_fire_are_left_out(self, load: Load) -> None:
        given = [
            "plain",
            {"id": 7, "content": "forbidden"},
            {"id": 8, "text": "of ann@example.org"},
            {"id": 9, "content": "fine"},
        ]
        left = load(BLOCK, REDACT).context(given)
        assert left == ["plain", {"id": 8, "text": "of [email]"}, {"id": 9, "content": "fine"}]
        assert left[2] is given[3]
        assert (left.places, left.ends) == ((0, 2, 3), False)
        assert given[2] == {"id": 8, "text": "of ann@example.org"}

    def test_a_document_may_end_the_request(self, load: Load) -> None:
        fallback = {"topic": {**BLOCK["topic"], "action": "fallback", "message": "Later."}}
        left = load(fallback).context(["fine", "forbidden"])
        assert (list(left), left.ends, left.text) == ([], True, "Later.")

    def test_arguments_of_a_tool_come_back_as_they_were_given(self, load: Load) -> None:
        guards = load(BLOCK, REDACT)
        given = {"order": 17, "note": "café"}
        assert guards.tool_call("refund", given).value is given
        redacted = guards.tool_call("refund", {"order": 17, "to": "ann@example.org"})
        assert redacted
        assert redacted.value == {"order": 17, "to": "[email]"}
        assert guards.tool_call("refund", '{"to": "ann@example.org"}').value == '{"to":"[email]"}'
        escaped = '{"to": "ann\\u0040example.org"}'
        assert guards.tool_call("refund", escaped).value == '{"to":"[email]"}'

    def test_what_a_tool_gave_keeps_its_shape(self, load: Load) -> None:
        guards = load(REDACT)
        assert guards.tool_result("find", None).value is None
        assert guards.tool_call("find", '{ "a": 1 }').text == '{ "a": 1 }'

    @pytest.mark.parametrize("method", ["tool_call", "tool_result"])
    def test_what_is_held_back_of_a_tool_is_told_to_the_model(self, load: Load, method: str) -> None:
        checked = getattr(load(BLOCK), method)("refund", {"note": "forbidden"})
        assert (bool(checked), checked.ends) == (False, False)
        assert "'topic'" in checked.text
        assert "'refund'" in checked.text
        assert "forbidden" not in checked.text
        assert checked.looks[0].triggered

    def test_what_it_looks_at_must_be_a_text(self, load: Load) -> None:
        guards = load(BLOCK)
        with pytest.raises(TypeError, match="not at NoneType: pass the text that the user put in"):
            guards.input(None)  # type: ignore[arg-type]
        for value in (["a"], {}, 0):
            with pytest.raises(TypeError, match="pass the text of the answer, or None"):
                guards.output(value)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="'content' or 'text'"):
            load(BLOCK).context([{"body": "x"}])

    @pytest.mark.parametrize("text", [None, ""])
    def test_an_answer_that_says_nothing_goes_on_untouched(self, load: Load, text: str | None) -> None:
        guards = load({"regex": {"value": "Lark", "require": True}}, {"shouting": {"on": "output"}})
        for checked in (guards.output(text), asyncio.run(guards.aoutput(text))):
            assert checked
            assert (checked.text, checked.value, checked.looks) == ("", text, ())


class TestFunctionsOfTheWorkspace:
    def test_are_given_what_the_program_knows(self, load: Load) -> None:
        guards = load({"shouting": {"on": "input"}})
        assert not guards.input("HELP ME")
        assert guards.input("HELP ME", vars={"may_shout": True})
        assert guards.input("Help me")

    @pytest.mark.parametrize("name", ["hangs", "dies", "raises"])
    @pytest.mark.parametrize(("on_error", "goes_on"), [("open", True), ("closed", False)])
    def test_that_fail_let_pass_or_not_and_raise_nothing(
        self, load: Load, name: str, on_error: str, goes_on: bool
    ) -> None:
        guards = load({name: {"on": "input", "timeout_s": 0.2, "on_error": on_error}})
        for _ in range(2):
            checked = guards.input("hello")
            assert bool(checked) == goes_on
            assert checked.looks[0].error

    def test_can_be_called_within_a_running_event_loop(self, load: Load) -> None:
        guards = load({"shouting": {"on": "input"}})

        async def program() -> tuple[bool, bool]:
            return bool(guards.input("HELP ME")), bool(await guards.ainput("HELP ME"))

        assert asyncio.run(program()) == (False, False)

    def test_keep_nobody_waiting_in_an_event_loop(self, load: Load) -> None:
        guards = load({"hangs": {"on": "input", "timeout_s": 5.0}}, {"shouting": {"on": "output"}})

        async def program() -> bool:
            slow = asyncio.create_task(guards.ainput("hello"))
            checked = await guards.aoutput("HELP ME")
            was_first = not slow.done()
            slow.cancel()
            return was_first and not checked

        assert asyncio.run(program())

    def test_can_be_called_from_many_threads(self, load: Load) -> None:
        guards = load({"shouting": {"on": "input"}}, REDACT)
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda n=n: found.append(guards.input(f"{n} to ann@example.org").text))
            for n in range(30)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == sorted(f"{n} to [email]" for n in range(30))

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
    def test_work_in_a_process_that_was_forked_after_loading(self, tmp_path: Path) -> None:
        root = guarded(tmp_path / "ws", {"shouting": {"on": "input"}})
        program = f"""
            import os
            from llmops_tui import guard, log
            log.off()
            guards = guard.load("bench", folder={str(root)!r})
            assert not guards.input("HELP ME")
            child = os.fork()
            if child == 0:
                os._exit(7 if not guards.input("HELP ME") and guards.input("hello") else 1)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert not guards.input("HELP ME")
            print(status)
        """
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
        )
        assert (run.stdout, run.stderr) == ("7\n", "")


def test_a_large_kind_looks_in_a_process_of_its_own(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests may have looked at a language in this process.
    monkeypatch.delitem(sys.modules, "py3langid", raising=False)
    guards = load({"language": {"value": ["en"], "on": "input", "action": "block", "timeout_s": 60}})
    assert guards.input("Please tell me how many days I have to return this order.")
    checked = guards.input("Wie viele Tage habe ich, um diese Bestellung zurückzugeben?")
    assert not checked
    assert checked.looks[0].triggered
    assert "py3langid" not in sys.modules


class TestLoading:
    def test_knows_the_version_that_was_evaluated(self, load: Load, tmp_path: Path) -> None:
        from llmops_tui import workspace

        guards = load(BLOCK, REDACT)
        read = workspace.load(tmp_path / "ws").configurations["bench"]
        assert (guards.config, guards.version_hash) == ("bench", read.manifest.hash)
        assert guards.uses == read.target.guardrails

    def test_takes_the_nearest_workspace_and_its_only_configuration(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(guarded(tmp_path, BLOCK) / "prompts")
        assert not guard.load().input("forbidden")

    @pytest.mark.parametrize(
        ("config", "guardrails", "said"),
        [
            ("brench", ["pii"], "did you mean 'bench'?"),
            ("bench", ["pia"], "there is no guardrail 'pia'"),
            ("bench", [{"regex": {"value": "("}}], "configs/bench.yaml"),
            ("bench", [{"injection": {"method": "judge"}}], "judge"),
        ],
    )
    def test_says_what_is_wrong_in_a_sentence(
        self, tmp_path: Path, config: str, guardrails: list[Any], said: str
    ) -> None:
        root = guarded(tmp_path / "ws", *guardrails)
        with pytest.raises(LlmopsError) as raised:
            guard.load(config, folder=root)
        assert said in str(raised.value)

    def test_says_that_there_is_no_workspace(self, tmp_path: Path) -> None:
        with pytest.raises(LlmopsError, match="there is no workspace"):
            guard.load("bench", folder=tmp_path)

    def test_brings_no_store_no_worker_and_no_screens(self, tmp_path: Path) -> None:
        root = guarded(tmp_path / "ws", BLOCK, REDACT)
        program = f"""
            import sys
            from llmops_tui import guard
            from llmops_tui import log
            log.off()
            guard.load("bench", folder={str(root)!r}).input("x")
            for name in ("engine", "store", "worker", "app", "providers"):
                assert "llmops_tui." + name not in sys.modules, name
            for name in ("textual", "litellm", "sqlite3", "aiohttp"):
                assert name not in sys.modules, name
        """
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stderr) == (0, "")
