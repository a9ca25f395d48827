"""The text of `reviews.yaml`, edited by lines: what is not decided anew stays byte for byte.

Sorted, with several lines to a decision, so that two branches that both decide merge by themselves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from llmops_tui.domain.errors import Problem, WorkspaceError
from llmops_tui.domain.review import Decision
from llmops_tui.workspace.reviews import HEADER, MEND, REVIEWS_FILE, identity, parse, parse_with_lines
from llmops_tui.workspace.yaml_document import Document
from llmops_tui.workspace.yaml_scalars import quoted, scalar

Identity = tuple[Any, ...]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")
_HASH = re.compile(r"[0-9a-f]*[abcdf][0-9a-f]*")


def edited(text: str, put: Sequence[Decision], drop: Sequence[Decision]) -> tuple[str, tuple[Decision, ...]]:
    """The text without some decisions and with others, and what it says now.

    It is read once, and once more afterwards, however many decisions there are.

    Raises:
        WorkspaceError: it has a mistake, or is not written entry by entry.
    """
    document, there = parse_with_lines(text)
    wanted = {identity(d): d for d in put}
    gone = {identity(d) for d in drop} - set(wanted)
    times = Counter(identity(d) for d in there)
    as_they_are = set(there)
    new = [d for mark, d in wanted.items() if d not in as_they_are or times[mark] > 1]
    made = _Lines(text, document, there).edited(new, gone)
    now = parse(made)
    kept = [d for d in there if identity(d) not in gone and identity(d) not in wanted]
    # The lines of a file that people write too are not always where they seem to be.
    if _sorted(now) != _sorted([*kept, *wanted.values()]):
        raise _not_by_lines(1)
    return made, now


def _sorted(decisions: Sequence[Decision]) -> list[tuple[object, ...]]:
    return sorted(((*identity(d), d.choice or "", d.note, d.by, d.at) for d in decisions), key=repr)


def _not_by_lines(line: int | None) -> WorkspaceError:
    return WorkspaceError(
        Problem("each decision must be on lines of its own, as '- case: …'", MEND, REVIEWS_FILE, line)
    )


class _Entry:
    """One decision and its lines, `start` to `end`, from 0."""

    def __init__(self, decision: Decision, start: int) -> None:
        self.decision = decision
        self.start = start
        self.end = start + 1


class _Group:
    """One configuration: the line of its name, and its entries."""

    def __init__(self, config: str, start: int, entries: list[_Entry]) -> None:
        self.config = config
        self.start = start
        self.entries = entries


class _Edit(msgspec.Struct):
    """Rows in place of others; what is put in at one place comes in the order of `rank`."""

    start: int
    rank: int
    end: int
    rows: list[str]


_INTO_GROUP, _NEW_GROUP, _IN_PLACE = range(3)


class _Lines:
    """A text in which entries are put in and taken out."""

    def __init__(self, text: str, document: Document, decisions: Sequence[Decision]) -> None:
        self._document, self._decisions = document, decisions
        self._rows = text.splitlines(keepends=True)
        self._newline = "\r\n" if self._rows and self._rows[0].endswith("\r\n") else "\n"
        if self._rows and not self._rows[-1].endswith(("\n", "\r")):
            self._rows[-1] += self._newline

    @property
    def text(self) -> str:
        return "".join(self._rows)

    def edited(self, put: Sequence[Decision], gone: Collection[Identity]) -> str:
        """The text with these decisions in the place of their like, and without others."""
        groups = self._read() if put or gone else []
        if put and not self.text.strip():
            self._rows = [HEADER.replace("\n", self._newline)]
        by_config: dict[str, list[Decision]] = {}
        for decision in sorted(put, key=_order):
            by_config.setdefault(decision.config, []).append(decision)
        edits: list[_Edit] = []
        for group in groups:
            edits += self._in_group(group, by_config.pop(group.config, []), gone)
        for config in sorted(by_config):
            at = self._place_of_group(config, groups)
            rows = [f"{scalar(config)}:{self._newline}"]
            rows += [row for d in by_config[config] for row in self._written(d, "  ")]
            edits.append(_Edit(at, _NEW_GROUP, at, rows))
        made: list[str] = []
        place = 0
        for edit in sorted(edits, key=lambda e: (e.start, e.rank)):
            made += [*self._rows[place : edit.start], *edit.rows]
            place = edit.end
        return "".join(made + self._rows[place:])

    def _in_group(self, group: _Group, put: Sequence[Decision], gone: Collection[Identity]) -> list[_Edit]:
        new = {identity(d): d for d in put}
        # Of several on the same answers the last one stays, as what is decided now.
        last = {identity(e.decision): n for n, e in enumerate(group.entries)}
        edits: list[_Edit] = []
        stay: list[_Entry] = []
        indent = self._indent(group)
        for n, entry in enumerate(group.entries):
            mark = identity(entry.decision)
            replaced = new.get(mark)
            if replaced is None and mark not in gone:
                stay.append(entry)
                continue
            rows = self._comments(entry.start + 1, entry.end)
            if replaced is not None and last[mark] == n:
                stay.append(entry)
                rows += self._written(replaced, indent)
            edits.append(_Edit(entry.start, _IN_PLACE, entry.end, rows))
        added = [d for mark, d in new.items() if mark not in last]
        if not stay and not added and group.entries:
            # A configuration without decisions would read as one whose list is missing.
            edits.append(_Edit(group.start, _IN_PLACE, group.start + 1, []))
        return edits + self._added(group, added, stay, indent)

    def _added(
        self, group: _Group, added: Sequence[Decision], stay: Sequence[_Entry], indent: str
    ) -> list[_Edit]:
        """New entries behind the last one that comes before them in order, wherever that stands."""
        least = list(accumulate((_order(e.decision) for e in reversed(stay)), min))[::-1]
        edits = []
        for decision in added:
            before = bisect_right(least, _order(decision))
            at = stay[before - 1].end if before else group.start + 1
            edits.append(_Edit(at, _INTO_GROUP, at, self._written(decision, indent)))
        return edits

    def _place_of_group(self, config: str, groups: Sequence[_Group]) -> int:
        following = next((g for g in groups if g.config > config), None)
        at = len(self._rows) if following is None else following.start
        # What stands above a configuration is about it.
        while following is not None and at > 0 and self._rows[at - 1].startswith("#"):
            at -= 1
        # The comment of the file as a whole.
        return following.start if following is not None and at == 0 else at

    def _comments(self, start: int, end: int) -> list[str]:
        return [row for row in self._rows[start:end] if row.lstrip().startswith("#")]

    def _indent(self, group: _Group) -> str:
        if not group.entries:
            return "  "
        row = self._rows[group.entries[0].start]
        return row[: len(row) - len(row.lstrip())]

    def _written(self, decision: Decision, indent: str) -> list[str]:
        return [f"{indent}{row}{self._newline}" for row in _rows_of(decision)]

    def _read(self) -> list[_Group]:
        """Where everything is."""
        document, decisions = self._document, iter(self._decisions)
        value = document.value or {}
        groups: list[_Group] = []
        for config, entries in value.items():
            start = (document.line((config,)) or 1) - 1
            made = [
                _Entry(next(decisions), (document.line((config, n)) or 1) - 1)
                for n in range(len(entries or ()))
            ]
            groups.append(_Group(config, start, made))
        marks = [g.start for g in groups] + [e.start for g in groups for e in g.entries]
        if len(set(marks)) < len(marks):
            raise _not_by_lines(min((m for m in marks if marks.count(m) > 1), default=0) + 1)
        marks.sort()
        for group in groups:
            if not group.entries and not self._rows[group.start].split("#")[0].rstrip().endswith(":"):
                raise _not_by_lines(group.start + 1)
            for entry in group.entries:
                if not self._rows[entry.start].lstrip().startswith("- "):
                    raise _not_by_lines(entry.start + 1)
                entry.end = self._end(entry.start, marks)
        return groups

    def _end(self, start: int, marks: list[int]) -> int:
        after = bisect_right(marks, start)
        end = marks[after] if after < len(marks) else len(self._rows)
        # Comments below an entry are about what follows.
        while end > start + 1 and (
            not self._rows[end - 1].strip() or self._rows[end - 1].lstrip().startswith("#")
        ):
            end -= 1
        return end


def _order(decision: Decision) -> tuple[Any, ...]:
    return (decision.case_id, decision.model, decision.baseline, decision.candidate)


def _rows_of(decision: Decision) -> list[str]:
    """One decision as YAML, without line ends."""
    rows = [f"case: {scalar(decision.case_id)}", f"model: {scalar(decision.model)}"]
    if decision.choice is not None:
        rows.append(f"decision: {decision.choice}")
    rows.append(f"baseline: {_answers(decision.baseline)}")
    rows.append(f"candidate: {_answers(decision.candidate)}")
    if decision.note:
        rows.append(f"note: {quoted(decision.note)}")
    if decision.by:
        rows.append(f"by: {scalar(decision.by)}")
    if decision.at:
        rows.append(f"at: {decision.at if _TIME.fullmatch(decision.at) else quoted(decision.at)}")
    return [f"{'- ' if n == 0 else '  '}{row}" for n, row in enumerate(rows)]


def _answers(hashes: Sequence[str]) -> str:
    return f"[{', '.join(h if _HASH.fullmatch(h) else quoted(h) for h in sorted(hashes))}]"
