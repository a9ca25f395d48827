"""`gate` where answers are noisy: adjudication in planned looks, budgets, fresh draws, and Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from desk import Desk
from fake_openai import WRONG, Asked, FakeOpenAI, Reply, say
from serving import serving
from small_workspace import write_workspace

from llmops_tui.engine.engine import DATABASE
from llmops_tui.store import Store

CASES = 20
COMMAND = [sys.executable, "-c", "from llmops_tui.entry import main; main()"]


class Bench:
    """Twenty cases on a server; the candidate's prompt says `worse`, and `wrong` says when it is."""

    def __init__(self, root: Path, server: FakeOpenAI) -> None:
        self.root = root
        self.server = server
        self.concurrency = 8
        write_workspace(
            root,
            prompt="system:\nBe brief.\n\nuser:\n{{ question }}\n",
            cases=[
                {"id": f"c{n:02}", "vars": {"question": f"word {n:02}"}, "scorers": [{"contains": "word"}]}
                for n in range(CASES)
            ],
            models=["fake/m"],
        )
        self.gate()

    def gate(self, **rules: Any) -> None:
        provider = {
            "base_url": self.server.url,
            "concurrency": self.concurrency,
            "retries": 0,
            "price": {"m": {"input": 1000, "output": 1000}},
        }
        settings = {"providers": {"fake": provider}, "gate": rules}
        (self.root / "llmops.yaml").write_text(json.dumps(settings), encoding="utf-8")

    def edit(self, word: str = "worse") -> None:
        (self.root / "prompts" / "bench.md").write_text(
            f"system:\nBe {word}.\n\nuser:\n{{{{ question }}}}\n", encoding="utf-8"
        )


def three_cases_lost(asked: Asked) -> Reply:
    worse = "worse" in str(asked.body["messages"][0]["content"])
    return say(asked, WRONG if worse and asked.said in ("word 00", "word 01", "word 02") else asked.said)


@pytest.fixture
def bench(desk: Desk) -> Iterator[Bench]:
    (desk.root / "configs" / "desk.yaml").unlink()
    with serving(three_cases_lost) as server:
        ours = Bench(desk.root, server)
        desk.json("run")
        ours.edit()
        yield ours


def test_what_one_look_leaves_open_a_second_one_decides(desk: Desk, bench: Bench) -> None:
    bench.gate(max_drop=0.05)
    found = desk.json("gate", code=4)
    (rule,) = [r for r in found["rules"] if r["rule"] == "pass_rate"]
    assert (rule["p_value"], rule["alpha"]) == (0.125, pytest.approx(0.0325))
    assert found["looks"] == []
    found = desk.json("gate", "--adjudicate", code=1)
    assert [look["verdict"] for look in found["looks"]] == ["inconclusive", "fail"]
    assert [look["trials"] for look in found["looks"]] == [1, 2]
    assert found["looks"][1]["alpha"] == pytest.approx(0.0179, abs=1e-4)
    # Everything was asked once more, on both sides, and for all cases alike.
    assert (found["provider_calls"], found["trials_spent"]) == (2 * CASES, 2 * CASES)
    assert found["reasons"][0].endswith("worse: c00, c01 and c02")
    code, out, _ = desk("gate")
    assert (code, "2 trials each" in out) == (1, True)


def test_adjudication_says_what_it_spent_and_learnt(desk: Desk, bench: Bench) -> None:
    bench.gate(max_drop=0.05)
    _, out, _ = desk("gate", "--adjudicate")
    lines = out.splitlines()
    start = lines.index("Adjudication")
    assert lines[start + 1].split()[:3] == ["look", "trials", "verdict"]
    assert lines[start + 2].split()[:5] == ["1", "1", "inconclusive", "15.0", "points"]
    assert lines[start + 3].split()[:3] == ["2", "2", "fail"]
    assert "40 trials beyond the planned ones" in lines[2]


def test_adjudication_stops_inside_the_budget_of_calls(desk: Desk, bench: Bench) -> None:
    bench.gate(max_drop=0.01, alpha=0.001, budget={"calls": 100})
    found = desk.json("gate", "--adjudicate", code=4)
    # 20 calls for the candidate, 40 for look two; look three would take 80 more.
    assert found["provider_calls"] == 60
    assert len(found["looks"]) == 2
    assert found["reasons"][-1] == (
        "adjudication stopped before look 3: it takes up to 80 calls after 60, and gate.budget.calls is 100"
    )
    # The look that was not taken leaves nothing to be asked.
    assert desk.json("gate", code=4)["provider_calls"] == 0


