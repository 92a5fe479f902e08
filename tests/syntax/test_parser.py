"""Trees, spans, strings, keywords as names, recovery and bounds."""

import sys
from collections.abc import Iterator

import pytest

from tests.syntax.samples import SPECS
from toolc.diagnostics.render import apply_fixes
from toolc.diagnostics.rule import Rule
from toolc.diagnostics.rules.syntax import HEAD, RULES
from toolc.node import Node, same
from toolc.syntax import tree
from toolc.syntax.parser import Parsed, parse


def read(text: str) -> tree.Module:
    parsed = parse(text, "spec.toolc")
    assert parsed.module is not None
    assert parsed.diagnostics == ()
    return parsed.module


def expression(text: str) -> tree.Expr:
    item = read(f"toolc 1\nconst x = {text}\n").items[0]
    assert isinstance(item, tree.Const)
    return item.value


def shape(node: object) -> str:
    """A fully bracketed notation of an expression."""
    match node:
        case tree.Ref(name=name):
            return name
        case tree.Number(text=text):
            return text
        case tree.Binary(left=left, operator=operator, right=right):
            return f"({shape(left)} {operator} {shape(right)})"
        case tree.Compare(operands=operands, operators=operators):
            rest = [f"{op} {shape(x)}" for op, x in zip(operators, operands[1:], strict=True)]
            return f"({' '.join([shape(operands[0]), *rest])})"
        case tree.Unary(operator=operator, operand=operand):
            return f"({operator} {shape(operand)})"
        case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
            return f"(if {shape(condition)} then {shape(then)} else {shape(otherwise)})"
        case tree.OrFail(value=value, error=error):
            return f"({shape(value)} else fail {shape(error)})"
        case tree.Attribute(base=base, name=name):
            return f"{shape(base)}.{name.text}"
    raise AssertionError(node)


def nodes(node: object) -> Iterator[Node]:
    if isinstance(node, Node):
        yield node
        for name in node.fields:
            yield from nodes(getattr(node, name))
    elif isinstance(node, tuple):
        for part in node:
            yield from nodes(part)


def codes(parsed: Parsed) -> list[str]:
    return [found.code for found in parsed.diagnostics]


@pytest.mark.parametrize("name", SPECS)
def test_samples_parse(name: str) -> None:
    assert read(SPECS[name]).items


@pytest.mark.parametrize("name", SPECS)
def test_spans_are_exact(name: str) -> None:
    text = SPECS[name]
    for node in nodes(read(text)):
        written = text[node.span.start : node.span.end]  # type: ignore[attr-defined]
        assert written == written.strip() or isinstance(node, (tree.Module, tree.Hole))
        match node:
            case (
                tree.Name(text=word, quoted=False) | tree.NamedType(name=word) | tree.Ref(name=word)
            ):
                assert written == word
            case tree.Number(text=word) | tree.Comment(text=word):
                assert written == word
            case tree.Text() | tree.Name(quoted=True):
                assert written[0] == written[-1] == '"'
            case tree.Block():
                assert written[0] + written[-1] == "{}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("-a ** -b", "(- (a ** (- b)))"),
        ("a ?? b * c", "((a ?? b) * c)"),
        ("a ?? -1", "(a ?? (- 1))"),
        ("a < b <= c", "(a < b <= c)"),
        ("a not in b in c", "(a not in b in c)"),
        ("not a == b and c or d", "(((not (a == b)) and c) or d)"),
        ("if a then b else if c then d else e", "(if a then b else (if c then d else e))"),
        ("if a then b else c else fail d", "((if a then b else c) else fail d)"),
        ("(a else fail b).c", "(a else fail b).c"),
        ("a // b % c", "((a // b) % c)"),
    ],
)
def test_precedence(text: str, expected: str) -> None:
    assert shape(expression(text)) == expected


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r'"a\n\t\"\\"', 'a\n\t"\\'),
        (r'"\u00e9\ud83d\ude00"', "é😀"),
        ('"{{}}"', "{}"),
        ('""', ""),
    ],
)
def test_plain_strings(literal: str, value: str) -> None:
    string = expression(literal)
    assert isinstance(string, tree.String)
    assert string.value == value


def test_interpolation() -> None:
    text = "\"a {x + 1:.2f} {{b}} {join(xs, ', {y}')} { {a: 1}.a }!\""
    string = expression(text)
    assert isinstance(string, tree.Interpolation)
    assert [part for part in string.parts if isinstance(part, str)] == ["a ", " {b} ", " ", "!"]
    holes = [part for part in string.parts if isinstance(part, tree.Hole)]
    assert [hole.format for hole in holes] == [".2f", "", ""]
    assert shape(holes[0].value) == "(x + 1)"
    whole = "toolc 1\nconst x = " + text
    assert [whole[hole.span.start : hole.span.end] for hole in holes] == [
        "x + 1",
        "join(xs, ', {y}')",
        " {a: 1}.a ",
    ]
    call = holes[1].value
    assert isinstance(call, tree.Call)
    assert isinstance(call.arguments[1].value, tree.Interpolation)


def test_facets_are_raw() -> None:
    item = read('toolc 1\ntype Id = str(pattern: "^[a]{2,3}$")').items[0]
    assert isinstance(item, tree.Alias)
    assert isinstance(item.type, tree.RefinedType)
    value = item.type.facets[0].value
    assert isinstance(value, tree.String)
    assert value.value == "^[a]{2,3}$"


