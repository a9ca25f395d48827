"""A command as a step: JSON in, JSON out, and every way in which it can go wrong."""

from __future__ import annotations

import asyncio
import json
import os
import select
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import stand_in
from llmops_tui.domain.redact import Redactor
from llmops_tui.worker.code import CodeError
from llmops_tui.worker.commands import run_command
from llmops_tui.worker.results import StepResult

GIVEN = {"vars": {"question": "wörd"}, "case_id": "one", "steps": {}}
Run = Callable[..., Awaitable[StepResult]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    async def run(*argv: str, timeout_s: float = 20.0, **options: Any) -> StepResult:
        return await run_command(argv, GIVEN, folder=str(tmp_path), timeout_s=timeout_s, **options)

    return run


def python(source: str) -> tuple[str, str, str]:
    return sys.executable, "-c", source


async def said(running: Awaitable[StepResult]) -> str:
    with pytest.raises(CodeError) as caught:
        await running
    return str(caught.value)


async def test_it_reads_one_object_and_prints_one_value(run: Run) -> None:
    made = await run(*python("import json, sys; print(json.dumps(json.load(sys.stdin)['vars']))"))
    assert made.value == {"question": "wörd"}


async def test_it_may_tell_what_it_retrieved(run: Run) -> None:
    made = await run("echo", json.dumps({"output": "yes", "context": ["a"]}))
    assert (made.text, made.chunks) == ("yes", (Chunk("", "a", 0.0, 0),))


async def test_it_runs_in_the_workspace_with_the_gateway_in_its_environment(run: Run, tmp_path: Path) -> None:
    made = await run(
        "sh", "-c", 'printf \'"%s %s"\' "$OPENAI_BASE_URL" "$PWD"', env={"OPENAI_BASE_URL": "http://x"}
    )
    assert made.text == f"http://x {tmp_path}"


async def test_one_that_does_not_read_its_input_is_well(run: Run) -> None:
    big = {"vars": {"question": "x" * 1_000_000}}
    assert (await run_command(("echo", "1"), big, folder="", timeout_s=20.0)).value == 1


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (
            ("echo", "hello there"),
            "echo printed what is not one JSON value (Expecting value): hello there; print one",
        ),
        (("echo", "{} {}"), "printed what is not one JSON value (Extra data): {} {};"),
        (("echo", "NaN"), "(NaN is not JSON)"),
        (("echo", "null"), "echo gave None; return a text"),
        (("echo", "[" * 100_000), "printed what is not one JSON value"),
        (("printf", "\\377\\376"), "printf printed what is not UTF-8 (byte 0xff at 0)"),
        (("true",), "true printed nothing; print one JSON value on standard output"),
        (("sh", "-c", "echo no key >&2; echo more >&2; exit 3"), "sh ended with exit code 3: no key"),
        (("sh", "-c", "exit 4"), "ended with exit code 4; it said nothing on standard error"),
        (("sh", "-c", "kill -9 $$"), "sh was ended by SIGKILL (out of memory?)"),
        (("sh", "-c", "echo log line >&2; echo rubbish"), "(on standard error: log line)"),
        (("sh", "-c", "printf '\\033[31mred\\033[0m\\a' >&2; exit 1"), "ended with exit code 1: red"),
        (("no-such-command",), "there is no command 'no-such-command'; install it, or give its path"),
        (("./gone.sh",), "there is no command './gone.sh'; install it"),
    ],
)
async def test_what_goes_wrong_is_a_sentence_with_a_remedy(
    run: Run, argv: tuple[str, ...], expected: str
) -> None:
    sentence = await said(run(*argv))
    assert expected in sentence
    assert "\x1b" not in sentence


async def test_of_a_traceback_the_last_line_is_said(run: Run) -> None:
    assert (await said(run(*python("1 / 0")))).endswith("exit code 1: ZeroDivisionError: division by zero")


async def test_one_that_may_not_be_run_says_how_it_may(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("print(1)", encoding="utf-8")
    assert "chmod +x it, or name its interpreter: [python, ./x.py]" in await said(run("./x.py"))
    (tmp_path / "y.py").write_text("#!/no/such/python\n", encoding="utf-8")
    (tmp_path / "y.py").chmod(0o755)
    assert "the interpreter of its first line is not there" in await said(run("./y.py"))


async def test_secrets_that_it_prints_are_redacted(run: Run) -> None:
    redact = Redactor(("s3cr3t-value",)).redact
    for argv in (("echo", "key: s3cr3t-value"), ("sh", "-c", "echo key: s3cr3t-value >&2; exit 1")):
        sentence = await said(run(*argv, redact=redact))
        assert "key: [redacted]" in sentence


async def test_ten_megabytes_are_too_much_and_end_it(run: Run) -> None:
    assert "printed more than 10 MB and was ended" in await said(run("yes"))


async def test_one_that_hangs_is_ended_with_all_that_it_started(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    script = "sleep 1000 & echo $! > child; exec sleep 1000"
    assert "sh took longer than 0.3 s and was ended" in await said(run("sh", "-c", script, timeout_s=0.3))
    child = int((tmp_path / "child").read_text())
    assert gone(child)


async def test_what_it_leaves_running_does_not_keep_its_step(run: Run, tmp_path: Path) -> None:
    made = await run("sh", "-c", "sleep 1000 & echo $! > child; echo '\"done\"'")
    assert made.text == "done"
    assert gone(int((tmp_path / "child").read_text()))


async def test_a_job_that_is_cancelled_ends_its_command(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    job = asyncio.ensure_future(run("sh", "-c", "echo $$ > pipe; exec sleep 1000"))
    pid = int(await asyncio.to_thread((tmp_path / "pipe").read_text))
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert gone(pid)


def gone(pid: int) -> bool:
    """Whether the process has ended, or does so soon: a pidfd becomes readable then."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([watched], [], [], 20)
    os.close(watched)
    return bool(ready)


async def test_files_of_the_version_are_used_where_the_disk_has_others(run: Run, tmp_path: Path) -> None:
    source = "import words, os\nprint(words.text.replace('X', os.path.basename(os.getcwd())))"
    files = {"app.py": source, "words.py": "text = '\"old X\"'"}
    (tmp_path / "app.py").write_text("print('\"new\"')", encoding="utf-8")
    made = await run(sys.executable, "app.py", files=files)
    assert made.text == f"old {tmp_path.name}"
    assert (await run(sys.executable, "-m", "app", files=files)).text == f"old {tmp_path.name}"
    assert (await run(sys.executable, "app.py", files={"app.py": "print('\"new\"')"})).text == "new"


async def test_a_binary_file_that_changed_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(b"\xff\x01")
    files = {"tool": stand_in(b"\xff\x00")}
    assert "'tool' has changed, and this version's is not kept" in await said(run("echo", "1", files=files))
    assert (await run("echo", "1", files={"tool": stand_in(b"\xff\x01")})).value == 1
