"""Printed Python is what Black would have made of it."""

from __future__ import annotations

import ast
from random import Random

import black
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolc.emit import py
from toolc.emit.printer import fits_in_hole, print_expression, print_module, string

NAMES = ("x", "order", "payment_method", "user_identifier_value", "cities", "state")
TEXTS = ("pending", "a'b", 'say "hi"', "a longer text that goes on and on for a while", "x\ny\\")


class Maker:
    """Random expressions and statements of every kind that the emitter writes."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def some(self, depth: int, low: int, high: int) -> tuple[py.Expr, ...]:
        return tuple(self.expr(depth) for _ in range(self.random.randint(low, high)))

    def leaf(self) -> py.Expr:
        r = self.random
        return r.choice(
            [
                py.Name(r.choice(NAMES)),
                py.Str(r.choice(TEXTS)),
                py.number(r.choice([1, 1000000, -3, 2.5, 1e20, 1e-7])),
            ]
        )

    def primary(self, depth: int) -> py.Expr:
        r = self.random
        base: py.Expr = py.Name(r.choice(NAMES))
        for _ in range(r.randint(0, 2)):
            base = r.choice([py.Attribute(base, "status"), py.Subscript(base, (py.Str("items"),))])
        return base

    def expr(self, depth: int) -> py.Expr:
        r = self.random
        if depth <= 0:
            return self.leaf()
        d = depth - 1
        match r.randrange(15):
            case 0:
                return self.leaf()
            case 1:
                bound = py.call("len", self.expr(d))
                parts = py.Slice(py.number(1), py.number(-1)), py.Slice(None, bound)
                return py.Subscript(self.primary(d), (r.choice(parts),))
            case 2:
                keywords = {f"value{i}": self.expr(d) for i in range(r.randrange(2))}
                return py.call("assign_value", *self.some(d, 0, 3), **keywords)
            case 3:
                return py.call(py.Attribute(self.primary(d), "get"), *self.some(d, 1, 2))
            case 4:
                return py.Binary(r.choice("+-*/%"), self.expr(d), self.expr(d))
            case 5:
                return py.Unary(r.choice(["-", "not"]), self.expr(d))
            case 6:
                return py.Logic(r.choice(["and", "or"]), self.some(d, 2, 3))
            case 7:
                operator = r.choice(["==", "<", "not in", "in", "is not"])
                return py.Compare(self.some(d, 2, 2), (operator,))
            case 8:
                return py.IfElse(self.expr(d), self.expr(d), self.expr(d))
            case 9:
                return py.ListDisplay(self.some(d, 0, 3))
            case 10:
                return py.TupleDisplay(self.some(d, 1, 3))
            case 11:
                keys = [r.choice([py.Str("name"), None, py.Str("size")]) for _ in range(3)]
                return py.DictDisplay(tuple((key, self.expr(d)) for key in keys))
            case 12:
                loop = py.For(r.choice([("c",), ("key", "value")]), self.expr(d))
                clauses: tuple[py.For | py.Expr, ...] = (loop, *self.some(d, 0, 2))
                return py.Comprehension(r.choice(["list", "generator"]), self.expr(d), clauses)
            case 13:
                return py.call("sorted", self.expr(d), key=py.Lambda(("c",), self.expr(d)))
            case _:
                row = py.Subscript(py.Name("row"), (py.Str("name"),))
                return py.FString(("unknown: ", py.Hole(py.Name("x")), ' "so"', py.Hole(row)))

    def statement(self, depth: int) -> py.Statement:
        r = self.random
        literal = py.Subscript(py.Name("Literal"), (py.Str("one thing"), py.Str("another")))
        kind = py.Subscript(py.Name("dict"), (py.Name("str"), literal))
        inner: py.Block = (self.statement(depth - 1),) if depth else (py.Pass(),)
        match r.randrange(8):
            case 0:
                return py.Assign((py.Name("found"),), self.expr(3))
            case 1:
                return py.Assign((py.Name("found"),), self.expr(3), kind)
            case 2:
                return py.Return(self.expr(3))
            case 3:
                return py.ExprStatement(py.call("append", *self.some(3, 2, 2)))
            case 4:
                return py.If(((self.expr(3), inner),), inner)
            case 5:
                return py.ForLoop(("a", "b"), self.expr(3), inner)
            case 6:
                return py.Raise(py.call("Fail", self.expr(3)), from_none=r.random() < 0.5)
            case _:
                target = py.Attribute(py.Name("state"), "count")
                return py.AugmentedAssign(target, "+=", self.expr(3))


def module(*body: py.Statement) -> py.Module:
    return py.Module((), "", body)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_black_changes_nothing(seed: int) -> None:
    statement = Maker(seed).statement(2)
    body = (py.Docstring("Do it."), statement)
    parameters = (py.Parameter("state", py.Name("State")),)
    source = print_module(module(py.Function("run", parameters, py.Name("str"), body)))
    assert black.format_str(source, mode=black.Mode()) == source


@given(st.text())
def test_string_literals_mean_their_text(text: str) -> None:
    assert ast.literal_eval(string(text)) == text


@given(st.text())
def test_black_leaves_string_literals(text: str) -> None:
    source = f"x = {string(text)}\n"
    assert black.format_str(source, mode=black.Mode()) == source


@given(st.text())
def test_black_leaves_docstrings(text: str) -> None:
    body = (py.Docstring(text or "Do it."), py.Return(py.NONE))
    source = print_module(module(py.Function("run", (), None, body)))
    compile(source, "module", "exec")
    if text.strip():
        assert black.format_str(source, mode=black.Mode()) == source


NAME = py.Name("row")
FIELD = py.Subscript(NAME, (py.Str("name"),))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (py.number(1_000_000), "1_000_000"),
        (py.number(2024), "2024"),
        (py.number(-0.5), "-0.5"),
        (py.number(1e20), "1e20"),
        (py.Binary("-", NAME, py.Binary("-", NAME, NAME)), "row - (row - row)"),
        (py.Binary("*", py.Binary("+", NAME, NAME), NAME), "(row + row) * row"),
        (py.Logic("or", (NAME, py.Logic("and", (NAME, NAME)))), "row or (row and row)"),
        (py.Unary("not", py.Compare((NAME, NAME), ("==",))), "not row == row"),
        (py.Subscript(NAME, (py.Slice(py.call("f"), None),)), "row[f() :]"),
        (py.Subscript(NAME, (py.Slice(py.number(1), py.number(2)),)), "row[1:2]"),
        (py.Subscript(NAME, (py.Slice(py.Unary("-", NAME), None),)), "row[-row:]"),
        (py.Subscript(NAME, (py.Slice(py.Unary("-", py.call("f")), None),)), "row[-f() :]"),
        (py.FString(("a {b} ", py.Hole(FIELD))), "f\"a {{b}} {row['name']}\""),
        (py.FString(('say "', py.Hole(NAME), '"')), "f'say \"{row}\"'"),
        (py.FString((py.Hole(NAME, ".2f"),)), 'f"{row:.2f}"'),
        (py.TupleDisplay((NAME,)), "(row,)"),
        (py.DictDisplay(((None, NAME), (py.Str("a"), NAME))), '{**row, "a": row}'),
        (py.ListDisplay((py.Star(NAME), NAME)), "[*row, row]"),
    ],
)
def test_expressions(value: py.Expr, expected: str) -> None:
    assert print_expression(value) == expected


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (FIELD, True),
        (py.Str("it's"), False),
        (py.DictDisplay(()), False),
        (py.Lambda(("x",), NAME), False),
    ],
)
def test_only_plain_expressions_fit_in_a_hole(value: py.Expr, fits: bool) -> None:
    assert fits_in_hole(value) is fits


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (py.Compare((NAME, NAME), ("<",)), "row >= row"),
        (py.Compare((NAME, NAME), ("in",)), "row not in row"),
        (py.Unary("not", NAME), "row"),
        (py.Logic("and", (NAME, py.is_none(NAME))), "not row or row is not None"),
        (py.Compare((NAME, NAME, NAME), ("<", "<")), "not row < row < row"),
    ],
)
def test_negation_is_written_as_one_would(value: py.Expr, expected: str) -> None:
    assert print_expression(py.negate(value)) == expected


def test_imports_are_sorted() -> None:
    source = print_module(
        module(
            py.ImportFrom("toolc_runtime.state", (("Table", None), ("each", None))),
            py.ImportFrom("typing", (("Any", None),)),
            py.ImportFrom("toolc_runtime.state", (("State", "BaseState"),)),
            py.ImportFrom("__future__", (("annotations", None),)),
            py.Assign((py.Name("x"),), py.number(1)),
        )
    )
    assert source == (
        "from __future__ import annotations\n\n"
        "from typing import Any\n\n"
        "from toolc_runtime.state import State as BaseState\n"
        "from toolc_runtime.state import Table, each\n\n"
        "x = 1\n"
    )
