"""All guardrails of a version over one request: each sees what those before it left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.guardrails.use import STAGES, Action, GuardrailUse, Stage
from llmops_tui.domain.guardrails.wording import held_back, message_of
from llmops_tui.guardrails.apart import Apart
from llmops_tui.guardrails.evidence import evidence_of, redacted, safe_reason
from llmops_tui.guardrails.looking import Lookers, Seen, must_wait
from llmops_tui.guardrails.registry import About, Found
from llmops_tui.guardrails.watch import Decision, Piece, Watch

#: 0.1 + 0.2 shall reach 0.3.
_EPSILON = 1e-12


class Guards:
    """The guardrails of one version. May be used from several threads and event loops.

    Args:
        uses: in the order in which they look.
        apart: runs functions of `guardrails.py`; without it each of those fails.
        times_judges: a judge that takes longer than its guardrail may is cut off here. False: who asks sees
            to that, as where requests wait for a free place at the provider; and a large kind waits for its
            process as long as others are before it.
    """

    def __init__(
        self, uses: Sequence[GuardrailUse], apart: Apart | None = None, *, times_judges: bool = True
    ) -> None:
        self._lookers = Lookers(apart, times_judges)
        self._at: dict[Stage, tuple[GuardrailUse, ...]] = {
            stage: tuple(use for use in uses if stage in use.on) for stage in STAGES
        }
        self._waits = {stage: any(map(must_wait, uses)) for stage, uses in self._at.items()}

    def has(self, stage: Stage) -> bool:
        """Whether anything looks there."""
        return bool(self._at[stage])

    def waits(self, stage: Stage) -> bool:
        """Whether a look there must be awaited: a function, a judge, or what runs in a process of its own."""
        return self._waits[stage]

    def prepare(self) -> dict[str, str]:
        """Compile and load now what the first look would wait for.

        Returns:
            Guardrail → why it can't be made here, a clause: each of its looks would fail.
        """
        for use in {use.name: use for uses in self._at.values() for use in uses}.values():
            self._lookers.prepare(use)
        return dict(self._lookers.broken)

    async def check(
        self,
        stage: Stage,
        pieces: Sequence[Piece],
        watch: Watch,
        *,
        vars: dict[str, Any] | None = None,
        context: Sequence[str] = (),
        tool: str = "",
    ) -> Decision:
        """Let every guardrail of a stage look, in order.

        Never raises for a fault of a guardrail: its look says how it failed, and what was done.

        Args:
            pieces: what is looked at; of a tool its arguments as JSON, with letters as they are.
            vars, context, tool: see `About`.
        """
        course = _Course(pieces)
        about = About(stage, vars or {}, tuple(context), tool)
        for use in self._at[stage]:
            left = [(n, piece) for n, piece in enumerate(course.pieces) if piece is not None]
            if not left or course.ends is not None:
                break
            looker = self._lookers.of(use)
            with watch.look(use, stage) as watched:
                seen = await looker([piece for _, piece in left], about, watched)
                look, evidence = course.follow(use, about, [n for n, _ in left], seen)
                watched.saw(look, evidence)
        return course.decision()

    def check_now(
        self,
        stage: Stage,
        pieces: Sequence[Piece],
        watch: Watch,
        *,
        vars: dict[str, Any] | None = None,
        context: Sequence[str] = (),
        tool: str = "",
    ) -> Decision:
        """`check`, at once.

        Raises:
            RuntimeError: something there must be awaited.
        """
        looking = self.check(stage, pieces, watch, vars=vars, context=context, tool=tool)
        if self._waits[stage]:
            looking.close()
            raise RuntimeError(f"what looks at '{stage}' must be awaited")
        try:
            looking.send(None)  # nothing in it waits, so it comes to its end
        except StopIteration as done:
            decision: Decision = done.value
            return decision
        looking.close()
        raise RuntimeError(f"what looks at '{stage}' must be awaited")


class _Course:
    """What became of the pieces of one stage so far."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces: list[Piece | None] = list(pieces)
        self.ends: str | None = None
        self._refused = False
        self._told = ""
        self._looks: list[Look] = []

    def decision(self) -> Decision:
        over = self.ends is not None
        texts = tuple(None if over or piece is None else piece.text for piece in self.pieces)
        return Decision(tuple(self._looks), texts, self.ends, self._refused, self._told)

    def follow(self, use: GuardrailUse, about: About, places: list[int], seen: Seen) -> tuple[Look, str]:
        """Do what follows from one look.

        Args:
            places: of the pieces that were looked at.

        Returns:
            The look, and what it fired on.
        """
        fired = {
            places[n]: found
            for n, found in enumerate(seen.found)
            if found is not None and found.score >= use.threshold - _EPSILON
        }
        failed = [places[n] for n, found in enumerate(seen.found) if found is None]
        closed = bool(failed) and use.on_error == "closed"
        scores = [found.score for found in seen.found if found is not None]
        evidence = self._evidence(use, fired) if fired else ""
        if closed or (failed and not fired):
            # Those that it passed before it failed may go on.
            hit = sorted({*fired, *failed}) if closed else []
            action = ("fallback" if use.action == "fallback" else "block") if closed else ""
            look = Look(use.name, about.stage, False, action, None, "", seen.error, tuple(hit))
        elif fired:
            action, hit = use.action, sorted(fired)
            reason = safe_reason(max(fired.values(), key=lambda found: found.score).reason)
            if failed:
                reason = safe_reason(f"{reason}; not all was looked at: {seen.error}".removeprefix("; "))
            look = Look(use.name, about.stage, True, action, max(scores), reason, "", tuple(hit))
        else:
            action, hit = "", []
            look = Look(use.name, about.stage, False, "", max(scores, default=0.0))
        if action:
            done = self._act(use, action, about, hit, fired)
            look = msgspec.structs.replace(look, action=done)
        self._looks.append(look)
        return look, evidence

    def _evidence(self, use: GuardrailUse, fired: dict[int, Found]) -> str:
        texts = ((self.pieces[n], found) for n, found in fired.items())
        return evidence_of(use, [(piece.text, found) for piece, found in texts if piece is not None])

    def _act(
        self, use: GuardrailUse, action: Action | str, about: About, hit: list[int], fired: dict[int, Found]
    ) -> Action | str:
        """Returns:
        What was done: `redact` blocks where nothing of a tool's arguments would be left to read.
        """
        if action == "redact":
            left = {n: self._redacted(use, about, n, fired[n]) for n in hit}
            if None not in left.values():
                for n, piece in left.items():
                    self.pieces[n] = piece
                return action
            action = "block"
        if action == "block":
            for n in hit:
                self.pieces[n] = None
            if about.stage in ("input", "output"):
                self.ends, self._refused = message_of(use.message, about.stage), True
            elif about.stage != "context":
                self._told = held_back(use.name, about.stage, about.tool)
        elif action == "fallback":
            self.ends = message_of(use.message, about.stage)
        return action

    def _redacted(self, use: GuardrailUse, about: About, n: int, found: Found) -> Piece | None:
        piece = self.pieces[n]
        assert piece is not None
        text = redacted(piece.text, found.matches, use.name)
        if about.stage == "tool_call" and _is_json(piece.text) and not _is_json(text):
            return None
        return Piece(text, piece.where)


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
