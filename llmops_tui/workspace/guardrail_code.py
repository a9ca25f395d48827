"""`guardrails.py`: functions that are guardrails, each with a revision of its own. Nothing is run here."""

from __future__ import annotations

import ast

import msgspec

from llmops_tui.workspace.code import Function, function_of, read_modules
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.tools import Reach

GUARDRAILS_FILE = "guardrails.py"
#: What a function is handed if it asks for it by name. `text` is what it looks at.
GIVEN = frozenset("text stage vars context tool where".split())  # noqa: SIM905


class GuardrailsFile(msgspec.Struct, frozen=True):
    """What `guardrails.py` has.

    Attributes:
        functions: top-level functions whose name does not start with `_`.
        revisions: name → hash of its source and of what that reaches.
        modules: path → source: `guardrails.py` and all of the workspace that it imports.
        broken: it does not parse (recorded as a problem).
    """

    functions: dict[str, Function] = {}
    revisions: dict[str, str] = {}
    modules: dict[str, str] = {}
    broken: bool = False


def read_guardrails(reader: Reader) -> GuardrailsFile:
    """`guardrails.py`; empty where there is none."""
    if not reader.exists(GUARDRAILS_FILE):
        return GuardrailsFile()
    tree, modules = read_modules(reader, GUARDRAILS_FILE)
    if tree is None:
        return GuardrailsFile(modules=modules, broken=True)
    functions = {
        node.name: function_of(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    }
    reach = Reach(reader, tree, modules, GUARDRAILS_FILE)
    return GuardrailsFile(functions, {name: reach.revision(name) for name in functions}, modules)
