"""What the files of a workspace come to: prompts, eval sets in three formats, scorers, documents."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops_tui.domain.configuration import Configuration
from llmops_tui.workspace import load, load_cached

Build = Callable[..., Path]


def bench(root: Path) -> Configuration:
    """The configuration, which must have no mistake."""
    found = load(root)
    assert found.errors == ()
    return found.configurations["bench"]


def messages(root: Path) -> list[tuple[str, str]]:
    part = bench(root).manifest.part("prompt")
    assert part is not None
    return [(role, source) for role, source in part.value["messages"]]


# -- prompts


def test_marker_lines_start_messages(workspace: Build) -> None:
    root = workspace(
        prompt="system:\nBe brief.\nuser: is no marker here\n\nuser:\n{{ question }}\nassistant:\nYes\n"
    )
    assert messages(root) == [
        ("system", "Be brief.\nuser: is no marker here"),
        ("user", "{{ question }}"),
        ("assistant", "Yes"),
    ]


def test_a_file_without_markers_is_one_user_message(workspace: Build) -> None:
    assert messages(workspace(prompt="Say: {{ question }}\n")) == [("user", "Say: {{ question }}")]


def test_defaults_of_the_front_matter_cover_variables(workspace: Build) -> None:
    root = workspace(
        prompt="---\ndescription: d\ndefaults: {tone: kind}\n---\nuser:\n{{ tone }} {{ question }}\n"
    )
    part = bench(root).manifest.part("prompt")
    assert part is not None
    assert part.value["defaults"] == {"tone": "kind"}


def test_lines_below_front_matter_are_counted_from_the_top_of_the_file(workspace: Build) -> None:
    root = workspace(prompt="---\ndefaults: {a: 1}\n---\n\nuser:\n\n{{ question }}\n{{ nobody }}\n")
    [problem] = load(root).errors
    assert (problem.file, problem.line) == ("prompts/bench.md", 8)


def test_includes_are_read_inside_the_workspace_and_are_part_of_the_version(workspace: Build) -> None:
    root = workspace(
        prompt='user:\n{% include "tone.md" %}\n{{ question }}\n',
        files={
            "prompts/tone.md": 'Be kind. {% include "shared/more.md" %}',
            "shared/more.md": "{{ question }}",
        },
    )
    before = bench(root)
    part = before.manifest.part("prompt")
    assert part is not None
    assert set(part.value["includes"]) == {"tone.md", "shared/more.md"}
    assert {"prompts/tone.md", "shared/more.md"} <= set(before.files)
    (root / "shared/more.md").write_text("other", encoding="utf-8")
    assert bench(root).manifest.hash != before.manifest.hash


@pytest.mark.parametrize("name", ["'../x.md'", "'/etc/passwd'", "name", "'gone.md'"])
def test_includes_that_reach_outside_or_nowhere_are_mistakes(workspace: Build, name: str) -> None:
    root = workspace(prompt=f"user:\n{{{{ question }}}}\n{{% include {name} %}}\n", files={"../x.md": "out"})
    problem = load(root).errors[0]
    assert (problem.file, problem.line) == ("prompts/bench.md", 3)


def test_what_is_random_is_refused(workspace: Build) -> None:
    root = workspace(prompt="user:\n{{ [question] | random }}\n{{ lipsum() }}\n")
    assert "gives other text each time" in str(load(root).errors[0])
    root = workspace(prompt="user:\n{{ question }}\n{{ lipsum() }}\n")
    assert "gives other text each time" in str(load(root).errors[0])


def test_a_variable_that_the_template_provides_for_may_be_left_out(workspace: Build) -> None:
    bench(
        workspace(prompt="{% if tone is defined %}{{ tone }}{% endif %}{{ question }}{{ x | default('y') }}")
    )


# -- eval sets


def test_yaml_values_are_those_of_yaml_1_2(workspace: Build) -> None:
    root = workspace()
    (root / "evals/bench.yaml").write_text(
        "cases:\n  - id: a\n    vars:\n      question: no\n      b: on\n      c: 2024-01-01\n      d: 0o17\n"
        "      e: 1:30\n      f: 007\n      g: true\n      h: 1.50\n      i: 12\n      j: ~\n      k: 1e3\n"
        "      l: .nan\n      7: seven\n",
        encoding="utf-8",
    )
    assert bench(root).cases[0].vars == {
        **{"question": "no", "b": "on", "c": "2024-01-01", "d": "0o17", "e": "1:30", "f": "007"},
        **{"g": True, "h": 1.5, "i": 12, "j": None, "k": 1000.0, "l": ".nan", "7": "seven"},
    }


def test_defaults_come_before_what_a_case_says_itself(workspace: Build) -> None:
    root = workspace()
    (root / "evals/bench.yaml").write_text(
        "defaults:\n  vars: {tone: kind, question: none}\n  scorers: [{max_words: 60}, is_json]\n"
        "  tags: [all]\n  group: g\n  trials: 2\n"
        "cases:\n  - {id: a, vars: {question: q}, scorers: [{max_words: 5}], tags: [own]}\n  - {id: b}\n",
        encoding="utf-8",
    )
    a, b = bench(root).cases
    assert a.vars == {"tone": "kind", "question": "q"}
    assert [use.label for use in a.scorers] == ["max_words", "is_json", "max_words#2"]
    assert (a.tags, a.group, a.trials) == (("all", "own"), "g", 2)
    assert (b.file, b.line) == ("evals/bench.yaml", 9)


def test_jsonl_has_a_case_a_line(workspace: Build) -> None:
    root = workspace(config={"evals": ["evals/more.jsonl"]})
    (root / "evals/more.jsonl").write_text(
        '{"id": "a", "vars": {"question": "x"}, "expected": {"n": 1}}\n\n'
        '{"id": "b", "vars": {"question": "y"}}\n',
        encoding="utf-8",
    )
    a, b = bench(root).cases
    assert (a.expected, a.line, b.line) == ({"n": 1}, 1, 3)


def test_csv_columns(workspace: Build) -> None:
    root = workspace(config={"evals": ["evals/more.csv"]})
    (root / "evals/more.csv").write_bytes(
        "\ufeffid,question,vars.contains,expected,tags,contains,scorers,trials\r\n"
        'a,"two\r\nlines, one cell",v,30 days,x; y,30,"[{max_words: 5}, is_json]",2\r\n'
        "b,q,,,,,,\r\n".encode()
    )
    a, b = bench(root).cases
    assert a.vars == {"question": "two\nlines, one cell", "contains": "v"}
    assert (a.expected, a.tags, a.trials) == ("30 days", ("x", "y"), 2)
    assert [use.label for use in a.scorers] == ["max_words", "is_json", "contains"]
    assert (b.expected, b.scorers, b.tags, b.line) == (None, (), (), 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "name,question\n1,2\n",
            "more.csv:1 the column 'id' is missing; add it; the columns are: name, question",
        ),
        ("id,question\na,b\nc\n", "more.csv:3 has 1 cells, the header has 2 columns"),
        ("id,id\na,b\n", "more.csv:1 the column 'id' is there twice"),
        ("id,question\n", "more.csv:1 is an empty eval set"),
        ('id,question\na,"b"c\n', "is not valid CSV"),
        ("id,question,scorers\na,b,{contains: \n", "more.csv:2 the column 'scorers' is not valid YAML"),
        ("id,question,trials\na,b,many\n", "more.csv:2 'trials' must be a whole number"),
        ("id,qestion\na,b\n", "unknown variable 'question': no case gives it; did you mean 'qestion'?"),
    ],
)
def test_a_broken_csv_file_names_the_line(workspace: Build, text: str, expected: str) -> None:
    root = workspace(config={"evals": ["evals/more.csv"]})
    (root / "evals/more.csv").write_text(text, encoding="utf-8")
    assert any(expected in str(problem) for problem in load(root).errors), load(root).errors


# -- scorers


def test_weight_and_threshold_stand_beside_any_scorer(workspace: Build) -> None:
    scorers = [{"similarity": {"value": "x", "weight": 2, "threshold": 0.5}}, {"contains": "x", "weight": 3}]
    uses = (
        bench(workspace(cases=[{"id": "a", "vars": {"question": "q"}, "scorers": scorers}])).cases[0].scorers
    )
    assert [(u.name, u.weight, u.threshold, u.uses_expected) for u in uses] == [
        ("similarity", 2.0, 0.5, False),
        ("contains", 3.0, None, False),
    ]
    assert "weight" not in uses[0].options


def test_only_a_scorer_without_its_own_reference_reads_expected(workspace: Build) -> None:
    case = {"id": "a", "vars": {"question": "q"}, "expected": "x", "scorers": ["similarity", {"equals": "y"}]}
    assert [u.uses_expected for u in bench(workspace(cases=[case])).cases[0].scorers] == [True, False]


PYTHON = """
import lib.words
from lib import tools as t

