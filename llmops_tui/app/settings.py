"""The person's own keys and theme, held against the table of actions."""

from __future__ import annotations

import msgspec

from llmops_tui.app.actions import BY_ID
from llmops_tui.domain.errors import Problem, did_you_mean


class Settings(msgspec.Struct, frozen=True):
    """`theme` and `keymap`; `problems` says what was not understood, and that is left out."""

    theme: str = ""
    keymap: dict[str, str] = {}
    problems: tuple[Problem, ...] = ()


def checked(keymap: dict[str, str], theme: str | None, problems: tuple[Problem, ...], file: str) -> Settings:
    """What a settings file holds, with the ids of its keymap held against the action table.

    Args:
        problems: what was found wrong while the file was read.
        file: its name, for messages.
    """
    known = {name: keys.strip() for name, keys in keymap.items() if name in BY_ID and keys.strip()}
    unknown = [
        Problem(f"there is no action '{name}'", did_you_mean(name, set(BY_ID)), file)
        for name in keymap
        if name not in BY_ID
    ]
    return Settings(theme or "", known, (*problems, *unknown, *_conflicts(known, file)))


def _conflicts(keymap: dict[str, str], file: str) -> list[Problem]:
    """Keys that a keymap gives to an action while another of the same screen has them."""
    problems = []
    for name, keys in keymap.items():
        for key in (k.strip() for k in keys.split(",")):
            for other in BY_ID.values():
                held = keymap.get(other.id, ",".join(other.keys)).split(",")
                shared = set(other.scopes) & set(BY_ID[name].scopes) or "everywhere" in (
                    *other.scopes,
                    *BY_ID[name].scopes,
                )
                if (
                    other.id != name
                    and key in held
                    and shared
                    and (other.id not in keymap or other.id > name)
                ):
                    remedy = f"give '{other.id}' another key as well"
                    problems.append(Problem(f"'{key}' of '{name}' is that of '{other.id}'", remedy, file))
    return problems
