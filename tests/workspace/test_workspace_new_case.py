"""Cases added to eval files: all that was there stays byte for byte, and reads as before."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmops_tui.domain.errors import UsageError, WorkspaceError
from llmops_tui.domain.playground import NewCase
from llmops_tui.workspace import made_up
from llmops_tui.workspace.eval_files import read_eval_file
from llmops_tui.workspace.new_case import add_case
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.yaml_document import Document

YAML = """\
# the desk's cases
defaults: {scorers: [is_json]}
cases:
  # about refunds
  - id: refund
    vars: {question: "How long?"}   # short

  - id:   hours
    vars:
      question: |
        When?
    tags: [opening]   # the last one
# that was all
"""
NEW = NewCase("more", {"question": "And then?"}, "soon", ("a", "b"))


def added(root: Path, text: str, new: NewCase = NEW, file: str = "evals.yaml") -> str:
    """The text once the case is in it."""
    (root / file).write_bytes(text.encode())
    add_case(root, file, new)
    return (root / file).read_bytes().decode()


def test_a_case_comes_behind_the_last_one_and_nothing_else_changes(tmp_path: Path) -> None:
    made = added(tmp_path, YAML)
    case = """
  - id: more
    vars:
      question: "And then?"
    expected: soon
    tags: [a, b]
