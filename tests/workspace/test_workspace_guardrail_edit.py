"""The threshold of a guardrail written into a configuration: that number, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.errors import UsageError, WorkspaceError
from llmops_tui.workspace.guardrail_edit import name_of, set_threshold
from llmops_tui.workspace.yaml_document import Document

FILE = "configs/helpdesk.yaml"
HEAD = "# the desk\nprompt: prompts/helpdesk.md   # the words\nguardrails:\n"
TAIL = "evals: [evals/helpdesk.yaml]\n"


def edited(folder: Path, text: str, guardrail: str = "injection", value: float = 0.62) -> str:
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    set_threshold(folder, FILE, guardrail, value)
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  - injection\n", "  - injection: {threshold: 0.62}\n"),
        ("  - injection  # watch\n", "  - injection: {threshold: 0.62}  # watch\n"),
        ("  - 'injection'\n", "  - 'injection': {threshold: 0.62}\n"),
        ("  - injection:\n", "  - injection: {threshold: 0.62}\n"),
        ("  - injection:   # nothing\n", "  - injection: {threshold: 0.62}   # nothing\n"),
        ("  - injection: {}\n", "  - injection: {threshold: 0.62}\n"),
        ("  - {injection: null}\n", "  - {injection: {threshold: 0.62}}\n"),
        ("  - injection: heuristics\n", "  - injection: {method: heuristics, threshold: 0.62}\n"),
        ("  - {injection: 'judge'} # a\n", "  - {injection: {method: 'judge', threshold: 0.62}} # a\n"),
        (
            "  - injection: {threshold: 0.5, on: [input]} # strict\n",
            "  - injection: {threshold: 0.62, on: [input]} # strict\n",
        ),
        (
            "  - {injection: {on: input, action: flag}}\n",
            "  - {injection: {on: input, action: flag, threshold: 0.62}}\n",
        ),
        (
            "  - injection:\n      threshold: 0.50   # measured\n      on: input\n",
            "  - injection:\n      threshold: 0.62   # measured\n      on: input\n",
        ),
        (
            "  - injection:\n      # read\n      on: [input, context]\n\n  - pii\n",
            "  - injection:\n      # read\n      on: [input, context]\n      threshold: 0.62\n\n  - pii\n",
        ),
        (
            "  - pii\n  - injection:\n      action: flag  # yet\n      message: No.\n",
            "  - pii\n  - injection:\n      action: flag  # yet\n      threshold: 0.62\n      message: No.\n",
        ),
    ],
)
def test_only_the_number_changes(tmp_path: Path, before: str, after: str) -> None:
    assert edited(tmp_path, HEAD + before + TAIL) == HEAD + after + TAIL


def test_a_list_of_names_on_one_line(tmp_path: Path) -> None:
    text = "guardrails: [pii, injection, {topic: [refunds, orders]}] # three\n"
    assert edited(tmp_path, text) == (
        "guardrails: [pii, {injection: {threshold: 0.62}}, {topic: [refunds, orders]}] # three\n"
    )
    assert edited(tmp_path, text, "topic") == (
        "guardrails: [pii, injection, {topic: {allowed: [refunds, orders], threshold: 0.62}}] # three\n"
    )


def test_a_list_in_lines_behind_a_name_gets_its_option_above_it(tmp_path: Path) -> None:
    text = "guardrails:\n- topic:\n    - refunds  # money\n    - orders\n- pii\n"
    assert edited(tmp_path, text, "topic") == (
        "guardrails:\n- topic:\n    threshold: 0.62\n    allowed:\n"
        "    - refunds  # money\n    - orders\n- pii\n"
    )


def test_a_guardrail_goes_by_the_name_that_its_entry_gives_it(tmp_path: Path) -> None:
    entries = "guardrails:\n- injection\n- injection: {name: strict, method: judge}\n"
    entries += "- {mine: {limit: 3}, name: own}\n"
    assert "{name: strict, threshold: 0.62, method: judge}" in edited(tmp_path, entries, "strict")
    assert "- injection: {threshold: 0.62}\n" in edited(tmp_path, entries, "injection")
    assert edited(tmp_path, entries, "own").endswith("- {mine: {limit: 3, threshold: 0.62}, name: own}\n")


def test_a_threshold_beside_the_kind_is_set_where_it_stands(tmp_path: Path) -> None:
    text = "guardrails:\n- threshold: 0.4  # low\n  injection: both\n"
    assert edited(tmp_path, text) == text.replace("0.4", "0.62")
    assert name_of({"threshold": 0.4, "injection": "both"}) == "injection"


def test_of_two_thresholds_the_one_that_counts_is_set(tmp_path: Path) -> None:
    """Among the options goes before what stands beside the kind, as it is read."""
    for text in (
        "guardrails:\n- threshold: 0.4\n  injection: {threshold: 0.5}\n",
        "guardrails:\n- injection:\n    threshold: 0.5\n  threshold: 0.4\n",
    ):
        assert edited(tmp_path, text) == text.replace("0.5", "0.62")


def test_a_file_of_json_and_one_of_windows_stay_what_they_are(tmp_path: Path) -> None:
    json_ = '{"prompt": "p.md", "guardrails": [{"injection": {"on": ["input"]}}]}'
    assert edited(tmp_path, json_) == (
        '{"prompt": "p.md", "guardrails": [{"injection": {"on": ["input"], "threshold": 0.62}}]}'
    )
    bare = '{"guardrails": ["injection", {"pii": null}, {"topic": ["orders"]}]}'
    for name, there in (("injection", None), ("pii", None), ("topic", {"allowed": ["orders"]})):
        (entry,) = [e for e in json.loads(edited(tmp_path, bare, name))["guardrails"] if name in e]
        assert entry == {name: {**(there or {}), "threshold": 0.62}}
    dos = "\ufeffguardrails:\r\n  - injection:\r\n      on: input\r\nevals: []\r\n"
    assert edited(tmp_path, dos) == dos.replace("input\r\n", "input\r\n      threshold: 0.62\r\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("guardrails: [pii]\n", "has no guardrail 'injection'; known here: pii"),
        ("prompt: p.md\n", "has no guardrail 'injection'"),
        ("own: &own {on: input}\nguardrails:\n- injection: *own\nmore: *own\n", "write 'threshold: 0.62'"),
        ("guardrails:\n- injection: |\n    judge\n", "write 'threshold: 0.62'"),
        ("guardrails:\n- pii\n- injection: !odd {a: 1}\n", "tag"),
    ],
)
def test_what_can_not_be_edited_safely_is_left_alone_and_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises((UsageError, WorkspaceError), match=r"injection|tag") as caught:
        edited(tmp_path, text)
    assert said in str(caught.value)
    assert (tmp_path / FILE).read_text() == text


def test_a_bare_value_of_a_function_has_no_name_to_be_written_out_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in your editor"):
        edited(tmp_path, "guardrails:\n- mine: 3\n", "mine")


_NAMES = st.sampled_from(["injection", "topic", "grounded", "mine"])
_OPTIONS = st.sampled_from(
    ["", ": {}", ":", ": {on: input}", ": {threshold: 0.1}", ":\n    on: [input, output]\n    threshold: .5"]
)


@given(st.lists(st.tuples(_NAMES, _OPTIONS), min_size=1, max_size=4), st.data())
def test_whatever_stands_around_it_reads_as_before(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, str]], data: st.DataObject
) -> None:
    text = "a: 1\nguardrails:\n" + "".join(f"- {name}{options}\n" for name, options in entries) + "b: 2\n"
    at = data.draw(st.sampled_from(sorted({name for name, _ in entries})))
    value = data.draw(st.floats(0, 1))
    there = Document(edited(tmp_path_factory.mktemp("w"), text, at, value)).value
    was = Document(text).value
    first = [name_of(entry) for entry in was["guardrails"]].index(at)
    assert [n for n, entry in enumerate(was["guardrails"]) if entry != there["guardrails"][n]] in (
        [first],
        [],
    )
    assert there["guardrails"][first][at]["threshold"] == value
    assert (there["a"], there["b"], list(there)) == (1, 2, list(was))
