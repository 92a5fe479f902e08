"""Specs that tests scale."""

from __future__ import annotations

from pathlib import Path

from toolc.importing.spec import plain
from toolc.project import find_specs
from toolc.rewriting.spec import Spec, SpecError, load
from toolc.syntax import tree

HERE = Path(__file__).parent


def harbour() -> list[Spec]:
    """An environment in which every transformation applies somewhere, and another beside it."""
    return [load(str(HERE / f"{name}.toolc")) for name in ("harbour", "depot")]


def hand_written(root: Path, part: int = 1) -> list[Spec]:
    """The environments below a folder: whole, or one scenario in `part` and a task of each."""
    specs: list[Spec] = []
    for path in find_specs([str(root)])[0]:
        try:
            spec = load(path)
        except SpecError as error:
            assert "no environment" in str(error)
        else:
            specs.append(spec if part == 1 else _sampled(spec, part))
    return specs


def _sampled(spec: Spec, part: int) -> Spec:
    kept = set(list(spec.scenarios)[::part])

    def fewer(item: tree.Item) -> tree.Item | None:
        if not isinstance(item, tree.Scenario):
            return None if isinstance(item, tree.Test) else item
        if item.name.text not in kept:
            return None
        if item.family is None:
            return item
        made: tree.Item = item.replace(family=item.family.replace(sample=plain(1)))
        return made

    return spec.replaced(fewer)