"""
    head, tail = YAML.split("# that was all")
    assert made == head + case + "# that was all" + tail


def test_cases_that_stand_close_go_on_standing_close(tmp_path: Path) -> None:
    made = added(tmp_path, "cases:\n- id: a\n- id: b\n", NewCase("c", {"q": "x"}))
    assert made == "cases:\n- id: a\n- id: b\n- id: c\n  vars:\n    q: x\n"


def test_windows_line_ends_and_a_missing_last_one_stay(tmp_path: Path) -> None:
    made = added(tmp_path, "cases:\r\n- id: a", NewCase("c", {"q": "x\ny"}))
    assert made == "cases:\r\n- id: a\r\n- id: c\r\n  vars:\r\n    q: |-\r\n      x\r\n      y"


def test_a_byte_order_mark_stays(tmp_path: Path) -> None:
    assert added(tmp_path, "\ufeffcases:\n- id: a\n").startswith("\ufeffcases:\n- id: a\n- id: more\n")


@pytest.mark.parametrize(
    "text",
    [
        "cases: [{id: a}, {id: b}]  # all\n",
        '{"cases": [{"id": "a"}]}',
        '{\n "cases": [\n  {\n   "id": "a"\n  }\n ]\n}\n',
        "cases:\n  - {id: a}   # short\n",
        "cases:\n  - id: a\n    vars:\n      q: |\n        long\n\n\ndefaults: {tags: [x]}\n",
        "cases:\n  - &one\n    id: a\n",
        "---\ncases:\n-   id: a\n    vars: {q: 1}\n...\n",
    ],
)
def test_the_usual_ways_of_writing_are_all_understood(tmp_path: Path, text: str) -> None:
    made = added(tmp_path, text)
    assert Document(made).value["cases"] == [*Document(text).value["cases"], NEW.entry()]


@pytest.mark.parametrize(
    "text",
    [
        "cases:\n  - id: a\n    vars:\n      q: |+\n        kept\n\n",  # the lines behind it belong to it
        "base: &b\n- id: a\ncases: *b\n",  # it would be added to both
        "cases: []\n",
        "- id: a\n",
    ],
)
def test_a_file_that_would_read_differently_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "evals.yaml").write_text(text)
    with pytest.raises(UsageError, match="add it in your editor"):
        add_case(tmp_path, "evals.yaml", NEW)
    assert (tmp_path / "evals.yaml").read_text() == text


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("e.yaml", "cases:\n- id: more\n"),
        ("e.jsonl", '{"id": "more"}\n'),
        ("e.csv", "id,question\nmore,x\n"),
    ],
)
def test_an_id_that_is_there_is_refused(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(UsageError, match="'more' is there already"):
        add_case(tmp_path, file, NEW)
    assert (tmp_path / file).read_text() == text


def test_a_file_that_is_gone_or_broken_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="can't be read"):
        add_case(tmp_path, "none.yaml", NEW)
    (tmp_path / "bad.yaml").write_text("cases: [")
    with pytest.raises(WorkspaceError, match="not valid YAML"):
        add_case(tmp_path, "bad.yaml", NEW)


ids = st.text(min_size=1, max_size=12).map(str.strip).filter(bool)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=40)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
new_cases = st.builds(
    NewCase,
    st.just("new"),
    st.dictionaries(texts, texts | json_values, max_size=3),
    texts | json_values,
    st.lists(texts, max_size=3).map(tuple),
)
FILES = [
    YAML,
    "cases:\n- id: a\n- id: b",
    "cases: [{id: a}, {id: b}]\n",
    json.dumps({"cases": [{"id": "a"}]}, indent=2),
    "cases:\r\n    -  id: a\r\n\r\n    -  id: b\r\n       vars: {q: '#'} # c\r\n\r\n# end\r\n",
]


@settings(max_examples=150)
@given(new_cases, st.sampled_from(FILES))
@example(NewCase("new", {"<<": {"a": 1}, "yes": "no", "a: b": "- x"}, "\n\n x", ("a,b", "[", "{}")), FILES[0])
def test_whatever_is_kept_reads_back_and_the_rest_is_untouched(
    tmp_path_factory: pytest.TempPathFactory, new: NewCase, text: str
) -> None:
    root = tmp_path_factory.mktemp("evals")
    try:
        made = added(root, text, new)
    except UsageError:
        # Refused rather than written wrongly; what a person types is never (the test below).
        assert (root / "evals.yaml").read_bytes().decode() == text
        return
    before, after = Document(text).value, Document(made).value
    assert after["cases"] == [*before["cases"], json.loads(json.dumps(new.entry()))]
    assert {k: v for k, v in after.items() if k != "cases"} == {
        k: v for k, v in before.items() if k != "cases"
    }
    # One stretch was put in; what is left of it and right of it is the file as it was.
    shared = next((n for n, (a, b) in enumerate(zip(text, made, strict=False)) if a != b), len(text))
    assert any(made.endswith(text[at:]) and made.startswith(text[:at]) for at in range(shared, -1, -1))


def test_text_alone_can_always_be_kept(tmp_path: Path) -> None:
    for text in (
        "a\tb",
        "  lead",
        "tail \n\n",
        "# no",
        "'",
        '"',
        "\u2028x",
        "﷽",
        "null",
        "1e3",
        "- a\n- b",
        "…",
    ):
        made = added(tmp_path, YAML, NewCase("new", {"question": text}))
        assert Document(made).value["cases"][-1]["vars"]["question"] == text


def test_a_line_of_jsonl_is_written_as_the_last_one_is(tmp_path: Path) -> None:
    made = added(tmp_path, '{"id":"a","vars":{"q":"ä"}}', NewCase("b", {"q": "ö"}), "e.jsonl")
    assert made == '{"id":"a","vars":{"q":"ä"}}\n{"id":"b","vars":{"q":"ö"}}\n'


def test_a_row_of_csv_has_every_column(tmp_path: Path) -> None:
    text = "id,vars.question,tags,expected\na,x,,\n"
    made = added(tmp_path, text, NewCase("b", {"question": 'say "x",\ny'}, None, ("t", "u")), "e.csv")
    assert made.startswith(text)
    assert list(csv.reader(io.StringIO(made)))[-1] == ["b", 'say "x",\ny', "t;u", ""]
    found = read_eval_file(Reader(tmp_path), "e.csv")
    assert found is not None
    assert found.entries[-1][1].vars == {"question": 'say "x",\ny'}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (NewCase("b", {"other": "x"}), "has no column 'other'"),
        (NewCase("b", {"question": 3}), "a CSV holds text"),
        (NewCase("b", {"question": "x"}, "y"), "has no column 'expected'"),
    ],
)
def test_what_a_csv_can_t_hold_is_refused(tmp_path: Path, new: NewCase, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        added(tmp_path, "id,question\na,x\n", new, "e.csv")


def test_a_made_up_case_is_judged_as_if_it_stood_in_the_file(workspace: Any) -> None:
    body = {
        "defaults": {"scorers": [{"max_words": 9}, "equals"], "tags": ["t"]},
        "cases": [{"id": "a", "vars": {"question": "x"}, "expected": "x"}],
    }
    root = workspace(files={"evals/bench.yaml": json.dumps(body)})
    without = made_up.as_read(root, "evals/bench.yaml", NewCase("new", {"question": "y"}))
    assert [use.name for use in without.scorers] == ["max_words"]
    held = made_up.as_read(root, "evals/bench.yaml", NewCase("new", {"question": "y"}, "z"))
    assert [use.name for use in held.scorers] == ["max_words", "equals"]
    assert held.tags == ("t",)
