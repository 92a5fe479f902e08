"""Local names, and what the surrounding function may do."""

from __future__ import annotations

from collections.abc import Iterator

from toolc.analysis import core
from toolc.analysis.types import Type


class Scope:
    """Local names, innermost first."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        self.symbols: dict[str, core.Symbol] = {}

    def find(self, name: str) -> core.Symbol | None:
        """The innermost symbol of that name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.symbols:
                return scope.symbols[name]
            scope = scope.parent
        return None

    def add(self, name: str, kind: Type, mutable: bool = False) -> core.Symbol:
        """A new symbol in this scope."""
        symbol = core.Symbol(name, kind, mutable)
        self.symbols[name] = symbol
        return symbol

    def names(self) -> Iterator[str]:
        """Every visible name."""
        yield from self.symbols
        if self.parent is not None:
            yield from self.parent.names()


class Context:
    """What a body may do: `kind` is "fn", "proc", "tool", "given", "test", "constant", or
    "scenario" (expressions of a scenario, whose tools may be called in steps only)."""

    def __init__(self, kind: str, result: Type | None = None) -> None:
        self.kind = kind
        self.result = result
        self.loops = 0

    @property
    def writes(self) -> bool:
        return self.kind in ("proc", "tool", "given", "test")
