"""The registry of built-ins: signatures that parse, examples that check."""

from __future__ import annotations

import pytest

from tests.analysis.samples import judge
from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS, FAMILIES, Builtin, Variable, signatures
from toolc.analysis.types import Type
from toolc.diagnostics.rules.sample import value

ALL = [builtin for family in FAMILIES.values() for builtin in family]


@pytest.mark.parametrize("builtin", ALL, ids=lambda builtin: builtin.name)
def test_examples(builtin: Builtin) -> None:
    assert f"{builtin.name}(" in builtin.example
    assert judge(value(builtin.example, result="bool")) == ()


def variables(kind: Type) -> set[str]:
    if isinstance(kind, Variable):
        return {kind.name}
    parts = kind.items if isinstance(kind, t.Tuple) else tuple(kind.__dict__.values())
    return {name for part in parts if isinstance(part, Type) for name in variables(part)}


@pytest.mark.parametrize("builtin", ALL, ids=lambda builtin: builtin.name)
def test_results_are_told_by_arguments(builtin: Builtin) -> None:
    for signature in signatures(builtin.name):
        given = {name for each in signature.parameters for name in variables(each.type)}
        given |= {"key", "row"} if "table" in given else set()
        assert variables(signature.result) <= given


def test_names_are_distinct() -> None:
    assert len(BUILTINS) == len(ALL)
