"""A full disk, a folder that can't be written, a database that isn't right, a second app, a sudden death."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from desk import CONFIG, EVALS, Desk, make_desk
from fake_openai import FakeOpenAI

from llmops_tui.engine.engine import DATABASE
from llmops_tui.engine.events import Compared, Event, Notice, RunEnded, RunRequest, RunStarted, Viewing
from llmops_tui.engine.session import Session
from llmops_tui.store import Store

COMMAND = [sys.executable, "-c", "from llmops_tui.entry import main; main()"]
#: Even root is held to the permissions of files: the two rights to pass over them are given away, for good.
BOUND = (
    "import ctypes, os, sys\n"
    "for right in (1, 2): ctypes.CDLL(None).prctl(24, right, 0, 0, 0)\n"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
#: Cases that fill a disk.
LARGE = EVALS + "".join(
    f"  - id: large-{n}\n    vars: {{question: '{os.urandom(3000).hex()}'}}\n" for n in range(60)
)
E = TypeVar("E", bound=Event)


def command(root: Path, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*how.pop("before", []), *COMMAND, *arguments], cwd=root, capture_output=True, text=True, **how
    )


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (2, "")
    return str(json.loads(done.stdout)["error"]["message"])


# -- the disk


def test_a_disk_that_is_full_ends_the_run_and_what_was_kept_stays(desk: Desk) -> None:
    desk.json("run")
    (desk.root / "evals/desk.yaml").write_text(LARGE, encoding="utf-8")
    size = 200_000

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    for _ in range(2):
        said = error_of(command(desk.root, "run", "--json", preexec_fn=full))
        assert "the disk could not be read or written" in said
        assert "check the disk and its free space, then try again" in said
    shown = desk.json("versions")["versions"][0]
    assert (shown["run"]["state"], shown["is_baseline"]) == ("failed", True)
    texts = [c["candidate_output"] for c in desk.json("compare")["cases"]]
    assert "How long? You have 30 days for a refund." in texts
    # There is room again: it goes on from what was kept.
    result = desk.json("run")
    assert (result["state"], result["cases"], result["missing"]) == ("complete", 64, 0)
    assert result["cached_outputs"] >= 4


def test_a_folder_that_can_not_be_written_is_said_and_can_still_be_looked_at(desk: Desk) -> None:
    bound = [sys.executable, "-c", BOUND]
    with sealed(desk.root):
        said = error_of(command(desk.root, "run", "--json", before=bound))
        assert "can't be opened (Permission denied); make the folder writable" in said
        assert list(desk.root.glob(".llmops")) == []
        assert command(desk.root, "check", before=bound).returncode == 0
    desk.json("run")
    with sealed(desk.root):
        for verb in ("run", "label v1 mine", "promote v1", "gc"):
            assert "can't be written" in error_of(command(desk.root, *verb.split(), "--json", before=bound))
        for verb in ("versions", "show v1", "compare", "report"):
            assert command(desk.root, *verb.split(), before=bound).returncode == 0
        done = command(desk.root, "report", "-o", "report.md", "--json", before=bound)
        assert error_of(done).startswith("the report can't be written to report.md: Permission denied")
    assert desk.json("run")["state"] == "unchanged"


@pytest.mark.parametrize("arguments", [[], ["run"], ["check"], ["init"]])
def test_a_folder_that_is_gone_is_said(tmp_path: Path, arguments: list[str]) -> None:
    gone = f"import os; os.chdir({str(tmp_path)!r}); os.rmdir({str(tmp_path)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", gone + COMMAND[-1], *arguments], capture_output=True, text=True, cwd="/"
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "No such file or directory" in done.stderr
    assert len(done.stderr.splitlines()[0]) < 200


@contextlib.contextmanager
def sealed(root: Path) -> Iterator[None]:
    """Nothing below can be written."""
    there = [root, *(p for p in root.rglob("*"))]
    for path in there:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in there:
            path.chmod(0o755 if path.is_dir() else 0o644)


# -- the database


def newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
        database.commit()


def rubbish(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))


def damaged(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + os.urandom(len(whole) - 100))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def another(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE photos (name)")
        database.commit()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (newer, "written by a newer release of llmops-tui (schema 99, this one knows"),
        (rubbish, "this is not a database (or one that is damaged); it was left as it is; move it away"),
        (damaged, "the database is damaged"),
        (cut, "the database is damaged"),
        (another, "a database of another program; it was left as it is; move it away"),
    ],
)
def test_a_database_that_is_not_right_is_kept_byte_for_byte(
    desk: Desk, spoil: Callable[[Path], None], sentence: str
) -> None:
    desk.json("run")
    path = desk.root / DATABASE
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil(path)
    before = path.read_bytes()
    for verb in ("run", "versions", "show v1", "compare", "report", "label v1 x", "promote v1", "gc"):
        message = desk.json(*verb.split(), code=2)["error"]["message"]
        assert message.startswith(str(path))
        assert sentence in message
        assert "left as it is" in message
        assert path.read_bytes() == before
    path.rename(path.with_name("kept.db"))
    assert desk.json("run")["provider_calls"] == 4
    assert path.with_name("kept.db").read_bytes() == before


# -- two apps


class App:
    """A session without a screen."""

    def __init__(self, root: Path) -> None:
        self.session = Session(root)
        self.events: queue.Queue[Event] = queue.Queue()
        self.seen: list[Event] = []
        self.session.start(self.events.put)

    def wait_for(self, kind: type[E]) -> E:
        while True:
            event = self.events.get(timeout=20)
            self.seen.append(event)
            if isinstance(event, kind):
                return event


def test_the_second_app_in_a_workspace_views_and_asks_nothing(desk: Desk) -> None:
    with contextlib.ExitStack() as apps:
        first = App(desk.root)
        apps.callback(first.session.close)
        first.wait_for(RunEnded)
        first.wait_for(Compared)
        second = App(desk.root)
        apps.callback(second.session.close)
        assert second.wait_for(Viewing).why == f"process {os.getpid()} has this workspace open"
        assert len(second.wait_for(Compared).comparison.pairs) == 4
        second.session.run(RunRequest("desk", "fresh", fresh=True))
        notice = second.wait_for(Notice)
        assert notice.text == "This app only views the workspace; see the line on top."
        with pytest.raises(Exception, match="opened for viewing only"):
            second.session.label("v1", "mine").result(timeout=20)
        assert not any(isinstance(e, RunStarted) for e in second.seen)
        assert [v["labels"] for v in desk.json("versions")["versions"]] == [[]]


# -- SIGKILL


def processes_in(root: Path) -> list[int]:
    """Processes that work in a folder: the command, its worker."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == root:
                    found.append(int(entry.name))
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def started(root: Path) -> asyncio.subprocess.Process:
    quiet = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(*COMMAND, "run", cwd=root, stdout=quiet, stderr=quiet)


