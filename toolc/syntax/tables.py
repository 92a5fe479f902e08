"""LALR tables, built by Lark from `grammar/toolc.lark` and shipped as JSON.

Building them takes Lark half a second, and importing Lark 40 ms, so a run of the compiler does
neither: it loads the numbers. `python -m toolc.syntax.tables` builds them anew.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule

STARTS = ("start", "expr")
SKIPPED = ("WS", "COMMENT", "_lead")


class Reduction(NamedTuple):
    """What happens when a rule has been read.

    `action` names the builder's method; it is "" where the one kept child stands for the whole and
    "*" where the children are spliced into the parent. `kept` holds the children's places: i to
    keep the child, ~i to splice it, None for an optional part that is missing.
    """

    symbol: int
    size: int
    action: str
    kept: tuple[int | None, ...]


class Tables(NamedTuple):
    """Terminals are numbers, in `terminals` by their text (or `NAME`, `STRING`, `NUMBER`, `$END`).

    `actions[state][terminal]` is the next state of a shift, or ~rule of a reduction;
    `gotos[state][symbol]` the state after a reduction to a nonterminal.
    """

    terminals: tuple[str, ...]
    reductions: tuple[Reduction, ...]
    actions: tuple[dict[int, int], ...]
    gotos: tuple[dict[int, int], ...]
    starts: dict[str, int]
    ends: dict[str, int]


def resource(name: str) -> str:
    """The text of a file of `grammar/`, which a wheel holds inside the package."""
    package = os.path.dirname(os.path.dirname(__file__))
    folder = os.path.join(package, "grammar")
    if not os.path.isdir(folder):
        folder = os.path.join(package, os.pardir, "grammar")
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def load() -> Tables:
    """The shipped tables."""
    data = json.loads(resource("tables.json"))
    rows = [dict(zip(flat[::2], flat[1::2], strict=True)) for flat in data["rows"]]
    return Tables(
        tuple(data["terminals"]),
        tuple(
            Reduction(symbol, size, action, tuple(kept))
            for symbol, size, action, kept in data["rules"]
        ),
        tuple(rows[i] for i in data["actions"]),
        tuple(rows[i] for i in data["gotos"]),
        data["starts"],
        data["ends"],
    )


def lark() -> Lark:
    """Lark's own parser of the grammar; raises on any conflict that Lark can see."""
    from lark import Lark

    return Lark(resource("toolc.lark"), parser="lalr", start=list(STARTS), maybe_placeholders=True)


def build() -> str:
    """The JSON text of the tables, the same for the same grammar."""
    parser = lark()
    table = parser.parser.parser._parse_table
    spelling = {
        terminal.name: terminal.pattern.value if terminal.pattern.type == "str" else terminal.name
        for terminal in parser.terminals
    }
    terminals = {
        name: i for i, name in enumerate(sorted({*spelling.values(), "$END"} - set(SKIPPED)))
    }
    rules = {rule: i for i, rule in enumerate(sorted(parser.rules, key=str))}
    symbols = {name: i for i, name in enumerate(sorted({rule.origin.name for rule in rules}))}
    rows: dict[tuple[int, ...], int] = {}

    def row(pairs: dict[int, int]) -> int:
        flat = tuple(number for pair in sorted(pairs.items()) for number in pair)
        return rows.setdefault(flat, len(rows))

    actions, gotos = [], []
    order = _numbered(table)
    for state in order:
        shifts: dict[int, int] = {}
        jumps: dict[int, int] = {}
        for name, (action, argument) in table.states[state].items():
            if name in symbols and name not in SKIPPED:
                jumps[symbols[name]] = order[argument]
            elif name not in SKIPPED:
                terminal = terminals[spelling.get(name, name)]
                shifts[terminal] = order[argument] if str(action) == "Shift" else ~rules[argument]
        actions.append(row(shifts))
        gotos.append(row(jumps))
    data = {
        "terminals": list(terminals),
        "rules": [
            [symbols[rule.origin.name], len(rule.expansion), *_reduction(rule)] for rule in rules
        ],
        "actions": actions,
        "gotos": gotos,
        "starts": {name: order[state] for name, state in sorted(table.start_states.items())},
        "ends": {name: order[state] for name, state in sorted(table.end_states.items())},
        "rows": [list(flat) for flat in rows],
    }
    lines = (
        f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"
        for key, value in data.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _numbered(table: Any) -> dict[int, int]:
    """The reachable states in breadth-first order, which no hash seed changes."""
    order = {state: i for i, (_, state) in enumerate(sorted(table.start_states.items()))}
    queue = list(order)
    for state in queue:
        for name, (action, target) in sorted(table.states[state].items()):
            if str(action) == "Shift" and target not in order and name not in SKIPPED:
                order[target] = len(order)
                queue.append(target)
    return order


def _reduction(rule: Rule) -> tuple[str, list[int | None]]:
    """The action and the kept children, as Lark's own tree builder would have them."""
    options = rule.options
    missing = "".join("01"[bool(flag)] for flag in options.empty_indices) or "0" * len(
        rule.expansion
    )
    gaps = [len(ones) for ones in missing.split("0")]
    kept: list[int | None] = []
    for i, symbol in enumerate(rule.expansion):
        kept += [None] * gaps[i]
        if options.keep_all_tokens or not (symbol.is_term and symbol.filter_out):  # type: ignore[attr-defined]
            kept.append(~i if not symbol.is_term and symbol.name.startswith("_") else i)
    kept += [None] * gaps[len(rule.expansion)]
    if rule.origin.name.startswith("_"):
        return "*", kept
    if (
        rule.alias is None
        and options.expand1
        and len(kept) == 1
        and kept[0] is not None
        and kept[0] >= 0
    ):
        return "", kept
    return rule.alias or str(rule.origin.name), kept


def _main() -> None:
    with open("grammar/tables.json", "w", encoding="utf-8", newline="\n") as file:
        file.write(build())


if __name__ == "__main__":
    _main()
