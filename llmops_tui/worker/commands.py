"""A step that is a command: one JSON object on its standard input, one JSON value on its standard output."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from llmops_tui.domain.canonical import lf
from llmops_tui.domain.program import BINARY
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.worker.code import RELEASE_S, CodeError, Limit
from llmops_tui.worker.results import RESULT_LIMIT, BadResult, StepResult, step_result

#: How much of standard error is kept, in bytes.
_STDERR_KEPT = 65_536
_SHOWN = 300
_CHUNK = 65_536
#: How often a process is looked at.
_LOOK_S = 0.01


async def run_command(
    argv: Sequence[str],
    given: Mapping[str, Any],
    *,
    folder: str,
    timeout_s: float | Limit,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    redact: Callable[[str], str] = str,
) -> StepResult:
    """Run a command of the workspace and read what it prints.

    Args:
        given: the JSON object for its standard input.
        folder: the workspace: its current folder.
        env: beside the worker's own environment (`OPENAI_BASE_URL`, `OPENAI_API_KEY`).
        files: the version's files that the command names, path → text; where the disk has others, the
            command is given copies of these.
        redact: takes secrets out of what it printed.

    Raises:
        CodeError: there is no result; a sentence.
    """
    name, limit = PurePosixPath(argv[0]).name, Limit.of(timeout_s)
    with _placed(argv, files or {}, folder) as (placed, copies):
        process = await _started(placed, folder, {**os.environ, **(env or {}), **copies})
        try:
            async with limit.running():
                printed, complained = await _talk(
                    process, json.dumps(given, ensure_ascii=False).encode("utf-8", "replace")
                )
        except TimeoutError:
            raise CodeError(
                f"{name} took longer than {limit.limit_s:g} s and was ended; "
                "raise timeout_s of the step if it may"
            ) from None
        finally:
            # Also after a good end: what it left running must not hold its pipes, nor outlive it.
            await _end(process)
    said = _told(redact(complained.decode("utf-8", "replace")))
    if len(printed) > RESULT_LIMIT:
        raise CodeError(
            f"{name} printed more than {RESULT_LIMIT / 1e6:,.0f} MB and was ended; "
            "print one JSON value, and logs to standard error"
        )
    if process.returncode:
        raise CodeError(f"{name} {_how_ended(process.returncode)}{_colon(said)}")
    return _read(name, printed, said, redact)


def _read(name: str, printed: bytes, said: str, redact: Callable[[str], str]) -> StepResult:
    if not printed.strip():
        raise CodeError(f"{name} printed nothing; print one JSON value on standard output{_beside(said)}")
    try:
        text = printed.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CodeError(
            f"{name} printed what is not UTF-8 (byte {printed[error.start]:#04x} at {error.start}); "
            "print one JSON value as UTF-8"
        ) from error
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise CodeError(
            f"{name} printed what is not one JSON value ({why}): {_cut(clean_line(redact(text)[:2000]))}; "
            f"print one JSON value and nothing else on standard output, logs on standard error{_beside(said)}"
        ) from error
    try:
        return step_result(value)
    except BadResult as error:
        raise CodeError(f"{name} {error}") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


async def _started(argv: Sequence[str], folder: str, env: dict[str, str]) -> asyncio.subprocess.Process:
    program = argv[0]
    if program in ("python", "python3") and shutil.which(program, path=env.get("PATH")) is None:
        program = sys.executable
    try:
        return await asyncio.create_subprocess_exec(
            program,
            *argv[1:],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder or None,
            env=env,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise CodeError(_not_there(program, folder)) from None
    except PermissionError:
        raise CodeError(
            f"'{program}' may not be run; chmod +x it, or name its interpreter: [python, {program}]"
        ) from None
    except (OSError, ValueError) as error:
        raise CodeError(
            f"'{program}' can't be run: {getattr(error, 'strerror', None) or error}; "
            f"name its interpreter: [python, {program}]"
        ) from None


def _not_there(program: str, folder: str) -> str:
    if folder and not Path(folder).is_dir():
        return f"the folder of the workspace, {folder}, is not there any more"
    if Path(folder, program).is_file() and "/" in program:
        return f"'{program}' can't be run: the interpreter of its first line is not there; correct that line"
    remedy = "install it" if "/" in program else f"install it, or give its path (./{program} for a file here)"
    return f"there is no command '{program}'; {remedy}"


async def _talk(process: asyncio.subprocess.Process, given: bytes) -> tuple[bytes, bytes]:
    """Standard output (at most a little more than the limit) and the start and end of standard error."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    printed, complained = bytearray(), bytearray()
    reading = asyncio.create_task(_gathered(process.stdout, printed, RESULT_LIMIT))
    complaining = asyncio.create_task(_drained(process.stderr, complained))
    others = [asyncio.create_task(_feed(process.stdin, given)), complaining]
    ended = asyncio.create_task(_ended(process))
    try:
        await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
        if len(printed) <= RESULT_LIMIT:
            await ended
            # What it left running may hold its pipes open.
            _kill_group(process)
            await asyncio.wait({reading, complaining}, timeout=RELEASE_S)
        return bytes(printed), bytes(complained)
    finally:
        for task in (reading, ended, *others):
            task.cancel()


