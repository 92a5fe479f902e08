"""The hash of a spec: the same up to names, order and layout, and another for any other change."""

from __future__ import annotations

import re
from random import Random

import pytest

from tests.emission.replies import GOOD, RENAMED, UNKNOWN
from toolc.emission.fingerprint import fingerprint
from toolc.guide import EXAMPLES, example
from toolc.syntax.formatter import format_module
from toolc.syntax.parser import parse
from toolc.syntax.tree import Module


def module(text: str) -> Module:
    parsed = parse(text, "spec").module
    assert parsed is not None
    return parsed


@pytest.mark.parametrize("name", EXAMPLES)
def test_neither_order_nor_layout_counts(name: str) -> None:
    read = module(example(name))
    hash = fingerprint(read)
    items = list(read.items)
    Random(3).shuffle(items)
    assert fingerprint(read.replace(items=tuple(items))) == hash
    text = example(name).replace("\n\n", "\n# note\n\n")
    assert fingerprint(module(text)) == hash
    assert fingerprint(module(format_module(read, example(name)))) == hash


def test_names_do_not_count() -> None:
    assert fingerprint(module(RENAMED)) == fingerprint(module(GOOD))
    lending = example("lending")
    other = lending
    for name in ("books", "Member", "charge", "find_book"):
        other = re.sub(rf"\b{name}\b(?!:)", f"{name}_x", other)
    other = other.replace("late books_x cost", "late books cost")  # the title of a test
    assert other != lending
    assert fingerprint(module(other)) == fingerprint(module(lending))


OTHER = [
    ("price: 5", "price: 6"),
    ('"Title of the paper."', '"Title."'),
    ("title: str", "name: str"),
    ("let price = get_price", "let other = get_price"),  # while the answer still is `price`
    ('fails with "no', 'fails with "No'),
    ("papers[title].price", "papers[title].title"),
]


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_everything_else_counts(old: str, new: str) -> None:
    assert old in GOOD
    assert fingerprint(module(GOOD.replace(old, new, 1))) != fingerprint(module(GOOD))
    assert fingerprint(module(UNKNOWN)) != fingerprint(module(GOOD))


TWINS = """toolc 1
environment twins ""
state a: int = 0
state b: int = 0
tool write "Writes." () -> null { WRITTEN += 1 }
tool read "Reads." () -> int { return a }
"""


def test_which_of_two_twins_is_meant_counts() -> None:
    same, other = (module(TWINS.replace("WRITTEN", name)) for name in "ab")
    assert fingerprint(same) != fingerprint(other)


def test_locals_are_told_apart_from_what_is_declared() -> None:
    text = 'toolc 1 environment e "" const a = 1 const b = 2 fn f() -> int { let X = 3 return Y }'
    hashes = {
        fingerprint(module(text.replace("X", local).replace("Y", used)))
        for local, used in (("a", "a"), ("a", "b"), ("c", "b"), ("c", "c"), ("b", "b"))
    }
    assert len(hashes) >= 3
