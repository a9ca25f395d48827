"""Prompt templates → messages. Jinja2 in its sandbox, with everything random or outside removed."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

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
                text = template.render(seen)
                text.encode()  # a request is UTF-8
            except FAULTS as error:
                raise RenderError(f"the {role} message: {_said(error)}") from error
            messages.append({"role": role, "content": text.strip()})
        return tuple(messages)


def render_text(source: str, variables: dict[str, Any]) -> str:
    """One template without includes (the query of a retrieval).

    Raises:
        RenderError: as `Renderer.render`.
    """
    try:
        return _compiled(source).render(variables).strip()
    except FAULTS as error:
        raise RenderError(_said(error)) from error


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
    environment = SandboxedEnvironment(
        loader=DictLoader(includes), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    # What draws at random would make the cache lie.
    environment.filters.pop("random", None)
    environment.globals.pop("lipsum", None)
    return environment
