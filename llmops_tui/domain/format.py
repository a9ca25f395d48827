"""Numbers, money, times and names as people read them; one way for the screens, reports and texts.

What is not there is `–`, a minus is a real one, and a column of one kind has the same decimals.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

NONE = "–"
MINUS = "−"
ELLIPSIS = "…"

#: `Pair.change` → a symbol of one cell.
SYMBOLS = {"regressed": "▼", "improved": "▲", "same": "≈", "new": "+", "removed": "−", "error": "✗"}


def symbol(change: str) -> str:
    """`▼` for `regressed`, and so on; a space for what is not known."""
    return SYMBOLS.get(change, " ")


# -- figures


def score(value: float | None) -> str:
    """A score in [0, 1]: `0.50`."""
    return NONE if value is None else _fixed(value, 2)


def delta(value: float | None) -> str:
    """A difference of scores: `+0.50`, `−1.00`, `0.00`."""
    return NONE if value is None else _signed(value, 2)


def percent(fraction: float | None) -> str:
    """A fraction: `75.0%`."""
    return NONE if fraction is None else f"{_fixed(fraction * 100, 1)}%"


def points(fraction: float | None) -> str:
    """A difference of fractions, in percentage points: `+5.0 pts`."""
    return NONE if fraction is None else f"{_signed(fraction * 100, 1)} pts"


def count(n: int | None) -> str:
    """`12,345`."""
    return NONE if n is None else f"{n:,}".replace("-", MINUS)


def plural(n: int, noun: str, nouns: str = "") -> str:
    """`1 case`, `20 cases`, `2 replies` (with `nouns="replies"`)."""
    return f"{count(n)} {noun if n == 1 else nouns or noun + 's'}"


def rate(per_second: float | None, noun: str = "") -> str:
    """`8.2/s`, `140/s`, `8.2 cases/s`."""
    if per_second is None:
        return NONE
    figure = f"{per_second:.1f}" if per_second < 9.95 else f"{per_second:,.0f}"
    return f"{figure} {noun}/s" if noun else f"{figure}/s"


def money(usd: float | None) -> str:
    """USD with the digits that matter: `$0`, `$0.0042`, `$0.015`, `$1.20`, `$1,234.50`."""
    if usd is None:
        return NONE
    sign, amount = (MINUS if usd < 0 else ""), abs(usd)
    if amount == 0:
        return "$0"
    if amount < 0.000_000_5:
        return f"{sign}<$0.000001"
    if amount >= 0.095:
        return f"{sign}${amount:,.2f}"
    digits = f"{float(f'{amount:.2g}'):.8f}".rstrip("0")
    return sign + "$" + digits.ljust(len("0.00"), "0")


def size(bytes_: int | None) -> str:
    """`512 B`, `98 MB`, `1.4 GB` (powers of ten, as disks and downloads are sold)."""
    if bytes_ is None:
        return NONE
    if bytes_ < 1000:
        return f"{bytes_} B"
    amount = float(bytes_)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        if amount < 999.5 or unit == "TB":
            break
    return f"{_bare(amount)} {unit}"


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    # What rounds to zero has no sign.
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def _signed(value: float, decimals: int) -> str:
    text = _fixed(value, decimals)
    return text if text.startswith(MINUS) or float(text) == 0 else f"+{text}"


def _bare(value: float) -> str:
    """One decimal under ten, none where it is zero: `1.3`, `7`, `42`."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


# -- times


def seconds(duration_s: float | None) -> str:
    """A duration: `350 ms`, `1.3 s`, `7 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`."""
    if duration_s is None:
        return NONE
    duration_s = max(duration_s, 0.0)
    if duration_s < 0.0005:
        return "0 s"
    if duration_s < 0.9995:
        return f"{duration_s * 1000:.0f} ms"
    if duration_s < 59.5:
        return f"{_bare(duration_s)} s"
    whole = round(duration_s)
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    if whole < 86_400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return _two(whole // 86_400, "d", whole % 86_400 // 3600, "h")


def latency(duration_s: float | None) -> str:
    """As `seconds`, and `0.4 ms`, `0.02 ms`: for what mostly takes less than one."""
    if duration_s is not None and 0 < duration_s < 0.0095:
        return f"{duration_s * 1000:.1f} ms" if duration_s >= 0.00095 else f"{duration_s * 1000:.2f} ms"
    return seconds(duration_s)


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large:,} {large_unit}" + (f" {small} {small_unit}" if small else "")


def ago(then: float | None, now: float) -> str:
    """How long before `now` (both Unix seconds): `just now`, `4 s ago`, `yesterday`, a date."""
    if then is None:
        return NONE
    passed = now - then
    if passed < 1:
        return "just now"
    if passed < 60:
        return f"{passed:.0f} s ago" if passed < 59.5 else "1 min ago"
    if passed < 3600:
        return f"{passed // 60:.0f} min ago"
    days = _day(now) - _day(then)
    if days == 0 or passed < 6 * 3600:
        return f"{passed // 3600:.0f} h ago"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 7 else moment(then)[:10]


def moment(unix_s: float | None) -> str:
    """Local date and time: `2026-11-23 18:49`."""
    return NONE if unix_s is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(unix_s))


def _day(unix_s: float) -> int:
    """Number of the local day."""
    local = time.localtime(unix_s)
    return int((unix_s + local.tm_gmtoff) // 86_400)


# -- widths


def cell_width(text: str) -> int:
    """Cells that a text takes on a terminal; control characters take none."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(_char_width(c) for c in text)


@lru_cache(maxsize=4096)
def _char_width(char: str) -> int:
    category = unicodedata.category(char)
    # Marks that combine, format characters (joiners, direction marks), controls, surrogates.
    if category in ("Mn", "Me", "Cf", "Cc", "Cs"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def truncate(text: str, width: int) -> str:
    """The text in at most `width` cells, with `…` where something was cut off."""
    if cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    return "".join(_head(text, width - 1)).rstrip() + ELLIPSIS


def _head(text: str, width: int) -> Iterator[str]:
    used = 0
    for char in text:
        used += _char_width(char)
        if used > width:
            return
        yield char


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text cut or filled up to `width` cells; `right` puts it at the right-hand end."""
    shown = truncate(text, width)
    space = " " * (width - cell_width(shown))
    return space + shown if right else shown + space
