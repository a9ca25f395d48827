"""Patterns of a list become attacks of the workspace."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain.attack import Family
from llmops_tui.domain.attack_words import family_of, named, normalised, unique
from llmops_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine

_DESCRIPTION = "Attacks from lists that others keep."
_ID = re.compile(r"[A-Za-z0-9_.-]{1,80}")


class Imported(msgspec.Struct, frozen=True):
    """What came of an import.

    Attributes:
        ids: of the attacks that were added, in order.
        duplicates: patterns that were in an attack file already, or twice in the list.
        families: family → attacks of it.
        unjudged: nobody judges them yet: the file has no scorers, and none were given.
    """

    file: str
    ids: tuple[str, ...]
    duplicates: int
    families: dict[str, int]
    unjudged: bool = False


def import_attacks(
    engine: Engine,
    config: str,
    source: Path,
    *,
    family: Family | None = None,
    into: str | None = None,
    scorers: Sequence[Any] = (),
) -> Imported:
    """Add the attacks of a file to one of the workspace.

    Args:
        config: whose attacks they are.
        family: of all of them; None: what the list says, else what their words tell.
        into: attack file; None: the first one about the configuration, or a new one.
        scorers: as in an attack file, of each of them.

    Raises:
        UsageError: the list, or the attack file, can't be taken.
        WorkspaceError: an attack file can't be read or written.
    """
    from llmops_tui.engine.live_cases import eval_file_of
    from llmops_tui.workspace.attack_edit import add_attacks, attacks_in, mistakes, settings_in
    from llmops_tui.workspace.attack_import import read_patterns
    from llmops_tui.workspace.attack_sets import attack_files

    root = engine.root
    there = attack_files(root, config)
    file = eval_file_of(root, into) if into else next(iter(there), f"attacks/{config}.yaml")
    known = [attack for name in dict.fromkeys((*there, file)) for attack in attacks_in(root, name)]
    taken = {str(attack.get("id")) for attack in known}
    texts = {normalised(str(attack["text"])) for attack in known if attack.get("text")}
    entries: list[dict[str, Any]] = []
    duplicates = 0
    for pattern in read_patterns(source):
        mark = normalised(pattern.text)
        if mark in texts:
            duplicates += 1
            continue
        texts.add(mark)
        id_ = unique(pattern.id if _ID.fullmatch(pattern.id) else named(pattern.text), taken)
        taken.add(id_)
        chosen = family or pattern.family or family_of(pattern.text)
        entries.append({"id": id_, "family": chosen, "text": pattern.text})
        if scorers:
            entries[-1]["scorers"] = list(scorers)
    if entries:
        # They differ in nothing that could be wrong with one alone.
        if wrong := mistakes(root, entries[0]):
            raise UsageError(*wrong)
        add_attacks(root, file, entries, _DESCRIPTION)
    return Imported(
        file,
        tuple(str(entry["id"]) for entry in entries),
        duplicates,
        dict(Counter(str(entry["family"]) for entry in entries)),
        unjudged=not scorers and not settings_in(root, file).get("scorers"),
    )
