"""What was measured of a workspace before anything is decided. Times are Unix seconds."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.live.guards import Estimate


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """In place of facts that could not be had.

    Attributes:
        why: a clause. remedy: what makes them known; may be empty.
    """

    why: str
    remedy: str = ""


class Files(msgspec.Struct, frozen=True, tag=True):
    """The files that configurations are read from, as git sees them.

    Attributes:
        count: of them.
        is_in_git: the workspace is in a repository.
        committed_at: of the newest commit; None where there is none yet.
        untracked: git does not know them. edited: they differ from the newest commit.
        edited_since: when the first of these was last written.
    """

    count: int
    is_in_git: bool = True
    committed_at: float | None = None
    untracked: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    edited_since: float | None = None


class EvalSet(msgspec.Struct, frozen=True, tag=True):
    """The cases of one configuration.

    Attributes:
        unjudged: ids of cases that nothing judges.
        evaluated_at: when a whole run over them was last begun; None where none is known.
        unrun: cases that were not in it.
        not_known: why that can't be told; empty where it can.
    """

    config: str
    cases: int
    unjudged: tuple[str, ...] = ()
    evaluated_at: float | None = None
    unrun: int = 0
    not_known: str = ""


class Promoted(msgspec.Struct, frozen=True, tag=True):
    """The baseline of one configuration.

    Attributes:
        version: its name; empty where nothing was promoted.
        stands_in: the version that is held against meanwhile: the first that was evaluated as a whole.
    """

    config: str
    version: str = ""
    at: float | None = None
    is_forced: bool = False
    stands_in: str = ""


class Due(msgspec.Struct, frozen=True, tag=True):
    """A version that a gate should have judged: it was committed lately, or it has live traffic.

    Attributes:
        version: its name; of one that this database never saw, `~` and the start of its hash.
        where: a clause: `committed as 1a2b3c4`, `120 live requests`.
        verdict: of the newest gate on it; empty where there was none.
        at: of the verdict.
        recorded: this database has it under its name. commit: that it was committed as; empty: none is known.
    """

    config: str
    version: str
    where: str
    verdict: str = ""
    at: float | None = None
    recorded: bool = True
    commit: str = ""


class Gates(msgspec.Struct, frozen=True, tag=True):
    """What was promoted, and what was judged.

    Attributes:
        promoted: one for each configuration.
        cut: git has only the end of the history here, so that more may be due.
    """

    promoted: tuple[Promoted, ...]
    due: tuple[Due, ...] = ()
    cut: bool = False


class Ci(msgspec.Struct, frozen=True, tag=True):
    """Files of CI systems. gate: where one of them runs the gate: `.github/workflows/gate.yml:12`.

    Attributes:
        untracked: the file with the gate is not committed, so no CI runs it.
    """

    files: tuple[str, ...] = ()
    gate: str = ""
    untracked: bool = False


class Models(msgspec.Struct, frozen=True, tag=True):
    """Models of the configurations, judges included.

    Attributes:
        floating: names that a provider may move to another model.
        drifted: sentences about models that answered as something else than before under the same pin.
        checked: models of which a provider said what it served, in the newest run.
    """

    names: tuple[str, ...]
    floating: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()


class Recorded(msgspec.Struct, frozen=True, tag=True):
    """Outputs of the newest run of each configuration, and how much is known of them.

    Attributes:
        outputs: that were looked at; traced: with a trace; priced: with a cost; timed: with a latency.
    """

    outputs: int = 0
    traced: int = 0
    priced: int = 0
    timed: int = 0
    at: float | None = None


class Traffic(msgspec.Struct, frozen=True, tag=True):
    """Live requests of the last days.

    Attributes:
        newest_at: of the newest request of all times; None where there never was any.
        looked_at: requests whose steps were looked at, the newest ones; whole: those with all that their
            configuration makes a step of. lacking: the kinds of step that others lack.
        named: requests that name the version that answered.
        calls, priced: calls of models, and those whose cost is known.
        judged: requests with a score of their own.
    """

    requests: int = 0
    newest_at: float | None = None
    looked_at: int = 0
    whole: int = 0
    lacking: tuple[str, ...] = ()
    named: int = 0
    calls: int = 0
    priced: int = 0
    judged: int = 0


class Channel(msgspec.Struct, frozen=True, tag=True):
    """A channel that alerts go to. failed: why the last attempt failed; empty where it did not."""

    name: str
    told_at: float | None = None
    failed: str = ""


class Watching(msgspec.Struct, frozen=True, tag=True):
    """Who looks at live traffic by itself.

    Attributes:
        rules: of alerts, that are on. quality: those about quality. told: those of quality that go to a
            channel. drift: those about drift, or about a change since the version before.
        looked_at: when the rules were last looked at; None: never.
        canary_every_s: of the schedule; 0: none is scheduled.
        canary_at: when a canary last ran. canary: what it said.
    """

    rules: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    looked_at: float | None = None
    canary_every_s: float = 0.0
    canary_at: float | None = None
    canary: str = ""


class Guard(msgspec.Struct, frozen=True, tag=True):
    """One guardrail in live traffic of the last days.

    Attributes:
        fired: requests in which it fired; reviewed: of these, those that a person judged.
        sampled: passes drawn at random that a person judged.
    """

    name: str
    looked: int = 0
    fired: int = 0
    reviewed: int = 0
    sampled: int = 0
    precision: Estimate | None = None
    recall: Estimate | None = None


class Guards(msgspec.Struct, frozen=True, tag=True):
    """Guardrails. configured: names in the configurations. reviewed_at: of the newest review."""

    configured: tuple[str, ...] = ()
    seen: tuple[Guard, ...] = ()
    reviewed_at: float | None = None


class Attacked(msgspec.Struct, frozen=True, tag=True):
    """The newest attack run on the present version of a configuration; `at` None: there was none.

    Attributes:
        version: the present one; empty where it was never recorded.
        before: another version that was attacked, where the present one was not.
        written: there are attacks in the files. untried: how many of these were not in that run.
    """

    config: str
    version: str = ""
    at: float | None = None
    attacks: int = 0
    succeeded: int = 0
    before: str = ""
    written: bool = True
    untried: int = 0


class Attacks(msgspec.Struct, frozen=True, tag=True):
    runs: tuple[Attacked, ...] = ()


class Learned(msgspec.Struct, frozen=True, tag=True):
    """Cases that were made of live requests: in all, in the last days, and when the newest request was."""

    cases: int = 0
    lately: int = 0
    newest_at: float | None = None


class Facts(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        configs: that were looked at. left_out: other configurations of the workspace.
    """

    now: float
    configs: tuple[str, ...]
    left_out: tuple[str, ...]
    files: Files | Unknown
    sets: tuple[EvalSet, ...] | Unknown
    ci: Ci | Unknown
    gates: Gates | Unknown
    models: Models | Unknown
    recorded: Recorded | Unknown
    traffic: Traffic | Unknown
    watching: Watching | Unknown
    guards: Guards | Unknown
    attacks: Attacks | Unknown
    learned: Learned | Unknown
