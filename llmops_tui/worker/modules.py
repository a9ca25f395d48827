"""One version of the workspace's modules, loaded beside other versions in the same process.

A set of modules lives below a package of its own (`_workspace3`), so `app` of one version is
`_workspace3.app` and of another `_workspace4.app`: dataclasses, pickle and annotations as texts find
their module in `sys.modules`, relative imports are Python's own. Code of a set sees a `__import__`
that looks for a name in the set first; everything else is left to Python. Nothing outside of
the set sees its modules by their plain names.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import linecache
import sys
import threading
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops_tui.domain.errors import did_you_mean

_numbers = itertools.count(1)


class ModuleSet(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The modules of one version. May be used from several threads.

    Args:
        sources: path of a module (`app.py`, `lib/__init__.py`) → source.
        folder: where the workspace is: `__file__` of the modules, and for lines in errors.
        on_import: called after each import statement of a module of the set.
    """

    def __init__(
        self, sources: Mapping[str, str], folder: str, on_import: Callable[[], None] | None = None
    ) -> None:
        self._folder = folder
        self._root = f"_workspace{next(_numbers)}"
        self._on_import = on_import
        self._paths: dict[str, str] = {}  # dotted name → path; a folder without `__init__.py` has none
        # A version's code may hold scripts of commands as well: those are no modules.
        self._sources = {path: source for path, source in sources.items() if path.endswith(".py")}
        for path in self._sources:
            self._add(path)
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._importlib: types.ModuleType | None = None
        self._lock = threading.Lock()
        self._open = False

    @property
    def names(self) -> list[str]:
        """Dotted names of the modules, sorted."""
        return sorted(self._paths)

    def module(self, name: str) -> types.ModuleType:
        """The module, loaded. What its code raises is raised.

        Raises:
            LookupError: there is none of this name; a sentence.
        """
        if name not in self._paths:
            remedy = did_you_mean(name, set(self._paths))
            raise LookupError(f"there is no module '{name}' in the workspace; {remedy}".rstrip("; "))
        self._begin()
        return importlib.import_module(f"{self._root}.{name}")

    def get(self, spec: str) -> Any:
        """`module:function`, or `module:Class.method`; the module is loaded, which runs its code.

        Raises:
            LookupError: there is no such thing; a sentence with what was meant.
        """
        name, colon, attribute = spec.partition(":")
        if not colon or not attribute:
            raise LookupError(f"'{spec}' names no function; write module:function, as in app:answer")
        found: Any = self.module(name)
        for step in attribute.split("."):
            if not hasattr(found, step):
                near = {n for n, v in vars(found).items() if callable(v) and not n.startswith("_")}
                remedy = did_you_mean(step, near)
                raise LookupError(f"'{name}' has no function '{attribute}'; {remedy}".rstrip("; "))
            found = getattr(found, step)
        return found

    def close(self) -> None:
        """Forget the modules. Functions that were taken from them go on working."""
        with self._lock:
            if self._open:
                self._open = False
                with contextlib.suppress(ValueError):
                    sys.meta_path.remove(self)
        for name in [n for n in sys.modules if n == self._root or n.startswith(f"{self._root}.")]:
            sys.modules.pop(name, None)

    # -- import machinery

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        name = fullname.removeprefix(f"{self._root}.")
        if name == fullname:
            return None
        if name not in self._paths:
            # Not by Python's own finders either: what lies in the folder may be of another version.
            raise ModuleNotFoundError(f"No module named '{name}'", name=fullname)
        path = self._paths[name]
        package = not path or path.endswith("__init__.py")
        spec = importlib.util.spec_from_loader(fullname, self, origin=self._file(path), is_package=package)
        if spec is not None and package:
            # Data of a package is found beside it; modules are found by name alone.
            spec.submodule_search_locations = [str(Path(self._folder, *name.split(".")))]
        return spec

    def exec_module(self, module: types.ModuleType) -> None:
        path = self._paths[module.__name__.removeprefix(f"{self._root}.")]
        if not path:
            return
        file, source = self._file(path), self._sources[path]
        module.__file__ = file
        module.__dict__["__builtins__"] = self._builtins
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)

    def get_source(self, fullname: str) -> str | None:
        """The source of a module, for whoever asks its loader."""
        path = self._paths.get(fullname.removeprefix(f"{self._root}."))
        return self._sources.get(path) if path else None

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        try:
            if level == 0 and self._is_ours(name):
                self._begin()
                found = builtins.__import__(f"{self._root}.{name}", globals, locals, fromlist or (), 0)
                return found if fromlist else sys.modules[f"{self._root}.{name.partition('.')[0]}"]
            found = builtins.__import__(name, globals, locals, fromlist or (), level)
        except ModuleNotFoundError as error:
            raise self._plain(error) from error.__cause__
        if found is importlib:
            found = self._own_importlib()
        if self._on_import is not None:
            self._on_import()
        return found

    def _is_ours(self, name: str) -> bool:
        return name.partition(".")[0] in self._paths

    def _plain(self, error: ModuleNotFoundError) -> ModuleNotFoundError:
        """The same, about the name that was written."""
        if error.name is None or not error.name.startswith(f"{self._root}."):
            return error
        name = error.name.removeprefix(f"{self._root}.")
        return ModuleNotFoundError(f"No module named '{name}'", name=name).with_traceback(error.__traceback__)

    def _own_importlib(self) -> types.ModuleType:
        """`importlib` whose `import_module` looks in the set first."""
        with self._lock:
            if self._importlib is None:
                self._importlib = _Importlib("importlib")
                self._importlib.__dict__["import_module"] = self._import_module
            return self._importlib

    def _import_module(self, name: str, package: str | None = None) -> types.ModuleType:
        if not name.startswith(".") and self._is_ours(name):
            self._begin()
            name = f"{self._root}.{name}"
        elif name.startswith(".") and package is not None and self._is_ours(package):
            self._begin()
            package = f"{self._root}.{package}"
        try:
            return importlib.import_module(name, package)
        except ModuleNotFoundError as error:
            raise self._plain(error) from error.__cause__

    # -- names and files

    def _begin(self) -> None:
        with self._lock:
            if self._open:
                return
            root = types.ModuleType(self._root, "Modules of a workspace.")
            root.__path__ = []
            root.__package__ = self._root
            sys.modules[self._root] = root
            sys.meta_path.insert(0, self)
            self._open = True

    def _add(self, path: str) -> None:
        steps = path.removesuffix(".py").split("/")
        if steps[-1] == "__init__":
            steps.pop()
        for length in range(1, len(steps)):
            self._paths.setdefault(".".join(steps[:length]), "")
        if steps:
            name = ".".join(steps)
            # `a.py` beside `a/__init__.py`: the workspace reads the first.
            if not self._paths.get(name) or path.endswith(f"{steps[-1]}.py"):
                self._paths[name] = path

    def _file(self, path: str) -> str:
        return str(Path(self._folder, path))


class _Importlib(types.ModuleType):
    """Stands for `importlib`; what it lacks is there."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib, name)
