"""What this user prefers, for all workspaces: keys and theme."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.errors import Problem, did_you_mean
from llmops_tui.workspace.places import settings_file


class UserSettings(msgspec.Struct, frozen=True):
    """
    Attributes:
        keymap: id of a binding → keys, as Textual writes them (`ctrl+r`, `f5,r`).
        theme: name of a theme; None leaves the choice to the app.
        problems: mistakes in the file; what is right in it counts.
    """

    keymap: dict[str, str] = {}
    theme: str | None = None
    problems: tuple[Problem, ...] = ()


def load() -> UserSettings:
    """Read the settings file; never raises. Where there is none, nothing heavy is imported."""
    path = settings_file()
    if not path.is_file():
        return UserSettings()
    from llmops_tui.workspace.yaml_document import Document, YamlError

    name = str(path)
    try:
        document = Document(path.read_text("utf-8-sig"))
    except YamlError as error:
        return UserSettings(problems=(error.problem(name),))
    except (OSError, UnicodeDecodeError) as error:
        return UserSettings(problems=(Problem(f"can't be read: {error}", "save it as UTF-8 text", name),))
    value = document.value if document.value is not None else {}
    if not isinstance(value, dict):
        return UserSettings(problems=(Problem("must be 'key: value' lines", "", name, 1),))
    problems = [
        Problem(f"unknown key '{key}'", did_you_mean(key, {"keymap", "theme"}), name, document.line((key,)))
        for key in value.keys() - {"keymap", "theme"}
    ]
    keymap: dict[str, str] = {}
    given = value.get("keymap") or {}
    if not isinstance(given, dict):
        problems.append(
            Problem(
                "'keymap' must be a mapping", "write 'promote: P' lines", name, document.line(("keymap",))
            )
        )
        given = {}
    for action, keys in given.items():
        if isinstance(keys, list) and keys and all(isinstance(k, str) for k in keys):
            keymap[action] = ",".join(keys)
        elif isinstance(keys, (str, int)) and not isinstance(keys, bool):
            keymap[action] = str(keys)
        else:
            line = document.line(("keymap", action))
            problems.append(Problem(f"the keys of '{action}' must be text", "write 'ctrl+r'", name, line))
    theme = value.get("theme")
    if theme is not None and not isinstance(theme, str):
        problems.append(Problem("'theme' must be a name", "", name, document.line(("theme",))))
        theme = None
    return UserSettings(keymap, theme, tuple(problems))
