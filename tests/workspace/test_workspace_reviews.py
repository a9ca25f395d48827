"""`reviews.yaml`: what is put in is read again, and what people wrote beside it stays as it is."""

from __future__ import annotations

import multiprocessing
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops_tui.domain.errors import WorkspaceError
from llmops_tui.domain.review import Choice, Decision
from llmops_tui.workspace import reviews
from llmops_tui.workspace.review_text import edited

AT = "2026-11-24T09:00:00Z"


def decision(
    case: str, choice: Choice | None = "accepted", *, config: str = "helpdesk", **more: object
) -> Decision:
    known = {
        "model": "local/smollm2-135m-instruct",
        "baseline": ("3f2a91c0d1e2",),
        "candidate": ("77ab01c0d1e2",),
        "by": "Ada",
        "at": AT,
    }
    return Decision(config=config, case_id=case, choice=choice, **{**known, **more})  # type: ignore[arg-type]


def text_of(root: Path) -> str:
    return (root / "reviews.yaml").read_text(encoding="utf-8")


def write(root: Path, text: str) -> None:
    (root / "reviews.yaml").write_text(text, encoding="utf-8")


def test_without_a_file_nothing_is_decided(tmp_path: Path) -> None:
    assert reviews.read(tmp_path) == ()


def test_a_decision_reads_like_a_sentence_in_a_diff(tmp_path: Path) -> None:
    reviews.put(tmp_path, [decision("refund-window", "rejected", note="the window is 30 days")])
    assert text_of(tmp_path) == (
        "# What was decided about changed answers. Written by reviewing; keep it in git.\n"
        "helpdesk:\n"
        "  - case: refund-window\n"
        "    model: local/smollm2-135m-instruct\n"
        "    decision: rejected\n"
        "    baseline: [3f2a91c0d1e2]\n"
        "    candidate: [77ab01c0d1e2]\n"
        '    note: "the window is 30 days"\n'
        "    by: Ada\n"
        "    at: 2026-11-24T09:00:00Z\n"
    )


def test_decisions_are_sorted_however_they_come(tmp_path: Path) -> None:
    for case in ("m", "z", "a"):
        reviews.put(tmp_path, [decision(case), decision(case, config="a-first")])
    assert [(d.config, d.case_id) for d in reviews.read(tmp_path)] == [
        (config, case) for config in ("a-first", "helpdesk") for case in ("a", "m", "z")
    ]


def test_the_same_answers_decided_again_replace_the_decision_and_others_are_kept(tmp_path: Path) -> None:
    other = decision("refund", candidate=("0" * 12,))
    reviews.put(tmp_path, [decision("refund"), other])
    again = decision("refund", "rejected", note="no")
    reviews.put(tmp_path, [again])
    assert set(reviews.read(tmp_path)) == {other, again}


def test_an_entry_that_stands_there_twice_after_a_merge_becomes_one(tmp_path: Path) -> None:
    reviews.put(tmp_path, [decision("refund")])
    head, entry = text_of(tmp_path).split("helpdesk:\n")
    write(tmp_path, f"{head}helpdesk:\n{entry}{entry.replace('accepted', 'rejected')}")
    assert len(reviews.read(tmp_path)) == 2
    reviews.put(tmp_path, [decision("refund", "rejected", note="mine")])
    assert reviews.read(tmp_path) == (decision("refund", "rejected", note="mine"),)


BY_HAND = """\
# Our rules: two people look at every refund.

headlines:   # weekly
- {case: top, model: m, decision: accepted, baseline: [aa], candidate: [bb]}

# the desk
helpdesk:
    # about gift cards
    - case:   gift-card
      model: "m"   # ours
      decision: rejected
      baseline: [aa]
      candidate:
        - bb
      note: |
        # not a comment
        at all

    # the last word
"""


def test_comments_and_other_entries_stay_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path, BY_HAND)
    reviews.put(tmp_path, [decision("hours"), decision("aaa"), decision("zz", config="headlines")])
    made = text_of(tmp_path)
    left = iter(made.splitlines())
    assert all(line in left for line in BY_HAND.splitlines())
    assert "    - case: hours\n      model: local" in made
    reviews.drop(tmp_path, [decision("hours"), decision("aaa"), decision("zz", config="headlines")])
    assert text_of(tmp_path) == BY_HAND


