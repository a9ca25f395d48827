"""Our two themes, quiet: one accent, orange for what went down, blue for what went up.

Orange and blue can be told apart by the colour-blind, and `▼ ▲ − +` stand beside them always. Every
text colour has a contrast of 4.5:1 at least on every ground it stands on.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

_DARK = {
    "regressed": "#f5a05a",
    "improved": "#74b4f8",
    "problem": "#ff8f88",
    "attention": "#e6c46a",
    "quiet": "#98a2ae",
    "rule": "#3a4350",
    "rule-focused": "#5fbfae",
    "regressed-ground": "#3a2614",
    "improved-ground": "#14304f",
    "problem-ground": "#3b1a1c",
    "attention-ground": "#332b14",
    "row-cursor": "#26364a",
    "row-cursor-blurred": "#1e252e",
}
_LIGHT = {
    "regressed": "#a34400",
    "improved": "#0a57b8",
    "problem": "#b3161f",
    "attention": "#7a5600",
    "quiet": "#57606a",
    "rule": "#c3cad3",
    "rule-focused": "#0b6f62",
    "regressed-ground": "#fbe6d3",
    "improved-ground": "#dbeafd",
    "problem-ground": "#fde3e1",
    "attention-ground": "#fbf0cf",
    "row-cursor": "#d9e6f5",
    "row-cursor-blurred": "#eceff3",
}

DARK = Theme(
    name="llmops-dark",
    primary="#5fbfae",
    secondary="#74b4f8",
    accent="#5fbfae",
    warning="#e6c46a",
    error="#ff8f88",
    success="#74b4f8",
    foreground="#d8dee6",
    background="#12161b",
    surface="#161b21",
    panel="#1e252e",
    dark=True,
    variables={
        **_DARK,
        "block-cursor-background": "#26364a",
        "block-cursor-foreground": "#d8dee6",
        "block-cursor-text-style": "none",
        "border": "#5fbfae",
        "scrollbar": "#3a4350",
        "scrollbar-hover": "#98a2ae",
        "scrollbar-active": "#5fbfae",
        "scrollbar-background": "#12161b",
        "scrollbar-background-hover": "#12161b",
        "scrollbar-background-active": "#12161b",
        "input-selection-background": "#26507a",
    },
)
LIGHT = Theme(
    name="llmops-light",
    primary="#0b6f62",
    secondary="#0a57b8",
    accent="#0b6f62",
    warning="#7a5600",
    error="#b3161f",
    success="#0a57b8",
    foreground="#1f252c",
    background="#fcfcfa",
    surface="#f6f7f8",
    panel="#eceff3",
    dark=False,
    variables={
        **_LIGHT,
        "block-cursor-background": "#d9e6f5",
        "block-cursor-foreground": "#1f252c",
        "block-cursor-text-style": "none",
        "border": "#0b6f62",
        "scrollbar": "#c3cad3",
        "scrollbar-hover": "#57606a",
        "scrollbar-active": "#0b6f62",
        "scrollbar-background": "#fcfcfa",
        "scrollbar-background-hover": "#fcfcfa",
        "scrollbar-background-active": "#fcfcfa",
        "input-selection-background": "#b9d4f2",
    },
)

#: What a text of that colour may stand on, for the test of contrast.
GROUNDS = ("background", "surface", "row-cursor", "row-cursor-blurred")
TEXTS = ("foreground", "quiet", "regressed", "improved", "problem", "attention", "accent")
PAIRS = (
    ("regressed", "regressed-ground"),
    ("improved", "improved-ground"),
    ("problem", "problem-ground"),
    ("attention", "attention-ground"),
)


def fallbacks(dark: bool) -> dict[str, str]:
    """Our variables for a theme that is not ours."""
    return dict(_DARK if dark else _LIGHT)


def suits_terminal(environ: Mapping[str, str]) -> str:
    """Light where the terminal says that its ground is (`COLORFGBG`, last field 7 or 15); else dark."""
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT.name if ground in ("7", "15") else DARK.name
