"""Weights that are not on this machine yet: which ones a workspace needs, and fetching them once."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from llmops_tui.domain.errors import ModelError, Problem
from llmops_tui.workspace.weights import Weights

#: Called with (bytes that are there, bytes in all; 0 where it is not known).
Progress = Callable[[int, int], None]


def missing(root: Path, *, only: str | None = None) -> tuple[Weights, ...]:
    """Weights that the workspace names, that are not on this machine and can be fetched.

    Reads `llmops.yaml` and the configurations alone; mistakes in them are left to `load`.
    """
    from llmops_tui.domain.schema import ConfigFile, ProviderEntry
    from llmops_tui.workspace.loading import config_files
    from llmops_tui.workspace.models import weights_of
    from llmops_tui.workspace.reader import Reader
    from llmops_tui.workspace.settings import read_settings
    from llmops_tui.workspace.validation import read_validated

    reader = Reader(root)
    entry = read_settings(reader).providers.get("local", ProviderEntry.model_validate({}))
    found: dict[str, Weights] = {}
    for path in config_files(reader, only).values():
        read = read_validated(reader, ConfigFile, path)
        for id_ in read[0].models if read is not None else ():
            provider, _, name = id_.partition("/")
            weights = weights_of(entry, name) if provider == "local" else None
            if weights is not None and weights.is_on_hub and weights.find(reader.root) is None:
                found[name] = weights
    return tuple(found.values())


def fetch(weights: Weights, progress: Progress) -> Path:
    """Download weights from the Hugging Face hub, once; the file.

    Raises:
        ModelError: they are on no hub, or could not be had.
    """
    if not weights.is_on_hub:
        raise ModelError(
            Problem(
                f"local/{weights.name} names no file on the Hugging Face hub",
                f"give its GGUF file in llmops.yaml (providers.local.models.{weights.name}.path)",
            )
        )
    target = weights.downloaded()
    if target.is_file():
        return target
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    folder = target.parents[len(Path(weights.hub_file).parts) - 1]
    # It would tell of each of its own retries, on the screen of the app too.
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    try:
        _look_up(constants.ENDPOINT)
        folder.mkdir(parents=True, exist_ok=True)
        huggingface_hub.hf_hub_download(
            weights.hub, weights.hub_file, local_dir=folder, tqdm_class=_reporting(progress)
        )
    except (OSError, ValueError, HfHubHTTPError) as error:
        said = str(error).split("\n")[0]
        raise ModelError(
            Problem(
                f"{weights.hub_file} can't be fetched from huggingface.co/{weights.hub}: {said}",
                f"be online, or give a GGUF file in llmops.yaml (providers.local.models.{weights.name}.path)",
            )
        ) from error
    return target


def _look_up(endpoint: str) -> None:
    """Fail at once where the hub's name is not known: the library would try for half a minute.

    Raises:
        OSError: there is no such name, or no network.
    """
    if not getproxies():
        socket.getaddrinfo(urlsplit(endpoint).hostname, 443)


def _reporting(progress: Progress) -> Any:
    """A progress bar that draws nothing and reports what it is told."""
    from huggingface_hub.utils import tqdm

    class Reporting(tqdm):  # type: ignore[misc]  # untyped
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})
            self._done, self._all = int(kwargs.get("initial") or 0), int(kwargs.get("total") or 0)
            progress(self._done, self._all)

        def update(self, n: float | None = 1) -> bool | None:
            self._done += int(n or 0)
            progress(self._done, max(self._all, int(self.total or 0)))
            return None

    return Reporting
