"""A bisect as lines of text: what broke the case, what changed there, and what that rests on."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.bisected import Bisected, Revision, Seen
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.diff_lines import text_diff
from llmops_tui.report.figures import small_change
from llmops_tui.report.shapes import Texts
from llmops_tui.report.text import EMPTY, Line

_WORDS = {
    "good": "like the good end",
    "bad": "like the bad end",
    "undecided": "undecided",
    "skipped": "skipped",
}
_STYLES = {"good": "improved", "bad": "regressed", "undecided": "dim", "skipped": "dim"}
_SIGNS = {"good": "✓", "bad": "✗", "undecided": "?", "skipped": "–"}


def bisect_lines(found: Bisected, texts: Sequence[Texts], *, width: int = 100) -> list[Line]:
    """The whole answer."""
    lines: list[Line] = [((clean_line(headline(found)), "bold"),)]
    if found.ended in ("found", "range") or len(found.suspects) == 1:
        lines += [*_facts(found), *_changes(texts, width)]
    if found.ended != "found":
        lines += _left(found)
    lines += [EMPTY, (("What that rests on", "bold"),), *(_seen(seen) for seen in found.path)]
    if any(not s.by_fact and s.trials for s in found.path):
        lines.append(
            (
                (
                    "  answers differ from time to time; such a bisect is wrong one time in twenty at most",
                    "dim",
                ),
            )
        )
    lines += [((clean_line(note), "dim"),) for note in found.notes]
    asked = f"{fmt.plural(found.calls, 'request')}, {fmt.money(found.cost_usd)}"
    over = f"{found.steps} steps from {found.good.name} to {found.bad.name}"
    lines.append(((f"{asked}; {over}", "dim"),))
    return lines


def headline(found: Bisected) -> str:
    """The answer in one sentence."""
    first = found.first_bad
    if found.ended == "found":
        # A step is named by its first commit; commits after it changed nothing of the configuration.
        last = first.parents[0][:10] if found.git and first.parents else found.before.name
        return f"{first.name} broke {found.case_id} ({last} is the last good one)"
    count = fmt.plural(len(found.suspects), "step")
    if found.ended == "range":
        return f"{found.case_id} broke after {found.before.name}: one of {count} up to {first.name}"
    return f"stopped: {found.case_id} broke after {found.before.name}, within {count} up to {first.name}"


def _facts(found: Bisected) -> list[Line]:
    first = found.first_bad
    lines: list[Line] = []
    if first.subject or first.author:
        lines.append(((f"  {clean_line(first.subject)}", ""),))
    when = fmt.moment(first.at) if first.at is not None else "not committed"
    commit = f"commit {first.commit[:10]}" if first.commit else ""
    if not found.git and first.commit:
        commit += " with changes not committed" if first.dirty else ""
        commit = f"first seen at {commit}"
    who = clean_line(first.author)
    words = [when, *(w for w in (who, commit) if w)]
    lines.append(((f"  {' · '.join(words)}", "dim"),))
    if first.later:
        later = fmt.plural(first.later, "later commit")
        lines.append(((f"  {later} changed nothing of the configuration", "dim"),))
    if first.is_merge:
        text = f"a merge: look into it with --good {first.parents[0][:10]} --bad {first.parents[1][:10]}"
        lines.append(((f"  {text}", "dim"),))
    return lines


def _changes(texts: Sequence[Texts], width: int) -> list[Line]:
    lines: list[Line] = []
    for text in texts:
        title = f"What changed · {clean_line(text.title)}"
        values = small_change(text)
        if values is not None:
            before, after = (clean_line(value) or "not set" for value in values)
            lines += [EMPTY, ((title, "bold"), (f"  {before} → {after}", ""))]
            continue
        lines += [EMPTY, ((title, "bold"),)]
        for line in text_diff(text.before, text.after, width=max(width - 2, 20)):
            style = {"-": "removed", "+": "added"}.get(line[:1], "dim")
            lines.append((("  " + line, style),))
    return lines


def _left(found: Bisected) -> list[Line]:
    lines: list[Line] = [EMPTY, (("One of these broke it", "bold"),)]
    for revision in found.suspects[:20]:
        lines.append(((f"  {_named(revision)}", ""),))
    if len(found.suspects) > 20:
        lines.append(((f"  … {fmt.plural(len(found.suspects) - 20, 'more step')}", "dim"),))
    return lines


def _named(revision: Revision) -> str:
    words = [revision.name, *([fmt.moment(revision.at)] if revision.at is not None else [])]
    words += [clean_line(w) for w in (revision.author, revision.subject) if w]
    return "  ".join(words)


def _seen(seen: Seen) -> Line:
    text = f"{_SIGNS[seen.verdict]} {fmt.pad(clean_line(seen.revision.name), 16)}"
    if seen.verdict == "skipped":
        told = f"skipped: {clean_line(seen.why_not)}"
    elif seen.by_fact:
        told = "passes" if seen.passed else "fails"
        told += ", as every time"
    else:
        told = f"passed {seen.passed} of {seen.trials}, {_WORDS[seen.verdict]}"
    return ((f"  {text} ", _STYLES[seen.verdict]), (told, ""))
