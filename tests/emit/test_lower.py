"""What each construct of the language becomes: the code that one would write by hand."""

from __future__ import annotations

import textwrap

import pytest

from tests.emit.spec import body, environment
from toolc.emit.closed import prove_source
from toolc.emit.tools import Piece, emit_pieces, emit_tools

CASES = {
    "lookup or fail": (
        'let row = rows[key] else fail "no {key}" return row.name',
        """
        row = state.rows.get(key)
        if row is None:
            raise Fail(f"no {key}")
        return row["name"]
        """,
    ),
    "path with two fallbacks": (
        'let found = rows[key].n ?? others[key].n else fail "none" return found',
        """
        found = peek(state.rows, key, "n")
        if found is None:
            found = peek(state.others, key, "n")
        if found is None:
            raise Fail("none")
        return found
        """,
    ),
    "null in the middle of a path": (
        'let row = row_of(key) let kept = spare.n ?? row.counts["a"] else fail "none" return kept',
        """
        row = row_of(state, key)
        kept = peek(state.spare, "n")
        if kept is None:
            kept = peek(row, "counts", "a")
        if kept is None:
            raise Fail("none")
        return kept
        """,
    ),
    "null in the middle of a path with a key that may fail": (
        'return row_of(key).tags[xs[0]] else fail "none"',
        """
        try:
            value = at(present(row_of(state, key))["tags"], at(xs, 0))
        except BudgetExceeded:
            raise
        except Fail:
            raise Fail("none") from None
        return value
        """,
    ),
    "either of two rows": (
        "return (rows[key] ?? rows[upper(key)]).n ?? 0",
        """
        row = state.rows.get(key)
        if row is None:
            row = state.rows.get(key.upper())
        n_2 = peek(row, "n")
        if n_2 is None:
            n_2 = 0
        return n_2
        """,
    ),
    "a default from a dict": (
        'return doors[key] ?? "closed"',
        'return state.doors.get(key, "closed")',
    ),
    "a condition within the last branch": (
        """
        if n > 9 { return 1 } else if key in rows { if n > 3 { return 2 } }
        return 0
        """,
        """
        if n > 9:
            return 1
        elif key in state.rows and n > 3:
            return 2
        return 0
        """,
    ),
    "require": (
        'require key in rows and n != 3 else fail {error: "bad", n: n} return n',
        """
        if key not in state.rows or n == 3:
            raise Fail({"error": "bad", "n": n})
        return n
        """,
    ),
    "safe operations are plain": (
        "return [n / 100, n // 2, factor[unit], n / factor[unit], len(xs) * 2]",
        "return [n / 100, n // 2, FACTOR[unit], n / FACTOR[unit], len(xs) * 2]",
    ),
    "partial operations fail by themselves": (
        "return [rows[key].n, xs[n], n / len(xs), n * n, factor[key]]",
        """
        return [
            state.rows[key]["n"],
            at(xs, n),
            divide(n, len(xs)),
            multiply(n, n),
            item(FACTOR, key),
        ]
        """,
    ),
    "a fallback behind `and`": (
        "return n > 1 and (rows[key].n ?? 0) > 2",
        """
        holds = n > 1
        if holds:
            n_2 = peek(state.rows, key, "n")
            if n_2 is None:
                n_2 = 0
            holds = n_2 > 2
        return holds
        """,
    ),
    "a fallback in a comprehension": (
        "return [rows[key].n ?? x for x in xs if x > 1 and (others[key].n ?? x) > 2]",
        """
        found = []
        for x in each(state, xs):
            if x > 1:
                n_2 = peek(state.others, key, "n")
                if n_2 is None:
                    n_2 = x
                if n_2 > 2:
                    n_3 = peek(state.rows, key, "n")
                    if n_3 is None:
                        n_3 = x
                    found.append(n_3)
        return found
        """,
    ),
    "writes to tables": (
        """
        rows[key].n = 1
        rows[key].counts["x"] += 2
        append "t" to rows[key].tags
        remove "t" from rows[key].tags
        delete rows[key].note
        delete rows["x"]
        return null
        """,
        """
        assign(state.rows, key, "n", value=1)
        assign(
            state.rows, key, "counts", "x", value=item(state.rows[key]["counts"], "x") + 2
        )
        append(state.rows, key, "tags", value="t")
        remove(state.rows, key, "tags", value="t")
        if "note" in state.rows[key]:
            erase(state.rows, key, "note")
        erase(state.rows, "x")
        return None
        """,
    ),
    "writes to scalars": (
        'total += n doors["a"] = "open" total = bump(1) return total',
        """
        state.total += n
        state.doors = with_path(state.doors, "a", to="open")
        state.total = bump(state, 1)
        return state.total
        """,
    ),
    "a write that reads before a call": (
        "total += (rows[key].n ?? bump(2)) return total",
        """
        value = state.total
        n_2 = peek(state.rows, key, "n")
        if n_2 is None:
            n_2 = bump(state, 2)
        state.total = value + n_2
        return state.total
        """,
    ),
    "mutable locals": (
        """
        var found: list[int] = []
        var seen: dict[str, int] = {}
        for x in xs if x > 2 {
          append x to found
          seen[key] = (seen[key] ?? 0) + x
        }
        let kept = found
        append 1 to found
        return {found: found, seen: seen, kept: kept}
        """,
        """
        found: list[int] = []
        seen: dict[str, int] = {}
        for x in each(state, xs):
            if x <= 2:
                continue
            found.append(x)
            seen[key] = seen.get(key, 0) + x
        kept = list(found)
        found.append(1)
        return {"found": found, "seen": seen, "kept": kept}
        """,
    ),
    "growth": (
        'var text = "a" for x in xs { text += "{x}," } '
        'let line = text + text return "{line} {key}"',
        """
        text = "a"
        for x in each(state, xs):
            text = grow(text + f"{x},")
        line = grow(text + text)
        return grow(f"{line} {key}")
        """,
    ),
    "order": (
        "return sorted(r for r in rows if r.n > n by r.price desc, r.name)",
        """
        return sorted(
            (r for r in each(state, state.rows) if r["n"] > n),
            key=lambda r: (-r["price"], r["name"]),
        )
        """,
    ),
    "descending texts": (
        "return sorted(r.name for r in rows by r.name desc)",
        """
        return [
            r["name"]
            for r in sorted(each(state, state.rows), key=lambda r: r["name"], reverse=True)
        ]
        """,
    ),
    "first or fail": (
        'return first(x for x in xs if x > 1) else fail "none"',
        """
        result = next((x for x in each(state, xs) if x > 1), None)
        if result is None:
            raise Fail("none")
        return result
        """,
    ),
    "first or a default": (
        "return [first(x for x in xs if x > 1) ?? 0, last(xs) ?? 1, first(rows[key].tags) ?? key]",
        """
        value = next((x for x in each(state, xs) if x > 1), 0)
        value_2 = xs[-1] if xs else 1
        found = state.rows[key]["tags"]
        result = found[0] if found else None
        if result is None:
            result = key
        return [value, value_2, result]
        """,
    ),
    "a path from a first match": (
        "return first(r for r in rows if r.n > n).counts[key] ?? 3",
        """
        value = peek(
            next((r for r in each(state, state.rows) if r["n"] > n), None), "counts", key
        )
        if value is None:
            value = 3
        return value
        """,
    ),
    "a built-in that fails, but not its argument": (
        "return [int(rows[key].name) ?? x for x in xs]",
        """
        found = []
        for x in each(state, xs):
            name = state.rows[key]["name"]
            try:
                result = to_int(name)
            except BudgetExceeded:
                raise
            except Fail:
                result = None
            if result is None:
                result = x
            found.append(result)
        return found
        """,
    ),
    "a variable that its new value reads": (
        'var v = 1 v = rows[key].n else fail "not {v}" return v',
        """
        v = 1
        n_2 = peek(state.rows, key, "n")
        if n_2 is None:
            raise Fail(f"not {v}")
        v = n_2
        return v
        """,
    ),
    "a call that is only a check": (
        'let _checked = bump(n) let last_one = last(xs) else fail "none" return last_one',
        """
        bump(state, n)
        if not xs:
            raise Fail("none")
        return xs[-1]
        """,
    ),
    "walks": (
        "return [walk(r from key by rows[r].tags ?? []), "
        'walk(r from key by rows[r].tags ?? rows["b"].tags)]',
        """
        value = walk(key, lambda r: peek(state.rows, r, "tags") or [])

        def step(r):
            tags = peek(state.rows, r, "tags")
            if tags is None:
                tags = state.rows["b"]["tags"]
            return tags

        return [value, walk(key, step)]
        """,
    ),
    "anything that may fail": (
        'let number = int(key) else fail "no number: {key}" return number',
        """
        try:
            number = to_int(key)
        except BudgetExceeded:
            raise
        except Fail:
            raise Fail(f"no number: {key}") from None
        return number
        """,
    ),
    "match": (
        'match unit { case "a" { total = 1 } case "b" { total = 2 } } return total',
        """
        if unit == "a":
            state.total = 1
        else:
            state.total = 2
        return state.total
        """,
    ),
    "values in texts": (
        'return "{n} {key} {n > 1} {xs} {n:03d}"',
        'return f"{n} {key} {text(n > 1)} {text(xs)} {n:03d}"',
    ),
    "insert": (
        "insert {name: key, n: n, price: 1, tags: [], counts: {}} into rows"
        " insert {n: n} into others[key] return null",
        """
        state.rows.insert(
            key, {"name": key, "n": n, "price": 1.0, "tags": [], "counts": {}}
        )
        state.others.insert(key, {"n": n})
        return None
        """,
    ),
    "small constants are not charged": (
        'for x in ["a", "b"] { total += factor[x] } return total',
        """
        for x in ("a", "b"):
            state.total += item(FACTOR, x)
        return state.total
        """,
    ),
    "json of a type": (
        'let row = parse_json(key, Row) else fail "bad" return row.n',
        """
        try:
            row = parse_json(key, ROW_JSON)
        except BudgetExceeded:
            raise
        except Fail:
            raise Fail("bad") from None
        return row["n"]
        """,
    ),
    "pairs": (
        "for id, other in others { total += other.n } for id, door in doors { total += len(door) } "
        "return null",
        """
        for _id, other in each(state, state.others.items()):
            state.total += other["n"]
        for _id, door in each(state, state.doors.items()):
            state.total += len(door)
        return None
        """,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_lowering(case: str) -> None:
    statements, expected = CASES[case]
    assert body(statements).split() == textwrap.dedent(expected).split()


def test_names_that_python_or_the_module_take_are_changed() -> None:
    source = emit_tools(
        environment(
            "tool take(state: str, lambda: int, item: int) -> int "
            "{ let each = lambda + item return each + len(state) }"
        )
    )
    assert "def take_(state: State, state_: str, lambda_: int, item: int) -> int:" in source
    assert "each_ = lambda_ + item" in source
    assert '"take": Tool(take_)' in source


def test_a_local_may_be_called_as_what_the_body_does_not_use() -> None:
    assert body("for item in xs { total += item } return null").startswith("for item in each(")


def test_a_loop_hides_no_name_that_another_function_imports() -> None:
    source = emit_tools(
        environment(
            "fn one(key: str) -> int { return factor[key] }\n"
            "tool run(xs: list[int]) -> int { for item in xs { total += item } return total }"
        )
    )
    assert "return item(FACTOR, key)" in source
    assert "for item_ in each(state, xs):" in source


def test_defaults_that_are_lists_stand_as_constants() -> None:
    source = emit_tools(
        environment(
            'fn f(a: list[str] = ["x"], b: int = 2) -> int { return len(a) + b }\n'
            "tool run() -> int { return f(b: 3) }"
        )
    )
    assert 'DEFAULT_A: list[str] = ["x"]' in source
    assert "def f(state: State, a: list[str] = DEFAULT_A, b: int = 2) -> int:" in source
    assert "return f(state, b=3)" in source


def test_pieces_refer_to_the_tools_by_name() -> None:
    made = environment("tool run(key: str) -> int { return bump(len(key)) }")
    (tool,) = [function for function in made.functions if function.name == "run"]
    assert tool.body is not None
    symbols = tuple(parameter.symbol for parameter in tool.parameters)
    piece = Piece("answer", symbols, tool.body, "What is counted.")
    assert emit_pieces(made, [piece]) == (
        'def answer(state, key):\n    """What is counted."""\n    return bump(state, len(key))\n'
    )


@pytest.mark.parametrize(
    "statements",
    [
        "return {walk}",
        "let few = n + 1 let all = {walk} return [few, all]",
        "if n > 1 {{ return {walk} }} return null",
        'return [{walk} for key in [key, "a"]]',
    ],
)
def test_steps_of_walks_that_are_functions_stand_as_black_has_them(statements: str) -> None:
    walk = 'walk(r from key by (rows[r].tags else fail "no {r}"))'
    tool = f"tool run(key: str, n: int) -> json {{ {statements.format(walk=walk)} }}"
    source = emit_tools(environment(tool))
    assert "def step(r):" in source
    assert prove_source(source) == []
