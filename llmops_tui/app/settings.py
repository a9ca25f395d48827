"""What a person has set for themselves, in all workspaces: `settings.yaml` in the user's own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.app.actions import BY_ID
from llmops_tui.domain.errors import Problem, did_you_mean


class Settings(msgspec.Struct, frozen=True):
    """`theme` and `keymap`; `problems` says what was not understood, and that is left out."""

    theme: str = ""
    keymap: dict[str, str] = {}
    problems: tuple[Problem, ...] = ()


def settings_file() -> Path:
    """Where the settings are."""
    from platformdirs import user_config_path

    return user_config_path("llmops-tui") / "settings.yaml"


def read_settings(file: Path) -> Settings:
    """Read the settings; a missing file has none."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        return Settings(problems=(Problem(f"the settings can't be read: {error}", file=str(file)),))
    return parse_settings(text, str(file))


def parse_settings(text: str, file: str) -> Settings:
    """`theme: llmops-light` and `keymap: {rerun_all: ctrl+r}` with the ids of the action table."""
    import yaml

    try:
        data: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        return Settings(problems=(Problem("this is not YAML", "mend or delete the file", file, line),))
    if data is None:
        return Settings()
    if not isinstance(data, dict):
        return Settings(problems=(Problem("settings are `name: value` lines", "see `theme:`", file),))
    problems = [
        Problem(f"there is no setting '{name}'", did_you_mean(str(name), ("theme", "keymap")), file)
        for name in data
        if name not in ("theme", "keymap")
    ]
    keymap, wrong = _keymap(data.get("keymap") or {}, file)
    return Settings(str(data.get("theme") or ""), keymap, (*problems, *wrong))


def _keymap(data: Any, file: str) -> tuple[dict[str, str], list[Problem]]:
    if not isinstance(data, dict):
        return {}, [Problem("keymap: holds `action: key` lines", "for example rerun_all: ctrl+r", file)]
    keymap: dict[str, str] = {}
    problems: list[Problem] = []
    for name, keys in data.items():
        if name not in BY_ID:
            problems.append(
                Problem(f"there is no action '{name}'", did_you_mean(str(name), set(BY_ID)), file)
            )
        elif not isinstance(keys, str) or not keys.strip():
            problems.append(Problem(f"the key of '{name}' is a text", "quote it", file))
        else:
            keymap[name] = keys.strip()
    return keymap, problems + _conflicts(keymap, file)


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
