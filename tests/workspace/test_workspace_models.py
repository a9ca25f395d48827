"""Model names: which client, which pin, which price; what is said about those that are not known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops_tui.domain.errors import ModelError
from llmops_tui.domain.model import Model
from llmops_tui.workspace import load, local_models
from llmops_tui.workspace.models import endpoint_of
from llmops_tui.workspace.weights import KNOWN, Weights, file_sha256

Build = Callable[..., Path]
GATEWAY = {
    "providers": {
        "gw": {"base_url": "https://user:pw@Gate.example/v1/", "price": {"m": {"input": 2, "output": 4}}}
    }
}


def model(root: Path) -> Model:
    found = load(root)
    assert found.errors == ()
    return found.configurations["bench"].models[0]


def test_an_openai_compatible_endpoint_is_pinned_without_credentials(workspace: Build) -> None:
    found = model(workspace(models=["gw/m"], settings=GATEWAY))
    assert (found.client, found.endpoint, found.name) == ("openai", "https://gate.example/v1", "m")
    assert found.price is not None
    assert (found.price.input_usd, found.price.output_usd, found.price.source) == (2e-6, 4e-6, "llmops.yaml")


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:9000/v1/", "http://127.0.0.1:9000/v1"),
        ("https://key@Host.example:444", "https://host.example:444"),
        ("https://a.example/v1?token=x", "https://a.example/v1"),
    ],
)
def test_endpoints(url: str, endpoint: str) -> None:
    assert endpoint_of(url) == endpoint


def test_other_providers_are_those_of_litellm_with_its_prices(workspace: Build) -> None:
    found = model(workspace(models=["openai/gpt-4o-2024-08-06"]))
    assert (found.client, found.name, found.floating) == ("litellm", "gpt-4o-2024-08-06", False)
    assert found.price is not None
    assert found.price.source == "litellm"
    assert found.price.output_usd > found.price.input_usd > 0
    assert load(workspace(models=["openai/gpt-4o-2024-08-06"])).problems == ()


@pytest.mark.parametrize("name", ["openai/gpt-4o", "mistral/mistral-small-latest"])
def test_an_alias_warns_and_still_works(workspace: Build, name: str) -> None:
    root = workspace(models=[name])
    assert model(root).floating
    [warning] = load(root).configurations["bench"].warnings
    assert "is an alias that the provider may move" in warning.message
    assert warning.file == "configs/bench.yaml"


def test_an_alias_with_dated_names_is_told_them(workspace: Build) -> None:
    [warning] = load(workspace(models=["openai/gpt-4o"])).problems
    assert "openai/gpt-4o-2024-08-06" in warning.remedy


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("opnai/gpt-4o", "there is no provider 'opnai'; did you mean 'openai'?"),
        ("gpt-4o", "'gpt-4o' names no provider; did you mean 'openai/gpt-4o'?"),
        ("nowhere-at-all/x", "set providers.nowhere-at-all.base_url in llmops.yaml"),
        ("local/smollm", "there is no local model 'smollm'"),
    ],
)
def test_a_model_that_is_not_known(workspace: Build, name: str, expected: str) -> None:
    [problem] = load(workspace(models=[name])).errors
    assert expected in str(problem)


def test_a_name_that_litellm_does_not_list_is_a_warning(workspace: Build) -> None:
    [warning] = load(workspace(models=["openai/gpt-4o-mni"])).problems
    assert warning.warning
    assert "did you mean 'gpt-4o-mini'?" in warning.remedy


def gguf(path: Path, content: bytes = b"weights") -> Path:
    path.write_bytes(b"GGUF" + content)
    return path


def test_a_local_model_is_pinned_by_its_file_and_its_settings(workspace: Build, tmp_path: Path) -> None:
    file = gguf(tmp_path / "tiny.gguf")
    local = {"providers": {"local": {"slots": 2, "models": {"tiny": {"path": str(file)}}}}}
    found = model(workspace(models=["local/tiny"], settings=local))
    assert (found.client, found.path) == ("local", str(file))
    assert found.pin["file_sha256"] == hashlib.sha256(b"GGUFweights").hexdigest()
    assert found.pin["runtime"].startswith("xllamacpp ")
    assert {k: found.pin[k] for k in ("slots", "context", "prompt_cache")} == {
        **{"slots": 2, "context": 2048, "prompt_cache": False}
    }
    assert str(tmp_path) not in str(found.identity())


def test_the_hash_of_weights_follows_their_content(tmp_path: Path) -> None:
    file = gguf(tmp_path / "a.gguf")
    first = file_sha256(file)
    assert file_sha256(file) == first
    gguf(file, b"other weights")
    assert file_sha256(file) == hashlib.sha256(b"GGUFother weights").hexdigest() != first


def test_a_file_that_is_no_gguf_is_a_mistake(tmp_path: Path, workspace: Build) -> None:
    (tmp_path / "a.gguf").write_bytes(b"<html>")
    local = {"providers": {"local": {"models": {"tiny": {"path": str(tmp_path / "a.gguf")}}}}}
    [problem] = load(workspace(models=["local/tiny"], settings=local)).errors
    assert "is no GGUF file" in str(problem)


def test_weights_that_are_missing_say_the_three_ways_to_have_them(
    workspace: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KNOWN["smollm2-135m-instruct"]
    absent = Weights(known.name, hub=known.hub, hub_file=known.hub_file, package="not_installed_anywhere")
    monkeypatch.setitem(KNOWN, known.name, absent)
    root = workspace(models=["local/smollm2-135m-instruct"])
    [problem] = load(root).errors
    assert "providers.local.models.smollm2-135m-instruct.path" in problem.remedy
    assert f"{known.hub_file} is downloaded from huggingface.co/{known.hub}" in problem.remedy
    assert "install the weights" in problem.remedy
    assert local_models.missing(root) == (absent,)
    absent.downloaded().parent.mkdir(parents=True)
    gguf(absent.downloaded())
    assert local_models.missing(root) == ()
    assert model(root).path == str(absent.downloaded())
    assert local_models.fetch(absent, lambda done, total: None) == absent.downloaded()


def test_weights_that_are_on_no_hub_can_not_be_fetched() -> None:
    with pytest.raises(ModelError, match="give its GGUF file"):
        local_models.fetch(Weights("tiny"), lambda done, total: None)


def test_echo_costs_nothing_and_a_model_is_named_once(workspace: Build) -> None:
    root = workspace(models=["echo/echo", "echo/echo"])
    assert "is named twice" in str(load(root).errors[0])
    price = model(workspace(models=["echo/echo"])).price
    assert price is not None
    assert price.input_usd == 0.0
