"""`replay`: a recorded output run again from a step, beside the original."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import Desk
from test_cli_trace import CHAIN, TOOLS, write

from llmops_tui.workspace.trust import trust


@pytest.fixture
def chained(desk: Desk) -> Desk:
    """A chain of a tool and a prompt, evaluated."""
    write(desk, "configs/desk.yaml", CHAIN)
    write(desk, "tools.py", TOOLS)
    write(desk, "prompts/answer.md", "user:\nthe {{ look }}, so 30 days\n")
    trust(Path(desk.root))
    code, _, err = desk("run")
    assert code == 0, err
    return desk


def test_a_replay_shows_both_answers_and_where_they_part(chained: Desk) -> None:
    write(chained, "prompts/answer.md", "user:\nour {{ look }}, so two weeks\n")
    code, out, err = chained("replay", "days", "--version", "v1", "--from", "answer", "--with", "desk")
    assert code == 0, err
    assert "Another prompt line" in out
    assert "- [-the-] order 1001 is packed, so [-30 days-]" in out
    assert "+ {+our+} order 1001 is packed, so {+two weeks+}" in out
    assert "✗ contains 0.00" in out
    assert "1 request sent" in out


def test_as_json_it_has_the_answers_and_the_trace(chained: Desk) -> None:
    code, out, _ = chained("replay", "days", "--from", "answer/model", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["output"] == told["before"] == "the order 1001 is packed, so 30 days"
    assert told["provider_calls"] == 1
    assert told["trace"]["first"] is None
    assert told["scores"][0]["passed"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("days", "--from", "answr"), "there is no step 'answr'; did you mean 'answer'?"),
        (("dys", "--from", "answer"), "did you mean 'days'?"),
        (("days", "--from", "answer", "--with", "nothing"), "nothing"),
        (("days", "--from", "answer", "--trial", "7"), "has no trial 7"),
    ],
)
def test_mistakes_are_sentences(chained: Desk, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = chained("replay", *arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err
