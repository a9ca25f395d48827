"""Variants of a configuration: validated as if they stood in the file, and the option is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_workspace import write_workspace

from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.variants import variants
from llmops_tui.workspace import load, read_variants

DOCS = {"docs/a.md": "alpha beta\n", "prompts/other.md": "user:\n{{ question }}!\n"}
RETRIEVAL = {"retrieval": {"source": "docs", "top_k": 1}, "params": {"temperature": 0}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    prompt = "user:\n{{ context }} {{ question }}\n"
    return write_workspace(tmp_path, config=RETRIEVAL, files=DOCS, prompt=prompt)


def read(root: Path, *sets: str) -> Configuration:
    (found,) = read_variants(root, "bench", variants(sets, ()))
    return found


def parts(configuration: Configuration) -> dict[str, Any]:
    return {p.label: p.value for p in configuration.manifest.parts}


def test_a_variant_is_what_the_file_would_be(root: Path) -> None:
    found = read(root, "params.temperature=0.5", "retrieval.top_k=2", "params.extra_body.x.y=[1, 2]")
    (root / "configs/bench.yaml").write_text(
        "prompt: prompts/bench.md\nmodels: [echo/echo]\nevals: [evals/bench.yaml]\n"
        "params: {temperature: 0.5, extra_body: {x: {y: [1, 2]}}}\nretrieval: {source: docs, top_k: 2}\n"
    )
    assert found.manifest == load(root).configurations["bench"].manifest


def test_values_are_read_as_yaml_and_empty_leaves_a_parameter_out(root: Path) -> None:
    found = parts(read(root, "params.temperature=", 'params.stop=["a,b", c]', "params.note=no"))
    assert "params.temperature" not in found
    assert found["params.stop"] == ["a,b", "c"]
    assert found["params.note"] == "no"


def test_one_model_needs_no_brackets_and_several_may_go_without(root: Path) -> None:
    assert [m.id for m in read(root, "models=echo/other").models] == ["echo/other"]
    assert [m.id for m in read(root, "models=[echo/a, echo/b]").models] == ["echo/a", "echo/b"]
    assert [m.id for m in read(root, "models=echo/a,echo/b").models] == ["echo/a", "echo/b"]


def test_another_prompt_file(root: Path) -> None:
    found = read(root, "prompt=prompts/other.md", "retrieval=null")
    assert found.prompt_file == "prompts/other.md"
    assert found.manifest.part("retrieval") is None


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (
            "retrieval.topk=2",
            "--set retrieval.topk=2: unknown key 'topk' in retrieval; did you mean 'top_k'?",
        ),
        ("model=echo/a", "--set model=echo/a: unknown key 'model'; did you mean 'models'?"),
        ("retrieval.top_k=0", "--set retrieval.top_k=0: 'retrieval.top_k' must be at least 1, not 0"),
        (
            "retrieval.top_k=two",
            "--set retrieval.top_k=two: 'retrieval.top_k' must be a whole number, not 'two'",
        ),
        ("prompt.text=x", "--set prompt.text=x: 'prompt' must be text, not a mapping"),
        ("prompt=prompts/othr.md", "there is no file 'prompts/othr.md'; did you mean 'prompts/other.md'?"),
        ("models=[a b]", "--set models=[a b]: "),
        ("models=[]", "--set models=[]: 'models' must be a list with at least one entry"),
        ("params.stream=true", "--set params.stream=true: the parameter 'stream' is set by llmops-tui"),
        ("params.extra_body=1", "--set params.extra_body=1: 'params.extra_body' must be a mapping"),
        ("retrieval.overlap_words=500", "overlap_words must be less than chunk_words"),
        ("params.stop={a: b: c}", "--set params.stop={a: b: c}: "),
        ("evals=evals/other.yaml", "--set evals=evals/other.yaml: 'evals' says which cases judge a version"),
        ("trials=3", "--set trials=3: 'trials' says how often a case is asked and makes no other version"),
    ],
)
def test_a_mistake_names_the_option_and_no_line_of_the_file(root: Path, option: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        read(root, option)
    assert says in str(error.value)
    assert "configs/bench.yaml" not in str(error.value)


def test_a_mistake_between_an_option_and_the_file_names_the_option(root: Path) -> None:
    (root / "configs/bench.yaml").write_text(
        "prompt: prompts/bench.md\nmodels: [echo/echo]\nevals: [evals/bench.yaml]\n"
        "retrieval: {source: docs, overlap_words: 40}\n"
    )
    with pytest.raises(UsageError) as error:
        read(root, "retrieval.chunk_words=20")
    assert str(error.value) == (
        "--set retrieval.chunk_words=20: overlap_words must be less than chunk_words (20)"
    )


def test_a_variable_that_cases_lack_is_said_of_the_prompt_file(root: Path) -> None:
    (root / "prompts/other.md").write_text("user:\n{{ question }} {{ nonesuch }}\n")
    with pytest.raises(UsageError) as error:
        read(root, "prompt=prompts/other.md")
    assert "prompts/other.md:2" in str(error.value)
    assert "nonesuch" in str(error.value)


def test_a_slip_in_a_parameter_is_a_warning_of_the_option(root: Path) -> None:
    (warning,) = [w for w in read(root, "params.temprature=0.5").warnings if "temprature" in w.message]
    assert str(warning).startswith("--set params.temprature=0.5: the parameter 'temprature' is sent as it is")
