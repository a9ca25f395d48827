"""What a bisect found."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.bisecting import Ending, Verdict
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.run import VersionInfo


class Revision(msgspec.Struct, frozen=True):
    """A step as people know it: a recorded version, or commits in a row that hold one.

    Attributes:
        name: `v12`, the start of a commit's hash, or `the working tree`.
        hash: of the version's manifest; empty where it can't be read.
        at: Unix seconds: when the version was first seen, or the first of the commits written.
        commit: whole hash of the first of the commits, or of where the version was first seen.
        author, subject: of that commit; empty for a recorded version.
        later: commits after the first that change nothing of the configuration.
        parents: of the commit; two where it is a merge.
        dirty: the version was first seen with changes that were not committed.
    """

    name: str
    hash: str = ""
    at: float | None = None
    commit: str | None = None
    author: str = ""
    subject: str = ""
    later: int = 0
    parents: tuple[str, ...] = ()
    dirty: bool = False

    @property
    def is_merge(self) -> bool:
        return len(self.parents) > 1


class Seen(msgspec.Struct, frozen=True):
    """A step that was looked at: passes among the trials that the word rests on.

    Attributes:
        by_fact: its answers repeat themselves exactly: one trial says it.
        why_not: why nothing could be said of it, as a clause.
    """

    revision: Revision
    verdict: Verdict
    passed: int
    trials: int
    by_fact: bool = False
    why_not: str = ""


class Bisected(msgspec.Struct, frozen=True):
    """A bisect that was carried out.

    Attributes:
        git: over commits; else over recorded versions.
        ended: `found`; `range`: one of `suspects`, and what is in between could not be told; `not worse`:
            the ends don't differ as was asked; `stopped`: cut short, and `suspects` is what is left.
        good, bad: the ends.
        path: what was looked at, in order, the ends first.
        before: the last step that is known to be good.
        first_bad: the step that broke the case, or the first that is known to be bad.
        suspects: oldest first.
        versions: of `before` and `first_bad` as they are recorded; None where nothing was found.
        changed: parts that differ between these two.
        steps: that the search was over, ends included.
        notes: what else must be known, as sentences.
        calls, cost_usd: what was asked for it; the cost is None where a price is not known.
    """

    config: str
    case_id: str
    model: str
    git: bool
    ended: Ending
    good: Revision
    bad: Revision
    path: tuple[Seen, ...]
    before: Revision
    first_bad: Revision
    suspects: tuple[Revision, ...]
    versions: tuple[VersionInfo, VersionInfo] | None = None
    changed: tuple[PartChange, ...] = ()
    steps: int = 2
    notes: tuple[str, ...] = ()
    calls: int = 0
    cost_usd: float | None = 0.0
