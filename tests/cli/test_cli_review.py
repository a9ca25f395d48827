"""`review`: by keys in a terminal, by lines in a pipe, by options in a script."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import EDITED, PROMPT, Desk

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def changed(desk: Desk) -> Desk:
    """Evaluated, edited, evaluated: `days` regressed, `hours` improved, two are reworded."""
    desk("run")
    desk.edit_prompt()
    desk("run")
    return desk


def ids(cases: list[dict[str, Any]]) -> list[str]:
    return [case["id"] for case in cases]


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


# -- in scripts


def test_what_is_left_and_what_is_decided_is_one_json_object(changed: Desk) -> None:
    answer = changed.json("review", "--accept", "days", "--note", "two weeks is the law")
    assert (answer["config"], answer["baseline"], answer["candidate"]) == ("desk", "v1", "v2")
    assert ids(answer["to_review"]) == ["hours", "refund", "unjudged"]
    assert answer["done"] == ["days: accepted"]
    (days,) = answer["decided"]
    assert (days["id"], days["decision"], days["note"]) == ("days", "accepted", "two weeks is the law")
    assert days["candidate_output"] == "How long? You have two weeks for a refund, from 9 to 5."


def test_every_key_is_described_on_the_page(changed: Desk) -> None:
    answer = changed.json("review", "--reject", "days")
    said = set(re.findall(r"[`\"](\w+)[`\"]", (DOCS / "json.md").read_text(encoding="utf-8")))
    assert not set(answer) - said
    assert not set(answer["decided"][0]) - said


def test_the_list_has_regressions_first_and_says_who_decided(changed: Desk) -> None:
    changed("review", "--reject", "hours", "--note", "no")
    code, out, _ = changed("review", "--list")
    assert code == 0
    lines = [line.strip() for line in out.splitlines()]
    assert lines[1] == "3 left to review"
    assert lines[2].startswith("▼ regressed days")
    assert lines[3].startswith("≈ reworded  refund")
    assert lines[6] == "1 decided"
    assert re.match(r"▲ improved  hours .* rejected by .*: no$", lines[7])


def test_all_that_is_left_is_accepted_and_one_is_forgotten(changed: Desk) -> None:
    changed("review", "--reject", "days")
    answer = changed.json("review", "--accept-all")
    assert answer["to_review"] == []
    assert {c["id"]: c["decision"] for c in answer["decided"]}["days"] == "rejected"
    assert changed("review", "--accept-all")[1] == "nothing is left to review\n"
    assert ids(changed.json("review", "--forget", "days")["to_review"]) == ["days"]


def test_a_note_alone_leaves_the_case_in_the_queue(changed: Desk) -> None:
    answer = changed.json("review", "--case", "days", "--note", "ask legal")
    assert answer["to_review"][0]["note"] == "ask legal"
    assert answer["to_review"][0]["decision"] is None


def test_an_answer_is_taken_over_as_expected(changed: Desk) -> None:
    code, out, _ = changed("review", "--accept", "hours", "--expected")
    assert code == 0
    assert out.startswith("The answer is now 'expected' of 'hours' in evals/desk.yaml. None of its scorers")
    text = (changed.root / "evals" / "desk.yaml").read_text()
    assert '    expected: "When? You have two weeks for a refund, from 9 to 5."\n' in text
    assert ids(changed.json("review")["decided"]) == ["hours"]


def test_a_case_is_marked_as_known_to_fail_with_its_rejection(changed: Desk) -> None:
    before = (changed.root / "evals" / "desk.yaml").read_text()
    changed("review", "--reject", "days", "--known-failing", "the law is new")
    marked = (changed.root / "evals" / "desk.yaml").read_text()
    assert marked.replace("    known_failing: the law is new\n", "") == before
    assert changed("check")[0] == 0
    changed("review", "--case", "days", "--known-failing", "")
    assert (changed.root / "evals" / "desk.yaml").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--accept", "day"], "did you mean 'days'?"),
        (["--accept", "days", "--reject", "days"], "both accepted and rejected"),
        (["--note", "x"], "--note needs a case"),
        (["--known-failing", "x"], "--known-failing needs a case"),
        (["--expected"], "--expected goes with --accept"),
        (["--case", "days"], "--case goes with"),
        (["--forget", "days"], "nothing is decided on 'days'"),
        (["--accept", "days", "--accept", "nope"], "there is no case 'nope'"),
        (["v1", "v1", "--accept", "days"], "'days' did not change"),
    ],
)
def test_what_makes_no_sense_is_said_and_decides_nothing(
    changed: Desk, arguments: list[str], said: str
) -> None:
    code, _, err = changed("review", *arguments)
    assert code == 2
    assert said in err
    assert not (changed.root / "reviews.yaml").exists()


def test_a_mistake_in_the_file_is_named_with_its_line(changed: Desk) -> None:
    (changed.root / "reviews.yaml").write_text("desk:\n  - case: days\n    model: m\n    decision: maybe\n")
    for arguments in (["--list"], ["--accept", "days"], []):
        code, _, err = changed("review", *arguments)
        assert code == 2
        assert err.startswith("error: reviews.yaml:4 the decision 'maybe' is not known")


def test_outputs_that_decisions_are_about_outlive_gc(changed: Desk) -> None:
    changed("review", "--accept", "days")
    database = changed.root / ".llmops"
    kept = (changed.root / "reviews.yaml").read_text()
    assert database.is_dir()
    # Asked anew, the old outputs are in old runs alone.
    changed("run", "--fresh")
    changed("run", "--fresh")
    without = kept.replace("desk:", "other:")
    (changed.root / "reviews.yaml").write_text("")
    free = changed.json("gc", "--keep-runs", "1", "--dry-run")["dropped"]["outputs"]
    (changed.root / "reviews.yaml").write_text(without)
    held = changed.json("gc", "--keep-runs", "1", "--dry-run")["dropped"]["outputs"]
    assert held < free


# -- by lines


def test_lines_of_a_pipe_walk_through_the_queue(changed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "x", "m", "nice", "a", "u", "a", "s", "?", "q")
    code, out, _ = changed("review")
    assert code == 0
    assert out.index("── 1 of 4 · days") < out.index("── 2 of 4 · hours") < out.index("── 3 of 4 · refund")
    assert "- How long? You have [-30 days-] for a refund." in out
    assert 'contains: "30 days" is not in the output' in out
    assert "Undone: accepting 'hours'." in out
    assert out.count("── 2 of 4 · hours") == 2
    assert out.endswith("1 accepted, 1 rejected, 2 left to review\nGo on with: llmops-tui review\n")
    decided = {c["id"]: (c["decision"], c["note"]) for c in changed.json("review")["decided"]}
    assert decided == {"days": ("rejected", ""), "hours": ("accepted", "nice")}


def test_all_is_accepted_only_after_a_yes(changed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "A", "n", "A", "y")
    _, out, _ = changed("review")
    assert out.index("not accepted") < out.index("accepted 4 cases")
    assert out.endswith(
        "4 accepted, nothing is left to review\n"
        "What can be done now: llmops-tui gate, llmops-tui promote v2\n"
    )


def test_an_answer_taken_over_while_walking_is_undone_with_its_file(
    changed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (changed.root / "evals" / "desk.yaml").read_text()
    type_in(monkeypatch, "e", "k", "it is new", "u", "u")
    _, out, _ = changed("review")
    assert "The answer is now 'expected' of 'days'" in out
    assert "'hours' is known to fail: it is new" in out
    assert (changed.root / "evals" / "desk.yaml").read_text() == before
    assert out.endswith("4 left to review\nGo on with: llmops-tui review\n")


def test_nothing_to_undo_is_said_and_the_walk_goes_on(changed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "u", "x", "x", "x", "x")
    _, out, _ = changed("review")
    assert "error: there is nothing to undo" in out
    assert out.endswith("What is rejected keeps the gate failing: edit, and run again.\n")


def test_what_a_model_wrote_does_nothing_to_the_terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk("run")
    desk.edit_prompt(PROMPT.replace("30", "\x1b[2J[red]31"))
    desk("run")
    type_in(monkeypatch)
    _, out, _ = desk("review")
    assert "\x1b" not in out
    assert "[red]31" in out


# -- by keys


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, root: Path) -> None:
        self._master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from llmops_tui.entry import main; main()",
                "review",
                "--workspace",
                root,
            ],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        )
        self.seen = ""

    def until(self, text: str) -> str:
        """Read on until a text appears; gives what came up to it."""
        start = len(self.seen)
        while text not in self.seen[start:]:
            assert select.select([self._master], [], [], 60)[0], f"waited for {text!r}: {self.seen}"
            data = os.read(self._master, 4096)
            assert data, self.seen
            self.seen += data.decode("utf-8", "replace")
        return self.seen[start:]

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def ended(self) -> int:
        return self.process.wait()

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._slave)
        os.close(self._master)


@pytest.fixture
def terminal(changed: Desk) -> Iterator[Terminal]:
    opened = Terminal(changed.root)
    yield opened
    opened.close()


def choices(desk: Desk) -> dict[str, str]:
    return {c["id"]: c["decision"] for c in desk.json("review")["decided"]}


def test_single_keys_decide_and_the_terminal_is_left_as_it_was(terminal: Terminal, changed: Desk) -> None:
    terminal.until("q quit › ")
    terminal.press("a")
    assert "2 of 4" in terminal.until("q quit › ")
    terminal.press("\x1b[A")  # an arrow is no key of ours
    terminal.until("q quit › ")
    terminal.press("m")
    terminal.until("note: ")
    terminal.press("good\n")
    terminal.until("q quit › ")
    terminal.press("xA")
    terminal.until("[y/N] ")
    terminal.press("n\n")
    terminal.until("q quit › ")
    terminal.press("q")
    terminal.until("2 left to review")
    assert terminal.ended() == 0
    assert terminal.settings() == terminal.before
    assert choices(changed) == {"days": "accepted", "hours": "rejected"}


def test_ctrl_c_keeps_what_was_decided_and_gives_the_terminal_back(terminal: Terminal, changed: Desk) -> None:
    terminal.until("q quit › ")
    terminal.press("x")
    terminal.until("q quit › ")
    terminal.press("\x03")
    terminal.until("interrupted; what was done is kept")
    assert terminal.ended() == 130
    assert terminal.settings() == terminal.before
    assert choices(changed) == {"days": "rejected"}


def test_a_signal_gives_the_terminal_back(terminal: Terminal) -> None:
    terminal.until("q quit › ")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 128 + signal.SIGTERM
    assert terminal.settings() == terminal.before


def test_ctrl_d_leaves(terminal: Terminal, changed: Desk) -> None:
    terminal.until("q quit › ")
    terminal.press("\x04")
    terminal.until("4 left to review")
    assert terminal.ended() == 0
    assert json.loads(changed("review", "--json")[1])["decided"] == []
    assert EDITED in (changed.root / "prompts" / "desk.md").read_text()
