"""TC05: totality, and what may be written where."""

from __future__ import annotations

from toolc.diagnostics.rule import Rule
from toolc.diagnostics.rules.sample import spec, tool, value

_MEDIA = 'union Media by kind { title: str, case "film" { minutes: int }, case "game" {} }'


def _doubled(count: int) -> list[str]:
    calls = [f"fn f{n}() -> int {{ return f{n - 1}() + f{n - 1}() }}" for n in range(1, count)]
    return ["fn f0() -> int { return lent }", *calls]


RULES: tuple[Rule, ...] = (
    Rule(
        "TC0501",
        "unreachable code",
        "this is never reached",
        "A statement follows `return`, `fail`, `continue` or `break`.",
        tool("return 1", "lent = 2"),
        tool("lent = 2", "return 1"),
        "warning",
    ),
    Rule(
        "TC0502",
        "misplaced return",
        "there is nothing to return from here",
        "Only functions and tools return.",
        spec('test "nothing is lent" { return lent == 0 }'),
        spec('test "nothing is lent" { expect lent == 0 }'),
    ),
    Rule(
        "TC0503",
        "`break` or `continue` outside of a loop",
        "`{word}` stands outside of a loop",
        "`continue` and `break` belong to the innermost `for`.",
        tool("if lent > 0 { break }", "return 1"),
        tool("for b in books { if b.pages > 9 { break } }", "return 1"),
    ),
    Rule(
        "TC0504",
        "expect outside of a test",
        "`expect` belongs in a `test`",
        "Expectations are checked when tests run. A tool refuses with `require` or `fail`.",
        tool("expect lent == 0", "return 1"),
        tool('require lent == 0 else fail "lent"', "return 1"),
    ),
    Rule(
        "TC0505",
        "clock moved by code",
        "only a test, `given` or a turn moves the clock",
        "Tools read the clock; they do not move it.",
        tool('advance "P1D"', "return 1"),
        spec('test "time" { advance "P1D" }'),
    ),
    Rule(
        "TC0506",
        "statement without effect",
        "this call has no effect",
        "A statement that is a call is there for what it writes or refuses: it calls a `proc`, or "
        "a `fn` that may fail. A built-in only gives a value.",
        tool("len(title)", "return 1"),
        tool("let length = len(title)", "return length"),
    ),
    Rule(
        "TC0507",
        "write where nothing may be written",
        "nothing may be written in `{kind}`",
        "Only tools, procs, `given` and tests write state.",
        spec("fn next() -> int {\n  lent += 1\n  return lent\n}"),
        spec("proc next() -> int {\n  lent += 1\n  return lent\n}"),
    ),
    Rule(
        "TC0508",
        "assignment to a constant name",
        "`{name}` cannot be assigned: it was not declared with `var`",
        "Parameters, binders and `let` names keep their value.",
        tool("let sum = 0", "sum += 1", "return sum"),
        tool("var sum = 0", "sum += 1", "return sum"),
    ),
    Rule(
        "TC0509",
        "not a place",
        "this is not a place that can be written",
        "A place is a `var`, a state or a row of a table, and fields, keys and indexes of it.",
        spec(
            'const days = ["monday"]', 'proc f() -> null {\n  days[0] = "sunday"\n  return null\n}'
        ),
        spec(
            "state days: list[str] = []",
            'proc f() -> null {\n  days[0] = "sunday"\n  return null\n}',
        ),
    ),
    Rule(
        "TC0510",
        "tag written",
        "the tag `{name}` is never written",
        "A union's value is assigned whole, so that its fields always fit its tag.",
        spec(
            _MEDIA,
            'state best: Media = {kind: "game", title: "Go"}',
            'proc film() -> str {\n  best.kind = "film"\n  return best.title\n}',
        ),
        spec(
            _MEDIA,
            'state best: Media = {kind: "game", title: "Go"}',
            'proc film() -> str {\n  best = {kind: "film", title: "M", minutes: 117}\n'
            "  return best.title\n}",
        ),
    ),
    Rule(
        "TC0511",
        "recursion",
        "`{name}` calls itself",
        "Functions do not recurse, so that every call ends. `walk` follows recursive data.",
        spec("fn factorial(n: int) -> int { return if n < 2 then 1 else n * factorial(n - 1) }"),
        spec(
            "fn factorial(n: int) -> int {\n  var product = 1\n"
            "  for i in range(n) { product *= i + 1 }\n  return product\n}"
        ),
    ),
    Rule(
        "TC0512",
        "too many calls",
        "one call of `{name}` makes {count} calls, more than {limit}",
        "Functions that call functions that call functions multiply; the cost of a call is "
        "bounded before it runs.",
        spec(*_doubled(14)),
        spec(*_doubled(4)),
    ),
    Rule(
        "TC0513",
        "missing return",
        "`{name}` may end without a value of `{type}`",
        "Every way through a function ends in `return` or `fail`.",
        tool("if lent > 0 { return 1 }"),
        tool("if lent > 0 { return 1 }", "return 0"),
    ),
    Rule(
        "TC0514",
        "condition that is always the same",
        "this is always `{value}`: {why}",
        "A condition that cannot turn out otherwise decides nothing: what it guards is always "
        "done, or a failure can never happen. A missing row is no null; `key in table` asks for "
        "one, and `else fail` handles it.",
        tool('require title != null else fail "no title"', "return lent"),
        tool('require title in books else fail "no such book"', "return lent"),
        "warning",
    ),
    Rule(
        "TC0515",
        "tool that does nothing",
        "`{name}` changes nothing and tells nothing",
        "A tool that writes no state has a result to tell; one without a result changes something.",
        tool('require title in books else fail "no such book"', result="null"),
        tool('require title in books else fail "no such book"', "lent += 1", result="null"),
        "warning",
    ),
    Rule(
        "TC0516",
        "more steps than a call has",
        "these loops take {steps:,} steps, a call has {limit:,}",
        "Loops are counted when they begin, and a call that takes more steps than its budget ends "
        "as exhausted. Go through less, or look rows up by their keys.",
        value("count(a for a in range(5_000) for b in range(5_000))"),
        value("count(a for a in range(50) for b in range(50))"),
        "warning",
    ),
)
