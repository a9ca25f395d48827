"""Functions of `guardrails.py` in a process of their own: what they may do to it, and what is said then."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guard_kinds import HASH, Kept

from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.guardrails import apart as apart_module
from llmops_tui.guardrails import child as child_module
from llmops_tui.guardrails import looking
from llmops_tui.guardrails.apart import Apart
from llmops_tui.guardrails.apart_process import found_of
from llmops_tui.guardrails.guards import Guards
from llmops_tui.guardrails.registry import About, Found, Match
from llmops_tui.guardrails.watch import Decision, Piece

SOURCE = """
import ctypes, os, pathlib, signal, subprocess, sys, time
from lib.words import BAD

CALLS = []

def plain(text): return BAD in text
def number(text): return 0.25
def nothing(text): return None
def reason(text): return "says why" if BAD in text else ""
def mapping(text): return {"score": 0.75, "reason": "r", "text": text.upper()}
async def later(text): return {"triggered": True}
def asks(text, stage, vars, context, tool, where, limit=1):
    return f"{text} {stage} {vars['a']} {list(context)} {tool} {where} {limit}"
def counts(text):
    CALLS.append(text)
    return str(len(CALLS))
def which(text): return str(os.getpid())

def raises(text): raise ValueError("no\\nsuch " + text)
def inner(text): return "" + sys.intern(None)
def recurses(text): return recurses(text)
def exits(text): sys.exit(4)
def ends(text): os._exit(3)
def crashes(text): ctypes.string_at(0)
def hangs(text):
    while True: pass
def hangs_in_c(text): ctypes.PyDLL(None).sleep(1000)
def says_and_returns(text): pathlib.Path(text).touch()
def says_and_hangs_in_c(text):
    pathlib.Path(text).touch()
    ctypes.PyDLL(None).sleep(1000)
def leaves_one_and_ends(text):
    if os.fork() == 0:
        pathlib.Path(text).write_text(str(os.getpid()))
        time.sleep(1000)
    while not pathlib.Path(text).exists(): time.sleep(0.01)
    os._exit(3)
def says_and_leaves_one_stopped(text):
    if os.fork() == 0:
        pathlib.Path(text).write_text(str(os.getpid()))
        time.sleep(1000)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    os.kill(os.getpid(), signal.SIGSTOP)
def closes(text):
    os.closerange(3, 100)
    time.sleep(1000)
def half(text): return {"triggered": True, "reason": "\\ud800", "text": "a\\ud800b"}
def grows(text): return bytearray(3 << 30)
def list_(text): return [1]
def over(text): return 1.5
def reads(text): return input()
def prints(text):
    print("hello"); sys.stderr.write("hello"); os.write(1, b"\\0rubbish")
    return True
def forks(text):
    os.fork()
    return True
def leaves_one_behind(text):
    with open(text, "w") as file:
        file.write(str(subprocess.Popen(["sleep", "1000"]).pid))
    os._exit(3)
def on_the_wire(text):
    for fd in range(3, 30):
        try: os.write(fd, b"\\0\\0\\0\\x04true")
        except OSError: pass
    return True
def here(text): return f"{os.getcwd()} {__file__}"
def picky(text):
    if text == "end": os._exit(3)
    return text == "bad"
