"""A prompt file, taken apart: messages as template sources, and the files they include."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant"]


class TemplateMessage(msgspec.Struct, frozen=True):
    """One message. `source` is Jinja2 with LF line ends; `line` is where it starts in the file."""

    role: Role
    source: str
    line: int = 1


class Prompt(msgspec.Struct, frozen=True):
    """A prompt as it is versioned.

    Attributes:
        path: file in the workspace (not part of the version: moving a file changes nothing).
        messages: in order.
        includes: template name → source, for every file that the messages reach.
        defaults: values of variables that a case need not give.
        variables: names that the templates read.
    """

    path: str
    messages: tuple[TemplateMessage, ...]
    includes: dict[str, str] = {}
    defaults: dict[str, Any] = {}
    variables: tuple[str, ...] = ()

    def content(self) -> dict[str, Any]:
        """What is hashed, stored, sent to the worker and compared."""
        return {
            "messages": [[m.role, m.source] for m in self.messages],
            "includes": self.includes,
            "defaults": self.defaults,
        }


def prompt_text(content: dict[str, Any]) -> str:
    """The content of a prompt part as a person would write it, for diffs."""
    blocks = [f"{role}:\n{source.strip()}" for role, source in content["messages"]]
    blocks += [f"{{# {name} #}}\n{source.strip()}" for name, source in sorted(content["includes"].items())]
    blocks += [f"{name} = {value}" for name, value in sorted(content["defaults"].items())]
    return "\n\n".join(blocks) + "\n"