def done_in(root: Path) -> set[str]:
    with Store.open(root / DATABASE) as store:
        snapshot = store.runs.snapshot(store.versions.get("desk", "v1").id)
        return {r.case_id for r in snapshot.rows if r.status != "missing"} if snapshot is not None else set()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("answers", [1, 13, 37])
async def test_killed_at_any_moment_of_a_run_nothing_that_was_done_is_lost(
    tmp_path: Path, answers: int
) -> None:
    cases = [{"id": str(n), "vars": {"question": f"Case {n}."}} for n in range(40)]
    async with FakeOpenAI(latency_ms=15) as server:
        root = make_desk(tmp_path / "desk", config=CONFIG.replace("echo/parrot", "fake/model"))
        (root / "evals/desk.yaml").write_text(json.dumps({"cases": cases}), encoding="utf-8")
        (root / "llmops.yaml").write_text(
            f'providers: {{fake: {{base_url: "{server.url}", concurrency: 3}}}}\n', encoding="utf-8"
        )
        run = await started(root)
        await until(lambda: server.count >= answers)
        run.kill()
        await run.wait()
        await until(lambda: processes_in(root) == [])

        done = await asyncio.to_thread(done_in, root)
        assert done or answers < 37
        server.forget()
        run = await started(root)
        assert await run.wait() == 0
        asked = {asked.said.split()[1].rstrip(".") for asked in server.requests}
        assert asked & done == set()
        assert await asyncio.to_thread(done_in, root) == {case["id"] for case in cases}
        await until(lambda: processes_in(root) == [])


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
async def test_a_worker_that_a_template_keeps_busy_does_not_outlive_its_owner(tmp_path: Path) -> None:
    root = make_desk(tmp_path / "desk")
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    (root / "prompts/desk.md").write_text("user:\n{{ question }}" + endless, encoding="utf-8")
    run = await started(root)

    def is_busy() -> bool:
        worker = next((pid for pid in processes_in(root) if pid != run.pid), None)
        if worker is None:
            return False
        ticks = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[11]
        return int(ticks) > 1.5 * os.sysconf("SC_CLK_TCK")

    await until(is_busy)
    run.kill()
    await run.wait()
    await until(lambda: processes_in(root) == [])
