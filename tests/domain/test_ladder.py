"""The ladder: every rule both ways, what is unknown, and which rung follows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_workspace import write_workspace

from llmops_tui.domain.ladder.facts import (
    Attacked,
    Attacks,
    Channel,
    Ci,
    Due,
    EvalSet,
    Facts,
    Files,
    Gates,
    Guard,
    Guards,
    Learned,
    Models,
    Promoted,
    Recorded,
    Traffic,
    Unknown,
    Watching,
)
from llmops_tui.domain.ladder.ladder import RUNGS, Item, Ladder, changes, reached
from llmops_tui.domain.ladder.rules import RULES, stand
from llmops_tui.domain.ladder.words import names, share
from llmops_tui.domain.live.guards import Estimate
from llmops_tui.workspace import load

NOW = 1_800_000_000.0
HOUR, DAY = 3_600.0, 86_400.0
KNOWN = Estimate(0.9, 0.8, 0.96, 60)

MATURE = Facts(
    NOW,
    ("helpdesk",),
    (),
    files=Files(12, True, NOW - DAY),
    sets=(EvalSet("helpdesk", 20, (), NOW - DAY),),
    ci=Ci((".github/workflows/gate.yml",), ".github/workflows/gate.yml:12"),
    gates=Gates(
        (Promoted("helpdesk", "v3", NOW - DAY),),
        (Due("helpdesk", "v3", "committed as 1a2b3c4", "pass", NOW - DAY),),
    ),
    models=Models(("local/small",), checked=("local/small",)),
    recorded=Recorded(20, 20, 20, 20, NOW - DAY),
    traffic=Traffic(1_000, NOW - 60, 500, 500, (), 1_000, 1_000, 1_000, 100),
    watching=Watching(
        ("answers", "slow", "inputs"),
        ("answers",),
        ("answers",),
        ("inputs",),
        (Channel("chat", NOW - DAY),),
        NOW - 120,
        6 * HOUR,
        NOW - HOUR,
        "no drift",
    ),
    guards=Guards(("injection",), (Guard("injection", 1_000, 40, 40, 30, KNOWN, KNOWN),), NOW - DAY),
    attacks=Attacks((Attacked("helpdesk", "v3", NOW - DAY, 120, 6),)),
    learned=Learned(5, 3, NOW - DAY),
)


def with_(**fields: Any) -> Facts:
    """The mature team, but for these facts; a mapping changes fields of one of them."""
    made = {
        name: msgspec.structs.replace(getattr(MATURE, name), **value) if isinstance(value, dict) else value
        for name, value in fields.items()
    }
    return msgspec.structs.replace(MATURE, **made)


def item(id_: str, facts: Facts = MATURE) -> Item:
    (found,) = [each for each in stand(facts).items if each.id == id_]
    return found


def test_a_team_that_does_all_of_it_is_mature() -> None:
    ladder = stand(MATURE)
    assert [each.id for each in ladder.items if each.status != "met"] == []
    assert (ladder.rung, ladder.above, ladder.next) == ("mature", None, ())
    assert all(each.evidence and not each.remedy for each in ladder.items)


#: (item, facts that it is not met by, how it stands then, what is said of it)
LACKING: list[tuple[str, dict[str, Any], str, str]] = [
    ("versioned", {"files": {"is_in_git": False}}, "unmet", "not in a git repository"),
    ("versioned", {"files": {"committed_at": None}}, "unmet", "nothing is committed yet"),
    ("versioned", {"files": {"untracked": ("prompts/new.md",)}}, "partly", "1 of 12 files: prompts/new.md"),
    ("versioned", {"files": {"edited": ("a.md",), "edited_since": NOW - 3 * DAY}}, "partly", "3 days ago"),
    ("eval-set", {"sets": (EvalSet("helpdesk", 0),)}, "unmet", "there is no case"),
    ("eval-set", {"sets": (EvalSet("helpdesk", 9, (), NOW),)}, "partly", "9 cases"),
    ("eval-set", {"sets": (EvalSet("helpdesk", 20, ("one",), NOW),)}, "partly", "19 of them judged"),
    ("eval-set", {"sets": (EvalSet("helpdesk", 20),)}, "partly", "never run"),
    ("eval-set", {"sets": (EvalSet("helpdesk", 20, (), NOW, 11),)}, "partly", "without 11 of them"),
    ("logged", {"traffic": Traffic()}, "unmet", "no request has come in yet"),
    ("logged", {"traffic": Traffic(newest_at=NOW - 9 * DAY)}, "partly", "in the last 7 days; the newest"),
    ("baseline", {"gates": Gates((Promoted("helpdesk"),))}, "unmet", "none for helpdesk"),
    (
        "baseline",
        {"gates": Gates((Promoted("a", stands_in="v1"),))},
        "unmet",
        "v1 stands in, promoted by nobody",
    ),
    ("baseline", {"gates": Gates((Promoted("a", "v1", NOW), Promoted("b")))}, "partly", "none for b"),
    ("ci", {"ci": Ci()}, "unmet", "no CI in this repository"),
    ("ci", {"ci": Ci(("Jenkinsfile",))}, "unmet", "CI never runs the gate: Jenkinsfile"),
    ("ci", {"ci": Ci(("Jenkinsfile",), "Jenkinsfile:3", untracked=True)}, "partly", "not committed"),
    ("gated", {"gates": Gates((Promoted("helpdesk"),))}, "unmet", "no baseline"),
    (
        "gated",
        {"gates": {"due": (*MATURE.gates.due, Due("helpdesk", "v4", "120 live requests"))}},  # type: ignore[union-attr]
        "partly",
        "1 of 2 (50%) versions",
    ),
    ("gated", {"gates": {"due": (Due("helpdesk", "v4", "committed"),)}}, "unmet", "none for v4 (committed)"),
    ("gated", {"gates": {"cut": True}}, "unknown", "there may be more"),
    ("gated", {"gates": {"due": (), "cut": True}}, "unknown", "there may be more"),
    ("pinned", {"models": {"floating": ("local/small",)}}, "unmet", "1 of 1 (100%) models are aliases"),
    ("pinned", {"models": {"names": ("a", "b"), "floating": ("b",)}}, "partly", "move: b"),
    ("pinned", {"models": {"drifted": ("model drift: a answered as b",)}}, "partly", "model drift"),
    ("traces", {"traffic": {"looked_at": 0}}, "unmet", "no live request"),
    (
        "traces",
        {"traffic": {"whole": 100, "lacking": ("retrieval",)}},
        "partly",
        "retrieval steps are lacking",
    ),
    ("traces", {"traffic": {"whole": 0}}, "unmet", "0 of 500"),
    ("traces", {"recorded": {"traced": 3}}, "partly", "3 of 20 (15%) outputs"),
    ("figures", {"traffic": {"priced": 0}}, "unmet", "0 of 1,000 (0%) live calls have a price"),
    ("figures", {"traffic": {"priced": 500}}, "partly", "500 of 1,000 (50%)"),
    ("figures", {"traffic": {"calls": 0}}, "unmet", "no live call"),
    ("figures", {"recorded": Recorded()}, "partly", "no version was evaluated"),
    ("figures", {"recorded": {"priced": 2}}, "partly", "2 of 20 (10%) evaluated outputs"),
    ("figures", {"recorded": {"timed": 0}}, "partly", "latency of 0 of 20"),
    ("live-evals", {"traffic": {"judged": 0}, "watching": {"canary_at": None}}, "unmet", "0 of 1,000"),
    (
        "live-evals",
        {"traffic": {"judged": 3}, "watching": {"canary_at": NOW - 8 * DAY}},
        "partly",
        "3 of 1,000",
    ),
    ("alerts", {"watching": {"rules": ()}}, "unmet", "alerts are turned off"),
    ("alerts", {"watching": {"quality": ()}}, "partly", "0 about quality"),
    ("alerts", {"watching": {"told": ()}}, "partly", "only the screen shows it"),
    ("alerts", {"watching": {"channels": (Channel("chat", NOW, "HTTP 500"),)}}, "partly", "HTTP 500"),
    ("alerts", {"watching": {"looked_at": NOW - 2 * HOUR}}, "partly", "looked at 2 h ago"),
    ("alerts", {"watching": {"looked_at": None}}, "partly", "looked at never"),
    ("drift", {"watching": {"drift": (), "canary_every_s": 0.0}}, "unmet", "no rule is about drift"),
    (
        "drift",
        {"watching": {"looked_at": None, "canary_every_s": 0.0, "canary_at": None}},
        "partly",
        "1 rule about drift: inputs; looked at never",
    ),
    ("drift", {"watching": {"drift": (), "canary_at": NOW - 9 * DAY}}, "partly", "a canary every 6 h"),
    ("regressions", {"traffic": {"named": 10}}, "partly", "10 of 1,000 (1%) live requests name"),
    ("regressions", {"traffic": {"named": 0}}, "unmet", "0 of 1,000"),
    ("regressions", {"traffic": {"requests": 0}}, "unmet", "no live request"),
    ("regressions", {"watching": {"looked_at": NOW - DAY}}, "partly", "looked at yesterday"),
    ("cases", {"learned": Learned()}, "unmet", "no case was made"),
    ("cases", {"learned": Learned(2, 0, NOW - 60 * DAY)}, "partly", "0 of them in the last 30 days"),
    ("guards", {"guards": Guards()}, "unmet", "there is no guardrail"),
    ("guards", {"guards": Guards(("pii",))}, "partly", "none of them looked at a live request"),
    (
        "guards",
        {"guards": {"seen": (Guard("pii", 100, 40, 4, 30, KNOWN, KNOWN),)}},
        "partly",
        "4 of 40 (10%)",
    ),
    ("guards", {"guards": {"seen": (Guard("pii", 100, 4, 4, 3, KNOWN, KNOWN),)}}, "partly", "3 passes"),
    ("guards", {"guards": {"seen": (Guard("injection", 100, 4, 4, 30),)}}, "partly", "no precision of injec"),
    ("guards", {"guards": {"configured": ("injection", "pii")}}, "partly", "pii looked at nothing"),
    (
        "guards",
        {"guards": {"seen": (*MATURE.guards.seen, Guard("pii", 100, 4, 4, 0, KNOWN))}},  # type: ignore[union-attr]
        "partly",
        "no pass of pii",
    ),
    ("attacks", {"attacks": Attacks((Attacked("helpdesk", "v3"),))}, "unmet", "v3 was never attacked"),
    ("attacks", {"attacks": Attacks((Attacked("helpdesk", "v3", before="v2"),))}, "partly", "v2 was"),
    ("attacks", {"attacks": Attacks((Attacked("d", "v3", NOW - 40 * DAY, 9, 1),))}, "partly", "1 of 9 (11%)"),
    (
        "attacks",
        {"attacks": Attacks((Attacked("d", "v3", NOW, 8, untried=1),))},
        "partly",
        "1 attack came since",
    ),
]


@pytest.mark.parametrize(("id_", "fields", "status", "said"), LACKING)
def test_what_is_lacking_is_told_with_what_mends_it(
    id_: str, fields: dict[str, Any], status: str, said: str
) -> None:
    found = item(id_, with_(**fields))
    assert (found.status, said in found.evidence) == (status, True), found
    assert found.remedy
    ladder = stand(with_(**fields))
    assert not ladder.has_reached(found.rung)
    assert RUNGS.index(ladder.rung) < RUNGS.index(found.rung)


def test_where_there_are_no_attacks_the_command_is_not_all_there_is_to_do() -> None:
    attacks = Attacks((Attacked("d", "v3", written=False),))
    remedy = item("attacks", with_(attacks=attacks)).remedy
    assert remedy == "write attacks/d.yaml (docs/attacks.md), then llmops-tui attack --config d"


def test_what_is_to_be_written_into_the_settings_is_right_as_it_stands(tmp_path: Path) -> None:
    remedies = {item(id_, with_(**fields)).remedy for id_, fields, *_ in LACKING}
    written = [
        "\n".join(blocks)
        for remedy in remedies
        for alternative in remedy.split(", or ")
        if (blocks := re.findall(r"`((?:alerts|channels|live|providers): [^`]*\w[^`]*)`", alternative))
    ]
    assert len(written) >= 5
    root = write_workspace(tmp_path)
    (root / "configs/bench.yaml").rename(root / "configs/helpdesk.yaml")
    for text in written:
        (root / "llmops.yaml").write_text(f"{text}\n", "utf-8")
        assert load(root).errors == (), text


def test_a_remedy_is_a_command_and_nothing_from_outside_is_in_it() -> None:
    files = item("versioned", with_(files={"untracked": ("evals/a b.yaml", "$(x).md")}))
    assert files.remedy == "git add 'evals/a b.yaml' '$(x).md' && git commit"
    for due, remedy in (
        (Due("desk", "v4", "9 live requests"), "llmops-tui gate v4 --config desk"),
        (
            Due("desk", "~1a2b3c4d", "committed as 9f8e7d6", recorded=False, commit="9f8e7d6"),
            "git switch --detach 9f8e7d6 && llmops-tui gate --config desk; git switch -",
        ),
        (
            Due("desk", "$(x)", "9 live requests", recorded=False),
            "bring that version along with llmops-tui bundle load FILE, then gate it here",
        ),
    ):
        assert item("gated", with_(gates={"due": (due,)})).remedy == remedy


#: Facts that are good enough all the same.
ENOUGH: list[tuple[str, dict[str, Any]]] = [
    # Cases that were added since wait for the next run.
    ("eval-set", {"sets": (EvalSet("helpdesk", 20, (), NOW, 10),)}),
    # As do attacks.
    ("attacks", {"attacks": Attacks((Attacked("d", "v3", NOW, 9, untried=1),))}),
    # Somebody is at work.
    ("versioned", {"files": {"edited": ("a.md",), "edited_since": NOW - HOUR}}),
    ("eval-set", {"sets": (EvalSet("helpdesk", 10, (), NOW),)}),
    ("gated", {"gates": {"due": ()}}),
    # It is the verdict that counts, not what it says; the baseline may have been promoted by force.
    ("gated", {"gates": {"due": (Due("helpdesk", "v4", "committed", "fail", NOW),)}}),
    ("baseline", {"gates": {"promoted": (Promoted("helpdesk", "v3", NOW, True),)}}),
    ("traces", {"traffic": {"whole": 450}}),
    ("figures", {"traffic": {"priced": 900}}),
    # One in a hundred, or a hundred of them, or a canary.
    ("live-evals", {"traffic": {"judged": 10}, "watching": {"canary_at": None}}),
    ("live-evals", {"traffic": {"requests": 10**6, "judged": 100}, "watching": {"canary_at": None}}),
    ("live-evals", {"traffic": {"judged": 0}}),
    ("drift", {"watching": {"drift": ()}}),
    ("drift", {"watching": {"canary_every_s": 0.0, "canary_at": None}}),
    (
        "guards",
        {"guards": {"configured": ("pii",), "seen": (Guard("pii", 10**4, 900, 50, 20, KNOWN, KNOWN),)}},
    ),
    # Nothing fired: there is no precision to be known.
    ("guards", {"guards": {"configured": ("pii",), "seen": (Guard("pii", 1_000, 0, 0, 20),)}}),
]


@pytest.mark.parametrize(("id_", "fields"), ENOUGH)
def test_what_is_enough(id_: str, fields: dict[str, Any]) -> None:
    found = item(id_, with_(**fields))
    assert (found.status, found.remedy) == ("met", ""), found


@pytest.mark.parametrize(
    "field", [n for n in Facts.__struct_fields__ if n not in ("now", "configs", "left_out")]
)
def test_what_can_not_be_read_is_unknown_and_not_met(field: str) -> None:
    ladder = stand(with_(**{field: Unknown("the disk is gone", "find it")}))
    unknown = [each for each in ladder.items if each.status == "unknown"]
    assert unknown
    assert {(each.evidence, each.remedy) for each in unknown} == {("the disk is gone", "find it")}
    assert ladder.rung != "mature"


def test_a_rung_needs_all_of_those_below() -> None:
    def of(*statuses: str) -> str:
        rungs = ("baseline", "repeatable", "mature")
        return reached(
            Item(rung, rung, "", status, "")  # type: ignore[arg-type]
            for rung, status in zip(rungs, statuses, strict=True)
        )

    assert of("met", "met", "met") == "mature"
    assert of("met", "met", "partly") == "repeatable"
    assert of("met", "unknown", "met") == "baseline"
    assert of("unmet", "met", "met") == "none"


def test_what_is_next_is_of_the_next_rung_alone() -> None:
    ladder = stand(with_(ci=Ci(), learned=Learned(), models={"floating": ("local/small",)}))
    assert (ladder.rung, ladder.above) == ("baseline", "repeatable")
    assert [each.id for each in ladder.next] == ["ci", "pinned"]


def test_a_change_is_told_with_what_was_before() -> None:
    before, after = stand(with_(ci=Ci())), stand(with_(learned=Learned()))
    told = {
        step.after.id: (step.before.status if step.before else None, step.is_up)
        for step in changes(before, after)
    }
    assert told == {"ci": ("unmet", True), "cases": ("met", False)}
    assert changes(after, after) == ()
    assert len(changes(None, stand(MATURE))) == len(RULES)


def test_ids_are_unique_and_rungs_in_order() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    places = [RUNGS.index(rule.rung) for rule in RULES]
    assert places == sorted(places)
    assert Ladder("none", ()).next == ()


@given(part=st.integers(0, 10**6), more=st.integers(0, 10**6))
def test_a_share_is_whole_only_where_it_is(part: int, more: int) -> None:
    said = share(part, part + more)
    assert ("(100%)" in said) == (part > 0 and more == 0)
    assert ("(0%)" in said) == (part == 0 and more > 0)


def test_names_are_bounded() -> None:
    assert names(["a", "b"]) == "a, b"
    assert names(list("abcdefg")) == "a, b, c and 4 more"
