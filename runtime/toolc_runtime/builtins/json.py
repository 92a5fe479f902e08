"""Built-ins on JSON text."""

from __future__ import annotations

from typing import Any

from toolc_runtime.budget import MAX_TEXT, charge
from toolc_runtime.errors import Fail, Malformed
from toolc_runtime.values import parse


def parse_json(text: str) -> Any:
    """The value of a strict JSON text; Fail for other text."""
    charge(len(text))
    try:
        return parse(text, MAX_TEXT)
    except Malformed as error:
        raise Fail(f"not JSON: {error}") from None
