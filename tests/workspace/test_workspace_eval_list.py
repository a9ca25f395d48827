"""An eval file named in a configuration: all that was there stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.errors import UsageError
from llmops_tui.workspace.eval_list import _added, add_eval_file
from llmops_tui.workspace.yaml_document import Document


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("evals: [a.yaml]  # all\n", "evals: [a.yaml, evals/live.yaml]  # all\n"),
        ('evals: ["a.yaml"]', 'evals: ["a.yaml", "evals/live.yaml"]'),
        (
            "evals:\n  - a.yaml   # first\n# end\nprompt: p\n",
            "evals:\n  - a.yaml   # first\n  - evals/live.yaml\n# end\nprompt: p\n",
        ),
        ("evals:\n- a.yaml", "evals:\n- a.yaml\n- evals/live.yaml"),
        ("evals:\r\n- a.yaml\r\nx: 1\r\n", "evals:\r\n- a.yaml\r\n- evals/live.yaml\r\nx: 1\r\n"),
    ],
)
def test_it_comes_behind_the_last_one(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "c.yaml").write_bytes(before.encode())
    edit = add_eval_file(tmp_path, "c.yaml", "evals/live.yaml")
    assert edit is not None
    assert (tmp_path / "c.yaml").read_bytes().decode() == after
    assert add_eval_file(tmp_path, "c.yaml", "evals/live.yaml") is None


@pytest.mark.parametrize(
    "text", ["prompt: p\n", "evals: []\n", "a: &x [b.yaml]\nevals: *x\n", "evals: a.yaml\n"]
)
def test_what_can_not_be_edited_safely_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"add evals/live\.yaml to its evals"):
        add_eval_file(tmp_path, "c.yaml", "evals/live.yaml")
    assert (tmp_path / "c.yaml").read_text() == text


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(NAMES.filter(lambda name: name.strip() == name), st.booleans())
def test_whatever_the_name_it_reads_as_it_was_meant(name: str, flow: bool) -> None:
    text = "evals: [a.yaml]\nx: 1\n" if flow else "evals:\n  - a.yaml\nx: 1\n"
    try:
        made = _added(text, "c.yaml", name)
    except UsageError:
        return
    assert name == "a.yaml" if made is None else Document(made).value == {"evals": ["a.yaml", name], "x": 1}
