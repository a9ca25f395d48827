"""Tools of the help desk: functions that a step, or a model, may call. A real one would ask the shop."""

from __future__ import annotations

ORDERS = {
    "1001": {"item": "desk lamp Fen", "state": "shipped", "arrives": "12 May"},
    "1002": {"item": "floor lamp Heron", "state": "being packed", "arrives": "14 May"},
    "1003": {"item": "ceiling lamp Wren", "state": "delivered", "arrives": "8 May"},
    "1004": {"item": "table lamp Moor", "state": "cancelled", "arrives": "no day"},
}


def order_status(order: str) -> dict[str, str]:
    """Look up an order of the customer.

    Args:
        order: number of the order, four digits.
    """
    found = ORDERS.get(order.strip().removeprefix("#"))
    if found is None:
        raise LookupError(f"there is no order {order}")
    return {"order": order, **found}