def polite(output, expected, *, word="please", strict):
    return word in output

async def later(output, **options):
    return True

def _hidden(output):
    return 1
"""


def with_python(workspace: Build, scorer: object, **more: str) -> Path:
    return workspace(
        cases=[{"id": "a", "vars": {"question": "q"}, "scorers": [scorer]}],
        config={"inputs": ["data/words.txt"]},
        files={
            "scorers.py": PYTHON,
            "lib/words.py": "import os\n",
            "lib/tools.py": "from . import words\nfrom .deep import x\n",
            "lib/deep.py": "x = 1\n",
            "unused.py": "y = 1\n",
            "data/words.txt": "a",
            **more,
        },
    )


def test_functions_of_scorers_py_are_scorers(workspace: Build) -> None:
    root = with_python(workspace, {"polite": {"strict": True, "weight": 2}})
    found = load(root)
    assert found.errors == ()
    [use] = found.configurations["bench"].cases[0].scorers
    assert (use.options, use.weight, use.uses_expected) == ({"strict": True}, 2.0, True)
    assert sorted(found.code.modules) == ["lib", "lib.deep", "lib.tools", "lib.words", "scorers"]
    assert found.code.trusted is False


@pytest.mark.parametrize("file", ["scorers.py", "lib/deep.py", "data/words.txt"])
def test_the_revision_follows_the_source_its_imports_and_its_inputs(workspace: Build, file: str) -> None:
    root = with_python(workspace, "later")
    before = bench(root)
    (root / "unused.py").write_text("y = 2\n", encoding="utf-8")
    assert bench(root).cases == before.cases
    with (root / file).open("a", encoding="utf-8") as opened:
        opened.write("\n# more\n")
    after = bench(root)
    assert after.cases[0].scorers[0].revision != before.cases[0].scorers[0].revision
    assert after.manifest == before.manifest


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        ("polte", "there is no scorer 'polte'; did you mean 'polite'?"),
        ("_hidden", "there is no scorer '_hidden'"),
        ("polite", "polite needs the option 'strict'"),
        ({"polite": {"strict": True, "wrod": 1}}, "polite takes no option 'wrod'; did you mean 'word'?"),
        ({"later": 3}, "the options of later must be a mapping"),
    ],
)
def test_a_function_that_can_not_be_used(workspace: Build, scorer: object, expected: str) -> None:
    [problem] = load(with_python(workspace, scorer)).errors
    assert expected in str(problem)


def test_a_syntax_error_in_scorers_py_names_its_line(workspace: Build) -> None:
    root = with_python(workspace, "later", **{"scorers.py": "x = 1\ndef later(:\n"})
    assert str(load(root).errors[-1]).startswith("scorers.py:2 is not valid Python")


# -- documents


def test_documents_are_the_text_files_of_the_folder(workspace: Build) -> None:
    root = workspace(
        prompt="{{ context }} {{ question }}",
        config={"retrieval": {"source": "docs"}},
        files={
            "docs/a.md": "alpha",
            "docs/deep/b.txt": "beta",
            "docs/page.html": "<h1>Title</h1><script>no()</script><p>One &amp; two</p>",
            "docs/.hidden.md": "no",
            "docs/picture.png": "no",
        },
    )
    (root / "docs/bad.md").write_bytes(b"\xff\xfe")
    found = load(root)
    assert found.errors == ()
    made = found.configurations["bench"]
    texts = {path: made.blobs[hash_] for path, hash_ in made.target.prompts[0].corpus.items()}
    assert texts == {
        "docs/a.md": "alpha",
        "docs/deep/b.txt": "beta",
        "docs/page.html": "Title\n\nOne & two\n",
    }
    assert [str(w) for w in made.warnings] == [
        "docs/bad.md left out: not UTF-8 text at byte 0; save it as UTF-8"
    ]


def test_a_folder_without_documents_is_a_mistake(workspace: Build) -> None:
    root = workspace(config={"retrieval": {"source": "docs"}}, files={"docs/x.png": ""})
    assert "'docs' holds no document" in str(load(root).errors[0])


def test_the_query_reads_variables_of_the_cases(workspace: Build) -> None:
    files = {"docs/a.md": "alpha"}
    root = workspace(config={"retrieval": {"source": "docs", "query": "{{ topic }}"}}, files=files)
    [problem] = load(root).errors
    assert "unknown variable 'topic'" in problem.message
    assert problem.file == "configs/bench.yaml"


def test_retrieval_that_the_prompt_does_not_read_is_a_warning(workspace: Build) -> None:
    root = workspace(config={"retrieval": {"source": "docs"}}, files={"docs/a.md": "alpha"})
    [warning] = bench(root).warnings
    assert "what is retrieved is not read by the prompt" in warning.message


def test_cases_may_give_the_context_themselves(workspace: Build) -> None:
    cases = [
        {"id": "a", "vars": {"question": "q", "context": "given"}},
        {"id": "b", "vars": {"question": "q"}},
    ]
    root = workspace(prompt="{{ context }} {{ question }}", cases=cases)
    [problem] = load(root).errors
    assert "case 'b' gives no 'context'" in problem.message


def test_numbers_of_any_size_are_kept_as_they_are(workspace: Build) -> None:
    root = workspace(config={"evals": ["evals/a.jsonl", "evals/b.yaml"]})
    (root / "evals/a.jsonl").write_text(
        '{"id": "a", "vars": {"question": 123456789012345678901234}}\n', "utf-8"
    )
    (root / "evals/b.yaml").write_text(
        "cases: [{id: b, vars: {question: 123456789012345678901234}}]", "utf-8"
    )
    a, b = load_cached(root).configurations["bench"].cases
    assert (a.vars["question"], b.vars["question"]) == (123456789012345678901234, "123456789012345678901234")


def test_reading_a_small_csv_file_leaves_the_limit_of_other_readers_alone(workspace: Build) -> None:
    before = csv.field_size_limit()
    root = workspace(config={"evals": ["evals/more.csv"]})
    (root / "evals/more.csv").write_text("id,question\na,b\n", encoding="utf-8")
    assert not load(root).errors
    assert csv.field_size_limit() >= before
