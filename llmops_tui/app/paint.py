"""Names of styles → colours of the theme in use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.strip import Strip

from llmops_tui.app.lines import Span, pad_line

#: Style name → (theme variable of the text, of the background, further attributes).
_NAMES: dict[str, tuple[str | None, str | None, str]] = {
    "dim": ("quiet", None, ""),
    "bold": (None, None, "bold"),
    "underline": (None, None, "underline"),
    "accent": ("accent", None, ""),
    "regressed": ("regressed", None, ""),
    "improved": ("improved", None, ""),
    "error": ("problem", None, ""),
    "warning": ("attention", None, ""),
    "rule": ("rule", None, ""),
    "key": ("accent", None, "bold"),
    "removed-word": ("regressed", "regressed-ground", "bold"),
    "added-word": ("improved", "improved-ground", "bold"),
    "fail-word": ("regressed", "regressed-ground", "bold"),
    "pass-word": ("improved", "improved-ground", "bold"),
    "open-word": ("attention", "attention-ground", "bold"),
    "cell": (None, None, "reverse"),
    "cursor": (None, "row-cursor", ""),
    "cursor-blurred": (None, "row-cursor-blurred", ""),
    "problem-bar": ("problem", "problem-ground", "bold"),
    "attention-bar": ("attention", "attention-ground", ""),
    "note-bar": (None, "row-cursor-blurred", ""),
}


class Paint:
    """The styles of one theme.

    Args:
        variables: `App.theme_variables`.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables
        self._cache: dict[str, Style] = {"": Style.null()}

    def style(self, name: str) -> Style:
        """A style by its names, joined by spaces; the last one wins."""
        found = self._cache.get(name)
        if found is None:
            found = Style.null()
            for word in name.split():
                found += self._one(word)
            self._cache[name] = found
        return found

    def _one(self, word: str) -> Style:
        text, ground, attributes = _NAMES[word]
        plain = _parse(attributes)
        return plain + Style(
            color=_colour(self._variables[text]) if text else None,
            bgcolor=_colour(self._variables[ground]) if ground else None,
        )

    def strip(self, line: Sequence[Span], width: int, base: Style, over: str = "") -> Strip:
        """A line as Textual draws it, exactly `width` cells.

        Args:
            base: the widget's own colours.
            over: a style laid over the whole line (the cursor's).
        """
        ground = base + self.style(over) if over else base
        segments = [
            Segment(text, ground + self.style(style)) for text, style in pad_line(line, width) if text
        ]
        return Strip(segments, width)


@lru_cache(maxsize=64)
def _parse(attributes: str) -> Style:
    return Style.parse(attributes) if attributes else Style.null()


@lru_cache(maxsize=64)
def _colour(name: str) -> RichColor | None:
    """A theme variable as a colour; None (the terminal's own) for what is none, such as `auto 87%`."""
    try:
        return Color.parse(name).rich_color
    except ColorParseError:
        return None