def test_adjudication_ends_undecided_after_its_last_look(desk: Desk, bench: Bench) -> None:
    bench.gate(max_drop=0.14, alpha=0.000001)
    found = desk.json("gate", "--adjudicate", code=4)
    assert [look["trials"] for look in found["looks"]] == [1, 2, 4]
    assert found["reasons"][-1] == "adjudication ended undecided after 3 looks, as planned"


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"calls": 19}, "it takes up to 20 calls, and gate.budget.calls is 19"),
        ({"usd": 0.01}, "gate.budget.usd is"),
    ],
)
def test_over_its_budget_a_gate_asks_nothing_and_ends_with_2(
    desk: Desk, bench: Bench, budget: dict[str, float], said: str
) -> None:
    bench.gate(budget=budget, max_drop=0.5)
    bench.server.forget()
    error = desk.json("gate", code=2)["error"]
    assert said in error["message"]
    assert "--yes" in error["message"]
    assert bench.server.count == 0
    assert desk.json("gate", "--yes")["provider_calls"] == CASES


def test_what_costs_more_than_was_foreseen_is_stopped(desk: Desk, bench: Bench) -> None:
    # The average of earlier answers foresees less than these cost.
    bench.gate(budget={"usd": 1.0}, max_drop=0.5)
    bench.edit("worse " + "and worse " * 40)
    code, out, err = desk("gate")
    assert code == 2
    assert "the gate has cost what the budget in llmops.yaml allows" in err
    assert out.startswith("inconclusive  bench v2 against v1")
    assert "cut short before both sides were complete" in " ".join(out.split())


def test_a_fresh_gate_asks_both_sides_anew_in_one_generation(desk: Desk, bench: Bench) -> None:
    desk("gate")
    bench.server.forget()
    found = desk.json("gate", "--fresh", code=4)
    assert (found["provider_calls"], bench.server.count) == (2 * CASES, 2 * CASES)
    assert found["exploratory"] is False
    # It is kept: nothing is missing now, and the verdict is still one on fresh answers.
    again = desk.json("gate", code=4)
    assert (again["provider_calls"], again["exploratory"]) == (0, False)


def test_both_sides_take_turns(desk: Desk, bench: Bench) -> None:
    bench.concurrency = 1
    bench.gate()
    bench.server.forget()
    desk("gate", "--fresh")
    sides = ["worse" in str(asked.body["messages"][0]["content"]) for asked in bench.server.requests]
    # Eight of the baseline, sixteen of the candidate, twelve of the baseline, four of the candidate.
    turns = [side for n, side in enumerate(sides) if n == 0 or sides[n - 1] != side]
    assert turns == [False, True, False, True]
    assert sides.count(True) == sides.count(False) == CASES


async def command(root: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(*COMMAND, *arguments, "--json"),
        cwd=root,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )


async def first_is_kept(root: Path) -> None:
    """Wait until an answer of the candidate is in the database, as another process sees it."""
    with Store.open(root / DATABASE, read_only=True) as store:
        while True:
            found = store.runs.snapshot(store.versions.get("bench", "v2").id)
            if found is not None and any(row.status == "passed" for row in found.rows):
                return
            await asyncio.sleep(0.01)


async def test_ctrl_c_keeps_what_is_done_and_gives_no_verdict(tmp_path: Path) -> None:
    held, hangs = asyncio.Event(), False

    def script(asked: Asked) -> Reply:
        if hangs and server.count > CASES + 3:
            held.set()
            return msgspec.structs.replace(say(asked, "never whole"), then="hang")
        return say(asked, asked.said)

    async with FakeOpenAI(script) as server:
        ours = Bench(tmp_path / "ws", server)
        ran = await command(ours.root, "run")
        await ran.communicate()
        hangs = True
        ours.edit()
        gate = await command(ours.root, "gate", "--junit", "gate.xml")
        await asyncio.wait_for(held.wait(), 30)
        await first_is_kept(ours.root)
        gate.send_signal(signal.SIGINT)
        out, err = await gate.communicate()
        assert gate.returncode == 130, err.decode()
        found = json.loads(out)
        assert (found["verdict"], found["exit_code"]) == ("inconclusive", 130)
        assert "interrupted; what was answered is kept" in err.decode()
        assert not (ours.root / "gate.xml").exists()

        hangs = False
        again = await command(ours.root, "gate")
        out, err = await again.communicate()
        assert again.returncode == 0, err.decode()
        assert 0 < json.loads(out)["provider_calls"] < CASES


@pytest.mark.parametrize("says_yes", [True, False])
def test_on_a_terminal_a_gate_over_budget_asks_first(
    desk: Desk, bench: Bench, monkeypatch: pytest.MonkeyPatch, says_yes: bool
) -> None:
    bench.gate(budget={"calls": 19}, max_drop=0.5)
    asked: list[str] = []

    def confirm(text: str, **_how: object) -> bool:
        asked.append(text)
        return says_yes

    monkeypatch.setattr("click.confirm", confirm)
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    bench.server.forget()
    code, _, _ = desk("gate")
    assert len(asked) == 1
    assert "gate.budget.calls is 19" in asked[0]
    assert (code, bench.server.count) == ((0, CASES) if says_yes else (2, 0))
