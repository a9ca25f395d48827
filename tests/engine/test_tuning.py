"""A guardrail's threshold, tuned: which configuration is meant, and what is written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.configuration import Configuration, Workspace
from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.guardrails.use import GuardrailUse, guardrail_parts
from llmops_tui.domain.manifest import make_manifest
from llmops_tui.domain.program import Program, PromptStep, Step
from llmops_tui.engine.tuning import set_threshold, threshold_of, uses_of


def workspace(root: Path, **guardrails: list[str]) -> Workspace:
    """Configurations with guardrails of these names, on disk and read."""
    configurations = {}
    (root / "configs").mkdir(exist_ok=True)
    for config, names in guardrails.items():
        file = f"configs/{config}.yaml"
        rows = "".join(f"  - {name}: {{threshold: 0.5}}  # {name}\n" for name in names)
        (root / file).write_text(f"# {config}\nguardrails:\n{rows}")
        uses = tuple(GuardrailUse(name, "injection", ("input",)) for name in names)
        program = Program((Step("", PromptStep("")),), guardrails=uses)
        manifest = make_manifest(guardrail_parts(uses))
        configurations[config] = Configuration(config, file, "", manifest, program, {}, (), ())
    return Workspace(str(root), configurations)


def test_the_only_configuration_that_has_it_is_written(tmp_path: Path) -> None:
    found = workspace(tmp_path, desk=["injection", "topic"], triage=["topic"])
    tuned = set_threshold(tmp_path, found, "injection", 0.62)
    assert (tuned.config, tuned.file, tuned.before, tuned.after) == ("desk", "configs/desk.yaml", 0.5, 0.62)
    assert (tmp_path / "configs/desk.yaml").read_text() == (
        "# desk\nguardrails:\n  - injection: {threshold: 0.62}  # injection\n"
        "  - topic: {threshold: 0.5}  # topic\n"
    )
    assert list(uses_of(found, "topic")) == ["desk", "triage"]


def test_of_several_the_named_one_is_written_and_no_other(tmp_path: Path) -> None:
    found = workspace(tmp_path, desk=["topic"], triage=["topic"])
    with pytest.raises(UsageError, match="guardrail of 2 configurations: desk, triage; name the one"):
        set_threshold(tmp_path, found, "topic", 0.3)
    before = (tmp_path / "configs/desk.yaml").read_text()
    set_threshold(tmp_path, found, "topic", 0.3, "triage")
    assert "topic: {threshold: 0.3}" in (tmp_path / "configs/triage.yaml").read_text()
    assert (tmp_path / "configs/desk.yaml").read_text() == before


@pytest.mark.parametrize(
    ("guardrail", "config", "said"),
    [
        ("injektion", None, "no configuration has a guardrail 'injektion'; did you mean 'injection'?"),
        ("topic", "desk", "configs/desk.yaml has no guardrail 'topic'; known here: injection"),
        ("injection", "dusk", "there is no configuration 'dusk'; did you mean 'desk'?"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, guardrail: str, config: str | None, said: str) -> None:
    found = workspace(tmp_path, desk=["injection"], triage=["topic"])
    with pytest.raises(UsageError) as caught:
        set_threshold(tmp_path, found, guardrail, 0.3, config)
    assert str(caught.value) == said


@pytest.mark.parametrize("value", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_a_threshold_is_above_0_and_at_most_1(tmp_path: Path, value: float) -> None:
    found = workspace(tmp_path, desk=["injection"])
    with pytest.raises(UsageError, match="above 0, at most 1"):
        set_threshold(tmp_path, found, "injection", value)
    assert "threshold: 0.5" in (tmp_path / "configs/desk.yaml").read_text()


@given(st.floats(min_value=0, max_value=1, exclude_min=True))
def test_the_score_that_it_was_taken_from_still_fires_and_little_else(value: float) -> None:
    written = threshold_of(value)
    assert 0 < written <= value
    assert value - written < 0.0002


def test_what_was_written_with_few_digits_stays_as_it_is() -> None:
    for n in range(1, 10_001):
        assert threshold_of(n / 10_000) == n / 10_000


def test_a_kind_that_only_fires_or_not_is_not_written(tmp_path: Path) -> None:
    found = workspace(tmp_path, desk=["injection"])
    desk = found.configurations["desk"]
    uses = (GuardrailUse("injection", "regex", ("input",)),)
    program = msgspec.structs.replace(desk.target, guardrails=uses)
    known = msgspec.structs.replace(
        found, configurations={"desk": msgspec.structs.replace(desk, target=program)}
    )
    before = (tmp_path / "configs/desk.yaml").read_text()
    with pytest.raises(
        UsageError, match="it fires or not: there is nothing to tune; 'regex' knows only 1 and 0"
    ):
        set_threshold(tmp_path, known, "injection", 0.7)
    assert (tmp_path / "configs/desk.yaml").read_text() == before
