"""One process that looks for guardrails, as its owner sees it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: Bytes of memory that a process may ask for, and of one reply.
MEMORY, _LONGEST_REPLY = 2 << 30, 32 << 20
#: Seconds that a killed process may take to be gone.
_END_S = 5.0
#: Seconds that one that was lost may take to be gone, where no time is left.
_FATE_S = 0.2
_FILE = str(Path(__file__).with_name("apart_process.py"))


class Gone(Exception):
    """The process is of no use any more; the text says why. was_slow: its time was over."""

    def __init__(self, said: str, *, was_slow: bool = False) -> None:
        super().__init__(said)
        self.was_slow = was_slow


class Child:
    """A running process. For one thread, but for `kill`.

    Attributes:
        ready: key of a guardrail that was loaded → what went wrong with that, or nothing.

    Raises:
        Gone: it can't be started.
    """

    def __init__(self, sources: Mapping[str, str], folder: str) -> None:
        self.ready: dict[str, str] = {}
        self._sock, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                # -P: what lies beside the file must not stand for modules of the standard library.
                [sys.executable, "-P", _FILE, str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd=folder if folder and Path(folder).is_dir() else None,
            )
        except (OSError, ValueError) as error:
            self._sock.close()
            raise Gone(f"its process can't be started: {error}") from None
        finally:
            theirs.close()
        path = [os.path.abspath(each) for each in sys.path]  # noqa: PTH100 - "" means here, not the child's
        self._hello = {"path": path, "sources": dict(sources), "folder": folder, "memory": MEMORY}

    def prepare(self, key: str, request: dict[str, Any], limit_s: float) -> None:
        """Load what looks; `ready` says what came of it.

        Raises:
            Gone: the process ended, or took too long.
        """
        end = time.monotonic() + limit_s
        if self._hello:
            self._send(self._hello, end)
            self._hello = {}
        self._send({"do": "prepare", "key": key, **request}, end)
        self.ready[key] = str(self._receive(end).get("error", ""))

    def look(self, key: str, request: dict[str, Any], limit_s: float) -> Iterator[dict[str, Any]]:
        """Replies, one for each text.

        Raises:
            Gone: the process ended, or took too long.
        """
        end = time.monotonic() + limit_s
        self._send({"do": "look", "key": key, "limit_s": limit_s, **request}, end)
        for _ in request["texts"]:
            reply = self._receive(end)
            if reply.get("ends") is True:
                raise Gone(str(reply.get("error", "")))
            yield reply

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """For any thread."""
        with contextlib.suppress(OSError):
            # All that it started, too; it is the first of its group.
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill it, and leave nothing of it behind: what it started may live on where it does not."""
        # Its number is no other group's while one of those lives.
        self.kill()
        if self._process.poll() is None:
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._sock.close()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _send(self, message: dict[str, Any], end: float) -> None:
        data = json.dumps(message, default=str).encode()
        try:
            self._sock.settimeout(_left(end))
            self._sock.sendall(len(data).to_bytes(4, "big") + data)
        except TimeoutError:
            raise Gone("", was_slow=True) from None
        except OSError:
            raise Gone(self._fate(end)) from None

    def _receive(self, end: float) -> dict[str, Any]:
        size = int.from_bytes(self._read(4, end), "big")
        if size > _LONGEST_REPLY:
            raise Gone("its process answered with what can't be read")
        try:
            reply = json.loads(self._read(size, end))
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, dict):
            raise Gone("its process answered with what can't be read")
        return reply

    def _read(self, size: int, end: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                self._sock.settimeout(_left(end))
                part = self._sock.recv(min(size - len(data), 1 << 20))
            except TimeoutError:
                raise Gone("", was_slow=True) from None
            except OSError:
                part = b""
            if not part:
                raise Gone(self._fate(end))
            data += part
        return bytes(data)

    def _fate(self, end: float) -> str:
        """What became of it. It may have closed its socket and go on: that is not waited for longer than a
        look may take."""
        left_s = max(end - time.monotonic(), _FATE_S)
        try:
            status = self._process.wait(min(left_s, _END_S))
        except subprocess.TimeoutExpired:
            return "its process stopped answering"
        if status >= 0:
            return f"it ended its process (exit status {status})"
        with contextlib.suppress(ValueError):
            return f"its process was killed ({signal.Signals(-status).name})"
        return f"its process was killed (signal {-status})"


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
