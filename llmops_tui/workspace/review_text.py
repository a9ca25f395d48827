"""The text of `reviews.yaml`, edited by lines: what is not decided anew stays byte for byte.

Sorted, with several lines to a decision, so that two branches that both decide merge by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmops_tui.domain.errors import Problem, WorkspaceError
from llmops_tui.domain.review import Decision
from llmops_tui.workspace.reviews import HEADER, MEND, REVIEWS_FILE, identity, parse
from llmops_tui.workspace.yaml_document import Document
from llmops_tui.workspace.yaml_scalars import quoted, scalar

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")
_HASH = re.compile(r"[0-9a-f]*[abcdf][0-9a-f]*")


def edited(text: str, put: Sequence[Decision], drop: Sequence[Decision]) -> str:
    """The text without some decisions and with others.

    Raises:
        WorkspaceError: it has a mistake, or is not written entry by entry.
    """
    there = parse(text)
    wanted = {identity(d): d for d in put}
    gone = {identity(d) for d in drop} - set(wanted)
    lines = _Lines(text)
    for decision in there:
        if identity(decision) in gone:
            lines.take_out(decision)
    for decision in wanted.values():
        if decision not in there or sum(identity(d) == identity(decision) for d in there) > 1:
            lines.put(decision)
    made = lines.text
    kept = [d for d in there if identity(d) not in gone and identity(d) not in wanted]
    # The lines of a file that people write too are not always where they seem to be.
    if _sorted(parse(made)) != _sorted([*kept, *wanted.values()]):
        raise _not_by_lines(1)
    return made


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


class _Lines:
    """A text in which entries are put in and taken out; it is read anew after each."""

    def __init__(self, text: str) -> None:
        self._rows = text.splitlines(keepends=True)
        self._newline = "\r\n" if self._rows and self._rows[0].endswith("\r\n") else "\n"
        if self._rows and not self._rows[-1].endswith(("\n", "\r")):
            self._rows[-1] += self._newline
        self._groups: list[_Group] | None = None

    @property
    def text(self) -> str:
        return "".join(self._rows)

    def take_out(self, decision: Decision) -> None:
        for group in self._read():
            for entry in group.entries:
                if identity(entry.decision) == identity(decision):
                    # A configuration without decisions would read as one whose list is missing.
                    start = group.start if len(group.entries) == 1 else entry.start
                    kept = self._comments(start + 1, entry.end)
                    self._replace(start, entry.end, kept)
                    return

    def put(self, decision: Decision) -> None:
        same = [e for g in self._read() for e in g.entries if identity(e.decision) == identity(decision)]
        for _ in same[1:]:
            self.take_out(decision)
        group = next((g for g in self._read() if g.config == decision.config), None)
        if group is None:
            self._add_group(decision)
        elif same:
            entry = next(e for e in group.entries if identity(e.decision) == identity(decision))
            kept = self._comments(entry.start + 1, entry.end)
            self._replace(entry.start, entry.end, [*kept, *self._written(decision, self._indent(group))])
        else:
            before = [e for e in group.entries if _order(e.decision) <= _order(decision)]
            at = before[-1].end if before else group.start + 1
            self._replace(at, at, self._written(decision, self._indent(group)))

    def _add_group(self, decision: Decision) -> None:
        new = [f"{scalar(decision.config)}:{self._newline}", *self._written(decision, "  ")]
        if not "".join(self._rows).strip():
            self._rows = [HEADER.replace("\n", self._newline)]
        following = next((g for g in self._read() if g.config > decision.config), None)
        at = len(self._rows) if following is None else following.start
        # What stands above a configuration is about it.
        while following is not None and at > 0 and self._rows[at - 1].startswith("#"):
            at -= 1
        if following is not None and at == 0:
            at = following.start  # the comment of the file as a whole
        self._replace(at, at, new)

    def _replace(self, start: int, end: int, new: Sequence[str]) -> None:
        self._rows[start:end] = new
        self._groups = None

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
        if self._groups is not None:
            return self._groups
        text = self.text
        document = Document(text)
        value = document.value or {}
        decisions = iter(parse(text))
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
        self._groups = groups
        return groups

    def _end(self, start: int, marks: list[int]) -> int:
        end = next((m for m in marks if m > start), len(self._rows))
        # Comments below an entry are about what follows.
        while end > start + 1 and (
            not self._rows[end - 1].strip() or self._rows[end - 1].lstrip().startswith("#")
        ):
            end -= 1
        return end


def _order(decision: Decision) -> tuple[object, ...]:
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
