"""Edits of eval files: one value of one case changes, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.domain.errors import UsageError, WorkspaceError
from llmops_tui.workspace import expected
from llmops_tui.workspace.eval_files import read_eval_file
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.yaml_document import Document
from llmops_tui.workspace.yaml_scalars import block, quoted, scalar

YAML = """\
# the desk's cases
defaults: {scorers: [is_json]}
cases:
  # about refunds
  - id: refund
    vars: {question: "How long?"}   # short
    expected: '30 days'   # by law
    scorers: [equals]

  - id:   hours
    vars:
      question: |
        When?
      # who asks
      who: Ada
    tags: [opening]
  - {id: inline, vars: {question: x}, tags: [a]}
  - id: structure
    expected:
      city: Rome
      # the last census
      people: 2

    tags: [b]
"""


def after(root: Path, text: str, case: str, value: Any, file: str = "evals.yaml") -> str:
    """The text once `expected` of the case is `value`."""
    (root / file).write_bytes(text.encode())
    expected.set_expected(root, file, case, value)
    return (root / file).read_bytes().decode()


def marked(root: Path, text: str, case: str, reason: str | None, file: str = "evals.yaml") -> str:
    (root / file).write_bytes(text.encode())
    expected.set_known_failing(root, file, case, reason)
    return (root / file).read_bytes().decode()


def test_a_value_is_replaced_where_it_stands(tmp_path: Path) -> None:
    made = after(tmp_path, YAML, "refund", "two weeks")
    assert made == YAML.replace("'30 days'   # by law", "two weeks   # by law")


def test_a_value_that_was_not_there_comes_behind_the_variables(tmp_path: Path) -> None:
    made = after(tmp_path, YAML, "hours", "9 to 5: always")
    assert made == YAML.replace("      who: Ada\n", '      who: Ada\n    expected: "9 to 5: always"\n')
    made = after(tmp_path, YAML, "inline", "yes")
    assert made == YAML.replace("{question: x}, tags", '{question: x}, expected: "yes", tags')


def test_several_lines_are_written_as_lines(tmp_path: Path) -> None:
    made = after(tmp_path, YAML, "hours", "Dear Ada,\n\n  9 to 5.")
    assert "    expected: |-\n      Dear Ada,\n\n        9 to 5.\n    tags: [opening]" in made


def test_structure_takes_the_place_of_structure_and_comments_around_it_stay(tmp_path: Path) -> None:
    made = after(tmp_path, YAML, "structure", {"city": "Oslo", "people": 1})
    assert '    expected: {"city": "Oslo", "people": 1}\n\n    tags: [b]\n' in made


def test_the_mark_comes_and_goes_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    for case in ("refund", "hours", "inline", "structure"):
        made = marked(tmp_path, YAML, case, "the model can't count")
        assert made.count("the model can't count") == 1
        assert marked(tmp_path, made, case, None) == YAML
    assert marked(tmp_path, YAML, "refund", None) == YAML


def test_line_ends_of_the_file_are_kept(tmp_path: Path) -> None:
    text = YAML.replace("\n", "\r\n")
    made = after(tmp_path, text, "hours", "a\nb")
    assert made.count("\n") == made.count("\r\n")
    assert Document(made).value["cases"][1]["expected"] == "a\nb"


def test_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    assert after(tmp_path, "cases:\n- id: a", "a", "x") == "cases:\n- id: a\n  expected: x\n"


def test_json_in_a_yaml_file_stays_json(tmp_path: Path) -> None:
    text = json.dumps({"cases": [{"id": "a", "vars": {"q": 1}, "tags": []}]}, indent=1)
    made = json.loads(after(tmp_path, text, "a", 'say "x"\n\ty'))
    assert made["cases"][0]["expected"] == 'say "x"\n\ty'


@pytest.mark.parametrize(
    "text",
    [
        "cases:\n- &a {id: a, expected: x}\n- {<<: *a, id: b}\n",
        "one: &x x\ncases:\n- id: a\n  expected: *x\n",
    ],
)
def test_what_would_change_more_than_the_value_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="can't be set in safely"):
        after(tmp_path, text, "a", "other")
    assert (tmp_path / "evals.yaml").read_text() == text


def test_a_line_of_jsonl_is_edited_in_its_own_way_of_writing(tmp_path: Path) -> None:
    text = '{"id":"a","vars":{"q":"é"},"expected":"x"}\n\n{"id": "b", "vars": {"q": "\\u00e9"}}\r\n'
    made = after(tmp_path, text, "a", "y", "e.jsonl")
    assert made == text.replace('"x"', '"y"')
    made = after(tmp_path, text, "b", {"n": 1}, "e.jsonl")
    assert made == text.replace('9"}}', '9"}, "expected": {"n": 1}}')
    assert marked(tmp_path, marked(tmp_path, text, "b", "why", "e.jsonl"), "b", None, "e.jsonl") == text


def test_a_cell_of_csv_is_edited_and_a_column_is_added_where_there_is_none(tmp_path: Path) -> None:
    text = 'id,question,expected\r\na,"How, long?",30 days\r\n\r\nb,"two\r\nlines",\r\n'
    made = after(tmp_path, text, "a", 'say "x", twice', "e.csv")
    assert made == text.replace("30 days", '"say ""x"", twice"')
    made = marked(tmp_path, text, "b", "can't count", "e.csv")
    assert made == (
        'id,question,expected,known_failing\r\na,"How, long?",30 days,\r\n\r\n'
        'b,"two\r\nlines",,can\'t count\r\n'
    )
    assert marked(tmp_path, made, "b", None, "e.csv") == made.replace("can't count", "")


def test_cells_that_are_all_quoted_stay_so(tmp_path: Path) -> None:
    text = '"id","expected"\n"a","x"\n"b","y"\n'
    assert after(tmp_path, text, "b", "z", "e.csv") == text.replace('"y"', '"z"')


@pytest.mark.parametrize("file", ["e.yaml", "e.jsonl", "e.csv"])
def test_the_mark_is_read_from_every_kind_of_file(tmp_path: Path, file: str) -> None:
    text = {"e.yaml": "cases:\n- id: a\n", "e.jsonl": '{"id": "a"}\n', "e.csv": "id,question\na,x\n"}[file]
    marked(tmp_path, text, "a", "the model can't count", file)
    reader = Reader(tmp_path)
    found = read_eval_file(reader, file)
    assert found is not None
    assert not reader.problems
    assert found.entries[0][1].known_failing == "the model can't count"


@pytest.mark.parametrize("file", ["e.yaml", "e.jsonl", "e.csv"])
def test_a_case_that_is_not_there_is_said_so(tmp_path: Path, file: str) -> None:
    text = {"e.yaml": "cases:\n- id: a\n", "e.jsonl": '{"id": "a"}\n', "e.csv": "id\na\n"}[file]
    with pytest.raises(UsageError, match="no case 'b'"):
        after(tmp_path, text, "b", "x", file)
    with pytest.raises(WorkspaceError, match="can't be read"):
        expected.set_expected(tmp_path, "gone.yaml", "a", "x")


def test_an_edit_is_taken_back_unless_someone_edited_since(tmp_path: Path) -> None:
    (tmp_path / "evals.yaml").write_text(YAML)
    edit = expected.set_expected(tmp_path, "evals.yaml", "refund", "two weeks")
    expected.restore(tmp_path, edit)
    assert (tmp_path / "evals.yaml").read_text() == YAML
    edit = expected.set_expected(tmp_path, "evals.yaml", "refund", "two weeks")
    (tmp_path / "evals.yaml").write_text("cases: []\n")
    with pytest.raises(UsageError, match="edited since"):
        expected.restore(tmp_path, edit)
    assert (tmp_path / "evals.yaml").read_text() == "cases: []\n"


_texts = st.text().filter(lambda t: t.encode("utf-8", "ignore").decode() == t)


@settings(max_examples=150, deadline=None)
@given(_texts | st.lists(_texts, min_size=2, max_size=4).map("\n".join))
def test_any_text_is_written_so_that_it_is_read_again(text: str) -> None:
    assert Document(f"a: {quoted(text)}\n").value == {"a": text}
    assert Document(f"a: {scalar(text)}\n").value == {"a": text}
    lines = block(text, "    ")
    if lines is not None:
        assert Document(f"x:\n  a: {lines}\n  b: 1\n").value == {"x": {"a": text, "b": 1}}