async def _ended(process: asyncio.subprocess.Process) -> None:
    """`process.wait` waits for its pipes too, in some Pythons."""
    while process.returncode is None:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(_LOOK_S)


async def _feed(stdin: asyncio.StreamWriter, given: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it does not read: its own affair
        stdin.write(given)
        await stdin.drain()
        stdin.close()


async def _gathered(stream: asyncio.StreamReader, kept: bytearray, limit: int) -> None:
    while len(kept) <= limit and (piece := await stream.read(_CHUNK)):
        kept += piece


async def _drained(stream: asyncio.StreamReader, kept: bytearray) -> None:
    while piece := await stream.read(_CHUNK):
        kept += piece
        if len(kept) > 2 * _STDERR_KEPT:
            del kept[_STDERR_KEPT // 2 : -_STDERR_KEPT // 2]


async def _end(process: asyncio.subprocess.Process) -> None:
    _kill_group(process)
    await _ended(process)
    transport = getattr(process, "_transport", None)
    if transport is not None:  # a pipe that another session holds open
        transport.close()


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _told(complained: str) -> str:
    """What standard error says: its first line, or the last one of a traceback."""
    lines = [line for line in complained.splitlines() if line.strip()]
    if not lines:
        return ""
    is_traceback = any(line.startswith("Traceback (most recent call last)") for line in lines)
    return _cut(clean_line(lines[-1] if is_traceback else lines[0]))


def _how_ended(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def _colon(said: str) -> str:
    return f": {said}" if said else "; it said nothing on standard error: run it by hand to see why"


def _beside(said: str) -> str:
    return f" (on standard error: {said})" if said else ""


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@contextlib.contextmanager
def _placed(
    argv: Sequence[str], files: Mapping[str, str], folder: str
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The command and more environment for a version's files: copies, where the disk has others."""
    if all(_on_disk(folder, path) == text for path, text in files.items()):
        yield list(argv), {}
        return
    with tempfile.TemporaryDirectory(prefix="llmops-tui-") as copies:
        for path, text in files.items():
            target = Path(copies, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            if text.startswith(BINARY):
                if _on_disk(folder, path) != text:
                    raise CodeError(f"'{path}' has changed, and this version's is not kept: it is no text")
                shutil.copy2(Path(folder, path), target)
                continue
            target.write_text(text, encoding="utf-8")
            with contextlib.suppress(OSError):
                target.chmod(Path(folder, path).stat().st_mode & 0o777 | 0o600)
        paths = [copies, folder, os.environ.get("PYTHONPATH", "")]
        # `python -m` looks in the current folder first, unless it is told not to.
        env = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONSAFEPATH": "1"}
        yield [_copy_of(word, files, copies) for word in argv], env


def _on_disk(folder: str, path: str) -> str | None:
    try:
        data = Path(folder, path).read_bytes()
    except OSError:
        return None
    try:
        return lf(data.decode("utf-8-sig" if path.endswith(".py") else "utf-8"))
    except UnicodeDecodeError:
        return f"{BINARY}{hashlib.sha256(data).hexdigest()}"


def _copy_of(word: str, files: Mapping[str, str], copies: str) -> str:
    if not word or word.startswith(("-", "/")) or "\0" in word:
        return word
    path = str(PurePosixPath(word))
    return str(Path(copies, path)) if path in files else word
