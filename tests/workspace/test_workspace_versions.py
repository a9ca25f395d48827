"""What makes a new version, and what does not."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.domain.manifest import Manifest, changed_parts
from llmops_tui.workspace import load
from llmops_tui.workspace.yaml_document import Document

Build = Callable[..., Path]
RETRIEVAL = {"retrieval": {"source": "docs", "top_k": 2}}


def manifest(root: Path) -> Manifest:
    found = load(root)
    assert found.errors == ()
    return found.configurations["bench"].manifest


def labels(before: Manifest, after: Manifest) -> list[str]:
    return [change.label for change in changed_parts(before, after)]


def test_a_version_has_one_part_for_each_thing_that_can_change(workspace: Build) -> None:
    root = workspace(
        config={"params": {"temperature": 0.0, "seed": 7, "stop": None, "extra_body": {"a": 1}}, **RETRIEVAL},
        files={"docs/a.md": "alpha"},
        models=["echo/a", "echo/b"],
    )
    found = load(root).configurations["bench"]
    assert [part.label for part in found.manifest.parts] == [
        "corpus",
        "models.echo/a",
        "models.echo/b",
        "params.extra_body",
        "params.seed",
        "params.temperature",
        "prompt",
        "retrieval",
    ]
    assert found.target.params == {"temperature": 0.0, "seed": 7, "extra_body": {"a": 1}}
    assert json.loads(found.blobs[found.target.prompts[0].prompt])["messages"][0][0] == "system"


def test_layout_of_the_yaml_makes_no_version(workspace: Build) -> None:
    root = workspace(config={"params": {"temperature": 0, "max_tokens": 80}})
    before = manifest(root)
    (root / "configs/bench.yaml").write_text(
        "# a comment\nevals: [evals/bench.yaml]\nparams:\n"
        "    max_tokens:   80  # tokens\n    temperature: 0.0\n\n"
        "description: for people\nmodels:\n- echo/echo\nprompt: 'prompts/bench.md'\n",
        encoding="utf-8",
        newline="\r\n",
    )
    assert manifest(root) == before


def test_line_ends_and_a_last_newline_of_the_prompt_make_no_version(workspace: Build) -> None:
    root = workspace(prompt="system:\nBe brief.\n\nuser:\n{{ question }}\n")
    before = manifest(root)
    (root / "prompts/bench.md").write_bytes(b"system:\r\nBe brief.\r\n\r\nuser:\r\n\r\n{{ question }}")
    assert manifest(root) == before


def test_cases_make_no_version(workspace: Build) -> None:
    root = workspace()
    before = manifest(root)
    (root / "evals/bench.yaml").write_text("cases: [{id: a, vars: {question: x}}]\n", encoding="utf-8")
    assert manifest(root) == before


def test_each_edit_changes_its_part_and_taking_it_back_is_the_same_version(workspace: Build) -> None:
    root = workspace(config={"params": {"temperature": 0}, **RETRIEVAL}, files={"docs/a.md": "alpha"})
    before = manifest(root)
    edits = {
        "prompts/bench.md": ("Be brief.", "Be kind.", ["prompt"]),
        "docs/a.md": ("alpha", "beta", ["corpus"]),
    }
    config = (root / "configs/bench.yaml").read_text(encoding="utf-8")
    for old, new, parts in (
        ('"temperature": 0', '"temperature": 1', ["params.temperature"]),
        ('"top_k": 2', '"top_k": 3', ["retrieval"]),
        ("echo/echo", "echo/other", ["models.echo/echo", "models.echo/other"]),
    ):
        assert old in config
        (root / "configs/bench.yaml").write_text(config.replace(old, new), encoding="utf-8")
        assert sorted(labels(before, manifest(root))) == parts
        (root / "configs/bench.yaml").write_text(config, encoding="utf-8")
    for file, (old, new, parts) in edits.items():
        text = (root / file).read_text(encoding="utf-8")
        (root / file).write_text(text.replace(old, new), encoding="utf-8")
        assert labels(before, manifest(root)) == parts
        (root / file).write_text(text, encoding="utf-8")
    assert manifest(root) == before


#: The library that writes here knows YAML 1.1, to which `0E0` is a text; to 1.2, which we read, a number.
NUMBER = re.compile(r"[-+]?\d+[eE][-+]?\d+")
texts = st.text(max_size=20).filter(lambda text: NUMBER.fullmatch(text) is None)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8).filter(lambda k: k != "<<" and NUMBER.fullmatch(k) is None),
        json_values,
        max_size=5,
    )
)
def test_what_yaml_writes_is_read_back(value: dict[str, Any]) -> None:
    import yaml

    assert Document(yaml.safe_dump(value, allow_unicode=False)).value == value
    assert Document(yaml.safe_dump(value, default_flow_style=True, sort_keys=False)).value == value


names = st.from_regex(r"x_[a-z]{1,8}", fullmatch=True)
scalars = st.booleans() | st.integers(-1000, 1000) | st.text(alphabet="ab: #'\"\n-", max_size=10)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(names, scalars, min_size=1, max_size=4), st.booleans(), st.randoms())
def test_any_layout_of_the_same_parameters_is_the_same_version(
    params: dict[str, Any], flow: bool, random: Any
) -> None:
    import yaml

    shuffled = list(params.items())
    random.shuffle(shuffled)
    body = {"prompt": "prompts/bench.md", "models": ["echo/echo"], "evals": ["evals/bench.yaml"]}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("configs", "prompts", "evals"):
            (root / name).mkdir()
        (root / "prompts/bench.md").write_text("{{ question }}", encoding="utf-8")
        (root / "evals/bench.yaml").write_text("cases: [{id: a, vars: {question: x}}]", encoding="utf-8")
        config = root / "configs/bench.yaml"
        config.write_text(json.dumps({**body, "params": params}), encoding="utf-8")
        before = manifest(root)
        text = yaml.safe_dump(
            {"params": dict(shuffled), **body}, default_flow_style=flow, sort_keys=False, indent=5
        )
        config.write_text(f"# layout\n{text}\n", encoding="utf-8")
        assert manifest(root) == before


@pytest.mark.parametrize("text", ["a: [1, 2", "{", "a:\n - b\n c", "? [x]\n: y", "%", "\x00", "a: \x07"])
def test_broken_yaml_is_one_clear_error(text: str) -> None:
    from llmops_tui.workspace.yaml_document import YamlError

    with pytest.raises(YamlError) as caught:
        Document(text)
    assert "\n" not in caught.value.message


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@`, \n\t?~<", max_size=40))
def test_any_text_is_a_value_or_a_clear_error(text: str) -> None:
    from llmops_tui.workspace.yaml_document import YamlError

    with contextlib.suppress(YamlError):  # anything else fails the test
        json.dumps(Document(text).value, allow_nan=False)
