"""Whole processes, timed from outside; the app, driven through a terminal of its own."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

from workspaces import COMMAND


def timed(arguments: list[str], env: dict[str, str], cwd: Path | None = None) -> tuple[float, dict[str, Any]]:
    """Seconds of a whole process, and its `--json` object (empty without)."""
    started = time.perf_counter()
    done = subprocess.run(COMMAND + arguments, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode not in (0,):
        raise SystemExit(
            f"{arguments} ended with {done.returncode}: {done.stderr[-2000:]}{done.stdout[-500:]}"
        )
    return elapsed, json.loads(done.stdout) if "--json" in arguments else {}


class Terminal:
    """The app in a pseudo-terminal of 120 × 40."""

    def __init__(self, cwd: Path, env: dict[str, str]) -> None:
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(COMMAND[0], COMMAND, {**env, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.seen = b""

    def wait_for(self, *texts: str, timeout_s: float = 60.0) -> float:
        """Seconds since the start until one of these was painted."""
        wanted = [text.encode() for text in texts]
        deadline = time.perf_counter() + timeout_s
        while not any(each in self.seen for each in wanted):
            if time.perf_counter() > deadline:
                raise SystemExit(f"the app never painted {texts!r}: {self.seen[-500:]!r}")
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            if ready:
                self.seen += os.read(self.fd, 65536)
        return time.perf_counter() - self.started

    def drain(self, seconds: float) -> None:
        """Read what is painted, so that the app never blocks on its terminal."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            ready, _, _ = select.select([self.fd], [], [], left)
            if ready:
                self.seen = (self.seen + os.read(self.fd, 65536))[-200_000:]

    def send(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def close(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            pids += family(int(child))
    return pids


def pss_mb(pid: int) -> float:
    """Proportional set size of a process and all below it, in MB, the model server left out."""
    total = 0
    for each in family(pid):
        try:
            if b"model_server" in Path(f"/proc/{each}/cmdline").read_bytes():
                continue
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1024
