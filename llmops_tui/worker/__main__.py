"""`python -m llmops_tui.worker FD`: serve the engine on an inherited socket until it closes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time

#: The loop ends the worker as soon as its owner is gone; a job that keeps the loop busy gets this long.
GRACE_S = 2.0


def main() -> None:
    # Ctrl-C in the terminal reaches the whole process group: the engine decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What the workspace's Python prints must not look like anything else.
    os.dup2(2, 1)
    sock = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_end_with_owner, args=(sock.fileno(),), daemon=True).start()
    # What nearly every set-up needs is imported while the engine still reads its files.
    import llmops_tui.providers.openai_client  # noqa: F401
    from llmops_tui.worker.server import serve

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(sock))
    # A thread of the workspace's Python that hangs must not keep the process.
    os._exit(0)


def _end_with_owner(fd: int) -> None:
    """No orphan is left behind by a template that loops, nor by Python that never gives up the loop."""
    poller = select.poll()
    # That the other end hung up is always told; that it only said goodbye, where the system knows it.
    poller.register(fd, getattr(select, "POLLRDHUP", 0))
    poller.poll()
    time.sleep(GRACE_S)
    os._exit(1)


main()
