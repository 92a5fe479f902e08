"""What goes wrong: failures that a model reads, and builds that cannot be loaded."""

from __future__ import annotations

from typing import Any


class Fail(Exception):
    """A tool failure; `value` is any JSON value and is exactly what the model reads."""

    code = "failed"

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


class BudgetExceeded(Fail):
    """A call used up its steps, or a text, list or integer outgrew its cap; always rolled back."""

    code = "exhausted"


class Malformed(ValueError):
    """A text that is not the strict JSON (or the ISO 8601 form) that is expected."""


class SchemaError(ValueError):
    """A schema or a pattern outside the subset that the runtime checks."""


class PatternError(SchemaError):
    """A pattern outside RE2's subset; the message says why and where."""


class BuildError(Exception):
    """A build folder or its data that cannot be loaded: missing, edited or not conforming."""
