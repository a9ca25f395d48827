"""The process that runs functions of `guardrails.py`, and large kinds: `python -P apart_process.py FD`.

Started by `guardrails.apart`. Standard input is a pipe on which nothing comes: the process ends when it
closes. Requests and replies are frames on the socket FD: four bytes, the length, then JSON. What
functions print goes nowhere. Only the standard library is imported, so that it is there quickly.
"""

from __future__ import annotations

import fcntl
import json
import linecache
import math
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

#: Characters of a reason and of an error that are sent; the other side cuts as it needs.
_LONGEST_REASON = 2_000
#: Characters that a replacement may add to a text.
_LONGEST_REPLACEMENT = 1_000_000
ALLOWED = (
    "return True, False, None, a number from 0 to 1, a text that says why it fires, or "
    '{"triggered" or "score": …, "reason": …, "text": …}'
)


class Modules(MetaPathFinder, Loader):
    """The workspace's modules by their names, from source.

    Args:
        sources: path → source.
        folder: where the files are: `__file__`, and for lines in errors.
    """

    def __init__(self, sources: Mapping[str, str], folder: str) -> None:
        self._folder = folder
        self._sources = {path: source for path, source in sources.items() if path.endswith(".py")}
        self._paths: dict[str, str] = {}
        for path in self._sources:
            steps = path.removesuffix(".py").split("/")
            if steps[-1] == "__init__":
                steps.pop()
            for length in range(1, len(steps)):
                self._paths.setdefault(".".join(steps[:length]), "")
            if steps:
                self._paths[".".join(steps)] = path

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._paths:
            return None
        path = self._paths[fullname]
        is_package = not path or path.endswith("__init__.py")
        return spec_from_loader(fullname, self, origin=self._file(path), is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        path = self._paths[module.__name__]
        if not path:
            return
        file, source = self._file(path), self._sources[path]
        module.__file__ = file
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)

    def path_of(self, file: str) -> str:
        """The workspace's path of a file that a traceback names; empty for another."""
        path = os.path.relpath(file, self._folder) if self._folder else file
        return path if path in self._sources else ""

    def _file(self, path: str) -> str:
        return os.path.join(self._folder, path)  # noqa: PTH118 - pathlib costs more than all else here


def described(raised: BaseException, modules: Modules) -> str:
    """`guardrails.py:12 ValueError: …`."""
    try:
        said = " ".join(str(raised)[:_LONGEST_REASON].split())
    except Exception:  # its __str__ is the workspace's code too
        said = ""
    text = f"{type(raised).__name__}: {said}" if said else type(raised).__name__
    if isinstance(raised, SyntaxError) and raised.filename:
        where, line = modules.path_of(raised.filename), raised.lineno
    else:
        where, line = "", 0
        at = raised.__traceback__
        while at is not None:
            path = modules.path_of(at.tb_frame.f_code.co_filename)
            if path:
                where, line = path, at.tb_lineno
            at = at.tb_next
    return f"{where}:{line} {text}" if where else text


# -- what a function is given, and gives