def test_keywords_are_read_by_what_fits() -> None:
    module = read(SPECS["names"])
    tool = next(item for item in module.items if isinstance(item, tree.Tool))
    assert tool.body is not None
    kinds = [type(statement).__name__ for statement in tool.body.statements]
    assert kinds == [
        "Let", "Assign", "Let", "Let", "Assign", "Assign", "Assign", "Delete", "For", "Let", "Let",
        "Return",
    ]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_examples_of_rules(rule: Rule) -> None:
    assert codes(parse(rule.bad, "bad")) == [rule.code]
    assert codes(parse(rule.good, "good")) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_safe_fixes_are_clean(rule: Rule) -> None:
    found = parse(rule.bad, "bad").diagnostics
    if found[0].fix and found[0].fix.applicability == "safe":
        assert codes(parse(apply_fixes(rule.bad, found), "mended")) == []


def test_independent_errors_are_all_reported() -> None:
    text = (
        "toolc 1\n"
        "record A { a: int b: str, c = int }\n"  # two slips, both mended
        "const broken = = 1\n"
        "tool f(a: int) -> int {\n"
        "  let x = g(a,\n"
        "  return\n"
        "  return x y z\n"
        "}\n"
        "const whole = [1,, 2]\n"
    )
    parsed = parse(text, "spec")
    assert [(f.code, text.count("\n", 0, f.span.start) + 1) for f in parsed.diagnostics] == [
        ("TC0102", 2),
        ("TC0112", 2),
        ("TC0101", 3),
        ("TC0101", 7),
        ("TC0103", 9),
    ]
    assert parsed.module is not None
    assert [item.name.text for item in parsed.module.items] == ["A", "whole"]  # type: ignore[attr-defined]


def test_mended_text_reads_like_the_fixed_one() -> None:
    text = (
        SPECS["geography"].replace("name: str,", "name: str").replace("limit: int", "limit = int")
    )
    parsed = parse(text, "spec")
    assert set(codes(parsed)) == {"TC0102", "TC0112"}
    assert parsed.module is not None
    fixed = read(apply_fixes(text, parsed.diagnostics))
    assert same(parsed.module.items, fixed.items)
    assert same(fixed.items, read(SPECS["geography"]).items)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x = 1 + ", "expected a value, found `}`"),
        ("return else", "expected an expression, found `else`"),
        ('let z = "{a b}"', "expected `}`, found `b`"),
        ("if x == 1: return 3", "a block stands in braces, not after `:`"),
        ("return (1", "this `}` closes nothing"),
        ("for x xs {}", "expected `,` or `in`, found `xs`"),
    ],
)
def test_messages(body: str, message: str) -> None:
    parsed = parse(f"{HEAD}fn f(x: int) -> int {{\n {body}\n}}\n", "spec")
    assert [found.message for found in parsed.diagnostics] == [message]


def test_unclosed_block_points_at_its_bracket() -> None:
    text = "toolc 1\nfn f() -> int {\n  if x {\n    return 1\n}\nconst y = 1\n"
    (found,) = parse(text, "spec").diagnostics
    assert (found.code, found.span.start) == ("TC0118", text.index("{"))
    assert text[found.notes[0].span.start :].startswith("const")


@pytest.mark.parametrize(
    "nested",
    [
        "[" * 101 + "]" * 101,
        "(" * 101 + "1" + ")" * 101,
        "-" * 200 + "1",
        "not " * 200 + "x",
        "a" + " + a" * 200,
        "a" + ".a" * 200,
        "a" + " ** a" * 200,
        "if a then b else " * 200 + "c",
        "f(" * 90 + ")" * 90,
        '"{' + "-" * 60 + 'x}"',
        "[" * 200_000,
        "-" * 500_000 + "1",
    ],
    ids=lambda text: text[:5],
)
def test_nesting_is_bounded(nested: str) -> None:
    parsed = parse(f"toolc 1\nconst x = {nested}\n", "spec")
    assert codes(parsed) == ["TC0121"]
    assert parsed.module is None


def test_what_is_nested_less_can_be_walked() -> None:
    depth = 45
    deep = "f(" * depth + "-" * 4 + "1" + ")" * depth
    assert len(list(nodes(expression(deep)))) > depth
    assert sys.getrecursionlimit() <= 1000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TC0104"),
        ("toolc", "TC0104"),
        ("\x00\x01", "TC0122"),
        ("toolc 1\n# \udc80", "TC0122"),
        ("toolc 1\n" + "#" * (1 << 20), "TC0120"),
        ('toolc 1\nconst x = "', "TC0106"),
        ("toolc 1\nconst x = " + "9" * 5000, "TC0125"),
        ("\ufefftoolc 1", None),
        ("toolc 1\r\n# c\r\nconst x = 1\r\n", None),
    ],
)
def test_odd_files(text: str, code: str | None) -> None:
    assert codes(parse(text, "spec")) == ([code] if code else [])


@pytest.mark.parametrize(
    "noise",
    [
        "@ " * 400_000,
        "'" * 500_000,
        "{" * 50 + "} " * 400_000,
        "const x = = 1\n" * 60_000,
        "x // y\n" * 100_000,
    ],
    ids=lambda text: text[:6],
)
def test_hopeless_files_end_soon(noise: str) -> None:
    found = parse("toolc 1\n" + noise, "spec").diagnostics
    assert 0 < len(found) <= 60
