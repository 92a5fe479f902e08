"""Writes the miniature build: a shop with hand-written tools, in the compiler's form."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

MINIATURE = Path(__file__).parent / "miniature"

ORDER_ID = {"type": "string", "pattern": "^#W[0-9]{7}$"}
MONEY = {"type": "number", "minimum": 0}
PAYMENT = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["payment", "refund"]},
        "amount": {"type": "number"},
        "method": {"type": "string"},
        "at": {"type": "string", "format": "date-time-local"},
    },
    "required": ["type", "amount", "method", "at"],
    "additionalProperties": False,
}
ORDER = {
    "type": "object",
    "properties": {
        "order_id": ORDER_ID,
        "user_id": {"type": "string"},
        "status": {"type": "string"},
        "placed": {"type": "string", "format": "date"},
        "payments": {"type": "array", "items": {"$ref": "#/$defs/Payment"}, "default": []},
        "cancel_reason": {"type": "string"},
    },
    "required": ["order_id", "user_id", "status", "placed"],
    "additionalProperties": False,
}
USER = {
    "type": "object",
    "properties": {
        "user_id": {"type": "string"},
        "methods": {
            "type": "object",
            "additionalProperties": {"type": "object", "properties": {"balance": MONEY}},
        },
    },
    "required": ["user_id", "methods"],
}
RATE = {
    "type": "object",
    "properties": {"rate": {"type": "string", "format": "decimal"}},
    "required": ["rate"],
}
STATE_SCHEMAS: dict[str, Any] = {
    "tables": {
        "users": {"keys": [{"type": "string"}], "row": USER},
        "orders": {"keys": [ORDER_ID], "row": ORDER},
        "rates": {"keys": [{"type": "string"}, {"type": "string"}], "row": RATE},
    },
    "state": {"cancelled_today": {"type": "integer"}},
    "$defs": {"Payment": PAYMENT},
}


def order(number: int, status: str = "pending") -> dict[str, Any]:
    """An order of the user ann, as JSON."""
    payment = {"type": "payment", "amount": 12.5, "method": "g1", "at": "2024-05-01T09:00:00"}
    return {
        "order_id": f"#W{number:07}",
        "user_id": "ann",
        "status": status,
        "placed": "2024-05-01",
        "payments": [payment],
    }


def data(orders: int = 4) -> dict[str, Any]:
    """The base data, with that many orders."""
    rows = {f"#W{n:07}": order(n, "delivered" if n % 4 == 3 else "pending") for n in range(orders)}
    return {
        "tables": {
            "users": {
                "key": ["user_id"],
                "rows": {"ann": {"user_id": "ann", "methods": {"g1": {"balance": 5.0}, "p1": {}}}},
            },
            "orders": {"key": ["order_id"], "rows": rows},
            "rates": {"key": None, "rows": {'["USD","EUR"]': {"rate": "0.92"}}},
        },
        "state": {"cancelled_today": 0},
    }


def _parameters(**properties: Any) -> dict[str, Any]:
    required = [name for name, schema in properties.items() if not schema.pop("_optional", False)]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


REASONS = ["no longer needed", "ordered by mistake"]
PARAMETERS = {
    "get_order": _parameters(order_id=ORDER_ID),
    "cancel_order": _parameters(order_id=ORDER_ID, reason={"type": "string", "enum": REASONS}),
    "place_order": _parameters(
        user_id={"type": "string"},
        amounts={"type": "array", "items": MONEY, "default": [], "_optional": True},
        note={"type": "string", "_optional": True},
    ),
    "drop_order": _parameters(order_id=ORDER_ID),
    "half_way": _parameters(order_id=ORDER_ID),
    "roll": _parameters(sides={"type": "integer", "minimum": 1, "default": 6, "_optional": True}),
    "defect": _parameters(kind={"type": "string"}),
    "echo": _parameters(value={}),
    "convert": _parameters(base={"type": "string"}, quote={"type": "string"}),
}
_CANCEL = {"order_id": "#W0000001", "reason": "ordered by mistake"}
TASK: dict[str, Any] = {
    "id": "cancel_twice:#W0000001",
    "scenario": "cancel_twice",
    "bindings": {"o": order(1)},
    "kind": "multi_hop",
    "seed": 3,
    "tools": ["get_order", "cancel_order", "roll"],
    "system": "You help the customers of a shop.",
    "given": {"users": {"ann": {"user_id": "ann", "methods": {"g1": {"balance": 7}}}}},
    "turns": [
        {"user": "Please cancel #W0000001.", "steps": []},
        {
            "user": "Once more, please.",
            "steps": [],
            "given": {"cancelled_today": 100},
            "advance": "P1D",
        },
    ],
    "state": {},
    "fresh": [],
    "limits": {"calls": 3},
}


def write_build(folder: Path, orders: int = 4) -> Path:
    """Write `build/manifest.json` and `build/shop/`; the path of the latter."""
    schemas = [
        {"type": "function", "function": {"name": name, "description": "", "parameters": schema}}
        for name, schema in PARAMETERS.items()
    ]
    files = {
        "tools.py": (MINIATURE / "tools.py").read_text(),
        "verifiers.py": (MINIATURE / "verifiers.py").read_text(),
        "schemas.json": json.dumps(schemas),
        "state_schemas.json": json.dumps(STATE_SCHEMAS),
        "data.json": json.dumps(data(orders)),
        "scenarios.jsonl": json.dumps(TASK) + "\n",
    }
    path = folder / "build" / "shop"
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text)
    hashes = {name: sha256(text.encode()).hexdigest() for name, text in files.items()}
    entry = {"version": "1.0", "clock": "2024-05-15T15:00:00", "seed": 7, "artifacts": hashes}
    manifest = {"language": 1, "environments": {"shop": entry}}
    (path.parent / "manifest.json").write_text(json.dumps(manifest))
    return path
