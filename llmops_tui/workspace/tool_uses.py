"""Tools as a configuration names them → parts of its version."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.manifest import Part, make_part
from llmops_tui.domain.schema import ToolEntry, ToolOptions
from llmops_tui.workspace.overlay import Lines
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.tools import TOOLS_FILE, ToolsFile, read_tools
from llmops_tui.workspace.yaml_document import Document

Loc = tuple[str | int, ...]


class ToolUses:
    """The tools of one configuration; what is wrong is recorded as problems.

    Attributes:
        modules: path → source of `tools.py` and of what it imports; empty until a tool is named.
    """

    def __init__(self, reader: Reader, path: str, document: Document | Lines) -> None:
        self._reader = reader
        self._path = path
        self._document = document
        self._tools_file: ToolsFile | None = None
        self._tools: dict[str, Part] = {}
        self._options: dict[str, ToolOptions] = {}
        self.modules: dict[str, str] = {}

    @property
    def parts(self) -> list[Part]:
        return list(self._tools.values())

    def set_up(self, entries: list[ToolEntry]) -> None:
        """How tools behave wherever a step names them without saying so."""
        for entry in entries:
            if isinstance(entry, dict):
                self._options |= entry

    def read(self, entries: list[ToolEntry], loc: Loc) -> list[str]:
        """Records a part for each; gives their names."""
        names: list[str] = []
        for n, entry in enumerate(entries):
            at = (*loc, n) if loc[-1] == "tools" else loc
            if isinstance(entry, dict) and len(entry) != 1:
                self._fail(f"an entry names {len(entry)} tools", "start each with '- '", at)
                continue
            if isinstance(entry, str):
                name, options = entry, self._options.get(entry, ToolOptions())
            else:
                name, options = next(iter(entry.items()))
            if name in names:
                self._fail(f"the tool '{name}' is named twice", "keep one of them", at)
                continue
            names.append(name)
            self._tool(name, options, at)
        return names

    def _tool(self, name: str, options: ToolOptions, loc: Loc) -> None:
        if self._tools_file is None:
            if not self._reader.exists(TOOLS_FILE):
                self._fail(
                    f"'{name}' is a tool, and there is no {TOOLS_FILE}",
                    f"write it as a function of {TOOLS_FILE}",
                    loc,
                )
                return
            self._tools_file = read_tools(self._reader)
            if self._tools_file is None:
                return
            self.modules = self._tools_file.modules
        if self._tools_file.broken:
            return
        known = self._tools_file.tools.get(name)
        if known is None:
            names = set(self._tools_file.tools)
            self._fail(f"there is no function '{name}' in {TOOLS_FILE}", did_you_mean(name, names), loc)
            return
        value: dict[str, Any] = {"source": known.source, "revision": known.revision}
        if options.eval != "live":
            value["eval"] = options.eval
        if options.eval == "canned":
            value["result"] = options.result
            if "result" not in options.model_fields_set:
                remedy = "write what it gives: 'result: …' ('result: null' for nothing)"
                self._fail(f"the tool '{name}' is canned and gives nothing", remedy, loc)
        elif options.result is not None:
            self._fail(f"the tool '{name}' has a result and is not canned", "add 'eval: canned'", loc)
        if options.timeout_s != 10.0:
            value["timeout_s"] = options.timeout_s
        part = make_part("tools", name, value)
        before = self._tools.setdefault(name, part)
        if before.hash != part.hash:
            self._fail(f"the tool '{name}' is set up in two ways", "set it up alike in all steps", loc)

    def _fail(self, message: str, remedy: str, loc: Loc) -> None:
        self._reader.fail(message, remedy, self._path, self._document.line(loc))
