"""Who owns a run or a lock, so that a later process can tell whether they still live."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import msgspec


class Owner(msgspec.Struct, frozen=True):
    """A process. `started` tells it from a later one of the same id; empty where that is not known."""

    pid: int
    started: str
    host: str

    def text(self) -> str:
        return f"{self.pid} {self.started or '-'} {self.host}"


def parse_owner(text: str) -> Owner | None:
    fields = text.split(" ", 2)
    if len(fields) != 3 or not fields[0].isdigit():
        return None
    return Owner(int(fields[0]), "" if fields[1] == "-" else fields[1], fields[2].strip())


def this_process() -> Owner:
    return _owner(os.getpid())


@lru_cache(maxsize=2)
def _owner(pid: int) -> Owner:
    return Owner(pid, _started(pid), os.uname().nodename)


def lives(owner: Owner) -> bool:
    """Whether this process still runs, on this machine.

    One of another machine counts as gone: if it does live, it sets its run's state again at the end.
    """
    if owner.host != os.uname().nodename:
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    started = _started(owner.pid)
    return not (started and owner.started) or started == owner.started


def _started(pid: int) -> str:
    """Clock ticks since boot at which it started (Linux); empty elsewhere."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The name in parentheses may hold anything; the fields after it do not.
    return stat.rpartition(")")[2].split()[19]
