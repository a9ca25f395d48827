"""Prompt files: front matter, `system:` / `user:` / `assistant:` lines, Jinja2, includes.

Templates are parsed here to find mistakes and variables; they are rendered in the worker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec

from llmops_tui.domain.prompt import Prompt, Role, TemplateMessage
from llmops_tui.workspace.reader import Reader

_MARKER = re.compile(r"^(system|user|assistant):[ \t]*$")
_MARKER_WITH_TEXT = re.compile(r"^(system|user|assistant):[ \t]*\S")
#: What a template may use and no case can give.
_REMOVED = {"random": "filter", "lipsum": "global"}


class PromptFile(msgspec.Struct, frozen=True):
    """A prompt, and where its variables are.

    Attributes:
        required: variables that a case or `defaults` must give.
        lines: variable → (file, line) of its first use.
    """

    prompt: Prompt
    required: frozenset[str]
    lines: dict[str, tuple[str, int]]


class _Found:
    """What the templates of one prompt reach, collected while parsing."""

    def __init__(self) -> None:
        self.includes: dict[str, str] = {}
        self.variables: dict[str, tuple[str, int]] = {}
        self.optional: set[str] = set()
        self.required: set[str] = set()


def read_prompt(reader: Reader, path: str) -> PromptFile | None:
    """Read and check a prompt file; None with problems recorded."""
    text = reader.text(path)
    if text is None:
        return None
    before = len(reader.problems)
    front, body, first_line = _front_matter(reader, path, text)
    messages = _messages(reader, path, body, first_line)
    found = _Found()
    for message in messages:
        _scan(reader, message.source, path, message.line, PurePosixPath(path).parent, found)
    if any(not p.warning for p in reader.problems[before:]):
        return None
    defaults = front.get("defaults") or {}
    prompt = Prompt(path, messages, found.includes, defaults, tuple(sorted(found.variables)))
    return PromptFile(prompt, frozenset(found.required), found.variables)


def template_variables(reader: Reader, source: str, file: str, line: int) -> frozenset[str] | None:
    """Variables that a template without includes must be given; None with a problem recorded."""
    found = _Found()
    before = len(reader.problems)
    _scan(reader, source, file, line, None, found)
    return None if len(reader.problems) > before else frozenset(found.required)


def required_variables(content: Mapping[str, Any]) -> frozenset[str]:
    """Variables that a recorded prompt (`Prompt.content()`) can't be rendered without."""
    return frozenset(name for name, needed in variables_of(content).items() if needed)


def variables_of(content: Mapping[str, Any], query: str = "") -> dict[str, bool]:
    """Variables that a versioned prompt reads → whether each must be given, in the order of reading.

    Args:
        content: `Prompt.content()`.
        query: template of a retrieval's query.
    """
    from jinja2 import TemplateSyntaxError, meta, nodes

    sources = [source for _role, source in content["messages"]]
    sources += [query, *content["includes"].values()]
    found: dict[str, bool] = {}
    for source in sources:
        try:
            tree = _environment().parse(source)
            names, optional = meta.find_undeclared_variables(tree), _optional_names(tree)
        except (TemplateSyntaxError, RecursionError):
            continue  # said when it is rendered
        used = {node.name: None for node in tree.find_all(nodes.Name) if node.name in names}
        for name in sorted(used, key=lambda n: source.find(n)):
            found[name] = found.get(name, False) or name not in optional
    return {name: needed and name not in content["defaults"] for name, needed in found.items()}


# -- the parts of the file


def _front_matter(reader: Reader, path: str, text: str) -> tuple[dict[str, Any], str, int]:
    """(front matter, the rest, line at which the rest starts)."""
    if not re.match(r"---[ \t]*\n", text):
        return {}, text, 1
    end = re.search(r"^---[ \t]*$", text[4:], re.MULTILINE)
    if end is None:
        reader.fail("the front matter has no closing '---' line", "close it with a line '---'", path, 1)
        return {}, "", 1
    source, rest = text[4 : 4 + end.start()], text[4 + end.end() :]
    first_line = text[: 4 + end.end()].count("\n") + 1

    from llmops_tui.domain.errors import Problem, did_you_mean
    from llmops_tui.workspace.yaml_document import Document, YamlError

    try:
        document = Document("\n" * text[:4].count("\n") + source)
    except YamlError as error:
        reader.problems.append(error.problem(path))
        return {}, rest, first_line
    value = document.value if document.value is not None else {}
    if not isinstance(value, dict):
        reader.fail("the front matter must be 'key: value' lines", "", path, 2)
        return {}, rest, first_line
    for key in value.keys() - {"description", "defaults"}:
        remedy = did_you_mean(key, {"description", "defaults"})
        reader.problems.append(
            Problem(f"unknown key '{key}' in the front matter", remedy, path, document.line((key,)))
        )
    if not isinstance(value.get("defaults") or {}, dict):
        reader.fail(
            "'defaults' must be a mapping of variables to values",
            "write 'defaults: {tone: friendly}'",
            path,
            document.line(("defaults",)),
        )
    return value, rest, first_line


