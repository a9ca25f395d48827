"""A configuration over its attacks and harmless cases, instead of over its own eval sets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from llmops_tui.domain.attack import HARMLESS
from llmops_tui.domain.case import Case
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError
from llmops_tui.domain.variants import Variant
from llmops_tui.workspace.attack_files import FOLDER
from llmops_tui.workspace.overlay import Overlay
from llmops_tui.workspace.reader import EVALS_LIMIT, Reader
from llmops_tui.workspace.yaml_document import Document, YamlError


def read_attack_set(root: Path, on_disk: Configuration) -> Configuration:
    """The same version; its cases are the attacks on it, and the harmless ones (with the tag `harmless`).

    Raises:
        UsageError: there are no attacks on it.
        WorkspaceError: a file has a mistake.
    """
    from llmops_tui.workspace.code import read_code
    from llmops_tui.workspace.configurations import read_configuration
    from llmops_tui.workspace.settings import read_settings

    reader = Reader(root)
    settings = read_settings(reader)
    evals = _Evals(reader, on_disk.name)
    source = read_code(reader)
    read = read_configuration(reader, settings, source, on_disk.name, on_disk.file, evals)
    if not evals.attacks:
        raise UsageError(
            Problem(
                f"there are no attacks on '{on_disk.name}'",
                f"write {FOLDER}/{on_disk.name}.yaml (docs/attacks.md), or llmops-tui attack import FILE",
            )
        )
    if read is None:
        raise WorkspaceError(*dict.fromkeys(p for p in reader.problems if not p.warning))
    if read.manifest.hash != on_disk.manifest.hash:
        raise UsageError(Problem("the files were changed a moment ago", "try again"))
    return msgspec.structs.replace(read, cases=tuple(_tagged(case) for case in read.cases))


def attack_files(root: Path, config: str) -> tuple[str, ...]:
    """Files of `attacks/` that are about a configuration, by name; those that can't be read as well."""
    reader = Reader(root)
    names = configs_of(reader)
    return tuple(path for path in _files(reader) if _is_about(path, _content(reader, path), config, names))


def configs_of(reader: Reader) -> frozenset[str]:
    """Names of the configurations that have a file."""
    files = (name.rpartition(".") for name in reader.listing("configs"))
    return frozenset(stem for stem, _dot, suffix in files if suffix.lower() in ("yaml", "yml"))


def _files(reader: Reader) -> list[str]:
    return [f"{FOLDER}/{name}" for name in reader.listing(FOLDER) if name.lower().endswith((".yaml", ".yml"))]


def _is_about(path: str, content: dict[str, Any], config: str, configs: Iterable[str]) -> bool:
    named = content.get("configs")
    if isinstance(named, list):
        return config in named
    stem = Path(path).stem
    return stem == config if stem in configs else True


def _content(reader: Reader, path: str) -> dict[str, Any]:
    """What a file holds; nothing where it can't be read: reading it as an eval file says why."""
    before = len(reader.problems)
    text = reader.text(path, EVALS_LIMIT)
    del reader.problems[before:]
    try:
        value = Document(text).value if text else None
    except YamlError:
        return {}
    return value if isinstance(value, dict) else {}


def _tagged(case: Case) -> Case:
    if case.attack is not None or HARMLESS in case.tags:
        return case
    return msgspec.structs.replace(case, tags=(*case.tags, HARMLESS))


class _Evals(Overlay):
    """The attack files of a configuration, and the harmless ones that they name, in the place of `evals`.

    Attributes:
        attacks: the attack files, once the configuration's file was read.
    """

    def __init__(self, reader: Reader, config: str) -> None:
        super().__init__(Variant(()))
        self._reader = reader
        self._config = config
        self.attacks: list[str] = []

    def on(self, value: Any) -> Any:
        written = value.get("evals") if isinstance(value, dict) else None
        given = [each for each in written if isinstance(each, str)] if isinstance(written, list) else []
        # `./attacks/a.yaml` is the file that is listed as `attacks/a.yaml`.
        own = [str(PurePosixPath(each.replace("\\", "/"))) for each in given]
        reader = self._reader
        contents = {path: _content(reader, path) for path in [*own, *_files(reader)]}
        configs = configs_of(reader)
        self.attacks = [
            path
            for path, content in contents.items()
            if ("attacks" in content and path in own)
            or (path not in own and _is_about(path, content, self._config, configs))
        ]
        if not self.attacks:
            return value
        ordinary = [path for path in own if path not in self.attacks]
        harmless: list[str] = []
        for path in self.attacks:
            named = contents[path].get("harmless")
            if isinstance(named, list):
                harmless += self._located(path, named)
            else:
                harmless += ordinary
        return {**value, "evals": list(dict.fromkeys([*self.attacks, *harmless]))}

    def _located(self, path: str, named: list[Any]) -> list[str]:
        """Harmless eval files of an attack file; one that is not there is a mistake of that file."""
        text = self._reader.text(path, EVALS_LIMIT)
        document = Document(text or "")
        found = (
            self._reader.locate(each, file=path, line=document.line(("harmless", n)))
            for n, each in enumerate(named)
            if isinstance(each, str)
        )
        return [each for each in found if each is not None]
