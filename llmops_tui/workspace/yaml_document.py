"""YAML as this project reads it: C parser, YAML 1.2 scalars, line numbers for every value.

`yes`, `no`, `on`, dates, octal and sexagesimal numbers are text, as in YAML 1.2; keys are always
text; duplicate keys, tags and documents beyond the first are mistakes; aliases are bounded.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.resolver import BaseResolver

from llmops_tui.domain.errors import Problem

#: Values that a document may have once its aliases are written out.
MAX_VALUES = 5_000_000
MAX_ALIASED_VALUES = 100_000
MAX_DEPTH = 100

_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_STR = "tag:yaml.org,2002:str"
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class _Resolver(BaseResolver):
    """Scalars of YAML 1.2's core schema, decimal numbers only.

    The C composer calls itself for each level and would run out of stack: it is stopped here, where
    it says that it goes a level deeper.
    """

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:  # noqa: ARG002
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RecursionError

    def ascend_resolver(self) -> None:
        self._depth -= 1


_Resolver.add_implicit_resolver(_NULL, re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Resolver.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Resolver.add_implicit_resolver(_INT, re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})$"), list("-+0123456789"))
_Resolver.add_implicit_resolver(
    _FLOAT,
    re.compile(r"^[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*|(?=[eE])))(?:[eE][-+]?[0-9]{1,3})?$"),
    list("-+.0123456789"),
)


class _Loader(CParser, _Resolver):
    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        _Resolver.__init__(self)


class YamlError(Exception):
    """The text is not YAML that can be used; carries what and where."""

    def __init__(self, message: str, remedy: str, line: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.line = line

    def problem(self, file: str) -> Problem:
        return Problem(self.message, self.remedy, file, self.line)


class Document:
    """A parsed document: its value as JSON types, and the line of every part of it.

    Args:
        first_line: line of the file at which `text` starts.

    Raises:
        YamlError: a mistake in the text.
    """

    def __init__(self, text: str, first_line: int = 1) -> None:
        self._offset = first_line - 1
        self._node = self._compose(text)
        self._seen: set[int] = set()
        self._aliased = 0
        self._values = 0
        # All nodes live as long as the document, so their ids are their own.
        self.value: Any = self._build(self._node, (), False) if self._node is not None else None
        del self._seen

    def line(self, loc: tuple[str | int, ...] = ()) -> int | None:
        """The line of the value at a path; of the nearest enclosing one where the path ends early."""
        node, line = self._node, None
        if node is None:
            return None
        line = self._line(node)
        for step in loc:
            found = _child(node, step)
            if found is None:
                break
            key, node = found
            line = self._line(key)
        return line

    @property
    def root(self) -> yaml.Node | None:
        """The parsed nodes, for edits at their places in the text; None of an empty document."""
        return self._node

    # -- parsing

    def _compose(self, text: str) -> yaml.Node | None:
        loader = None
        try:
            loader = _Loader(text)
            node: yaml.Node | None = loader.get_single_node()
            return node
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 + self._offset if mark else None
            raise YamlError(*_explain(error, text, mark), line) from None
        except yaml.YAMLError as error:
            raise YamlError(f"is not valid YAML: {error}".split("\n")[0], "", None) from None
        except (RecursionError, ValueError, OverflowError):
            raise YamlError("is not valid YAML: nested too deeply", "flatten it", None) from None
        finally:
            if loader is not None:
                loader.dispose()

    # -- building

    def _build(self, node: yaml.Node, inside: tuple[int, ...], aliased: bool) -> Any:
        self._values += 1
        mark = id(node)
        if not isinstance(node, yaml.ScalarNode):
            if mark in inside:
                raise YamlError("an alias contains itself", "write the value out", self._line(node))
            if len(inside) >= MAX_DEPTH:
                raise YamlError("is nested too deeply", "flatten it", self._line(node))
            aliased = aliased or mark in self._seen
            self._seen.add(mark)
        self._aliased += aliased
        if self._aliased > MAX_ALIASED_VALUES or self._values > MAX_VALUES:
            raise YamlError(
                f"its aliases stand for more than {MAX_ALIASED_VALUES:,} values",
                "write the values out, or make several files",
                self._line(node),
            )
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if node.tag not in _COLLECTIONS:
            raise YamlError(f"tag '{node.tag}' is not known here", "remove the tag", self._line(node))
        inside = (*inside, mark)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, inside, aliased) for item in node.value]
        assert isinstance(node, yaml.MappingNode)
        return self._mapping(node, inside, aliased)

    def _mapping(self, node: yaml.MappingNode, inside: tuple[int, ...], aliased: bool) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError("a key must be text", "put the key in quotes", self._line(key))
            name = key.value
            built = self._build(value, inside, aliased)
            if name == "<<" and key.style is None:
                for source in built if isinstance(built, list) else [built]:
                    if not isinstance(source, dict):
                        raise YamlError("'<<' takes a mapping", "name an alias of one", self._line(key))
                    merged = {**source, **merged}
                continue
            if name in result:
                raise YamlError(f"the key '{name}' is there twice", "keep one of them", self._line(key))
            result[name] = built
        return {**merged, **result} if merged else result

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        tag, text = node.tag, node.value
        if tag == _STR:
            return text
        if tag == _NULL:
            return None
        if tag == _BOOL:
            return text.lower() == "true"
        try:
            if tag == _INT:
                return int(text)
            if tag == _FLOAT:
                number = float(text)
                if number not in (float("inf"), float("-inf")):
                    return number
        except ValueError:
            pass
        if tag in (_INT, _FLOAT):
            raise YamlError(
                f"'{text}' is not a number that can be kept", "put it in quotes", self._line(node)
            )
        raise YamlError(f"tag '{tag}' is not known here", "remove the tag", self._line(node))

    def _line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + 1 + self._offset


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """(node whose line is shown, value) of one step of a path."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == step:
                return key, value
        for key, value in node.value:
            if getattr(key, "value", None) == "<<" and (found := _child(value, step)):
                return found
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item, item
    return None


def _explain(error: yaml.MarkedYAMLError, text: str, mark: Any) -> tuple[str, str]:
    """What the parser said, as a sentence, and the usual remedy."""
    said = (error.problem or "can't be parsed").strip()
    lines = text.split("\n")
    row = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return "is not valid YAML: a tab in the indentation", "indent with spaces"
    if "mapping values are not allowed" in said:
        return "is not valid YAML: a second ': ' in one line", "put text that holds ': ' in quotes"
    if "could not find expected ':'" in said:
        return "is not valid YAML: a ':' is missing", "write 'key: value'"
    if "found unexpected end of stream" in said:
        return "is not valid YAML: a quote is not closed", "close the quote"
    if "expected a single document" in (error.context or "") or "another document" in said:
        return "holds more than one YAML document", "remove the '---' between them"
    if "undefined alias" in said:
        return (
            f"is not valid YAML: {said}",
            "define it with '&name', or put text that starts with '*' in quotes",
        )
    if "found character that cannot start any token" in said:
        return f"is not valid YAML: {said}", "put text that starts with @, %, ` or a tab in quotes"
    return f"is not valid YAML: {said}", "check indentation, quotes and brackets"
