"""Which documents of a corpus are searched: by path, and by their front matter."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from llmops_tui.domain.headings import front_matter_end


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """A document's front matter, and its text without it.

    What is no YAML mapping is no front matter: the text is then left as it is.
    """
    end = front_matter_end(text)
    if not end:
        return {}, text
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    inner = text[text.find("\n") + 1 : end].rstrip().removesuffix("---").removesuffix("...")
    try:
        found = yaml.load(inner, loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, text
    if found is None:
        return {}, text[end:]
    return (
        ({str(key): value for key, value in found.items()}, text[end:])
        if isinstance(found, dict)
        else ({}, text)
    )


def matches(filters: Mapping[str, Any], source: str, path: str, keys: Mapping[str, Any]) -> bool:
    """Whether a document is searched: every filter holds.

    `path` is a glob over the path of the workspace, or over that below `source`: `*` and `?` stop at `/`,
    `**` does not. Any other filter is held against the key of the front matter; values are equal when
    they are written alike (`2024` and `"2024"`). Of a list of values, on either side, any one will do.

    Args:
        source: folder of the corpus.
        keys: the document's front matter.
    """
    below = path.removeprefix(source.rstrip("/") + "/")
    for name, wanted in filters.items():
        values = _values(wanted)
        if name == "path":
            if not any(_glob(glob).fullmatch(place) for glob in values for place in {path, below}):
                return False
        elif not set(values) & set(_values(keys.get(name))):
            return False
    return True


def _values(value: Any) -> list[str]:
    """A value, or several, as texts; what is nested deeper is no value."""
    each = value if isinstance(value, (list, tuple)) else [value]
    return [written for one in each if (written := _written(one)) is not None]


def _written(value: Any) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float():
            return str(value)
        case datetime.date():
            return value.isoformat()
        case _:
            return None


@lru_cache(maxsize=256)
def _glob(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*+|\?)", glob)
    return re.compile("".join(_MEANS.get(part[:3], re.escape(part)) for part in parts), re.S)


_MEANS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "***": ".*"}
