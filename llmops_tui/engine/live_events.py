"""What the Live screen is told: part of `engine.session_api`."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.playground import NewCase


class LiveDraft(msgspec.Struct, frozen=True):
    """The case that a live request would be.

    Attributes:
        config: whose case it becomes.
        answer: what was answered; untrusted.
        files: eval files that it may go into, the usual one first.
        alike: cases that ask nearly the same, a sentence each; untrusted.
    """

    config: str
    new: NewCase
    answer: str
    files: tuple[str, ...]
    alike: tuple[str, ...] = ()