def test_what_is_taken_out_leaves_the_comments_above_others(tmp_path: Path) -> None:
    write(tmp_path, BY_HAND)
    (top,) = [d for d in reviews.read(tmp_path) if d.config == "headlines"]
    reviews.drop(tmp_path, [top])
    start, end = BY_HAND.index("headlines:"), BY_HAND.index("\n# the desk")
    assert text_of(tmp_path) == BY_HAND[:start] + BY_HAND[end:]
    assert [d.case_id for d in reviews.read(tmp_path)] == ["gift-card"]


def test_dropping_what_is_not_there_writes_nothing(tmp_path: Path) -> None:
    reviews.drop(tmp_path, [decision("refund")])
    assert not (tmp_path / "reviews.yaml").exists()


def test_line_ends_and_byte_order_mark_stay(tmp_path: Path) -> None:
    (tmp_path / "reviews.yaml").write_bytes(b"\xef\xbb\xbf" + BY_HAND.replace("\n", "\r\n").encode())
    reviews.put(tmp_path, [decision("hours")])
    data = (tmp_path / "reviews.yaml").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf# Our")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert decision("hours") in reviews.read(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["{helpdesk: [{case: a, model: m}, {case: b, model: m}]}\n", "helpdesk: [{case: a, model: m}]\n"],
)
def test_a_file_that_is_not_written_in_lines_is_read_and_left_alone(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    assert reviews.read(tmp_path)
    with pytest.raises(WorkspaceError, match="lines of its own"):
        reviews.put(tmp_path, [decision("hours")])
    assert text_of(tmp_path) == text


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("helpdesk:\n  - case: a\n    model: m\n    decison: accepted\n", 4, "did you mean 'decision'?"),
        ("helpdesk:\n  - case: a\n    model: m\n    decision: perhaps\n", 4, "'perhaps' is not known"),
        ("helpdesk:\n  - case: a\n    model: m\n  - case: b\n", 4, "no 'model'"),
        ("helpdesk:\n  - case: a\n    model: m\n    baseline: aa\n", 4, "must be a list of answers"),
        ("helpdesk:\n  - case: a\n    model: m\n    note: [x]\n", 4, "must be text"),
        ("helpdesk:\n  - just text\n", 2, "must be a mapping"),
        ("# x\nhelpdesk: text\n", 2, "must be a list"),
        ("- a\n", 1, "must be a mapping of configurations"),
        ("a:\n\t- b\n", 2, "tab"),
        ("a:\n<<<<<<< ours\n  - case: a\n=======\n>>>>>>> theirs\n", 2, "holds a merge conflict"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_keeps_the_file(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    write(tmp_path, text)
    for act in (lambda: reviews.read(tmp_path), lambda: reviews.put(tmp_path, [decision("b")])):
        with pytest.raises(WorkspaceError) as told:
            act()
        problem = told.value.problems[0]
        assert (problem.file, problem.line) == ("reviews.yaml", line)
        assert said in str(problem)
    assert text_of(tmp_path) == text


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a:\n  - case: x\n  - model: m\n")
    with pytest.raises(WorkspaceError) as told:
        reviews.read(tmp_path)
    assert [p.line for p in told.value.problems] == [2, 3]


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "reviews.yaml").write_bytes(b"a:\n  - \xff\n")
    with pytest.raises(WorkspaceError, match=r"reviews\.yaml:2 is not UTF-8"):
        reviews.read(tmp_path)


def test_what_was_read_once_is_read_again_without_a_parser(tmp_path: Path) -> None:
    (tmp_path / ".llmops").mkdir()
    reviews.put(tmp_path, [decision("refund")])
    reviews.read(tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from llmops_tui.workspace import reviews\n"
        f"assert len(reviews.read(Path({str(tmp_path)!r}))) == 1\n"
        "heavy = {'yaml', 'ruamel.yaml', 'pydantic', 'rich', 'numpy'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_edit_by_hand_is_seen_although_the_file_was_read_before(tmp_path: Path) -> None:
    reviews.put(tmp_path, [decision("refund")])
    assert reviews.read(tmp_path)[0].choice == "accepted"
    write(tmp_path, text_of(tmp_path).replace("accepted", "rejected"))
    assert reviews.read(tmp_path)[0].choice == "rejected"


# -- several at once


def _put_many(root: str, who: str) -> None:
    for n in range(10):
        reviews.put(Path(root), [decision(f"{who}{n}", by=who)])


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_put_many, args=(str(tmp_path), who)) for who in ("ada", "bob")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {d.case_id for d in reviews.read(tmp_path)} == {
        f"{w}{n}" for w in ("ada", "bob") for n in range(10)
    }


def test_what_an_editor_saves_between_reading_and_writing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews.put(tmp_path, [decision("refund")])
    saved = iter(["# saved meanwhile\n"])

    def slow(*arguments: object) -> str:
        made = edited(*arguments)  # type: ignore[arg-type]
        write(tmp_path, next(saved, "") + text_of(tmp_path))
        return made

    monkeypatch.setattr("llmops_tui.workspace.review_text.edited", slow)
    reviews.put(tmp_path, [decision("hours")])
    assert text_of(tmp_path).startswith("# saved meanwhile\n")
    assert [d.case_id for d in reviews.read(tmp_path)] == ["hours", "refund"]


def test_two_branches_that_decide_on_different_cases_merge_by_themselves(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        own = ("-c", "user.name=Ada", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *own, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def decide(case: str) -> None:
        reviews.put(tmp_path, [decision(case)])
        git("add", "reviews.yaml")
        git("commit", "-m", case)

    git("init")
    (tmp_path / ".gitignore").write_text(".llmops\n")
    decide("m")
    git("checkout", "-b", "theirs")
    decide("a")
    git("checkout", "main")
    decide("z")
    git("merge", "theirs")
    assert [d.case_id for d in reviews.read(tmp_path)] == ["a", "m", "z"]


# -- any text

_words = st.text(max_size=12) | st.sampled_from(
    ["yes", "null", "- x", "a: b", "# c", "12", "1e5", "'", '"', " "]
)
_hashes = st.lists(
    st.text(string.hexdigits.lower(), min_size=12, max_size=12)
    | st.sampled_from(["123456789012", "12e456789012"]),
    unique=True,
    max_size=3,
).map(lambda found: tuple(sorted(found)))


def _whole(text: str) -> bool:
    return text.encode("utf-8", "ignore").decode() == text


_decisions = st.builds(
    Decision,
    config=_words.filter(lambda t: bool(t) and _whole(t)),
    case_id=_words.filter(lambda t: bool(t) and _whole(t)),
    model=st.sampled_from(["echo/echo", "gateway/m:2024", "12"]),
    choice=st.sampled_from(["accepted", "rejected", None]),
    baseline=_hashes,
    candidate=_hashes,
    note=_words.filter(_whole),
    by=_words.filter(_whole),
    at=st.sampled_from([AT, ""]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_decisions, unique_by=reviews.identity, max_size=5), st.data())
def test_whatever_is_put_in_is_read_again_and_what_is_dropped_is_gone(
    decisions: list[Decision], data: st.DataObject
) -> None:
    text = ""
    for each in decisions:
        text = edited(text, [each], [])[0]
    assert set(reviews.parse(text)) == set(decisions)
    gone = data.draw(st.sets(st.sampled_from(decisions))) if decisions else set()
    assert set(reviews.parse(edited(text, [], list(gone))[0])) == set(decisions) - gone


def test_many_decisions_at_once_go_where_each_would_by_itself() -> None:
    made = [
        Decision(config, f"case {n:02}", "m", "accepted", (f"a{n:02}",), ("cc",), at="2026-11-24T09:00:00Z")
        for config in ("b", "a")
        for n in (3, 1, 2, 0)
    ]
    at_once = edited("", made, [])[0]
    one_by_one = ""
    for decision in made:
        one_by_one = edited(one_by_one, [decision], [])[0]
    assert at_once == one_by_one
    text = at_once.replace("  - case: case 01", "  # why\n  - case: case 01")
    without, now = edited(text, [], made[:3])
    assert without.count("# why") == 2
    assert set(now) == set(made[3:])
