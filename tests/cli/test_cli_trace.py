"""`trace`: real runs on disk, and where two versions of them part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, make_desk
from fake_openai import Asked, Reply, completion, say
from serving import serving

RETRIEVING = """\
prompt: prompts/desk.md
retrieval: {source: docs, top_k: 1}
models: [echo/parrot]
params: {temperature: 0}
evals: [evals/desk.yaml]
"""
READING = "user:\n{{ context }}\n{{ question }} You have 30 days for a refund.\n"

CHAIN = """\
chain:
  - name: look
    tool: order_status
    arguments: {order: "{{ 1001 }}"}
  - name: answer
    needs: [look]
    prompt: prompts/answer.md
models: [echo/parrot]
evals: [evals/desk.yaml]
"""

TOOLS = '''
def order_status(order: int) -> str:
    """Where an order is."""
    return f"order {order} is packed"
'''


def write(desk: Desk, name: str, text: str) -> None:
    path = desk.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def evaluate(desk: Desk) -> None:
    code, _out, err = desk("run")
    assert code == 0, err


@pytest.fixture
def edited(desk: Desk) -> Desk:
    """Two versions whose prompt differs."""
    evaluate(desk)
    desk.edit_prompt()
    evaluate(desk)
    return desk


def first(answer: dict[str, Any]) -> tuple[str, str]:
    """Kind of the first step where they part, and the headline."""
    return answer["pairings"][answer["first"]]["kind"], answer["headline"]


# -- one trace


def test_one_output_is_shown_as_a_tree_of_its_steps_with_its_figures(edited: Desk) -> None:
    code, out, err = edited("trace", "days", "--version", "v1")
    assert (code, err) == (0, "")
    assert out.startswith("days · v1 · echo/parrot\n")
    assert "1 model call" in out
    assert [line.split()[1] for line in out.split("\n") if line[:2] in ("├─", "└─")] == [
        "prompt",
        "model",
        "scorer",
    ]
    assert "How long? You have 30 days for a refund." in out


def test_full_shows_what_was_sent_and_what_came_back(edited: Desk) -> None:
    _code, out, _err = edited("trace", "days", "--full")
    assert "{{ question }} You have two weeks" in out
    assert "temperature: 0" in out


def test_json_has_spans_with_their_children_within_them(edited: Desk) -> None:
    answer = edited.json("trace", "days")
    assert set(answer) == {"id", "title", "spans"}
    (root,) = answer["spans"]
    assert {"name", "kind", "start", "end", "status", "attributes", "children"} <= set(root)
    assert [span["kind"] for span in root["children"]] == ["prompt", "model", "scorer"]
    assert root["attributes"]["llmops.version"] == "v2"
    assert root["start"] <= root["children"][1]["start"] <= root["children"][1]["end"]


def test_markdown_is_printed_for_one_and_for_two(edited: Desk) -> None:
    _code, out, _err = edited("trace", "days", "--markdown")
    assert out.startswith("# Trace: days · v2 · echo/parrot\n")
    _code, out, _err = edited("trace", "days", "--against", "v1", "--markdown")
    assert "## The first step where they part: prompt" in out
    assert "```diff\n" in out


def test_a_case_named_like_a_subcommand_is_reached_with_show(tmp_path: Path, desk: Desk) -> None:
    del tmp_path
    evals = desk.root / "evals" / "desk.yaml"
    evals.write_text(evals.read_text(encoding="utf-8").replace("id: days", "id: show"), encoding="utf-8")
    evaluate(desk)
    assert desk.json("trace", "show", "show")["title"].startswith("show · ")


def test_options_may_come_before_the_case_and_before_the_verb(edited: Desk) -> None:
    assert edited.json("trace", "--version", "v1", "days")["title"].startswith("days · v1")
    from llmops_tui.cli.main import main

    assert main(["--workspace", str(edited.root), "trace", "days"], lambda *_: 0) == 0


# -- what a person can get wrong


def test_mistakes_are_sentences_with_what_would_be_right(edited: Desk) -> None:
    def said(*arguments: str) -> str:
        code, out, err = edited("trace", *arguments)
        assert (code, out) == (2, "")
        assert "Traceback" not in err
        return err

    assert "did you mean 'days'?" in said("day")
    assert "v9" in said("days", "--version", "v9")
    assert "v2 has no model 'macaw'" in said("days", "--model", "macaw")
    assert "has no trial 7" in said("days", "--trial", "7")
    assert "see llmops-tui trace" in said()
    assert (
        "leave one out" in json.loads(edited("trace", "days", "--markdown", "--json")[1])["error"]["message"]
    )


def test_a_case_that_was_never_run_names_the_command_that_runs_it(desk: Desk) -> None:
    code, _out, err = desk("trace", "days")
    assert code == 2
    assert "llmops-tui run" in err


# -- two


def test_the_same_version_beside_itself_came_about_the_same_way(edited: Desk) -> None:
    code, out, _err = edited("trace", "days", "--against", "v2")
    assert code == 0
    assert "Both came about the same way" in out


def test_a_case_that_regressed_by_the_prompt_parts_at_the_prompt(edited: Desk) -> None:
    kind, headline = first(edited.json("trace", "days", "--against", "v1"))
    assert kind == "prompt"
    assert headline.startswith("another prompt line: “{{ question }} You have 30 days for a refund.” → ")
    _code, out, _err = edited("trace", "days", "--against", "v1")
    assert "▶~ ├─ prompt" in out
    assert "+ {{ question }} You have {+two weeks+}" in out


def test_a_case_that_regressed_by_another_chunk_parts_at_the_retrieval(desk: Desk) -> None:
    write(desk, "configs/desk.yaml", RETRIEVING)
    write(desk, "prompts/desk.md", READING)
    write(desk, "docs/long.md", "How long a refund takes: 30 days.")
    write(desk, "docs/other.md", "Parrots are birds.")
    evaluate(desk)
    write(desk, "docs/long.md", "Of cats.")
    write(desk, "docs/newer.md", "How long? At any time.")
    evaluate(desk)
    kind, headline = first(desk.json("trace", "days", "--against", "v1"))
    assert (kind, headline) == ("retrieval", "another chunk retrieved: docs/long.md#0 → docs/newer.md#0")


def test_a_case_that_regressed_by_the_argument_of_a_tool_step_parts_at_the_tool(desk: Desk) -> None:
    write(desk, "configs/desk.yaml", CHAIN)
    write(desk, "prompts/answer.md", "user:\n{{ look }} {{ question }}\n")
    write(desk, "tools.py", TOOLS)
    assert desk("trust")[0] == 0
    evaluate(desk)
    (root,) = desk.json("trace", "days")["spans"]
    # A step that is kept for later is put down before the whole has ended.
    steps = [span for span in root["children"] if span["kind"] == "step"]
    assert root["end"] >= max(step["end"] for step in steps)
    write(desk, "configs/desk.yaml", CHAIN.replace("1001", "1002"))
    evaluate(desk)
    kind, headline = first(desk.json("trace", "days", "--against", "v1"))
    assert kind == "tool"
    assert headline.startswith("another tool argument: order 1001 → 1002")


def test_a_model_that_calls_a_tool_with_another_argument_parts_at_the_tool(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = 1001

    def script(asked: Asked) -> Reply:
        told = [m["content"] for m in asked.body["messages"] if m["role"] == "tool"]
        if told:
            return say(asked, told[0])
        call = {"name": "order_status", "arguments": json.dumps({"order": order})}
        wanted = [{"id": f"call_{order}", "type": "function", "function": call}]
        message = {"role": "assistant", "content": None, "tool_calls": wanted}
        return completion(asked, message, "tool_calls")

    config = "prompt: prompts/desk.md\ntools: [order_status]\nmodels: [gate/fake]\nevals: [evals/desk.yaml]\n"
    with serving(script) as server:
        desk = Desk(make_desk(tmp_path / "tools", config=config), capsys)
        write(desk, "llmops.yaml", f"providers: {{gate: {{base_url: '{server.url}'}}}}\n")
        write(desk, "tools.py", TOOLS)
        assert desk("trust")[0] == 0
        evaluate(desk)
        order = 1002
        # A longer tool limit asks the very same, so it is asked anew.
        write(desk, "configs/desk.yaml", config + "max_steps: 7\n")
        assert desk("run", "--fresh", "--yes")[0] == 0
    kind, headline = first(desk.json("trace", "days", "--against", "v1"))
    assert (kind, headline) == ("tool", "another tool argument: order 1001 → 1002")


def test_an_attempt_that_failed_parts_at_the_call_that_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    down = False

    def script(asked: Asked) -> Reply:
        return Reply(400, {}, [b'{"error": {"message": "no such thing"}}']) if down else say(asked, "30 days")

    with serving(script) as server:
        config = RETRIEVING.replace("echo/parrot", "gate/fake")
        desk = Desk(make_desk(tmp_path / "failing", config=config), capsys)
        write(desk, "llmops.yaml", f"providers: {{gate: {{base_url: '{server.url}'}}}}\n")
        write(desk, "prompts/desk.md", READING)
        write(desk, "docs/long.md", "How long a refund takes: 30 days.")
        evaluate(desk)
        down = True
        write(desk, "configs/desk.yaml", config.replace("temperature: 0", "temperature: 1"))
        assert desk("run", "--yes")[0] == 3
    kind, headline = first(desk.json("trace", "days", "--against", "v1"))
    assert kind == "model"
    assert headline.startswith("an error: model call fake: ")
    assert "no such thing" in headline
