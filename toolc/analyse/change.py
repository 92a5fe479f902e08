"""How far parameters have moved: the norm of the difference, relative to the norm before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from toolc.analyse.checkpoint import Checkpoint, CheckpointError
from toolc.analyse.place import MODULES, place_of


class Change(NamedTuple):
    """Sums over parameters: their number, how many are not the same, and the sums of squares of
    the values before and of the differences."""

    parameters: int = 0
    changed: int = 0
    before: float = 0.0
    difference: float = 0.0

    @property
    def relative(self) -> float | None:
        """‖B-A‖ / ‖A‖; None where A is 0 and B is not, or where either holds values that are no
        numbers."""
        if self.difference == 0:
            return 0.0
        if not self.before or not math.isfinite(self.before + self.difference):
            return None
        return math.sqrt(self.difference / self.before)

    def to_json(self) -> dict[str, Any]:
        """The figures: `parameters`, `relative` change, and the share of those `changed`."""
        return {
            "parameters": self.parameters,
            "relative": self.relative,
            "changed": self.changed / self.parameters if self.parameters else 0.0,
        }


def together(changes: Iterable[Change]) -> Change:
    """The change of several, as of one."""
    return Change(*map(sum, zip(Change(), *changes, strict=True)))


Layer = tuple[str, int | None]
"""The name of the layers and the number of one; ("", None) is what is outside of any."""


class Changes(NamedTuple):
    """The change of every tensor, by its name, and by layer and module."""

    tensors: Mapping[str, Change]
    cells: Mapping[tuple[Layer, str], Change]

    def total(self, layer: Layer | None = None, module: str | None = None) -> Change:
        """The change of a layer, of a module, of one in the other, or of all."""
        return together(
            change
            for (own, its), change in self.cells.items()
            if layer in (None, own) and module in (None, its)
        )

    def layers(self) -> list[Layer]:
        """The layers that there are, in order, of which the last is what is outside of any."""
        found = {layer for layer, _ in self.cells}
        return sorted(found, key=lambda each: (each[1] is None, each[0], each[1] or 0))

    def modules(self) -> list[str]:
        """The modules that there are, in order."""
        found = {module for _, module in self.cells}
        return [name for name in MODULES if name in found]


def gathered(tensors: Mapping[str, Change]) -> Changes:
    """Changes of tensors, with those of the layers and modules that they are of."""
    cells: dict[tuple[Layer, str], list[Change]] = {}
    for name, change in tensors.items():
        stack, layer, module = place_of(name)
        cells.setdefault(((stack, layer), module), []).append(change)
    return Changes(tensors, {cell: together(found) for cell, found in cells.items()})


def measure(a: Checkpoint, b: Checkpoint, done: Callable[[], object]) -> Changes:
    """The change from one checkpoint to another, both open; `done` is called after each tensor.
    Raises `CheckpointError` where they are not of the same model."""
    same_shapes(a, b)
    made = {}
    for name in sorted(a.tensors):
        pairs = zip(a.parts(name), b.parts(name), strict=True)
        made[name] = together(_between(mine, its) for mine, its in pairs)
        done()
    return gathered(made)


def same_shapes(a: Checkpoint, b: Checkpoint) -> None:
    """Raises `CheckpointError` where two checkpoints differ in names or shapes."""
    for name in sorted(a.tensors.keys() | b.tensors.keys()):
        for has, lacks in ((a, b), (b, a)):
            if name not in lacks.tensors:
                raise CheckpointError(
                    f"these are different models: `{has.folder}` has `{name}`, "
                    f"`{lacks.folder}` has not"
                )
        mine, its = a.tensors[name].shape, b.tensors[name].shape
        if mine != its:
            raise CheckpointError(
                f"these are different models: `{name}` is {_shape(mine)} in `{a.folder}`, "
                f"{_shape(its)} in `{b.folder}`"
            )


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a number"


def _between(mine: Any, its: Any) -> Change:
    """The sums over two vectors of the same length."""
    a, b = mine.double(), its.double()
    difference = b - a
    return Change(
        a.numel(),
        int((difference != 0).sum()),
        float(a.dot(a)),
        float(difference.dot(difference)),
    )
