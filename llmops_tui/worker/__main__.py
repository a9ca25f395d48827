"""`python -m llmops_tui.worker FD`: serve the engine on an inherited socket until it closes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys


def main() -> None:
    # Ctrl-C in the terminal reaches the whole process group: the engine decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What the workspace's Python prints must not look like anything else.
    os.dup2(2, 1)
    sock = socket.socket(fileno=int(sys.argv[1]))
    # What nearly every set-up needs is imported while the engine still reads its files.
    import llmops_tui.providers.openai_client  # noqa: F401
    from llmops_tui.worker.server import serve

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(sock))
    # A thread of the workspace's Python that hangs must not keep the process.
    os._exit(0)


main()
