"""Built-ins on JSON text."""

from __future__ import annotations

from typing import Any

from toolc_runtime.budget import MAX_TEXT, charge
from toolc_runtime.errors import Fail, Malformed
from toolc_runtime.schema import Check, Problems, summary
from toolc_runtime.values import parse


def is_json(text: str) -> bool:
    """Whether a text is strict JSON of at most MAX_TEXT characters."""
    charge(len(text))
    try:
        parse(text, MAX_TEXT)
    except Malformed:
        return False
    return True


def parse_json(text: str, check: Check | None = None) -> Any:
    """The value of a strict JSON text, as a check of `compile_schema` converts it.

    Fail for text that is not JSON, or has more than MAX_TEXT characters, and for a value that
    does not pass the check; the message says what is wrong and where.
    """
    charge(len(text))
    try:
        value = parse(text, MAX_TEXT)
    except Malformed as error:
        raise Fail(f"not JSON: {error}") from None
    if check is None:
        return value
    problems: Problems = []
    value = check(value, (), problems)
    if problems:
        raise Fail(f"unexpected JSON: {summary(problems, 'value')}")
    return value
