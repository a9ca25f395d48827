"""The workspace's Python as source: its functions, and the modules that they import.

Nothing is imported or run here: functions and imports are read from the syntax tree. The worker
runs the code, once the person has trusted the workspace.
"""

from __future__ import annotations

import ast

import msgspec

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.errors import Problem, did_you_mean
from llmops_tui.workspace.reader import Reader

SCORERS_FILE = "scorers.py"
#: What the worker hands a function that asks for it by name.
GIVEN = frozenset(
    "output expected vars tags case_id context tool_calls latency_s cost_usd guardrails".split()  # noqa: SIM905
)


class Function(msgspec.Struct, frozen=True):
    """A function that a person wrote for us: of `scorers.py`, or of `guardrails.py`.

    Attributes:
        parameters: names that can be given by name.
        required: those without a default.
        takes_rest: it has `**options`.
        nameless: those without a default that can't be given by name (they stand before a `/`), in order.
    """

    name: str
    line: int
    parameters: frozenset[str]
    required: frozenset[str]
    takes_rest: bool
    nameless: tuple[str, ...] = ()

    def check(self, options: dict[str, object], given: frozenset[str] = GIVEN) -> tuple[str, str] | None:
        """What is wrong with a use of it, as (message, remedy).

        Args:
            given: names that it is handed without an option.
        """
        if self.nameless:
            names = ", ".join(f"'{name}'" for name in self.nameless)
            return f"{self.name} can't be given {names} by name", "remove the '/' from its parameters"
        if not self.takes_rest:
            for option in options:
                if option not in self.parameters:
                    return (
                        f"{self.name} takes no option '{option}'",
                        did_you_mean(option, set(self.parameters - given)),
                    )
        for name in sorted(self.required - given):
            if name not in options:
                return f"{self.name} needs the option '{name}'", f"write {{{self.name}: {{{name}: …}}}}"
        return None


class Source(msgspec.Struct, frozen=True):
    """The Python of a workspace.

    Attributes:
        modules: module name → source: `scorers` and everything of the workspace that it imports.
        functions: top-level functions of `scorers.py` whose name does not start with `_`.
        broken: `scorers.py` is there and does not parse.
    """

    modules: dict[str, str] = {}
    functions: dict[str, Function] = {}
    broken: bool = False

    def revision(self, inputs: dict[str, str]) -> str:
        """Hash of the source and of the files that it declares to read (path → content hash)."""
        return digest([self.modules, inputs])


def read_code(reader: Reader) -> Source:
    """`scorers.py` and its imports; syntax errors are recorded as problems."""
    if not reader.exists(SCORERS_FILE):
        return Source()
    modules: dict[str, str] = {}
    tree = _module(reader, "scorers", SCORERS_FILE, modules)
    if tree is None:
        return Source(modules, broken=True)
    functions = {
        node.name: function_of(node)
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_")
    }
    return Source(dict(sorted(modules.items())), functions)


def read_modules(reader: Reader, path: str) -> tuple[ast.Module | None, dict[str, str]]:
    """A module of the workspace and all that it imports: its tree, and path → source.

    The tree is None where it does not parse (recorded as a problem, as are mistakes of what it imports).
    """
    modules: dict[str, str] = {}
    tree = _module(reader, module_name(path), path, modules)
    found = {path_of(reader, name): source for name, source in modules.items()}
    return tree, {place: found[place] for place in sorted(filter(None, found))}


def module_name(path: str) -> str:
    """`lib/words.py` → `lib.words`; `lib/__init__.py` → `lib`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def path_of(reader: Reader, name: str) -> str:
    """The path of a module by its dotted name; empty where it has no file."""
    path = name.replace(".", "/")
    return next((p for p in (f"{path}.py", f"{path}/__init__.py") if reader.exists(p)), "")


def _module(reader: Reader, name: str, path: str, modules: dict[str, str]) -> ast.Module | None:
    source = reader.text(path)
    if source is None:
        return None
    modules[name] = source
    try:
        tree = ast.parse(source, path)
    except SyntaxError as error:
        reader.problems.append(Problem(f"is not valid Python: {error.msg}", "", path, error.lineno))
        return None
    except (ValueError, RecursionError) as error:
        reader.problems.append(Problem(f"is not valid Python: {error}", "", path))
        return None
    package = name if path.endswith("/__init__.py") else name.rpartition(".")[0]
    for wanted in _imports(tree, package):
        _follow(reader, wanted, modules)
    return tree


def _imports(tree: ast.Module, package: str) -> list[str]:
    """Dotted names that a module may import; `from a import b` may mean `a.b`."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            if base:
                names.append(base)
            names += [f"{base}.{alias.name}" if base else alias.name for alias in node.names]
    return names


def _follow(reader: Reader, wanted: str, modules: dict[str, str]) -> None:
    """Add a module of the workspace, with the packages above it; others are left to Python."""
    steps = wanted.split(".")
    for length in range(1, len(steps) + 1):
        name = ".".join(steps[:length])
        if name in modules or "*" in name:
            continue
        path = "/".join(steps[:length])
        if reader.exists(f"{path}.py"):
            _module(reader, name, f"{path}.py", modules)
        elif reader.exists(f"{path}/__init__.py"):
            _module(reader, name, f"{path}/__init__.py", modules)
        elif length < len(steps) and (reader.root / path).is_dir():
            modules[name] = ""
        else:
            return


def function_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    """What its signature says."""
    arguments = node.args
    before = arguments.posonlyargs
    plain = [*before, *arguments.args]
    without_default = plain[: len(plain) - len(arguments.defaults)]
    keyword = {a.arg: default for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)}
    return Function(
        name=node.name,
        line=node.lineno,
        parameters=frozenset([a.arg for a in arguments.args] + list(keyword)),
        required=frozenset([a.arg for a in without_default] + [k for k, d in keyword.items() if d is None]),
        takes_rest=arguments.kwarg is not None,
        nameless=tuple(a.arg for a in before if a in without_default),
    )
