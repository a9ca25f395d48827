"""How a reply of the help desk looks."""

from __future__ import annotations


def signed(answer: str, order: dict[str, str]) -> str:
    """The model's answer as it is sent. `answer` and `order` are results of steps, by their names."""
    return f"{answer}\n\nYour help desk, about order {order['order']}"
