"""Small specs for the tests of emission."""

from __future__ import annotations

import ast
import textwrap

from toolc.analysis import core
from toolc.analysis.check import check
from toolc.emit.tools import emit_tools
from toolc.syntax.parser import parse

HEAD = """toolc 1
environment small "A small environment."
record Row { name: str, n: int, price: float, tags: list[str], counts: dict[str, int], note?: str }
table rows[name]: Row = []
table others[id: str]: {n: int} = []
state total: int = 0
state spare: Row? = null
state doors: dict[str, str] = {}
const factor = {"a": 1, "b": 2}
enum Unit { "a", "b" }
fn row_of(key: str) -> Row? { return rows[key] ?? null }
proc bump(by: int) -> int { total += by return total }
"""


def environment(text: str) -> core.EnvironmentDef:
    """The checked environment of declarations after `HEAD`."""
    source = HEAD + text
    parsed = parse(source, "small.toolc")
    assert parsed.module is not None, parsed.diagnostics
    checked = check({"small.toolc": parsed.module})
    assert checked.environment is not None, [(d.code, d.message) for d in checked.diagnostics]
    return checked.environment


def body(statements: str, result: str = "json") -> str:
    """The Python of a tool `run(key, n, unit, xs)` with these statements, without its head."""
    tool = f"tool run(key: str, n: int, unit: Unit, xs: list[int]) -> {result} {{ {statements} }}"
    source = emit_tools(environment(tool))
    (run,) = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "run"
    ]
    lines = source.splitlines()[run.body[0].lineno - 1 : run.end_lineno]
    return textwrap.dedent("\n".join(lines))
