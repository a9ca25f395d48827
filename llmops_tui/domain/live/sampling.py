"""Which live requests are judged. Pure."""

from __future__ import annotations

import hashlib

from llmops_tui.domain.live.request import Request
from llmops_tui.domain.live.settings import Sampling


def is_chosen(request: Request, sampling: Sampling) -> bool:
    """Whether a request is in the sample. The same trace is chosen or not wherever and whenever it is asked.

    Each feature has a rate of its own where one is given, so that a small one is not lost in a large one.
    """
    return is_sampled(request, sampling) or (sampling.always and is_worth(request))


def is_sampled(request: Request, sampling: Sampling) -> bool:
    """Whether it is in the random sample, which rates are told of."""
    rate = sampling.features.get(request.feature, sampling.rate)
    return place_of(request.trace_id) < rate


def is_worth(request: Request) -> bool:
    """Something is wrong with it, so it is judged in any case. It is not part of the random sample."""
    return request.failed or request.flagged or request.is_bad


def place_of(trace_id: str) -> float:
    """A number in [0, 1) made of the id; ids need not be random."""
    digest = hashlib.blake2b(trace_id.encode(), digest_size=7).digest()
    return int.from_bytes(digest) / (1 << 56)
