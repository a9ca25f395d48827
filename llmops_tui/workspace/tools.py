"""`tools.py`: the functions that a model may call, each with a revision of its own.

A tool's revision is a hash of all that it can reach by name, so that an edit of one tool leaves the
others as they were. Nothing is run here.
"""

from __future__ import annotations

import ast
import re

import msgspec

from llmops_tui.domain.canonical import digest
from llmops_tui.workspace.code import path_of, read_modules
from llmops_tui.workspace.programs_code import names_bound
from llmops_tui.workspace.reader import Reader

TOOLS_FILE = "tools.py"
#: Who uses one of these may reach everything.
_REACHES_ALL = frozenset({"globals", "eval", "exec", "vars", "__import__", "import_module", "modules"})


class Tool(msgspec.Struct, frozen=True):
    """A function of `tools.py`.

    Attributes:
        source: its own text, decorators included.
        revision: hash of it and of all that it reaches.
        parameters: their names, in order.
        required: those without a default.
    """

    name: str
    line: int
    source: str
    revision: str
    parameters: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()


class ToolsFile(msgspec.Struct, frozen=True):
    """What `tools.py` has.

    Attributes:
        tools: name → tool: top-level functions whose name does not start with `_`.
        modules: path → source: `tools.py` and all of the workspace that it imports.
        broken: it does not parse (recorded as a problem).
    """

    tools: dict[str, Tool] = {}
    modules: dict[str, str] = {}
    broken: bool = False


def read_tools(reader: Reader) -> ToolsFile | None:
    """`tools.py`, or None where there is none."""
    if not reader.exists(TOOLS_FILE):
        return None
    tree, modules = read_modules(reader, TOOLS_FILE)
    if tree is None:
        return ToolsFile({}, modules, True)
    reach = Reach(reader, tree, modules, TOOLS_FILE)
    functions = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    return ToolsFile({node.name: _tool(node, reach) for node in functions}, modules)


def _tool(node: ast.FunctionDef | ast.AsyncFunctionDef, reach: Reach) -> Tool:
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args]
    with_default = {a.arg for a in plain[len(plain) - len(arguments.defaults) :]}
    with_default |= {
        a.arg for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default
    }
    names = tuple(a.arg for a in [*plain, *arguments.kwonlyargs])
    return Tool(
        node.name,
        node.lineno,
        reach.text(node),
        reach.revision(node.name),
        names,
        frozenset(names) - with_default,
    )


class Reach:
    """Who of a module's statements sees whom, by name.

    Args:
        modules: path → source of it and of all of the workspace that it imports.
        path: its own.
    """

    def __init__(self, reader: Reader, tree: ast.Module, modules: dict[str, str], path: str) -> None:
        self._reader = reader
        self._modules = modules
        self._source = modules[path]
        self._lines = self._source.splitlines(keepends=True)
        self._body = [node for node in tree.body if not _is_docstring(node)]
        self._reads = [_names_read(node) for node in self._body]
        self._bound_by: dict[str, set[int]] = {}
        # What is done as the module is loaded may change anything: it belongs to every tool.
        self._always = {i for i, node in enumerate(self._body) if not _only_binds(node)}
        for place, node in enumerate(self._body):
            for name in _binds(node):
                self._bound_by.setdefault(name, set()).add(place)

    def text(self, node: ast.stmt) -> str:
        decorators = getattr(node, "decorator_list", [])
        start = min([node.lineno, *(d.lineno for d in decorators)])
        return "".join(self._lines[start - 1 : node.end_lineno])

    def revision(self, name: str) -> str:
        """Hash of the statements that the function reaches, and of the modules that these import."""
        seen: set[int] = set()
        waiting = [*self._bound_by[name], *self._always]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            reads = self._reads[place]
            if reads & _REACHES_ALL:
                return digest(["all", name, self._modules])
            waiting += [other for each in reads for other in self._bound_by.get(each, ())]
        reached = [self._body[place] for place in sorted(seen)]
        return digest([name, [self.text(node) for node in reached], self._imported(reached)])

    def _imported(self, nodes: list[ast.stmt]) -> dict[str, str]:
        """Path → source of the modules of the workspace that statements import, and those import."""
        found: dict[str, str] = {}
        for node in nodes:
            for each in ast.walk(node):
                for name in _modules_named(each):
                    self._add(name, found)
        return found

    def _add(self, name: str, found: dict[str, str]) -> None:
        steps = name.split(".")
        for length in range(1, len(steps) + 1):
            path = path_of(self._reader, ".".join(steps[:length]))
            if path in self._modules and path not in found:
                for place in read_modules(_Quiet(self._reader), path)[1]:
                    if place in self._modules:
                        found[place] = self._modules[place]


class _Quiet(Reader):
    """Reads the same workspace again without recording anything twice."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader.root)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _only_binds(node: ast.stmt) -> bool:
    """A definition, an import, or an assignment to names alone."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Assign):
        return all(_is_name(target) for target in node.targets)
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return _is_name(node.target)
    return isinstance(node, ast.Pass)


def _is_name(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(_is_name(each) for each in target.elts)
    return isinstance(target, ast.Name)


def _binds(node: ast.stmt) -> set[str]:
    """Names that a statement binds, those that functions in it declare as `global` included."""
    found = names_bound(node)
    for each in ast.walk(node):
        if isinstance(each, ast.Global):
            found |= set(each.names)
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        found.add("*")
    return found


def _names_read(node: ast.stmt) -> set[str]:
    """Names that a statement mentions; a star import may give any of them."""
    found = {"*"}
    for each in ast.walk(node):
        for field in ("annotation", "returns"):
            written = getattr(each, field, None)
            if isinstance(written, ast.Constant) and isinstance(written.value, str):
                found |= set(re.findall(r"\w+", written.value))
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute) and each.attr in _REACHES_ALL:
            found.add(each.attr)
        elif isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier():
            found.add(each.value)  # perhaps a name that is looked up
    return found


def _modules_named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        return [f"{base}.{alias.name}" if base else alias.name for alias in node.names]
    return []
