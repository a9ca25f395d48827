"""Every mistake names its file, its line, what is wrong and what would be right; all at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llmops_tui.domain.errors import WorkspaceError
from llmops_tui.workspace import find_root, load

Build = Callable[..., Path]


def said(root: Path) -> list[str]:
    """The mistakes of a workspace, as sentences."""
    return [str(problem) for problem in load(root).errors]


def test_a_folder_that_is_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="llmops-tui init"):
        find_root(tmp_path)


def test_a_root_that_is_not_there_is_the_only_thing_that_raises(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="there is no folder"):
        load(tmp_path / "gone")


def test_the_root_is_the_nearest_folder_above(workspace: Build) -> None:
    root = workspace()
    assert find_root(root / "prompts") == root.resolve()


def test_mistakes_in_three_files_are_all_reported_in_order(workspace: Build) -> None:
    root = workspace(
        prompt="user:\n{{ question | uper }}\n{{ 1 | rondom }}\n", settings={"budjet": {}, "wach": {}}
    )
    (root / "evals/bench.yaml").write_text(
        "cases:\n  - id: one\n    vars: {question: x}\n    tag: [a]\n  - id: 7\n", encoding="utf-8"
    )
    assert said(root) == [
        "evals/bench.yaml:4 unknown key 'tag' in cases[1]; did you mean 'tags'?",
        "evals/bench.yaml:5 'cases[2].id' must be text, not 7; put it in quotes: \"7\"",
        "llmops.yaml:1 unknown key 'budjet'; did you mean 'budget'?",
        "llmops.yaml:1 unknown key 'wach'; did you mean 'watch'?",
        "prompts/bench.md:2 there is no filter 'uper'; did you mean 'upper'?",
        "prompts/bench.md:3 there is no filter 'rondom'; did you mean 'round'?",
    ]


def test_a_mistake_in_a_configuration_leaves_the_others_usable(workspace: Build) -> None:
    root = workspace()
    (root / "configs/other.yaml").write_text(
        "prompt: prompts/benhc.md\nmodels: [echo/echo]\nevals: [evals/bench.yaml]\n", encoding="utf-8"
    )
    found = load(root)
    assert list(found.configurations) == ["bench"]
    assert [str(p) for p in found.errors] == [
        "configs/other.yaml:1 there is no file 'prompts/benhc.md'; did you mean 'prompts/bench.md'?"
    ]
    assert load(root, only="bench").errors == ()
    assert "did you mean 'bench'?" in str(load(root, only="bnech").errors[0])


def test_a_workspace_without_configurations_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    assert "there is no configuration" in said(tmp_path)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cases:\n", "evals/bench.yaml:1 is an empty eval set"),
        ("", "evals/bench.yaml:1 is an empty eval set"),
        ("cases: []\n", "evals/bench.yaml:1 is an empty eval set"),
        ("- id: a\n", "evals/bench.yaml:1 must be a mapping with 'cases', not a list; put 'cases:' above"),
        (
            "cases:\n  - id: a\n\t vars: {}\n",
            "evals/bench.yaml:3 is not valid YAML: a tab in the indentation",
        ),
        ("cases:\n  - id: a\n    id: b\n", "evals/bench.yaml:3 the key 'id' is there twice"),
        ("cases: [a: b: c]\n", "evals/bench.yaml:1 is not valid YAML"),
        ("cases:\n  - id: 'a\n", "is not valid YAML: a quote is not closed"),
        ("cases:\n  - id: !!python/name:os.system a\n", "evals/bench.yaml:2 tag"),
        ("cases: *nobody\n", "evals/bench.yaml:1 is not valid YAML"),
        ("cases: []\n---\ncases: []\n", "holds more than one YAML document"),
        ("cases: &a [*a]\n", "evals/bench.yaml:1 an alias contains itself"),
        ("cases:\n  - vars: {question: x}\n", "evals/bench.yaml:2 'id' is missing in cases[1]"),
    ],
)
def test_a_broken_eval_file(workspace: Build, text: str, expected: str) -> None:
    root = workspace()
    (root / "evals/bench.yaml").write_text(text, encoding="utf-8")
    assert any(expected in sentence for sentence in said(root)), said(root)


def test_aliases_that_multiply_are_refused(workspace: Build) -> None:
    levels = "\n".join(f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9))
    root = workspace()
    (root / "evals/bench.yaml").write_text(f"defaults:\n  l0: &l0 [x]\n{levels}\n", encoding="utf-8")
    assert any("aliases stand for more than" in sentence for sentence in said(root))


def test_yaml_nested_too_deeply_is_refused(workspace: Build) -> None:
    root = workspace()
    (root / "evals/bench.yaml").write_text("cases: " + "[" * 50_000, encoding="utf-8")
    assert any("not valid YAML" in s or "nested too deeply" in s for s in said(root))


def test_a_file_that_is_not_utf8_names_the_byte(workspace: Build) -> None:
    root = workspace()
    (root / "prompts/bench.md").write_bytes(b"user:\nna\xefve {{ question }}\n")
    assert said(root) == ["prompts/bench.md:2 is not UTF-8 text: byte 0xef at offset 8; save it as UTF-8"]


def test_a_200_mb_mistake_is_refused_without_reading_it(workspace: Build) -> None:
    root = workspace()
    for name in ("prompts/bench.md", "evals/bench.yaml"):
        with (root / name).open("wb") as file:
            file.truncate(200_000_000)
    assert [s.split(";")[0] for s in said(root)] == [
        "evals/bench.yaml is 200 MB",
        "prompts/bench.md is 200 MB",
    ] or all("is 200 MB" in s for s in said(root))


def test_files_outside_the_workspace_are_never_read(workspace: Build, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("user:\nsecret {{ question }}\n", encoding="utf-8")
    root = workspace()
    (root / "prompts/link.md").symlink_to(tmp_path / "secret.md")
    for path in ("../secret.md", str(tmp_path / "secret.md"), "prompts/link.md"):
        (root / "configs/bench.yaml").write_text(
            f"prompt: {path}\nmodels: [echo/echo]\nevals: [evals/bench.yaml]\n", encoding="utf-8"
        )
        found = load(root)
        assert found.configurations == {}
        assert "workspace" in str(found.errors[0])


def test_an_unknown_variable_names_the_line_that_reads_it(workspace: Build) -> None:
    root = workspace(prompt="system:\nBe brief.\n\nuser:\n{{ qestion }}\n")
    assert said(root) == [
        "prompts/bench.md:5 unknown variable 'qestion': no case gives it; did you mean 'question'?"
    ]


def test_a_case_without_a_variable_is_named(workspace: Build) -> None:
    cases = [{"id": "a", "vars": {"question": "x"}}, {"id": "b", "vars": {"qestion": "x"}}]
    sentence = said(workspace(cases=cases))[0]
    assert "case 'b' gives no 'question', which prompts/bench.md reads" in sentence
    assert "did you mean 'question' by 'qestion'?" in sentence


def test_thousands_of_equal_mistakes_are_counted_and_not_listed(workspace: Build) -> None:
    cases = [{"id": "a", "vars": {"question": "x"}}] + [{"id": f"c{n}"} for n in range(1000)]
    sentences = said(workspace(cases=cases))
    assert len(sentences) == 21
    assert sentences[-1].endswith("and 980 more mistakes like these")


def test_context_without_retrieval_says_what_to_add(workspace: Build) -> None:
    root = workspace(prompt="{{ context }} {{ question }}")
    assert said(root) == [
        "prompts/bench.md:1 'context' is what was retrieved, and the configuration has no retrieval; "
        "add 'retrieval: {source: docs}' to the configuration"
    ]


def test_duplicate_ids_across_files_name_both_places(workspace: Build) -> None:
    root = workspace(config={"evals": ["evals/bench.yaml", "evals/more.jsonl"]})
    (root / "evals/more.jsonl").write_text('{"id": "two", "vars": {"question": "x"}}\n', encoding="utf-8")
    [sentence] = said(root)
    assert sentence.startswith("evals/more.jsonl:1 the id 'two' is there already (evals/bench.yaml:")


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        ({"contians": "x"}, "there is no scorer 'contians'; did you mean 'contains'?"),
        ({"contains": {"value": "x", "case_sensitve": True}}, "contains has no option 'case_sensitve'; did"),
        ({"max_words": "many"}, "max_words: 'value' does not fit"),
        ({"contains": "x", "is_json": None}, "an entry names 2 scorers"),
        ({"contains": {"value": "x", "weight": 0}}, "the weight of contains must be a number above 0"),
        ({"contains": "x", "threshold": 2}, "the threshold of contains must be a number from 0 to 1"),
        ({"is_json": 3}, "is_json"),
        ("similarity", "case 'a' has no 'expected', and similarity is held against it"),
    ],
)
def test_a_scorer_that_can_not_be_used(workspace: Build, scorer: object, expected: str) -> None:
    root = workspace(cases=[{"id": "a", "vars": {"question": "x"}, "scorers": [scorer]}])
    [sentence] = said(root)
    assert expected in sentence
    assert sentence.startswith("evals/bench.yaml:")


def test_the_gate_refuses_a_margin_of_nothing_and_says_why(workspace: Build) -> None:
    [sentence] = said(workspace(settings={"gate": {"max_drop": 0}}))
    assert "no number of cases can prove" in sentence
