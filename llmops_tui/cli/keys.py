"""Single keys of a terminal, lines of anything else; the terminal is left as it was, whatever happens."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

#: What ends a line of input, as a key: Ctrl-D, or the end of a pipe.
END = ""
_CTRL_C, _CTRL_D, _ESCAPE = "\x03", "\x04", "\x1b"


def read_key(prompt: str) -> str:
    """One key of the terminal, or the next line of a pipe without white space around it; `END` at its end.

    Keys that are no character (arrows, …) are an escape character.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    if not _is_terminal():
        _show(prompt)
        line = sys.stdin.readline()
        return line.strip() or (" " if line else END)
    # Whoever sees the prompt is listened to already.
    with _unbuffered(sys.stdin.fileno()):
        _show(prompt)
        key = _read(sys.stdin.fileno())
    if key == _CTRL_C:
        raise KeyboardInterrupt
    return END if key == _CTRL_D else key


def read_line(prompt: str) -> str:
    """A line that a person can edit; empty at the end of a pipe.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    _show(prompt)
    return sys.stdin.readline().strip()


def _show(prompt: str) -> None:
    sys.stdout.write(prompt)
    sys.stdout.flush()


@contextmanager
def interruptible() -> Iterator[None]:
    """Signals end what waits for a key at once, even below an event loop, which would put it off."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: leave}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = leave
    before = {}
    with suppress(ValueError):  # outside the main thread signals are not ours
        for number, handler in handlers.items():
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _is_terminal() -> bool:
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return sys.stdin.isatty()


@contextmanager
def _unbuffered(terminal: int) -> Iterator[None]:
    """Keys as they are pressed, unseen, Ctrl-C among them; then as before."""
    import termios

    before = termios.tcgetattr(terminal)
    now = termios.tcgetattr(terminal)
    now[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    now[6][termios.VMIN], now[6][termios.VTIME] = 1, 0
    try:
        termios.tcsetattr(terminal, termios.TCSADRAIN, now)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _read(terminal: int) -> str:
    first = os.read(terminal, 1)
    if first == _ESCAPE.encode() or first >= b"\x80":
        # The rest of a sequence, or of a character, is there already.
        while select.select([terminal], [], [], 0)[0] and (more := os.read(terminal, 64)):
            first += more
    text = first.decode("utf-8", "replace")
    return _ESCAPE if text.startswith(_ESCAPE) else text
