"""Versions in between: what of the difference is taken over as one, and the manifest of a corner."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from llmops_tui.domain.attribution import ChangedPart, PartKey
from llmops_tui.domain.guardrails.use import PART as GUARDRAILS
from llmops_tui.domain.guardrails.use import guardrails_of
from llmops_tui.domain.manifest import Manifest, Part, PartChange, changed_parts, make_manifest
from llmops_tui.domain.program import guards_alone_ask

#: Guardrails that are named one by one.
_NAMED = 3

RETRIEVAL: tuple[PartKey, PartKey] = (("retrieval", ""), ("corpus", ""))


def parts_between(
    before: Manifest, after: Manifest, models: Mapping[str, str], *, needs_context: bool
) -> tuple[tuple[ChangedPart, ...], tuple[str, ...]]:
    """The parts that can be taken over one by one, and what is left aside, as sentences.

    A model and the one that takes its place are one part. The retrieval and its corpus are one where
    one makes no sense without the other.

    Args:
        models: baseline's model → candidate's, as they are compared (`pair_models`).
        needs_context: one side's prompt can't be rendered without what only its own retrieval gives.
    """
    changes = changed_parts(before, after)
    partner = {new: old for old, new in models.items()}
    parts: list[ChangedPart] = []
    notes: list[str] = []
    tied = _tied(before, after, changes)
    for change in changes:
        key = (change.kind, change.name)
        if change.kind == "models" and (change.before is None or change.after is None):
            old = partner.get(change.name)
            if change.after is not None and old is not None:
                label = f"models.{old} → {change.name}"
                parts.append(ChangedPart(label, (("models", old), key)))
            elif change.after is None and change.name in models:
                pass  # told with the model that takes its place
            else:
                notes.append(f"{change.label} is on one side only, so there is nothing to hold it against")
        elif tied and key == RETRIEVAL[1]:
            pass  # told with the retrieval
        elif tied and key == RETRIEVAL[0]:
            parts.append(ChangedPart("retrieval + corpus", RETRIEVAL, tied))
        else:
            parts.append(ChangedPart(change.label, (key,)))
    if needs_context:
        why = "the prompt uses the context that only its own retrieval gives"
        parts = list(merged(parts, [p for p in parts if {*p.members} & {("prompt", ""), *RETRIEVAL}], why))
    guarded = _guarded(before, after, parts)
    if guarded is not None:
        one, group = guarded
        parts = [one if part is group[0] else part for part in parts if part is group[0] or part not in group]
        changes = [change for change in changes if (change.kind, change.name) not in one.members]
    becomes_chain = bool(before.of_kind("step")) != bool(after.of_kind("step"))
    return _together(parts, changes, becomes_chain=becomes_chain), tuple(notes)


def _guarded(
    before: Manifest, after: Manifest, parts: Sequence[ChangedPart]
) -> tuple[ChangedPart, list[ChangedPart]] | None:
    """All guardrails as one part, and the parts it is made of; None where none changed.

    They look one after the other, and what one lets pass another sees. With them go the models that only
    they ask, and the code, where that has functions of theirs.
    """
    kinds = {kind for part in parts for kind, _ in part.members}
    if not kinds & {GUARDRAILS, "own_models"}:
        return None
    alone = guards_alone_ask(before) | guards_alone_ask(after)
    changed = [part for part in parts if any(kind == GUARDRAILS for kind, _ in part.members)]
    asked = [p for p in parts if any(k == "own_models" and name in alone for k, name in p.members)]
    if not changed and not asked:
        return None
    uses = (*guardrails_of(before), *guardrails_of(after))
    has_code = any(use.is_function for use in uses)
    coded = [part for part in parts if has_code and part.members == (("code", ""),)]
    group = [*changed, *asked, *coded]
    named = [part.label for part in changed or asked if part.members != ((GUARDRAILS, ""),)]
    shown = named if 0 < len(named) <= _NAMED else [GUARDRAILS]
    label = " + ".join([*shown, *(part.label for part in coded)])
    members = tuple(key for part in group for key in part.members)
    why = "guardrails look one after the other" if len(group) > 1 else ""
    return ChangedPart(label, members, why), group


#: Changes of these make no sense one by one: what a step is, what it reads, and who embeds for it.
STRUCTURE = frozenset({"step", "program", "own_models"})
#: The code of tools is with the tools.
CODE = frozenset({"tools", "code"})


#: What a step that is a prompt or a retrieval is made of.
_OF_A_STEP = frozenset({"prompt", "retrieval", "corpus", "response_format", "params"})


def _together(
    parts: Sequence[ChangedPart], changes: Sequence[PartChange], *, becomes_chain: bool
) -> tuple[ChangedPart, ...]:
    """Parts of programs that only make sense together, as one.

    Args:
        becomes_chain: one side has steps, the other is a prompt alone.
    """
    steps = {c.name for c in changes if c.kind == "step"}
    # A step that is new or gone takes everything with it that is its own.
    whole = {c.name for c in changes if c.kind == "step" and (c.before is None or c.after is None)}
    embeds = any(c.kind == "own_models" for c in changes)

    def belongs(key: PartKey) -> bool:
        kind, name = key
        owner = name.partition(".")[0] if kind == "params" else name
        if kind in STRUCTURE or kind in CODE or (kind == "prompt" and owner in steps):
            return True
        if embeds and kind in ("retrieval", "corpus"):
            return True
        # Between a prompt alone and a chain nothing but the models stays.
        return kind in _OF_A_STEP and (owner in whole or becomes_chain)

    if steps or any(c.kind == "program" for c in changes):
        group = [p for p in parts if any(belongs(key) for key in p.members)]
        return merged(parts, group, "the steps of the chain changed")
    if embeds:
        near = ("own_models", "retrieval", "corpus")
        group = [p for p in parts if any(kind in near for kind, _ in p.members)]
        parts = merged(parts, group, "vectors of another model belong to another retrieval")
    coded = [p for p in parts if any(kind in CODE for kind, _ in p.members)]
    return merged(parts, coded, "a tool is its code")


def _tied(before: Manifest, after: Manifest, changes: Sequence[PartChange]) -> str:
    """Why the retrieval and its corpus are one; empty where they are not."""
    if not {*RETRIEVAL} <= {(c.kind, c.name) for c in changes}:
        return ""
    old, new = before.part("retrieval"), after.part("retrieval")
    if old is None or new is None:
        return "one side has no retrieval"
    if old.value.get("source") != new.value.get("source"):
        return "they name another folder"
    return ""


def merged(parts: Sequence[ChangedPart], group: Sequence[ChangedPart], why: str) -> tuple[ChangedPart, ...]:
    """The parts with those of a group as one, at the place of its first."""
    if len(group) < 2:
        return tuple(parts)
    label = " + ".join(part.label for part in group)
    one = ChangedPart(label, tuple(key for part in group for key in part.members), why)
    kept = [one if part is group[0] else part for part in parts if part is group[0] or part not in group]
    return tuple(kept)


def inseparable(parts: int, failed: Collection[int]) -> tuple[int, int] | None:
    """The two parts to merge so that most of the corners that could not be had are not needed any more.

    None where every corner was had. A corner that failed has one part from A and one from B, so some pair
    always helps.
    """
    best: tuple[int, tuple[int, int]] | None = None
    for i, j in combinations(range(parts), 2):
        avoided = sum((corner >> i & 1) != (corner >> j & 1) for corner in failed)
        if avoided and (best is None or avoided > best[0]):
            best = (avoided, (i, j))
    return best[1] if best else None


def mix(before: Manifest, after: Manifest, parts: Sequence[ChangedPart], corner: int) -> Manifest:
    """The version of a corner: bit i of it says that part i is from `after`. The ends are themselves.

    What is on one side only and belongs to no part (a model that nothing is compared with) is left out.
    """
    if corner == 0:
        return before
    if corner == (1 << len(parts)) - 1:
        return after
    old = {(p.kind, p.name): p for p in before.parts}
    new = {(p.kind, p.name): p for p in after.parts}
    taken = {key for n, part in enumerate(parts) if corner >> n & 1 for key in part.members}
    left = {key for part in parts for key in part.members} - taken
    chosen: list[Part] = []
    for key in old.keys() | new.keys():
        part = new.get(key) if key in taken else old.get(key)
        both = key in old and key in new
        if part is not None and (both or key in taken or key in left):
            chosen.append(part)
    return make_manifest(chosen)
