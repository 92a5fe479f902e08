"""Random sentences of the grammar: whole modules, a declaration at a time.

Hypothesis derives sentences of the grammar too, in `tests/properties`; these are a hundred times
as quick, reach every kind of declaration, and follow from a seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import NamedTuple

from toolc.syntax import tables

_MAX_DEPTH = 14
_WORDS = [
    "a", "b", "c", "x", "xs", "n", "order", "user", "state", "by", "table", "type", "books", "R",
    "int", "str", "list", "dict", "json", "sum", "len", "first", "range", "minimum", "f", "t",
]  # fmt: skip
_TEXTS = ['"x"', '"a"', '"{n}"', '"{{}}"', "\"{f(a, 'q'):.2f}!\"", '"\\n\\u0041"', '""', '"P1D"']
_TERMINALS: Mapping[str, list[str]] = {
    "NAME": _WORDS,
    "STRING": _TEXTS,
    "NUMBER": ["1", "0", "2.5", "1_000", "1e-3", "42"],
    "WS": [" "],
    "COMMENT": ["# note\n"],
}


Expansions = list[list[str]]


class _Grammar(NamedTuple):
    """What each symbol may become, and what makes the lowest tree of it; texts of each token."""

    rules: dict[str, Expansions]
    lowest: dict[str, Expansions]
    tokens: dict[str, list[str]]


@cache
def _grammar() -> _Grammar:
    lark = tables.lark()
    rules: dict[str, Expansions] = {}
    for rule in lark.rules:
        expansion = [str(part.name) for part in rule.expansion]
        rules.setdefault(str(rule.origin.name), []).append(expansion)
    tokens = {
        each.name: _TERMINALS.get(each.name, [str(each.pattern.value)]) for each in lark.terminals
    }
    ended = set(tokens)
    lowest: dict[str, Expansions] = {}
    while len(lowest) < len(rules):
        made = {
            symbol: lower
            for symbol, expansions in rules.items()
            if symbol not in ended
            and (lower := [each for each in expansions if ended.issuperset(each)])
        }
        lowest |= made
        ended |= made.keys()
    return _Grammar(rules, lowest, tokens)


def sentence(random: Random, start: str = "item") -> str:
    """A text that the grammar derives from a rule."""
    grammar = _grammar()
    found: list[str] = []
    todo = [(start, 0)]
    while todo:
        name, depth = todo.pop()
        if name in grammar.tokens:
            found.append(random.choice(grammar.tokens[name]))
            continue
        full = depth >= _MAX_DEPTH or len(found) > 400
        expansion = random.choice((grammar.lowest if full else grammar.rules)[name])
        todo.extend((part, depth + 1) for part in reversed(expansion))
    return " ".join(found)


def module(random: Random) -> str:
    """A whole file: a header, an environment mostly, and some declarations."""
    head = 'toolc 1\nenvironment e "e"\n' if random.random() < 0.9 else "toolc 1\n"
    return head + "".join(sentence(random) + "\n" for _ in range(random.randint(1, 4)))