def _messages(reader: Reader, path: str, body: str, first_line: int) -> tuple[TemplateMessage, ...]:
    lines = body.split("\n")
    starts = [(i, m.group(1)) for i, line in enumerate(lines) if (m := _MARKER.match(line))]
    if not starts:
        source, line = _trimmed(lines, first_line)
        if not source:
            reader.fail("the prompt is empty", "write what the model is asked", path, 1)
        if _MARKER_WITH_TEXT.match(source):
            reader.warn(
                f"'{source.split(':')[0]}:' has text behind it, so it starts no message",
                "put the text on the next line",
                path,
                line,
            )
        return (TemplateMessage("user", source, line),)
    before, line = _trimmed(lines[: starts[0][0]], first_line)
    if before:
        reader.fail(
            "text before the first message belongs to none", f"move it below '{starts[0][1]}:'", path, line
        )
    messages = []
    for n, (start, role) in enumerate(starts):
        stop = starts[n + 1][0] if n + 1 < len(starts) else len(lines)
        source, line = _trimmed(lines[start + 1 : stop], first_line + start + 1)
        if not source:
            reader.fail(
                f"the {role} message is empty", "write it, or remove its line", path, first_line + start
            )
        messages.append(TemplateMessage(_role(role), source, line))
    return tuple(messages)


def _role(word: str) -> Role:
    return "system" if word == "system" else "user" if word == "user" else "assistant"


def _trimmed(lines: list[str], first_line: int) -> tuple[str, int]:
    """Text without white space at both ends (rendering removes it), and its first line's number."""
    text = "\n".join(lines)
    stripped = text.strip()
    lead = text[: len(text) - len(text.lstrip())].count("\n") if stripped else 0
    return stripped, first_line + lead


# -- templates


def _scan(
    reader: Reader, source: str, file: str, line: int, folder: PurePosixPath | None, found: _Found
) -> None:
    """Parse one template, and what it includes; `folder` None means that it may include nothing."""
    from jinja2 import TemplateSyntaxError, meta, nodes

    environment = _environment()
    try:
        tree = environment.parse(source)
        if _check_names(reader, tree, file, line):
            return
        names = meta.find_undeclared_variables(tree)
    except TemplateSyntaxError as error:
        said = str(error.message or error).rstrip(".")
        reader.fail(
            f"the template does not parse: {said[:1].lower()}{said[1:]}", "", file, line + error.lineno - 1
        )
        return
    except RecursionError:
        reader.fail("the template is nested too deeply", "flatten it", file, line)
        return
    optional = _optional_names(tree)
    for node in tree.find_all(nodes.Name):
        if node.name in names and node.name not in found.variables:
            found.variables[node.name] = (file, line + node.lineno - 1)
    for name in sorted(names & _REMOVED.keys()):
        reader.fail(
            f"'{name}' gives other text each time", "write the text out", file, found.variables[name][1]
        )
    found.required |= names - optional
    for reference in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        _include(reader, reference, file, line, folder, found)


def _include(
    reader: Reader, reference: Any, file: str, line: int, folder: PurePosixPath | None, found: _Found
) -> None:
    from jinja2 import nodes

    at = line + reference.lineno - 1
    template = reference.template
    constants = template.items if isinstance(template, (nodes.List, nodes.Tuple)) else [template]
    for constant in constants:
        name = constant.value if isinstance(constant, nodes.Const) else None
        if not isinstance(name, str):
            reader.fail("the name of an included file must be written out in quotes", "", file, at)
            continue
        if name in found.includes:
            continue
        if folder is None:
            reader.fail("nothing can be included here", "write it out", file, at)
            continue
        beside = str(folder / name)
        written = beside if not reader.exists(name) and reader.exists(beside) else name
        if getattr(reference, "ignore_missing", False) and not reader.exists(written):
            continue
        path = reader.locate(written, file=file, line=at)
        text = reader.text(path) if path is not None else None
        if path is None or text is None:
            continue
        found.includes[name] = text
        _scan(reader, text, path, 1, folder, found)


def _optional_names(tree: Any) -> set[str]:
    """Variables that the template itself provides for: `x is defined`, `x | default(…)`."""
    from jinja2 import nodes

    tests = {
        n.node.name
        for n in tree.find_all(nodes.Test)
        if n.name in ("defined", "undefined") and isinstance(n.node, nodes.Name)
    }
    filters = {
        n.node.name
        for n in tree.find_all(nodes.Filter)
        if n.name in ("default", "d") and isinstance(n.node, nodes.Name)
    }
    return tests | filters


def _check_names(reader: Reader, tree: Any, file: str, line: int) -> bool:
    """Whether the template names a filter or a test that is not there; each is recorded."""
    from jinja2 import nodes

    from llmops_tui.domain.errors import did_you_mean

    environment = _environment()
    found = False
    for what, kind, known in (
        ("filter", nodes.Filter, environment.filters),
        ("test", nodes.Test, environment.tests),
    ):
        for node in tree.find_all(kind):
            if node.name in known:
                continue
            found = True
            message, remedy = f"there is no {what} '{node.name}'", did_you_mean(node.name, set(known))
            if node.name in _REMOVED:
                message = f"the {what} '{node.name}' gives other text each time"
                remedy = "choose the value in the case's vars"
            reader.fail(message, remedy, file, line + node.lineno - 1)
    return found


def _environment() -> Any:
    global _shared
    if _shared is None:
        from jinja2.sandbox import SandboxedEnvironment

        _shared = SandboxedEnvironment(keep_trailing_newline=True)
        _shared.filters.pop("random", None)
        _shared.globals.pop("lipsum", None)
    return _shared


_shared: Any = None
