"""Attack files (`attacks/*.yaml`) → entries of an eval set: each attack in each way and disguise a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from llmops_tui.domain.attack import ATTACK, HARMLESS, WAYS, Attack, Way
from llmops_tui.domain.attack_schema import AttackEntry, AttackFile, CarrierEntry
from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.mutations.catalogue import MUTATIONS, mutated, unknown
from llmops_tui.domain.mutations.goals import phrase
from llmops_tui.domain.schema import CaseDefaults, CaseEntry
from llmops_tui.workspace.eval_files import EvalSet
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.validation import Loc, validate
from llmops_tui.workspace.yaml_document import Document

#: Where a workspace keeps its attacks.
FOLDER = "attacks"
#: Cases that one file may come to.
MOST = 20_000
#: Characters that its attacks may come to in them, before they are disguised.
MOST_CHARACTERS = 20_000_000
_PLACE = re.compile(r"\{\{\s*attack\s*\}\}")
_NO_DEFAULTS = CaseDefaults()


class Expanded(msgspec.Struct, frozen=True):
    """One attack in one way and disguise.

    Attributes:
        index: of the attack in its file, from 0.
        entry: its case.
    """

    index: int
    entry: CaseEntry
    attack: Attack


def read_attacks(reader: Reader, path: str, document: Document, variable: str) -> EvalSet | None:
    """The cases of an attack file; None with problems recorded.

    Args:
        variable: that carries an attack where the file has no carriers; empty: it can't be told.
    """
    before = len(reader.problems)
    found, problems = validate(AttackFile, document.value, path, document.line)
    reader.problems += problems
    if found is None or problems:
        return None
    carriers = found.carriers
    if not carriers and not variable and any(attack.carrier is None for attack in found.attacks):
        reader.fail(
            "says nothing of how an attack gets in",
            "add carriers: {input: {vars: {question: '{{ attack }}'}}}, with a variable of your prompt",
            path,
            document.line(("attacks",)),
        )
        return None
    if not carriers and variable:
        carriers = {"input": CarrierEntry(vars={variable: "{{ attack }}"})}
    _check(reader, path, document, found, carriers)
    if len(reader.problems) == before and (heavy := _heavy(found, carriers)) is not None:
        reader.fail(
            f"comes to more than {MOST_CHARACTERS:,} characters (texts × ways × mutations)",
            "shorten the text, give attacks fewer mutations, or split the file",
            path,
            document.line(("attacks", heavy)),
        )
    if len(reader.problems) > before:
        return None
    return _eval_set(reader, path, document, found, carriers)


def _eval_set(
    reader: Reader, path: str, document: Document, file: AttackFile, carriers: dict[Way, CarrierEntry]
) -> EvalSet | None:
    entries: list[tuple[int, CaseEntry]] = []
    attacks: dict[int, Attack] = {}
    places: list[Loc] = []
    for expanded in expand(file, carriers):
        if len(entries) == MOST:
            reader.fail(
                f"comes to more than {MOST:,} cases (attacks × ways × mutations)",
                "give attacks fewer mutations, or split the file",
                path,
                document.line(("attacks", expanded.index)),
            )
            return None
        attacks[len(entries)] = expanded.attack
        entries.append((len(entries), expanded.entry))
        places.append(("attacks", expanded.index))
    for n, case in enumerate(file.cases):
        tags = list(dict.fromkeys([HARMLESS, *case.tags]))
        entries.append((len(entries), case.model_copy(update={"tags": tags})))
        places.append(("cases", n))
    shared = len(file.scorers)

    def line_of(loc: Loc) -> int | None:
        step = loc[1] if len(loc) > 1 else None
        if not isinstance(step, int) or step >= len(places):
            return document.line(loc)
        rest = loc[2:]
        if places[step][0] == "attacks" and len(rest) == 2 and isinstance(rest[1], int):
            # Scorers of the file stand before an attack's own.
            if rest[1] < shared:
                return document.line(("scorers", rest[1]))
            rest = (rest[0], rest[1] - shared)
        return document.line((*places[step], *rest))

    return EvalSet(path, entries, _NO_DEFAULTS, line_of, attacks)


def expand(file: AttackFile, carriers: dict[Way, CarrierEntry]) -> Iterator[Expanded]:
    """Each attack in each of its ways and mutations, in the order of the file.

    An attack that is not to be had in the language of a mutation of the file is left out of that.
    """
    for index, attack in enumerate(file.attacks):
        text = attack.text if attack.goal is None else phrase(attack.goal)
        assert text is not None
        scorers = [*file.scorers, *attack.scorers]
        if attack.family == "leakage" and file.canaries:
            scorers.append({"not_contains": {"value": file.canaries, "case_sensitive": False}})
        for way in attack.ways or [way for way in WAYS if way in carriers]:
            for name in attack.mutations or file.mutations:
                made = mutated(name, text, attack.translations, attack.goal)
                if made is not None:
                    is_ = Attack(attack.id, attack.family, way, name)
                    yield Expanded(
                        index, _entry(attack, is_, made, attack.carrier or carriers[way], scorers), is_
                    )


def _entry(
    attack: AttackEntry,
    is_: Attack,
    text: str,
    carrier: CarrierEntry,
    scorers: list[str | dict[str, Any]],
) -> CaseEntry:
    return CaseEntry.model_construct(
        id=is_.case_id,
        vars=_carried(carrier.vars, text),
        turns=_carried(carrier.turns, text),
        planted=_carried(carrier.planted, text),
        tools=_carried(carrier.tools, text),
        scorers=scorers,
        tags=list(dict.fromkeys([ATTACK, attack.family, is_.way, *attack.tags])),
        # Its disguises stand or fall together: they are one cluster.
        group=f"{ATTACK} {attack.id}",
        known_failing=attack.known_failing,
    )


def _heavy(file: AttackFile, carriers: dict[Way, CarrierEntry]) -> int | None:
    """The attack with which the file comes to too much text, from 0; None where it does not."""
    places = {way: _places_in(carrier) for way, carrier in carriers.items()}
    characters = 0
    for n, attack in enumerate(file.attacks):
        text = attack.text if attack.goal is None else phrase(attack.goal)
        longest = max(map(len, (text or "", *attack.translations.values())))
        if attack.carrier is not None:
            ways = _places_in(attack.carrier)
        else:
            ways = sum(places[way] for way in attack.ways or places)
        characters += longest * ways * len(attack.mutations or file.mutations)
        if characters > MOST_CHARACTERS:
            return n
    return None


def _places_in(carrier: CarrierEntry) -> int:
    return sum(_count(part) for part in (carrier.vars, carrier.turns, carrier.planted, carrier.tools))


def _carried(value: Any, text: str) -> Any:
    """A value with the attack in the place of `{{ attack }}`."""
    if isinstance(value, str):
        return _PLACE.sub(lambda _match: text, value)
    if isinstance(value, dict):
        return {key: _carried(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [_carried(inner, text) for inner in value]
    return value


def _count(value: Any) -> int:
    """Places for the attack in a value."""
    if isinstance(value, str):
        return len(_PLACE.findall(value))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(_count(each) for each in inner)


# -- mistakes


def _check(
    reader: Reader, path: str, document: Document, file: AttackFile, carriers: dict[Way, CarrierEntry]
) -> None:
    for way, carrier in carriers.items():
        if not _places_in(carrier):
            _fail_empty(reader, path, f"the carrier '{way}'", document.line(("carriers", way)))
    _check_mutations(reader, path, document, ("mutations",), file.mutations)
    seen: dict[str, int | None] = {}
    for n, attack in enumerate(file.attacks):
        loc: Loc = ("attacks", n)
        line = document.line(loc)
        if attack.id in seen:
            reader.fail(
                f"the attack '{attack.id}' is there already (line {seen[attack.id]})",
                "rename one",
                path,
                line,
            )
        seen.setdefault(attack.id, line)
        if (attack.text is None) == (attack.goal is None):
            what = "neither 'text' nor 'goal'" if attack.text is None else "both 'text' and 'goal'"
            reader.fail(f"the attack '{attack.id}' has {what}", "give one of them", path, line)
        if attack.carrier is not None:
            if not _places_in(attack.carrier):
                _fail_empty(reader, path, "its carrier", document.line((*loc, "carrier")))
            if len(attack.ways or ()) != 1:
                reader.fail(
                    f"the attack '{attack.id}' has a carrier of its own and not one way",
                    "say which way that is: ways: [input]",
                    path,
                    line,
                )
        for k, way in enumerate(attack.ways or ()):
            if way not in carriers and attack.carrier is None:
                reader.fail(
                    f"there is no carrier '{way}'",
                    did_you_mean(way, set(carriers)),
                    path,
                    document.line((*loc, "ways", k)),
                )
        _check_mutations(reader, path, document, (*loc, "mutations"), attack.mutations or ())
        _check_languages(reader, path, document, loc, attack)


def _fail_empty(reader: Reader, path: str, what: str, line: int | None) -> None:
    reader.fail(
        f"{what} has no {{{{ attack }}}} in it", "write it where the attacker's text goes", path, line
    )


def _check_mutations(reader: Reader, path: str, document: Document, loc: Loc, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for k, name in enumerate(names):
        line = document.line((*loc, k))
        if name not in MUTATIONS:
            reader.fail(f"there is no mutation '{name}'", unknown(name), path, line)
        elif name in seen:
            reader.fail(f"the mutation '{name}' is named twice", "keep one of them", path, line)
        seen.add(name)


def _check_languages(reader: Reader, path: str, document: Document, loc: Loc, attack: AttackEntry) -> None:
    known = {mutation.language for mutation in MUTATIONS.values() if mutation.language}
    for code in attack.translations:
        if code not in known:
            line = document.line((*loc, "translations", code))
            reader.fail(
                f"there is no mutation in the language '{code}'", did_you_mean(code, known), path, line
            )
    for k, name in enumerate(attack.mutations or ()):
        language = MUTATIONS[name].language if name in MUTATIONS else ""
        if language and attack.goal is None and not attack.translations.get(language):
            reader.fail(
                f"the attack '{attack.id}' has no text in the language of '{name}'",
                f"add translations: {{{language}: …}}",
                path,
                document.line((*loc, "mutations", k)),
            )


def variable_of(sets: Iterable[EvalSet]) -> str:
    """The variable that carries an attack by default: the only text that all cases give; empty: none."""
    names: set[str] | None = None
    for eval_set in sets:
        for n, entry in eval_set.entries:
            if n not in eval_set.attacks:
                values = {**eval_set.defaults.vars, **entry.vars}
                texts = {name for name, value in values.items() if isinstance(value, str)}
                names = texts if names is None else names & texts
    return next(iter(names)) if names is not None and len(names) == 1 else ""
