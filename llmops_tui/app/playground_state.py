"""What the playground holds: what is typed, what was asked, and the answers as they come. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmops_tui.domain.playground import Variable, shown_value
from llmops_tui.engine.events import PlaygroundSides
from llmops_tui.engine.playground_events import Answered, Answering, PlaygroundRequest

#: Inputs that are remembered in a session.
MOST_REMEMBERED = 100

Texts = dict[str, str]


class PlaygroundState:
    """Outlives its screen, so that nothing typed or answered is lost by looking elsewhere.

    Attributes:
        sides: what would be asked; None until it is known.
        texts: what is typed, by variable.
        filled: what was filled in for the person, and not typed.
        remembered: what was asked, the newest last.
        answers: (column, side) → the answer so far.
        side: whose answer is copied and taken over: 0 left, 1 right.
        trial: which answer to these inputs was asked for, from 0.
    """

    def __init__(self) -> None:
        self.sides: PlaygroundSides | None = None
        self.texts: Texts = {}
        self.filled: Texts = {}
        self.remembered: list[Texts] = []
        self.answers: dict[tuple[int, int], Answering] = {}
        self.ended: Answered | None = None
        self.asked: Texts = {}
        self.vars: dict[str, Any] = {}
        self.number = 0
        self.trial = 0
        self.side = 1
        self.is_asking = False

    @property
    def is_untouched(self) -> bool:
        """Nothing is typed that would be lost: it is what was filled in, or what was asked."""
        typed = {name: text for name, text in self.texts.items() if text}
        known = [self.filled, *self.remembered]
        return not typed or any(typed == {n: t for n, t in k.items() if t} for k in known)

    def fill(self, values: Mapping[str, Any]) -> None:
        """Put a case's inputs in place of what is typed."""
        self.filled = {name: shown_value(value) for name, value in values.items()}
        self.texts = dict(self.filled)

    def variables(self) -> tuple[Variable, ...]:
        """A box each: what the prompt reads, then what was filled in beside it."""
        known = self.sides.variables if self.sides is not None else ()
        names = {v.name for v in known}
        return (*known, *(Variable(name, required=False) for name in self.texts if name not in names))

    def ask(
        self, config: str, values: dict[str, Any], against: str | None, *, further: bool
    ) -> PlaygroundRequest:
        """Note that this is asked now.

        Args:
            further: once more, as a further answer to the same inputs.
        """
        same = values == self.vars
        self.trial = self.trial + 1 if further and same else 0
        self.number += 1
        self.vars, self.asked = values, dict(self.texts)
        self.answers, self.ended, self.is_asking = {}, None, True
        self.remembered = [t for t in self.remembered if t != self.asked][1 - MOST_REMEMBERED :]
        self.remembered.append(dict(self.asked))
        return PlaygroundRequest(config, values, self.number, against, self.trial)

    def take(self, event: Answering | Answered) -> bool:
        """Take an event in. True where the screen should follow at once."""
        if event.number != self.number:
            return False  # of what was asked before
        if isinstance(event, Answered):
            self.ended, self.is_asking = event, False
            return True
        self.is_asking = True
        self.answers[event.column, event.side] = event
        return event.done

    def columns(self) -> Sequence[tuple[Answering | None, Answering | None]]:
        """The answers, left beside right."""
        numbers = sorted({column for column, _side in self.answers})
        return [(self.answers.get((n, 0)), self.answers.get((n, 1))) for n in numbers]

    def chosen(self) -> Answering | None:
        """The answer of the chosen side; of the other one where that has none."""
        for side in (self.side, 1 - self.side):
            for a in self.columns():
                if (found := a[side]) is not None:
                    return found
        return None

    def other_side(self) -> None:
        self.side = 1 - self.side

    def answer_text(self) -> str | None:
        found = self.chosen()
        return found.output.text if found is not None and found.output is not None else None
