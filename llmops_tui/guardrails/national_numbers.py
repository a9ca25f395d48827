"""Numbers that a state gives a person, told by their check digits and by what is said before them.

One number in ten or a hundred has the right check digit; so a word such as `BSN` must stand before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module

#: Characters before a number in which its word is looked for.
_BEFORE = 40

#: What people call it → the module of python-stdnum that knows it.
_CALLED = {
    r"ssn|social security": "us.ssn",
    r"social insurance|\bsin\b": "ca.sin",
    r"nhs": "gb.nhs",
    r"\bbsn\b|burgerservicenummer": "nl.bsn",
    r"steuer-?id|identifikationsnummer|\bidnr\b": "de.idnr",
    r"\bdni\b|\bnif\b": "es.dni",
    r"\bnie\b": "es.nie",
    r"s[ée]curit[ée] sociale|\binsee\b|\bnir\b": "fr.nir",
    r"\bahv|\bavs\b": "ch.ssn",
    r"rijksregister|registre national|\brrn\b|\bniss\b": "be.nn",
    r"personnummer": "se.personnummer",
    r"\bcpr\b": "dk.cpr",
    r"f[øo]dselsnummer": "no.fodselsnummer",
    r"pesel": "pl.pesel",
    r"\bcpf\b": "br.cpf",
    r"aadhaar|aadhar": "in_.aadhaar",
    r"\btfn\b|tax file": "au.tfn",
}
#: One of these is in each of them: `in` is much quicker than the pattern.
_SIGNS = (
    "ssn",
    "soci",
    "sin",
    "nhs",
    "bsn",
    "burger",
    "steuer",
    "identi",
    "idnr",
    "dni",
    "nif",
    "nie",
    "insee",
    "nir",
    "ahv",
    "avs",
    "rijks",
    "registre",
    "rrn",
    "niss",
    "personnummer",
    "cpr",
    "dselsnummer",
    "pesel",
    "cpf",
    "aadha",
    "tfn",
    "tax file",
)
_WORDS = re.compile("|".join(f"({words})" for words in _CALLED), re.IGNORECASE)
_MODULES = tuple(_CALLED.values())
_AMERICAN = re.compile(r"\d{3}-\d{2}-\d{4}")


@cache
def _check(module: str) -> Callable[[str], bool]:
    known: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return known


def is_national(text: str, start: int, end: int) -> bool:
    """Whether characters [start, end) are such a number. The American one with its hyphens needs no word."""
    number = text[start:end]
    if _AMERICAN.fullmatch(number):
        return _check("us.ssn")(number)
    before = text[max(0, start - _BEFORE) : start].lower()
    if not any(sign in before for sign in _SIGNS):
        return False
    said = {match.lastindex for match in _WORDS.finditer(before)}
    written = {number, number.replace(" ", "-")}
    return any(_check(_MODULES[at - 1])(each) for at in said if at for each in written)
