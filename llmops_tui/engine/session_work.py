"""Work that is longer than a run, as the app asks for it: which function carries out which request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import (
    AskFirst,
    AttackRequest,
    BisectRequest,
    Event,
    ExplainRequest,
    GateRequest,
    TryRequest,
    WorkRequest,
)

Handler = Callable[[Engine, Any, Callable[[Event], None]], Awaitable[Any]]


async def _gate(engine: Engine, request: GateRequest, emit: Callable[[Event], None]) -> Any:
    from llmops_tui.engine.gating import Gate

    return await Gate(engine).gate(request, emit)


async def _explain(engine: Engine, request: ExplainRequest, emit: Callable[[Event], None]) -> Any:
    from llmops_tui.engine.explaining import explain

    return await explain(engine, request, emit)


async def _try(engine: Engine, request: TryRequest, emit: Callable[[Event], None]) -> Any:
    from llmops_tui.engine.trying import try_variants

    return await try_variants(engine, request, emit)


async def _bisect(engine: Engine, request: BisectRequest, emit: Callable[[Event], None]) -> Any:
    from llmops_tui.engine.bisecting import bisect

    return await bisect(engine, request, emit)


async def _attack(engine: Engine, request: AttackRequest, emit: Callable[[Event], None]) -> Any:
    from llmops_tui.engine.attacking import Attacking

    return await Attacking(engine).attack(request, emit)


#: Each gives its result (for `WorkEnded`), or `AskFirst` where it costs and nobody agreed yet.
HANDLERS: dict[type[WorkRequest], Handler] = {
    GateRequest: _gate,
    ExplainRequest: _explain,
    TryRequest: _try,
    BisectRequest: _bisect,
    AttackRequest: _attack,
}


async def carry_out(engine: Engine, request: WorkRequest, emit: Callable[[Event], None]) -> Any | AskFirst:
    """Do the work of a request.

    Raises:
        LlmopsError: as its handler.
    """
    return await HANDLERS[type(request)](engine, request, emit)
