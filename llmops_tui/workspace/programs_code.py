"""A team's own program as the thing under test: which function or command, and which files it is made of.

Nothing is run here: functions and imports are read from the syntax tree.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from llmops_tui.domain.canonical import lf
from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.program import stand_in
from llmops_tui.workspace.code import path_of, read_modules
from llmops_tui.workspace.reader import Reader

_SPEC = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_HOW = "write module:function, as in app:answer"
#: Largest file that becomes part of a command's version; larger ones are data, and left to the command.
_FILE_LIMIT = 1_000_000


def read_function(reader: Reader, spec: str, file: str, line: int | None) -> dict[str, str] | None:
    """The sources of `module:function`: path → source of its module and of all that it imports.

    Args:
        spec: as written.
        file, line: where it is written.

    Returns:
        None where something is wrong, recorded as a problem.
    """
    if not _SPEC.fullmatch(spec) or ".py:" in spec:
        remedy = _HOW
        if ":" in spec and spec.partition(":")[0].endswith(".py"):
            path, _, function = spec.partition(":")
            remedy = f"write {path.removesuffix('.py').replace('/', '.')}:{function}"
        reader.fail(f"'{spec}' does not name a function", remedy, file, line)
        return None
    module, _, function = spec.partition(":")
    path = path_of(reader, module)
    if not path:
        reader.fail(
            f"there is no module '{module}' in the workspace", _near_module(reader, module), file, line
        )
        return None
    tree, sources = read_modules(reader, path)
    if tree is None:
        return None
    names = _bound(tree.body)
    first, _, rest = function.partition(".")
    if first not in names and not _imports_all(tree):
        callables = {n for n, node in names.items() if isinstance(node, _DEFINITIONS) and n[0] != "_"}
        reader.fail(f"{path} has no function '{function}'", did_you_mean(first, callables), file, line)
        return None
    found = names.get(first)
    if isinstance(found, ast.ClassDef) and rest:
        methods = _bound(found.body)
        if rest not in methods and not found.bases:
            reader.fail(
                f"{path}:{found.lineno} the class '{first}' has no method '{rest}'",
                did_you_mean(rest, {n for n in methods if n[0] != "_"}),
                file,
                line,
            )
            return None
    return sources


def read_command(
    reader: Reader, command: str | list[str], file: str, line: int | None
) -> tuple[tuple[str, ...], dict[str, str]] | None:
    """A command as its arguments, and the files of the workspace that it names: path → text.

    Of a Python file that it names (also by `-m`), what that imports belongs to it as well.

    Args:
        command: one text, split as a shell would (no shell runs it), or a list.

    Returns:
        None where something is wrong, recorded as a problem.
    """
    if isinstance(command, str):
        try:
            argv = shlex.split(command)
        except ValueError as error:
            reader.fail(
                f"the command can't be read: {str(error).lower()}", "close the quotation marks", file, line
            )
            return None
        shell = next((word for word in argv if word in _SHELL), None)
        if shell is not None:
            reader.fail(
                f"the command has '{shell}', and no shell reads it",
                f"write [sh, -c, {shlex.quote(command)}]",
                file,
                line,
            )
            return None
    else:
        argv = list(command)
    if not argv or not argv[0].strip():
        reader.fail("the command is empty", "write for example [python, answer.py]", file, line)
        return None
    if any("\0" in word for word in argv):
        reader.fail("the command has a NUL character in it", "remove it", file, line)
        return None
    files: dict[str, str] = {}
    for place, word in enumerate(argv):
        path = (
            path_of(reader, word) if place and argv[place - 1] == "-m" and _MODULE.fullmatch(word) else word
        )
        _add_file(reader, path, files)
    missing = _missing_script(reader, argv)
    if missing:
        reader.locate(missing, file=file, line=line)  # says what is near
        return None
    return tuple(argv), dict(sorted(files.items()))


_SHELL = frozenset({"|", "||", "&&", "&", ";", ">", ">>", "<", "2>", "2>&1"})
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_INTERPRETERS = re.compile(r"(.*/)?(python[\d.]*|node|ruby|perl|bash|sh|Rscript|deno|bun)")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _add_file(reader: Reader, word: str, files: dict[str, str]) -> None:
    path = _own_path(word)
    if path is None or path in files or not reader.exists(path):
        return
    place = reader.root / path
    if not place.resolve().is_relative_to(reader.root) or place.stat().st_size > _FILE_LIMIT:
        return
    if path.endswith(".py"):
        files.update(read_modules(reader, path)[1])
        return
    data = reader.data(path)
    if data is not None:
        try:
            files[path] = lf(data.decode("utf-8"))
        except UnicodeDecodeError:
            files[path] = stand_in(data)


def _own_path(word: str) -> str | None:
    """An argument as a path of the workspace, if it may be one."""
    if not word or word.startswith("-") or len(word) > 500 or "\n" in word:
        return None
    pure = PurePosixPath(word)
    if pure.is_absolute() or not pure.parts:
        return None
    # A version keeps the texts of its files, and `.env` holds secrets.
    if any(part.startswith(".") for part in pure.parts):
        return None
    return str(pure)


def _missing_script(reader: Reader, argv: list[str]) -> str:
    """The script that an interpreter is given, where it is not there."""
    if argv[0].startswith("./") and not reader.exists(str(PurePosixPath(argv[0]))):
        return argv[0]
    if not _INTERPRETERS.fullmatch(argv[0]) or len(argv) < 2:
        return ""
    path = _own_path(argv[1])
    if path is None or not PurePosixPath(path).suffix or reader.exists(path):
        return ""
    return path


def _near_module(reader: Reader, module: str) -> str:
    folder, _, _ = module.replace(".", "/").rpartition("/")
    there = {name.removesuffix(".py") for name in reader.listing(folder or ".") if name.endswith(".py")}
    start = folder.replace("/", ".") + "." if folder else ""
    return did_you_mean(module, {f"{start}{name}" for name in there}) or "create it, or correct the name"


def _bound(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Names that statements bind, also inside `if`, `try` and `with`; the last statement counts."""
    found: dict[str, ast.stmt] = {}
    for node in _statements(body):
        for name in names_bound(node):
            found[name] = node
    return found


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, _DEFINITIONS):
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, field, []))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body)


def names_bound(node: ast.stmt) -> set[str]:
    """Names that one statement binds, without those inside functions and classes."""
    if isinstance(node, _DEFINITIONS):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return {
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store | ast.Del)
    }


def _imports_all(tree: ast.Module) -> bool:
    """It has a star import or makes its names as it is run: what it has is not known from its text."""
    return any(
        (isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names))
        or (isinstance(node, ast.FunctionDef) and node.name == "__getattr__")
        for node in ast.walk(tree)
    )