"""
SOURCES = {"guardrails.py": SOURCE, "lib/words.py": "BAD = 'bad'\n"}
ABOUT = About("input")


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    made = Apart(SOURCES)
    yield made
    made.close()


def function(name: str, timeout_s: float = 30.0, **rest: Any) -> GuardrailUse:
    return GuardrailUse(name, name, ("input",), timeout_s=timeout_s, revision=HASH, **rest)


def look(apart: Apart, name: str, *texts: str, **rest: Any) -> list[Found | str]:
    pieces = [Piece(text) for text in texts or ("a text",)]
    return apart.look(function(name, **rest), pieces, ABOUT).result(60)


class TestWhatAFunctionMayReturn:
    @pytest.mark.parametrize(
        ("name", "text", "found"),
        [
            ("plain", "a bad text", Found(1.0)),
            ("plain", "a text", Found(0.0)),
            ("number", "a", Found(0.25)),
            ("nothing", "a", Found(0.0)),
            ("reason", "a bad text", Found(1.0, "says why")),
            ("reason", "a text", Found(0.0)),
            ("mapping", "abc", Found(0.75, "r", (Match(0, 3, "ABC"),))),
            ("later", "a", Found(1.0)),
            ("half", "abc", Found(1.0, "\ud800", (Match(0, 3, "a\ufffdb"),))),
        ],
    )
    def test_it_is_understood(self, apart: Apart, name: str, text: str, found: Found) -> None:
        assert look(apart, name, text) == [found]

    def test_it_is_given_what_it_asks_for_by_name(self, apart: Apart) -> None:
        about = About("tool_result", {"a": 5}, ("c",), "refund")
        use = function("asks", options={"limit": 7})
        (found,) = apart.look(use, [Piece("t", "here")], about).result(60)
        assert found == Found(1.0, "t tool_result 5 ['c'] refund here 7")

    def test_its_module_is_loaded_once(self, apart: Apart) -> None:
        first, second = (int(found.reason) for found in look(apart, "counts", "a", "b"))  # type: ignore[union-attr]
        assert second == first + 1

    def test_a_replacement_is_what_redact_leaves(self, apart: Apart) -> None:
        decision = check(apart, function("mapping", action="redact"), "abc")
        assert decision.texts == ("ABC",)

    def test_its_folder_is_that_of_the_workspace(self, tmp_path: Path) -> None:
        apart = Apart({"guardrails.py": "import os\n" + SOURCE.partition("BAD\n")[2]}, str(tmp_path))
        (found,) = look(apart, "here")
        apart.close()
        assert isinstance(found, Found)
        assert found.reason == f"{tmp_path} {tmp_path}/guardrails.py"

    @pytest.mark.parametrize(
        "returned",
        [[1], object(), 2, -0.1, float("nan"), {}, {"score": "x"}, {"triggered": True, "score": 1}],
    )
    def test_anything_else_is_a_mistake(self, returned: Any) -> None:
        with pytest.raises(ValueError, match=r"^returned "):
            found_of(returned, "text")


class TestWhatAFunctionMayDo:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("raises", "guardrails.py:20 ValueError: no such a text"),
            ("inner", "guardrails.py:21 TypeError: "),
            ("recurses", "guardrails.py:22 RecursionError: "),
            ("exits", "guardrails.py:23 SystemExit: 4"),
            ("ends", "it ended its process (exit status 3)"),
            ("crashes", "its process was killed (SIGSEGV)"),
            ("grows", "MemoryError"),
            ("list_", "list_ returned a value of type list; return True, False"),
            ("over", "over returned 1.5, which is not from 0 to 1"),
            ("reads", "EOFError"),
            ("on_the_wire", "its process answered with what can't be read"),
            ("absent", "guardrails.py has no function 'absent'"),
        ],
    )
    def test_it_is_told_and_the_next_look_is_made(self, apart: Apart, name: str, said: str) -> None:
        (told,) = look(apart, name)
        assert isinstance(told, str)
        assert said in told
        assert look(apart, "plain", "bad") == [Found(1.0)]

    @pytest.mark.parametrize("name", ["hangs", "hangs_in_c"])
    def test_one_that_hangs_is_ended_at_its_limit(self, apart: Apart, name: str) -> None:
        assert look(apart, name, timeout_s=0.1) == ["took longer than 0.1 s"]
        assert look(apart, "plain", "bad") == [Found(1.0)]

    @pytest.mark.parametrize("name", ["prints", "forks"])
    def test_what_it_prints_and_forks_disturbs_nobody(
        self, apart: Apart, name: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert look(apart, name, "a", "b") == [Found(1.0), Found(1.0)]
        assert capfd.readouterr() == ("", "")

    def test_one_that_closes_what_it_is_asked_on_is_not_waited_for(
        self, apart: Apart, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(child_module, "_END_S", 1000.0)
        assert look(apart, "closes", timeout_s=0.5) == ["its process stopped answering"]

    def test_what_it_started_does_not_outlive_it(self, apart: Apart, tmp_path: Path) -> None:
        said = tmp_path / "said"
        assert look(apart, "leaves_one_and_ends", str(said)) == ["it ended its process (exit status 3)"]
        until(lambda: not is_running(int(said.read_text())))

    def test_one_that_ends_on_a_text_is_asked_about_the_others(self, apart: Apart) -> None:
        found = look(apart, "picky", "good", "end", "bad", "good")
        assert found == [Found(0.0), "it ended its process (exit status 3)", Found(1.0), Found(0.0)]

    @pytest.mark.parametrize(("on_error", "ends"), [("open", False), ("closed", True)])
    @pytest.mark.parametrize(("name", "timeout_s"), [("raises", 30.0), ("hangs", 0.1), ("ends", 30.0)])
    def test_the_request_goes_on_or_not_as_configured(
        self, apart: Apart, name: str, timeout_s: float, on_error: Any, ends: bool
    ) -> None:
        decision = check(apart, function(name, timeout_s, on_error=on_error), "a text")
        assert (decision.ends is not None, decision.refused) == (ends, ends)
        assert decision.looks[0].error
        assert decision.texts == ((None,) if ends else ("a text",))

    def test_hostile_texts_arrive_as_they_are(self, apart: Apart) -> None:
        hostile = ["\ud83d lone", "\0\x1b[31m", "\u202eabc", "bad" + "x" * 1_000_000]
        assert look(apart, "plain", *hostile) == [Found(0.0)] * 3 + [Found(1.0)]


def check(apart: Apart, use: GuardrailUse, text: str) -> Decision:
    return asyncio.run(Guards([use], apart).check("input", [Piece(text)], Kept()))


class TestModulesThatDoNotLoad:
    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("def f(text:\n", "guardrails.py:1 SyntaxError: "),
            ("import os\nimport no_such_module\n", "guardrails.py:2 ModuleNotFoundError: "),
            ("import os\nos._exit(9)\n", "it ended its process (exit status 9)"),
            ("import sys\nsys.exit()\n", "guardrails.py:2 SystemExit"),
        ],
    )
    def test_are_told_at_each_look(self, source: str, said: str) -> None:
        apart = Apart({"guardrails.py": source})
        for _ in range(2):
            (told,) = look(apart, "f")
            assert isinstance(told, str)
            assert said in told
        apart.close()

    def test_one_that_hangs_is_not_waited_for_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(apart_module, "START_S", 0.3)
        apart = Apart({"guardrails.py": "while True: pass\n"})
        assert look(apart, "f") == ["did not load within 0.3 s"]
        monkeypatch.setattr(apart_module, "START_S", 1000.0)
        assert look(apart, "f") == ["did not load within 0.3 s"]
        apart.close()


class TestSeveralAtATime:
    def test_others_are_looked_at_while_one_hangs(self) -> None:
        apart = Apart(SOURCES, children=2)
        hanging = apart.look(function("hangs", 30.0), [Piece("x")], ABOUT)
        assert look(apart, "plain", "bad") == [Found(1.0)]
        assert not hanging.done()
        apart.close()
        assert hanging.result(30) != [Found(1.0)]

    def test_where_all_hang_nobody_waits_longer_than_a_look_may_take(self) -> None:
        apart = Apart(SOURCES, children=1)
        futures = [apart.look(function("hangs", 0.2), [Piece("x")], ABOUT) for _ in range(4)]
        said = [future.result(30)[0] for future in futures]
        apart.close()
        assert said[0] == "took longer than 0.2 s"
        assert said[-1] == "waited longer than 0.2 s for the looks before it"

    def test_one_that_may_wait_has_its_whole_time_when_its_turn_comes(self) -> None:
        apart = Apart(SOURCES, children=1, patience_s=math.inf)
        before = [apart.look(function("hangs", 0.2), [Piece("x")], ABOUT) for _ in range(3)]
        assert look(apart, "plain", "bad", timeout_s=0.4) == [Found(1.0)]
        assert all(future.done() for future in before)
        apart.close()

    @pytest.mark.parametrize(("times_judges", "patience_s"), [(True, None), (False, math.inf)])
    def test_in_evaluations_a_large_kind_waits_for_its_turn(
        self, monkeypatch: pytest.MonkeyPatch, times_judges: bool, patience_s: float | None
    ) -> None:
        asked: list[float | None] = []
        monkeypatch.setattr(looking, "shared", lambda patience_s: asked.append(patience_s) or Apart())
        Guards([GuardrailUse("l", "language", ("output",))], times_judges=times_judges).prepare()
        assert set(asked) == {patience_s}

    def test_many_threads_get_what_they_asked_for(self, apart: Apart) -> None:
        def work(n: int) -> None:
            text = "bad" if n % 2 else "good"
            found[n] = look(apart, "plain", text) == [Found(float(n % 2))]

        found: dict[int, bool] = {}
        threads = [threading.Thread(target=work, args=(n,)) for n in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == dict.fromkeys(range(40), True)

    def test_two_sets_of_sources_do_not_see_each_other(self, apart: Apart) -> None:
        other = Apart({"guardrails.py": "def plain(text): return 'other'\n"})
        assert look(other, "plain") == [Found(1.0, "other")]
        assert look(apart, "plain") == [Found(0.0)]
        other.close()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class TestItsEnd:
    def test_after_close_nothing_runs_and_looks_fail(self) -> None:
        apart = Apart(SOURCES)
        (found,) = look(apart, "which")
        assert isinstance(found, Found)
        apart.close()
        assert look(apart, "plain") == ["its process was ended"]
        until(lambda: not Path(f"/proc/{found.reason}").exists())

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
    @pytest.mark.parametrize(
        "name", ["says_and_returns", "says_and_hangs_in_c", "says_and_leaves_one_stopped"]
    )
    def test_it_ends_with_its_owner_even_when_that_is_killed(self, name: str, tmp_path: Path) -> None:
        said = tmp_path / "said"
        program = OWNER.format(sources=SOURCES, name=name, hash=HASH, said=str(said))
        owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        until(said.exists)
        assert is_running(child)
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
        owner.stdout.close()
        until(lambda: not is_running(child))
        if started := said.read_text():
            until(lambda: not is_running(int(started)))

    def test_what_it_started_ends_with_it_even_when_it_ends_itself(self, tmp_path: Path) -> None:
        apart, said = Apart(SOURCES, children=1), tmp_path / "said"
        assert look(apart, "leaves_one_behind", str(said)) == ["it ended its process (exit status 3)"]
        until(lambda: not is_running(int(said.read_text())))
        apart.close()


OWNER = """
import time
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.guardrails.apart import Apart
from llmops_tui.guardrails.registry import About
from llmops_tui.guardrails.watch import Piece

apart = Apart({sources!r}, children=1)
def look(name, text):
    use = GuardrailUse(name, name, ("input",), timeout_s=1000.0, revision={hash!r})
    return apart.look(use, [Piece(text)], About("input"))
pid = look("which", "x").result()[0].reason
look({name!r}, {said!r})
print(pid, flush=True)
time.sleep(1000)
"""


def until(holds: Any) -> None:
    """Ask again and again; a test that waits here for ever has failed."""
    end = threading.Event()
    for _ in range(600):
        if holds():
            return
        end.wait(0.05)
    raise AssertionError("it did not come true")
