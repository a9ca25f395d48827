"""Prompt templates → messages. Jinja2 in its sandbox, with everything random or outside removed."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import Any

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError, meta
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

#: What one message may grow to, and how long it may take: far beyond any prompt, short of any harm.
MAX_CHARACTERS = 20_000_000
MAX_SECONDS = 5.0

#: What the text of a template can set off.
FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


class RenderError(Exception):
    """A template could not be rendered; the text is a clause for the person."""


class Renderer:
    """The compiled templates of one prompt."""

    def __init__(self, content: str) -> None:
        """
        Args:
            content: JSON of `Prompt.content()`.
        """
        prompt = json.loads(content)
        self._defaults: dict[str, Any] = prompt["defaults"]
        environment = _environment(prompt["includes"])
        sources = [*(source for _, source in prompt["messages"]), *prompt["includes"].values()]
        #: Names that the templates read.
        self.variables = frozenset(name for source in sources for name in _undeclared(environment, source))
        self._messages: list[tuple[str, Template]] = []
        for role, source in prompt["messages"]:
            try:
                self._messages.append((role, environment.from_string(source)))
            except TemplateError as error:
                raise RenderError(f"the {role} message does not parse: {error}") from error

    def render(self, variables: dict[str, Any]) -> tuple[dict[str, str], ...]:
        """Messages as sent: `{"role", "content"}`, white space at both ends removed.

        Raises:
            RenderError: an undefined variable, or an error inside the template.
        """
        seen = {**self._defaults, **variables}
        messages = []
        for role, template in self._messages:
            try:
                text = _bounded(template, seen)
                text.encode()  # a request is UTF-8
            except FAULTS as error:
                raise RenderError(f"the {role} message: {_said(error)}") from error
            messages.append({"role": role, "content": text.strip()})
        return tuple(messages)


def _undeclared(environment: SandboxedEnvironment, source: str) -> set[str]:
    try:
        return meta.find_undeclared_variables(environment.parse(source))
    except TemplateError:
        return set()  # compiling it says what is wrong


def render_text(source: str, variables: dict[str, Any]) -> str:
    """One template without includes (the query of a retrieval).

    Raises:
        RenderError: as `Renderer.render`.
    """
    try:
        return _bounded(_compiled(source), variables).strip()
    except FAULTS as error:
        raise RenderError(_said(error)) from error


def _bounded(template: Template, variables: dict[str, Any]) -> str:
    """What a template gives, given up where it grows or goes on beyond all use."""
    deadline = time.monotonic() + MAX_SECONDS
    pieces, size = [], 0
    for piece in template.generate(variables):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_CHARACTERS:
            raise SecurityError(f"it grows beyond {MAX_CHARACTERS:,} characters")
        if time.monotonic() > deadline:
            raise SecurityError(f"it takes longer than {MAX_SECONDS:g} s")
    return "".join(pieces)


class _Environment(SandboxedEnvironment):
    """Jinja2's sandbox, in which an expression can't take the machine's memory either."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            for many, times in ((left, right), (right, left)):
                too_long = isinstance(many, (str, list, tuple)) and isinstance(times, int)
                if too_long and len(many) * times > MAX_CHARACTERS:
                    raise SecurityError(f"a product grows beyond {MAX_CHARACTERS:,} characters")
        elif isinstance(left, int) and isinstance(right, int) and abs(left) > 1 and right > 10_000:
            raise SecurityError("a power grows beyond all use")
        return super().call_binop(context, operator, left, right)


def _said(error: Exception) -> str:
    if isinstance(error, TemplateError):
        return (error.message or str(error) or type(error).__name__).rstrip(".")
    if isinstance(error, UnicodeEncodeError):
        return f"it holds half of a character (U+{ord(error.object[error.start]):04X}), which can't be sent"
    if isinstance(error, RecursionError):
        return "it includes or calls itself without end"
    return f"{type(error).__name__}: {error}".removesuffix(": ")


@lru_cache(maxsize=64)
def _compiled(source: str) -> Template:
    return _environment({}).from_string(source)


def _environment(includes: dict[str, str]) -> SandboxedEnvironment:
    environment = _Environment(
        loader=DictLoader(includes), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    # What draws at random would make the cache lie.
    environment.filters.pop("random", None)
    environment.globals.pop("lipsum", None)
    return environment
