"""Back office of an online shop, written by hand as the compiler would write it."""

from datetime import date, datetime
from typing import Any, Literal, TypedDict

from toolc_runtime.builtins import fresh_id, random_int, total
from toolc_runtime.errors import Fail
from toolc_runtime.state import State as BaseState
from toolc_runtime.state import Table, append, assign, each, erase, now, peek
from toolc_runtime.tool import Tool

Reason = Literal["no longer needed", "ordered by mistake"]


class Payment(TypedDict):
    type: str
    amount: float
    method: str
    at: datetime


class Order(TypedDict):
    order_id: str
    user_id: str
    status: str
    placed: date
    payments: list[Payment]


class State(BaseState):
    users: Table[str, dict[str, Any]]
    orders: Table[str, Order]
    rates: Table[tuple[str, str], dict[str, Any]]
    cancelled_today: int


def get_order(state: State, order_id: str) -> Order:
    """Look up an order."""
    return state.orders[order_id]


def cancel_order(state: State, order_id: str, reason: Reason) -> Order:
    """Cancel a pending order and refund it."""
    order = state.orders.get(order_id)
    if order is None:
        raise Fail("order not found")
    if order["status"] != "pending":
        raise Fail({"error": "only a pending order can be cancelled", "status": order["status"]})
    for p in each(state, order["payments"]):
        if p["type"] == "payment":
            refund = {
                "type": "refund",
                "amount": p["amount"],
                "method": p["method"],
                "at": now(state),
            }
            append(state.orders, order_id, "payments", value=refund)
            balance = peek(state.users, order["user_id"], "methods", p["method"], "balance")
            if balance is not None:
                assign(
                    state.users,
                    order["user_id"],
                    "methods",
                    p["method"],
                    "balance",
                    value=balance + p["amount"],
                )
    assign(state.orders, order_id, "status", value="cancelled")
    assign(state.orders, order_id, "cancel_reason", value=reason)
    state.cancelled_today += 1
    return state.orders[order_id]


def place_order(
    state: State, user_id: str, amounts: list[float], note: str | None
) -> dict[str, Any]:
    """Place an order under a fresh id."""
    order_id = fresh_id(state, "#W", 7)
    order: Any = {
        "order_id": order_id,
        "user_id": user_id,
        "status": "pending",
        "placed": now(state).date(),
        "payments": [],
    }
    state.orders.insert(order_id, order)
    if user_id not in state.users:
        raise Fail(f"unknown user: {user_id}")
    return {"order_id": order_id, "total": total(amounts), "note": note}


def drop_order(state: State, order_id: str) -> None:
    """Delete an order."""
    erase(state.orders, order_id)


def half_way(state: State, order_id: str) -> str:
    """Write, then refuse, and keep what was written."""
    state.cancelled_today += 10
    assign(state.orders, order_id, "status", value="odd")
    raise Fail("refused half way")


def roll(state: State, sides: int) -> int:
    """Roll a die."""
    return random_int(state, 1, sides)


def defect(state: State, kind: str) -> Any:
    """Go wrong after a write."""
    state.cancelled_today += 1
    assign(state.orders, "#W0000001", "status", value="broken")
    if kind == "loop":
        for _ in each(state, range(10_000_000)):
            pass
    if kind == "recursion":
        return defect(state, kind)
    if kind == "nan":
        return float("nan")
    if kind == "interrupt":
        raise KeyboardInterrupt
    return 1 // 0


def echo(state: State, value: Any) -> Any:
    """The value."""
    return value


def convert(state: State, base: str, quote: str) -> str:
    """An exchange rate."""
    return str(state.rates[base, quote]["rate"])


TOOLS: dict[str, Tool] = {
    "get_order": Tool(get_order, reads=("orders",)),
    "cancel_order": Tool(
        cancel_order, reads=("orders", "users"), writes=("orders", "users", "cancelled_today")
    ),
    "place_order": Tool(place_order, reads=("users",), writes=("orders",)),
    "drop_order": Tool(drop_order, writes=("orders",)),
    "half_way": Tool(half_way, writes=("orders", "cancelled_today"), keeps_effects=True),
    "roll": Tool(roll),
    "defect": Tool(defect, writes=("orders", "cancelled_today")),
    "echo": Tool(echo),
    "convert": Tool(convert, reads=("rates",)),
}
