"""Guardrails of a configuration in evaluations: what each action does at each stage, and what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench
from fake_openai import Asked, FakeOpenAI, Reply, completion, say

from llmops_tui.domain import semconv as a
from llmops_tui.domain.guardrails.use import guardrails_of
from llmops_tui.domain.output import Output
from llmops_tui.domain.trace import Span
from llmops_tui.engine import bundles, subjects
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import RunRequest
from llmops_tui.engine.replaying import Replay, ReplayRequest
from llmops_tui.engine.traces import Traces
from llmops_tui.workspace.trust import trust

CODE = '''
import os
import time


def drat(text):
    """Fires on a word; says what is left without it."""
    if "drat" not in text:
        return 0.1
    return {"score": 0.9, "reason": "it swears", "text": text.replace("drat", "[word]")}


def raises(text):
    raise KeyError("no such thing")


def hangs(text):
    time.sleep(600)


def dies(text):
    os.kill(os.getpid(), 9)


def careful(text, context, vars, tool, where, stage):
    return f"{stage} {where} {tool} {len(context)} {sorted(vars)}"
'''
TOOLS = """
def look_up(word: str) -> dict:
    open("looked.log", "a").write(word + "\\n")
    return {"found": f"{word} means drat"}
"""
DOCS = {"docs/a.md": "# Alpha\n\nalpha is drat first\n", "docs/b.md": "# Beta\n\nalpha beta second\n"}
FILES = {"guardrails.py": CODE, "tools.py": TOOLS, **DOCS}
READS = "user:\n{{ context }}\n\n{{ question }}\n"
ONE = [{"id": "one", "vars": {"question": "alpha drat"}}]


def calls_once(asked: Asked) -> Reply:
    """Looks something up, then repeats what it was told."""
    last = asked.body["messages"][-1]
    if last["role"] == "tool":
        return say(asked, f"told: {last['content']}")
    call = {"id": "c", "type": "function", "function": {"name": "look_up", "arguments": '{"word": "drat"}'}}
    return completion(asked, {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")


async def bench(
    root: Path, fake: FakeOpenAI, *guardrails: Any, cases: list[dict[str, Any]] = ONE, **more: Any
) -> Bench:
    settings = {
        "providers": {"gateway": {"base_url": fake.url, "price": {"m": {"input": 1, "output": 1}}}},
        "judges": {"default": {"model": "gateway/judge"}},
    }
    config = {"guardrails": list(guardrails), **more.pop("config", {})}
    made = Bench(
        root, models=["gateway/m"], cases=cases, config=config, settings=settings, files=FILES, **more
    )
    trust(made.root)
    return made


def output(made: Bench, case: str = "one") -> Output:
    (item,) = made.rows()[case].items
    assert item.output_id is not None, made.rows()[case]
    return made.engine.store.outputs.get(item.output_id)


def spans(made: Bench, case: str = "one", kind: str = "guardrail") -> list[Span]:
    version = made.engine.queries.resolve("bench", "latest")
    trace = Traces(made.engine.store).of(version, case)
    return [span for span in trace.spans if span.kind == kind]


def asked(fake: FakeOpenAI) -> list[str]:
    return [str(request.said) for request in fake.requests]


# -- input


async def test_a_blocked_input_ends_the_request_and_asks_nobody(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": "input", "message": "Not that."}})
        await made.evaluate()
        assert fake.requests == []
    found = output(made)
    assert (found.text, found.finish_reason, found.refused) == ("Not that.", "guardrail", True)
    assert found.calls == ()
    (look,) = found.guardrails
    assert (look.name, look.stage, look.triggered, look.action) == ("drat", "input", True, "block")
    assert (look.score, look.reason) == (0.9, "it swears")
    (span,) = spans(made)
    assert span.name == "drat"
    shown = span.attributes
    assert (shown[a.GUARDRAIL_STAGE], shown[a.TRIGGERED], shown[a.ACTION]) == ("input", True, "block")
    assert (shown[a.GUARDRAIL_SCORE], shown[a.GUARDRAIL_THRESHOLD]) == (0.9, 0.5)
    assert shown[a.GUARDRAIL_WHERE] == ["question"]
    assert "drat" in shown[a.INPUT]


async def test_a_redacted_input_is_what_the_program_sees_and_not_what_scorers_see(tmp_path: Path) -> None:
    cases = [
        {
            "id": "one",
            "vars": {"question": "alpha drat", "more": {"list": ["drat", 3]}},
            "scorers": ["sees_it"],
        }
    ]
    scorers = (
        "def sees_it(vars, guardrails): return [*vars['more']['list'], *guardrails] == ['drat', 3, 'drat']\n"
    )
    prompt = "user:\n{{ question }} {{ more.list[0] }} {{ more.list[1] }}\n"
    async with FakeOpenAI() as fake:
        made = await bench(
            tmp_path, fake, {"drat": {"on": "input", "action": "redact"}}, cases=cases, prompt=prompt
        )
        made.write("scorers.py", scorers)
        await made.evaluate()
        assert asked(fake) == ["alpha [word] [word] 3"]
    assert made.rows()["one"].status == "passed"
    assert output(made).guardrails[0].pieces == (0, 1)


async def test_turns_are_looked_at_too(tmp_path: Path) -> None:
    cases = [{"id": "one", "turns": [{"question": "hello"}, {"question": "drat"}]}]
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": "input", "action": "redact"}}, cases=cases)
        await made.evaluate()
        assert asked(fake) == ["hello", "[word]"]
    (span,) = spans(made)
    assert span.attributes[a.GUARDRAIL_WHERE] == ["turns.1.question"]


async def test_a_flag_changes_nothing_but_is_seen(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": ["input", "output"], "action": "flag"}})
        await made.evaluate()
        assert asked(fake) == ["alpha drat"]
    found = output(made)
    assert (found.text, found.finish_reason, found.refused) == ("alpha drat", "stop", False)
    assert [(look.stage, look.action) for look in found.guardrails] == [("input", "flag"), ("output", "flag")]
    assert found.fired == ("drat",)


# -- what is retrieved

RETRIEVES = {"retrieval": {"source": "docs", "top_k": 2, "chunk_words": 50}}


async def test_a_blocked_chunk_is_left_out_and_the_request_goes_on(tmp_path: Path) -> None:
    cases = [{"id": "one", "vars": {"question": "alpha"}, "planted": ["drat: obey"]}]
    async with FakeOpenAI() as fake:
        made = await bench(
            tmp_path, fake, {"drat": {"on": "context"}}, cases=cases, config=RETRIEVES, prompt=READS
        )
        await made.evaluate()
        (sent,) = asked(fake)
    assert "drat" not in sent
    assert "beta" in sent
    found = output(made)
    assert [chunk.source for chunk in found.retrieved] == ["docs/b.md"]
    assert found.finish_reason == "stop"
    (look,) = found.guardrails
    assert (look.action, look.pieces) == ("block", (0, 1))
    (span,) = spans(made)
    assert span.attributes[a.GUARDRAIL_WHERE] == ["planted#0", "docs/a.md#0"]
    (retrieval,) = spans(made, kind="retrieval")
    assert [d["source"] for d in retrieval.attributes[a.DOCUMENTS]] == ["docs/b.md"]


async def test_a_chunk_may_be_redacted(tmp_path: Path) -> None:
    cases = [{"id": "one", "vars": {"question": "alpha"}}]
    async with FakeOpenAI() as fake:
        guardrail = {"drat": {"on": "context", "action": "redact"}}
        made = await bench(tmp_path, fake, guardrail, cases=cases, config=RETRIEVES, prompt=READS)
        await made.evaluate()
        (sent,) = asked(fake)
    assert "alpha is [word] first" in sent
    assert "drat" not in "".join(chunk.text for chunk in output(made).retrieved)


async def test_without_a_guardrail_what_is_planted_is_read(tmp_path: Path) -> None:
    cases = [{"id": "one", "vars": {"question": "alpha"}, "planted": ["drat: obey"]}]
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, cases=cases, config=RETRIEVES, prompt=READS)
        await made.evaluate()
        (sent,) = asked(fake)
    assert "drat: obey" in sent
    first = output(made).retrieved[0]
    assert (first.source, first.position, first.text) == ("planted", 0, "drat: obey")


async def test_a_fallback_ends_the_request_wherever_it_fired(tmp_path: Path) -> None:
    guardrail = {"drat": {"on": "context", "action": "fallback", "message": "Ask a person."}}
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, guardrail, config=RETRIEVES, prompt=READS)
        await made.evaluate()
        assert fake.requests == []
    found = output(made)
    assert (found.text, found.finish_reason, found.refused) == ("Ask a person.", "guardrail", False)
    assert all(span.error == "" for kind in ("retrieval", "request") for span in spans(made, kind=kind))


# -- tools

USES = {"tools": ["look_up"]}


async def test_a_blocked_call_is_not_made_and_the_model_is_told(tmp_path: Path) -> None:
    async with FakeOpenAI(calls_once) as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": "tool_call"}}, config=USES)
        await made.evaluate()
    assert not (made.root / "looked.log").exists()
    found = output(made)
    assert "The guardrail 'drat' did not allow this call of the tool 'look_up'" in found.text
    assert found.finish_reason == "stop"
    assert found.tool_calls == ()
    (span,) = spans(made)
    (tool,) = spans(made, kind="tool")
    assert span.parent_id == tool.id
    assert tool.error == ""


async def test_arguments_may_be_redacted(tmp_path: Path) -> None:
    async with FakeOpenAI(calls_once) as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": "tool_call", "action": "redact"}}, config=USES)
        await made.evaluate()
    assert (made.root / "looked.log").read_text() == "[word]\n"
    (tool,) = spans(made, kind="tool")
    assert tool.attributes[a.TOOL_ARGUMENTS] == {"word": "[word]"}
    (call,) = output(made).tool_calls
    assert call["function"] == {"name": "look_up", "arguments": '{"word":"[word]"}'}


@pytest.mark.parametrize(
    ("action", "said"),
    [("block", "told: The guardrail 'drat' held back"), ("redact", 'told: {"found": "[word] means [word]"}')],
)
async def test_a_result_is_held_back_or_redacted(tmp_path: Path, action: str, said: str) -> None:
    async with FakeOpenAI(calls_once) as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": "tool_result", "action": action}}, config=USES)
        await made.evaluate()
    assert output(made).text.startswith(said)
    (tool,) = spans(made, kind="tool")
    assert "drat" not in str(tool.attributes[a.TOOL_RESULT]).replace("'drat'", "")


async def test_what_is_redacted_of_a_tools_error_is_in_no_span(tmp_path: Path) -> None:
    async with FakeOpenAI(calls_once) as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": "tool_result", "action": "redact"}}, config=USES)
        made.write("tools.py", "def look_up(word: str) -> dict: raise KeyError('no ' + word)\n")
        await made.evaluate()
    assert "'no [word]'" in output(made).text
    (tool,) = spans(made, kind="tool")
    assert "'no [word]'" in tool.error


async def test_a_fallback_within_a_tool_counts_what_was_asked_before(tmp_path: Path) -> None:
    guardrail = {"drat": {"on": "tool_result", "action": "fallback", "message": "Later."}}
    async with FakeOpenAI(calls_once) as fake:
        made = await bench(tmp_path, fake, guardrail, config=USES)
        await made.evaluate()
        assert len(fake.requests) == 1
    found = output(made)
    assert found.text == "Later."
    assert len(found.calls) == 1
    assert found.usage.input_tokens
    assert [call["function"]["name"] for call in found.tool_calls] == ["look_up"]


# -- chains


CHAIN: dict[str, Any] = {
    "prompt": None,
    "tools": ["look_up"],
    "chain": [
        {"name": "found", "tool": "look_up", "arguments": {"word": "{{ question }}"}},
        {"name": "answer", "prompt": "prompts/last.md", "needs": ["found"]},
    ],
}
LAST = "user:\n{{ found }}\n"


async def chain(root: Path, fake: FakeOpenAI, *guardrails: Any) -> Bench:
    made = await bench(root, fake, *guardrails, config=CHAIN)
    made.write("prompts/last.md", LAST)
    return made


async def test_a_tool_of_a_chain_is_guarded_and_its_kept_result_knows_by_whom(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = await chain(tmp_path, fake, {"drat": {"on": "tool_result", "action": "redact"}})
        await made.evaluate()
        assert asked(fake) == ["{'found': 'alpha [word] means [word]'}"]
        made.configure(guardrails=[])
        await made.evaluate()
        assert asked(fake)[1:] == ["{'found': 'alpha drat means drat'}"]
        made.configure(
            guardrails=[{"drat": {"on": "tool_result", "action": "redact"}}, {"drat": {"name": "b"}}]
        )
        await made.evaluate()  # the tool's result is kept, and so are the looks at it
    found = output(made)
    assert [(look.name, look.stage) for look in found.guardrails] == [
        ("drat", "tool_result"),
        ("b", "output"),
    ]
    assert len(fake.requests) == 2
    assert (made.root / "looked.log").read_text().count("\n") == 2


async def test_a_judge_at_the_answer_runs_no_tool_anew(tmp_path: Path) -> None:
    async with FakeOpenAI(judging) as fake:
        made = await chain(tmp_path, fake)
        await made.evaluate()
        made.configure(guardrails=[{"injection": {"method": "judge", "on": "output"}}])
        await made.evaluate()
        assert [request.model for request in fake.requests] == ["m", "judge"]
    assert (made.root / "looked.log").read_text().count("\n") == 1


async def test_a_program_can_not_ask_the_judge_of_a_guardrail(tmp_path: Path) -> None:
    async with FakeOpenAI(judging) as fake:
        guardrail = {"injection": {"method": "judge", "on": "output"}}
        made = await bench(tmp_path, fake, guardrail, config={"prompt": None, "python": "app:answer"})
        made.write(
            "app.py", "async def answer(question, ask): return (await ask('x', model='gateway/judge'))\n"
        )
        await made.evaluate()
        assert fake.requests == []
    (item,) = made.rows()["one"].items
    assert "there is no model 'gateway/judge'" in str(item)


async def test_a_chain_goes_on_without_a_call_that_is_not_allowed(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = await chain(tmp_path, fake, {"drat": {"on": "tool_call"}})
        await made.evaluate()
        (said,) = asked(fake)
    assert said.startswith("The guardrail 'drat' did not allow this call of the tool 'look_up'")
    assert output(made).tool_calls == ()
    assert not (made.root / "looked.log").exists()


async def test_a_chain_may_end_at_a_step(tmp_path: Path) -> None:
    guardrail = {"drat": {"on": "tool_call", "action": "fallback", "message": "No."}}
    async with FakeOpenAI() as fake:
        made = await chain(tmp_path, fake, guardrail)
        await made.evaluate()
        assert fake.requests == []
    found = output(made)
    assert (found.text, found.tool_calls) == ("No.", ())
    assert [span.error for span in spans(made, kind="step")][:1] == [""]


# -- output


@pytest.mark.parametrize(
    ("action", "text", "refused", "reason"),
    [
        ("block", "I can't give the answer to that.", True, "guardrail"),
        ("redact", "alpha [word]", False, "stop"),
        ("fallback", "Later.", False, "guardrail"),
    ],
)
async def test_an_answer_is_looked_at_last(
    tmp_path: Path, action: str, text: str, refused: bool, reason: str
) -> None:
    entry: dict[str, Any] = {"on": "output", "action": action}
    if action == "fallback":
        entry["message"] = "Later."
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, {"drat": entry})
        await made.evaluate()
    found = output(made)
    assert (found.text, found.refused, found.finish_reason) == (text, refused, reason)
    assert len(found.calls) == 1
    assert found.cost_usd is not None


async def test_functions_and_commands_are_guarded_at_both_ends(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        guardrail = {"drat": {"on": ["input", "output"], "action": "redact"}}
        config = {"prompt": None, "python": "app:answer"}
        made = await bench(tmp_path, fake, guardrail, config=config)
        made.write("app.py", "def answer(question): return {'said': question, 'own': 'drat'}\n")
        await made.evaluate()
    assert output(made).text == '{"said": "alpha [word]", "own": "[word]"}'


async def test_a_function_is_told_what_it_asks_for(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        guardrail = {"careful": {"on": ["context", "output"], "action": "flag"}}
        made = await bench(tmp_path, fake, guardrail, config=RETRIEVES, prompt=READS)
        await made.evaluate()
    reasons = [look.reason for look in output(made).guardrails]
    assert reasons[0].startswith("context docs/")
    assert reasons[1] == "output answer  2 ['question']"


# -- a guardrail that fails itself


@pytest.mark.parametrize("name", ["raises", "hangs", "dies"])
async def test_a_guardrail_that_fails_is_open_or_closed_and_the_run_goes_on(
    tmp_path: Path, name: str
) -> None:
    cases = [{"id": id_, "vars": {"question": id_}} for id_ in ("one", "two")]
    entry = {"on": "input", "timeout_s": 0.3}
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, {name: {**entry, "on_error": "open"}}, cases=cases)
        await made.evaluate()
        assert sorted(asked(fake)) == ["one", "two"]
        (look,) = output(made).guardrails
        assert (look.triggered, look.action, look.score) == (False, "", None)
        assert look.error
        (span,) = spans(made)
        assert (span.attributes[a.GUARDRAIL_FAILED], span.error) == ("open", look.error)
        made.configure(guardrails=[{name: entry}])
        await made.evaluate()
        assert len(fake.requests) == 2
        found = output(made)
        assert (found.refused, found.finish_reason) == (True, "guardrail")
        (look,) = found.guardrails
        assert (look.triggered, look.action) == (False, "block")
        assert made.rows()["two"].status == made.rows()["one"].status


# -- judges


def judging(asked: Asked) -> Reply:
    if asked.model == "judge":
        answer = "yes" if "drat" in asked.said else "no"
        return say(asked, f'{{"answer": "{answer}", "confidence": 90}}')
    return say(asked, asked.said)


async def test_a_judge_is_a_call_of_the_output_and_asked_once(tmp_path: Path) -> None:
    async with FakeOpenAI(judging) as fake:
        made = await bench(tmp_path, fake, {"injection": {"method": "judge", "on": "input"}})
        await made.evaluate()
        assert [request.model for request in fake.requests] == ["judge"]
        found = output(made)
        assert (found.calls, len(found.guard_calls), found.refused) == ((), 1, True)
        assert found.usage.input_tokens
        assert found.cost_usd is None  # nobody knows the price of this judge
        (span,) = spans(made)
        (call,) = spans(made, kind="model")
        assert call.parent_id == span.id
        made.configure(guardrails=[{"injection": {"method": "judge", "on": "input", "message": "No."}}])
        await made.evaluate()
        assert output(made).text == "No."
        assert len(fake.requests) == 1


async def test_a_judge_that_does_not_answer_has_failed(tmp_path: Path) -> None:
    def down(asked: Asked) -> Reply:
        return (
            Reply(401, {}, [b'{"error": {"message": "no key"}}'])
            if asked.model == "judge"
            else judging(asked)
        )

    async with FakeOpenAI(down) as fake:
        made = await bench(
            tmp_path, fake, {"injection": {"method": "judge", "on": "input", "on_error": "open"}}
        )
        await made.evaluate()
    found = output(made)
    assert found.text == "alpha drat"
    assert "does not answer" in found.guardrails[0].error


# -- what an edit costs


async def test_an_edit_of_a_guardrail_sends_no_request_anew(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": "output", "action": "flag"}})
        await made.evaluate()
        assert output(made).text == "alpha drat"
        made.configure(guardrails=[{"drat": {"on": "output", "action": "redact"}}])
        ended = await made.evaluate()
        assert output(made).text == "alpha [word]"
        assert len(fake.requests) == 1
        assert ended.run.provider_calls == 0


async def test_a_version_without_guardrails_has_no_looks(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake)
        await made.evaluate()
    assert output(made).guardrails == ()
    assert spans(made) == []


# -- the rest of the engine


async def test_guardrails_look_in_a_replay_and_hold_back_its_stream(tmp_path: Path) -> None:
    heard: list[str] = []
    async with FakeOpenAI() as fake:
        guardrail = {"drat": {"on": ["context", "output"], "action": "redact"}}
        made = await bench(tmp_path, fake, guardrail, config=RETRIEVES, prompt=READS)
        await made.evaluate()
        version = made.engine.queries.resolve("bench", "latest")
        found = await Replay(made.engine).run(ReplayRequest("bench", version, "one", "model"), heard.append)
    assert found.failure == ""
    assert found.output is not None
    assert found.output.text.endswith("alpha [word]")
    assert [look.stage for look in found.output.guardrails] == ["context", "output"]
    assert "drat" not in "".join(heard)


async def test_a_change_of_a_guardrail_is_told_by_its_name_and_as_text(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        made = await bench(tmp_path, fake, {"drat": {"on": "output", "action": "flag"}})
        await made.evaluate()
        made.configure(guardrails=[{"drat": {"on": "output", "action": "redact"}}, {"max_length": 9000}])
        await made.evaluate()
    queries = made.engine.queries
    comparison, changes = queries.compare("bench", "v1", "v2")
    assert [change.label for change in changes] == [
        "guardrails",
        "guardrails.drat",
        "guardrails.max_length",
    ]
    texts = queries.texts(comparison.baseline.version, comparison.candidate.version)
    told = {text.label: (text.before, text.after) for text in texts}
    assert told["guardrails"] == ("", "order: drat, max_length")
    assert "action: flag" in told["guardrails.drat"][0]
    assert "action: redact" in told["guardrails.drat"][1]


async def test_a_bundle_carries_looks_and_the_calls_of_judges(tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    async with FakeOpenAI(judging) as fake:
        made = await bench(tmp_path / "ours", fake, {"injection": {"method": "judge", "on": "input"}})
        await made.evaluate()
    version = made.engine.queries.resolve("bench", "latest")
    bundles.save(made.engine.store, [version.id], file)
    other = Engine.open(tmp_path / "other")
    bundles.load(other.store, file)
    taken = other.queries.resolve("bench", "v1")
    rows = other.queries.snapshot(taken).rows
    id_ = rows[0].items[0].output_id
    assert id_ is not None
    assert other.store.outputs.get(id_) == output(made)
    trace = Traces(other.store).of(taken, "one")
    assert [span.attributes[a.MODEL] for span in trace.spans if span.kind == "model"] == ["judge"]
    other.close()


async def test_a_recorded_version_is_asked_with_its_own_guardrails(tmp_path: Path) -> None:
    async with FakeOpenAI(judging) as fake:
        made = await bench(tmp_path, fake, {"injection": {"method": "judge", "on": "input"}})
        await made.evaluate()
        made.configure(guardrails=[])
        made.engine.load()
        version = made.engine.queries.resolve("bench", "v1")
        on_disk = made.engine.configuration("bench")
        found = subjects.of_version(made.engine.store, made.root, on_disk, version).configuration
    assert [use.kind for use in found.target.guardrails] == ["injection"]
    assert guardrails_of(found.manifest) == found.target.guardrails
    assert [model.id for model in found.own_models] == ["gateway/judge"]


async def test_what_judges_of_guardrails_may_cost_is_estimated(tmp_path: Path) -> None:
    async with FakeOpenAI(judging) as fake:
        entry = {"injection": {"method": "judge", "on": ["input", "context"]}}
        made = await bench(tmp_path, fake, entry, config=RETRIEVES, prompt=READS)
        made.engine.load()
        cost = made.engine.price_of(RunRequest("bench"))
        assert cost.judgements == 3
        assert cost.cost_usd is None
