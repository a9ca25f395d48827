"""What a report is handed by the engine, by shape: the engine's own types fit.

The engine is above this room, so its types are described here and not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.output import Output
from llmops_tui.domain.ranking import Ranking
from llmops_tui.domain.run import RunInfo, Tally, VersionInfo
from llmops_tui.domain.score import Score
from llmops_tui.domain.version_figures import VersionFigures


class Side(Protocol):
    """One side of a case in one trial. `failure` says why there is no output."""

    @property
    def output(self) -> Output | None: ...
    @property
    def scores(self) -> tuple[Score, ...]: ...
    @property
    def failure(self) -> str | None: ...


class Detail(Protocol):
    """Both sides of a case, one entry a trial."""

    @property
    def baseline(self) -> Sequence[Side]: ...
    @property
    def candidate(self) -> Sequence[Side]: ...


class Texts(Protocol):
    """A changed part as text; `before` or `after` is empty where it is not there."""

    @property
    def label(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...


class Summary(Protocol):
    """A version and its newest run."""

    @property
    def version(self) -> VersionInfo: ...
    @property
    def run(self) -> RunInfo | None: ...
    @property
    def tally(self) -> Tally | None: ...
    @property
    def changed(self) -> tuple[str, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

    @property
    def cost_usd(self) -> float | None: ...

    @property
    def figures(self) -> VersionFigures: ...


DetailOf = Callable[[Pair], Detail]


class Gated(Protocol):
    """A gate that was carried out. `baseline` and `candidate` are as they were named."""

    @property
    def comparison(self) -> Comparison: ...
    @property
    def result(self) -> GateResult: ...
    @property
    def baseline(self) -> VersionInfo: ...
    @property
    def candidate(self) -> VersionInfo: ...
    @property
    def adapted(self) -> tuple[str, ...]: ...
    @property
    def cost_usd(self) -> float | None: ...
    @property
    def failures(self) -> tuple[str, ...]: ...


class Tried(Protocol):
    """Variants that were tried and ranked."""

    @property
    def config(self) -> str: ...
    @property
    def ranking(self) -> Ranking: ...
    @property
    def conclusion(self) -> tuple[str, ...]: ...
    @property
    def cases(self) -> int: ...
    @property
    def side_by_side(self) -> bool: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def provider_calls(self) -> int: ...
    @property
    def cost_usd(self) -> float | None: ...
    @property
    def failures(self) -> tuple[str, ...]: ...
    @property
    def cancelled(self) -> bool: ...


#: Case → the file and the line where it is written; the line is None where it is not known.
Places = Mapping[str, tuple[str, int | None]]