def bound(function: Callable[..., Any], known: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """What a function asks for by name, with its own options.

    Raises:
        TypeError: a parameter that nobody gives, or an option that it does not take.
    """
    from inspect import signature

    parameters = signature(function).parameters
    takes_rest = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [name for name in options if name not in parameters and not takes_rest]
    if unknown:
        raise TypeError(f"takes no option '{unknown[0]}'")
    given = {name: known[name] for name in parameters if name in known} | options
    for name, p in parameters.items():
        if name not in given and p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
            raise TypeError(f"asks for '{name}'; known are {', '.join(sorted(known))} and its options")
    return given


def found_of(returned: Any, text: str) -> dict[str, Any]:
    """What a function returned, as `score`, `reason` and `matches` ([start, end, label]).

    Raises:
        ValueError: it is nothing of what may be returned; a clause.
    """
    reason, replacement = "", None
    if isinstance(returned, Mapping):
        unknown = [k for k in returned if k not in ("triggered", "score", "reason", "text")]
        if unknown or ("triggered" in returned) == ("score" in returned):
            what = f"a mapping with {str(unknown[0])[:40]!r}" if unknown else "an unclear mapping"
            raise ValueError(f"returned {what}; {ALLOWED}")
        reason, replacement = returned.get("reason", ""), returned.get("text")
        returned = returned["triggered"] if "triggered" in returned else returned["score"]
        if isinstance(returned, str):
            raise ValueError(f"returned a text as its score; {ALLOWED}")
    elif isinstance(returned, str):
        returned, reason = bool(returned.strip()), returned
    score = _score(returned)
    if not isinstance(reason or "", str) or not isinstance(replacement or "", str):
        raise ValueError(f"returned a reason or a text that is none; {ALLOWED}")
    found: dict[str, Any] = {"score": score, "reason": (reason or "")[:_LONGEST_REASON]}
    if replacement is not None:
        if len(replacement) > len(text) + _LONGEST_REPLACEMENT:
            raise ValueError(f"returned a text of {len(replacement):,} characters")
        found["matches"] = [[0, len(text), replacement]]
    return found


def _score(value: Any) -> float:
    if value is None or isinstance(value, bool):
        return float(bool(value))
    if type(value).__module__ == "numpy" and callable(getattr(value, "item", None)):
        value = value.item()
    if not isinstance(value, int | float):
        raise ValueError(f"returned a value of type {type(value).__name__}; {ALLOWED}")
    if not 0 <= value <= 1 or not math.isfinite(value):
        raise ValueError(f"returned {value:.6g}, which is not from 0 to 1")
    return float(value)


# -- the process


class Server:
    """Answers requests, one after the other.

    Args:
        send: takes one reply.
    """

    def __init__(self, modules: Modules, send: Callable[[dict[str, Any]], None]) -> None:
        self._modules = modules
        self._send = send
        self._checks: dict[str, Callable[[dict[str, Any], int], dict[str, Any]]] = {}

    def prepare(self, request: dict[str, Any]) -> None:
        """Load a function, or a built-in check; replies with what went wrong, or nothing."""
        name, options = request["kind"], request["options"]
        try:
            make = self._function if request["is_function"] else self._built_in
            self._checks[request["key"]] = make(name, options)
        except BaseException as raised:
            self._send({"error": described(raised, self._modules)})
        else:
            self._send({})

    def look(self, request: dict[str, Any]) -> None:
        """One reply for each text."""
        check = self._checks[request["key"]]
        for n in range(len(request["texts"])):
            try:
                self._send(check(request, n))
            except BaseException as raised:  # SystemExit too
                said = str(raised) if type(raised) is _Returned else described(raised, self._modules)
                # What ran out of memory holds on to it, in the way of all that come after.
                self._send({"error": said[:_LONGEST_REASON], "ends": isinstance(raised, MemoryError)})

    def _function(
        self, name: str, options: dict[str, Any]
    ) -> Callable[[dict[str, Any], int], dict[str, Any]]:
        function = getattr(import_module("guardrails"), name, None)
        if not callable(function):
            raise LookupError(f"guardrails.py has no function '{name}'")

        def check(request: dict[str, Any], n: int) -> dict[str, Any]:
            text = request["texts"][n]
            known = {**request["about"], "text": text, "where": request["wheres"][n]}
            returned = function(**bound(function, known, options))
            if hasattr(returned, "__await__"):
                import asyncio

                returned = asyncio.run(_awaited(returned))
            try:
                return found_of(returned, text)
            except ValueError as error:
                raise _Returned(f"{name} {error}") from None

        return check

    def _built_in(
        self, name: str, options: dict[str, Any]
    ) -> Callable[[dict[str, Any], int], dict[str, Any]]:
        from llmops_tui.guardrails.checks import prepare
        from llmops_tui.guardrails.registry import About, CannotCheck, Deadline, TooSlow

        prepared = prepare(name, options)

        def check(request: dict[str, Any], n: int) -> dict[str, Any]:
            told = request["about"]
            about = About(told["stage"], told["vars"], tuple(told["context"]), told["tool"])
            try:
                found = prepared(request["texts"][n], about, Deadline(request["limit_s"]))
            except CannotCheck as error:
                raise _Returned(str(error)) from None
            except TooSlow:
                raise _Returned(f"took longer than {request['limit_s']:g} s") from None
            except Exception as error:  # of ours: what it says may quote the text
                raise _Returned(f"raised {type(error).__name__}") from None
            matches = [[match.start, match.end, match.label] for match in found.matches]
            return {"score": found.score, "reason": found.reason, "matches": matches}

        return check


class _Returned(Exception):
    """A whole sentence on what went wrong; its place in the source says nothing more."""


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def main() -> None:
    line, sock = _own_descriptors()
    # What a function forks off keeps nothing open that the owner waits for.
    os.register_at_fork(after_in_child=sock.close)
    os.register_at_fork(after_in_child=lambda: os.close(line))
    _end_with_owner(line)

    def read(size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = sock.recv(min(size - len(data), 1 << 20))
            if not part:
                os._exit(0)
            data += part
        return bytes(data)

    def receive() -> dict[str, Any]:
        request: dict[str, Any] = json.loads(read(int.from_bytes(read(4), "big")))
        return request

    own = os.getpid()

    def send(reply: dict[str, Any]) -> None:
        if os.getpid() != own:
            os._exit(0)  # a function forked, and this is not the process that was asked
        data = json.dumps(reply).encode()
        sock.sendall(len(data).to_bytes(4, "big") + data)

    hello = receive()
    _limit_memory(hello["memory"])
    sys.path[:] = hello["path"]
    modules = Modules(hello["sources"], hello["folder"])
    sys.meta_path.insert(0, modules)
    server = Server(modules, send)
    while True:
        request = receive()
        (server.prepare if request["do"] == "prepare" else server.look)(request)


def _own_descriptors() -> tuple[int, socket.socket]:
    """The pipe of the owner and the socket, out of the way of what functions do with 0, 1 and 2."""
    line = os.dup(0)
    sock = socket.socket(fileno=os.dup(int(sys.argv[1])))
    os.close(int(sys.argv[1]))
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    return line, sock


def _end_with_owner(line: int) -> None:
    """Ends when the owner does, even within a call that never gives up the interpreter, with all that was
    started here.

    The kernel signals the group when the other end of the pipe closes: on Linux SIGKILL, which nothing can
    block and which reaches what is stopped; elsewhere SIGIO, whose default is to end a process. Where it
    knows no such thing, a thread waits for the same.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the owner's affair
    try:
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(line, fcntl.F_SETOWN, -os.getpgrp())
        if sys.platform == "linux":
            fcntl.fcntl(line, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(line, fcntl.F_SETFL, fcntl.fcntl(line, fcntl.F_GETFL) | os.O_ASYNC)
    except (OSError, AttributeError):
        pass

    def wait() -> None:
        poller = select.poll()
        poller.register(line, 0)  # that the other end hung up is always told
        poller.poll()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def _limit_memory(most: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        pass  # a system without such limits


if __name__ == "__main__":
    main()
