"""Odd but valid programs, and what the typed tree says about some of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.samples import checked, codes, files_of, judge
from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.effects import nodes
from toolc.diagnostics.rules.sample import spec, tool, value

ROOT = Path(__file__).parent.parent.parent
FILES = [Path(__file__).parent / "everything.toolc", *sorted((ROOT / "specs").rglob("*.toolc"))]
TEXTS = {path: path.read_text(encoding="utf-8") for path in FILES}
SPECS = [path for path, text in TEXTS.items() if "\nenvironment " in text]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs(path: Path) -> None:
    used = {
        other.stem: text
        for other, text in TEXTS.items()
        if other.parent == path.parent and other not in SPECS
    }
    found = files_of(TEXTS[path], **used)
    unused = ("TC0227", "TC0228") if path.stem == "everything" else ()
    assert [each for each in found.diagnostics if each.code not in unused] == []
    assert found.environment is not None


VALUES = {
    "first of none": ("first(b.pages for b in books) ?? 0", "int"),
    "min of none": ("min(b.pages for b in books) ?? 0", "int"),
    "field of first": ("first(b for b in books by b.title).pages ?? 0", "int"),
    "chain of defaults": ("books[title].pages ?? books[upper(title)].pages ?? 0", "int"),
    "chain, then failure": ('books[title].rating ?? books["x"].rating else fail "no"', "float"),
    "null or missing": ("books[title].rating ?? null", "float?"),
    "parsed or default": ("int(title) ?? -1", "int"),
    "default binds tighter": ("2 * books[title].rating ?? 1", "float"),
    "int as float": ("books[title].pages", "float"),
    "chained comparison": ("0 <= lent < len(title) == 3 != 4", "bool"),
    "boolean order": ("[b.title for b in books by b.pages > 3 desc]", "list[str]"),
    "negated membership": ('not title in books and "x" not in title', "bool"),
    "nested conditional": ("if lent > 0 then if lent > 1 then 2 else 1 else 0", "int"),
    "conditional record": ("if lent > 0 then {n: 1} else {n: 2}", "{n: int}"),
    "nested comprehension": ("[[i * j for j in range(i)] for i in range(3)]", "list[list[int]]"),
    "characters": ("[c for c in title if c != ' ']".replace("'", '"'), "list[str]"),
    "record as json": ("{rows: [b for b in books], n: null, nested: {a: [1, 2.5, true]}}", "json"),
    "empty list": ("[]", "list[Book]"),
    "empty dict": ("{}", "dict[str, int]"),
    "dict by int": ('{"1": 2, "-2": 3}', "dict[int, int]"),
    "computed keys": ("{[b.pages]: b.title for b in books}", "dict[int, str]"),
    "spread": ("{...books[title], pages: 3}", "Book"),
    "exact inline record": (
        "{title: title, pages: 1, rating: null}",
        "{title: str, pages: int, rating: float?}",
    ),
    "date arithmetic": ('date("2024-01-31") + "P1D" - "2024-01-01" < "P40D"', "bool"),
    "scaled duration": ('1.5 * duration("P1D") / "PT1H"', "float"),
    "decimals": ('decimal("0.10") * lent + 1', "decimal"),
    "literal of an enum": ('if lent > 0 then "few" else "many"', '"few" | "many" | "none"'),
    "union of json": ("[1, null]", "list[int?]"),
    "function on a local of its name": ("[len for len in [len(title)]][0]", "int"),
    "slices": ("title[1:] + title[:-1] + title[1:2] + title[:]", "str"),
    "walk over values": ("[n for n in walk(n from 8 by [n // 2])]", "list[int]"),
    "power of negative": ("-2 ** 2", "int"),
    "json as a record": ("parse_json(title, Book).pages ?? 0", "int"),
    "json as a list": ("[b.title for b in parse_json(title, list[Book]) ?? []]", "list[str]"),
    "json as a dict": ("parse_json(text: title, type: dict[int, date])", "dict[int, date]"),
    "json as an inline record": ("parse_json(title, {at: list[datetime]}).at", "list[datetime]"),
    "json as json": ("[parse_json(title), parse_json(title, json)]", "list[json]"),
    "quoted interpolation": ("\"{join([b.title for b in books], ', ')} {{x}}\"", "str"),
}


@pytest.mark.parametrize(("expression", "result"), VALUES.values(), ids=VALUES)
def test_values(expression: str, result: str) -> None:
    assert judge(value(expression, result=result)) == ()


BODIES = {
    "require narrows": (
        "let rating = books[title].rating",
        'require rating != null and rating > 3 else fail "poor"',
        "return round(rating)",
    ),
    "else of null narrows": (
        "let rating = books[title].rating",
        "if rating == null { return 0 } else { return round(rating) }",
    ),
    "early return narrows": (
        "let rating = books[title].rating",
        "if rating == null or rating < 1 { return 0 }",
        "return round(rating)",
    ),
    "negation narrows": (
        "let rating = books[title].rating",
        "if not (rating != null) { return 0 }",
        "return round(rating)",
    ),
    "place narrows until a write": (
        "if books[title].rating != null { return round(books[title].rating) }",
        "books[title].rating = 2.5",
        "return round(books[title].rating)",
    ),
    "condition of a loop narrows": (
        "for b in books if b.isbn != null { return len(b.isbn) }",
        "return 0",
    ),
    "comprehension narrows": ("return sum(len(b.isbn) for b in books if b.isbn != null)",),
    "assignment narrows a var": (
        "var best: int? = null",
        "best = 3",
        "return best",
    ),
    "locals of two blocks": (
        "if lent > 0 { let n = 1  return n }",
        "let n = 2",
        "return n",
    ),
    "loops": (
        "var sum = 0",
        "for b in books if b.pages > sum {",
        '  for c in title { if c == "a" { continue } sum += 1 }',
        "  if sum > 9 { break }",
        "}",
        "return sum",
    ),
    "match on text": ('match title { case "a" | "b" { return 1 } else { return 2 } }',),
    "match narrows a text": (
        'let size = if lent > 0 then "few" else "none"',
        'let known: "few" | "none" = if size == "few" then "few" else "none"',
        'match known { case "few" { return 1 } case "none" { return 0 } }',
    ),
    "pairs": (
        "let a, b = zip([1], [2])[0]",
        "return a + b",
    ),
    "call for its effect": ("books[title].pages += 1", "return books[title].pages"),
    "names of the language": (
        "let type = 1",
        "let from = type",
        "let step = from",
        "return step",
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies(body: tuple[str, ...]) -> None:
    assert judge(tool(*body)) == ()


_LINKED = ("record B { c: int, a?: A }", "record A { b: B?, all: list[B?] = [] }")
REFUSED = {
    "a write ends what is known of a place": (
        "TC0311",
        tool(
            'require books[title].rating != null else fail "none"',
            'books["Emma"].rating = null',
            "return round(books[title].rating)",
        ),
    ),
    "a call of a proc ends what is known of a place": (
        "TC0311",
        spec("proc clear() -> null {\n  best = null\n  return null\n}", "state best: int? = 1")
        + "tool f() -> int {\n  if best == null { return 0 }\n  clear()\n  return best\n}\n",
    ),
    "a loop ends what is known of a var": (
        "TC0311",
        tool("var best: int? = 3", "for b in books { lent = best  best = null }", "return 1"),
    ),
    "a var may have changed when a branch ends": (
        "TC0311",
        tool("var best: int? = 3", "if lent > 0 { best = null }", "return best"),
    ),
    "computed text is no date": ("TC0323", value("today() < title", result="bool")),
    "decimals and floats do not mix": ("TC0323", value('decimal("1") * 0.5', result="json")),
    "a list of ints is no list of floats": (
        "TC0301",
        tool("let ints = [1]", "return ints", result="list[float]"),
    ),
    "a field too many": ("TC0301", tool("let r = {a: 1, b: 2}", "return r", result="{a: int}")),
    "a local is no type": ("TC0343", value("parse_json(title, title)")),
    "an expression is no type": ("TC0343", value("parse_json(title, 1 + 1)")),
    "an unknown type": ("TC0203", value("parse_json(title, list[Bok])", result="json")),
    "a list of two types": ("TC0303", value("parse_json(title, list[int, str])", result="json")),
    "json of no type is json": ("TC0301", value("parse_json(title)")),
    "fields of a closed record are known": (
        "TC0221",
        tool("return len(keys(books[title]))"),
    ),
    "a null in the middle of a path": (
        "TC0311",
        spec(*_LINKED, "fn f(a: A) -> int { return a.b.c }"),
    ),
    "a null in the middle of a key's path": (
        "TC0311",
        spec(*_LINKED, "fn f(a: A, d: dict[int, int]) -> int { return d[a.b.c] ?? 0 }"),
    ),
    "a null beside a path": (
        "TC0311",
        spec(*_LINKED, 'fn f(a: A) -> int { return a.b.c + 1 else fail "none" }'),
    ),
}


@pytest.mark.parametrize(("code", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(code: str, text: str) -> None:
    assert [each.code for each in judge(text)] == [code]


@pytest.mark.parametrize(
    "path",
    [
        "a.b.c ?? 0",
        "a.b.c ?? a.b.a.b.c ?? 0",
        'a.b.a.b.c else fail "none"',
        'a.b.a.b.c ?? a.b.c else fail "none"',
        "a.all[0].a.b.c ?? 0",
        "none(a).c ?? 0",
        "(a.b ?? a.all[0]).c ?? 0",
    ],
)
def test_null_links_of_a_path_are_handled_to_its_right(path: str) -> None:
    functions = ("fn none(a: A) -> B? { return a.b }", f"fn f(a: A) -> int {{ return {path} }}")
    assert judge(spec(*_LINKED, *functions)) == ()


def test_keys_of_an_open_record() -> None:
    text = spec("record Note { text: str, ... }")
    text += "fn extra(note: Note) -> list[str] {\n"
    text += '  return [key for key in keys(note) if key != "text"]\n}\n'
    assert judge(text) == ()


def test_recursive_types() -> None:
    fits = spec(
        "record A { kids: list[A] }",
        "record B { kids: list[B] }",
        "record People { id: str, boss: ref people?, friends: list[ref people] }",
        "table people[id]: People = []",
        "fn same(a: A) -> B { return a }",
        "tool boss_of(id: str) -> str? { return people[id].boss }",
    )
    assert {each.code for each in judge(fits)} == {"TC0228"}  # they fit, and nothing uses them


def test_keys_that_refer_to_each_other() -> None:
    text = spec(
        "record A { id: ref bs }",
        "record B { id: ref as_ }",
        "table as_[id]: A = []",
        "table bs[id]: B = []",
    )
    assert codes(text) <= {"TC0459"}


def test_constants_in_any_order() -> None:
    found = checked(spec("const twice = [one, one]", "const one = 1"))
    assert found.environment is not None
    values = {constant.name: constant.value for constant in found.environment.constants}
    assert values == {"twice": [1, 1], "one": 1}


def test_defaults_of_fields_are_written_out() -> None:
    found = checked(
        spec(
            "record Box { tags: list[str] = [], sizes: dict[str, int] = {a: 1} }",
            "fn box() -> Box { return {} }",
        )
    ).environment
    assert found is not None
    made = next(node for node in nodes(found.functions) if isinstance(node, core.RecordOf))
    assert [entry.name for entry in made.entries] == ["tags", "sizes"]


def test_cases_keep_their_fields_when_narrowed_twice() -> None:
    text = spec(
        'union Shape by kind { case "a" { x: int }, case "b" { y: int }, case "c" { z: int } }',
        "fn size(s: Shape) -> int {",
        '  if s.kind == "a" { return s.x }',
        '  if s.kind == "b" { return s.y }',
        "  return s.z",
        "}",
    )
    assert judge(text) == ()


def test_use() -> None:
    found = files_of(
        spec("use dates { Period, days_in }", "tool f(p: Period) -> int { return days_in(p) }"),
        dates=(
            'toolc 1\nenum Period { "day", "week" }\nconst week = 7\n'
            'fn days_in(p: Period) -> int { return if p == "day" then 1 else week }\n'
        ),
    )
    assert found.diagnostics == ()
    assert found.environment is not None
    assert [function.name for function in found.environment.functions] == ["f", "days_in"]


def test_effects() -> None:
    found = checked(
        spec(
            "fn longest() -> int { return max(b.pages for b in books) ?? 0 }",
            "proc count() -> int {\n  lent += longest()\n  return random_int(0, lent)\n}",
            "tool lend() -> int { return count() }",
        )
    ).environment
    assert found is not None
    lend = found.tool("lend")
    assert lend is not None
    assert lend.effects.reads == ("books", "lent")
    assert lend.effects.writes == ("lent",)
    assert lend.effects.draws
    assert not lend.effects.clock


def test_an_alias_shows_its_name() -> None:
    found = checked(spec("type Grade = int(minimum: 1)", "state g: Grade = 1")).environment
    assert found is not None
    kind = next(scalar.type for scalar in found.scalars if scalar.name == "g")
    assert t.show(kind) == "Grade"


CONSTANTS = {
    "7 // 2 + 7 % 4 - 2 ** 3": -2,
    "-(1 - 2.5)": 1.5,
    "[1] + more": [1, 2, 3],
    "{...sizes, b: 2}": {"a": 1, "b": 2},
}


@pytest.mark.parametrize(("expression", "result"), CONSTANTS.items())
def test_constants(expression: str, result: object) -> None:
    found = checked(
        spec(f"const x = {expression}", "const more = [2, 3]", "const sizes = {a: 1}")
    ).environment
    assert found is not None
    assert found.constants[0].value == result


@pytest.mark.parametrize(
    "expression",
    ["9_223_372_036_854_775_807 + 1", "1e308 * 10", "2 ** 70", "end + end", "day + end", "2 * end"],
)
def test_constants_out_of_range(expression: str) -> None:
    text = spec(
        f"const x = {expression}",
        'const day: date = "9999-12-31"',
        'const end: duration = "P999999999D"',
    )
    assert codes(text) == {"TC0312"}


@pytest.mark.parametrize(
    ("kind", "format", "fits"),
    [
        ("int", "03d", True),
        ("int", ",", True),
        ("int", ".2f", True),
        ("int", ".2", False),
        ("float", ".1%", True),
        ("float", "d", False),
        ("decimal", ",.2f", True),
        ("str", "5", False),
        ("int", "9999d", False),
    ],
)
def test_formats(kind: str, format: str, fits: bool) -> None:
    text = spec(f'fn f(x: {kind}) -> str {{ return "{{x:{format}}}" }}')
    assert codes(text) == (set() if fits else {"TC0314"})


def test_names_are_distinct_across_files() -> None:
    found = files_of(
        spec("use shared { limit }", "record Box { id: str }", "fn double() -> int { return 2 }"),
        shared=(
            "toolc 1\nconst limit = 3\nrecord Box { id: int }\nfn double() -> int { return 4 }\n"
        ),
    )
    assert [(each.code, each.path) for each in found.diagnostics] == [
        ("TC0202", "shared.toolc"),
        ("TC0202", "shared.toolc"),
    ]


def test_a_decimal_may_have_an_exponent() -> None:
    found = checked(spec("const small: decimal = 2.5e-3")).environment
    assert found is not None
    assert [str(each.value) for each in found.constants] == ["0.0025"]


def test_the_condition_of_a_family_narrows() -> None:
    head = """toolc 1
environment towns "Towns." version "1.0"
record Town { name: str, mayor: str? }
table towns[name]: Town = [{name: "Ulm", mayor: "Ann"}, {name: "Trier", mayor: null}]
tool greet(who: str) -> str { return "Hello, {who}" }
scenario s for t in towns if WHO != null {
  user "Greet the mayor of {t.name}."
  plan { step let said = greet(who: WHO) }
  answer said
}
"""
    assert judge(head.replace("WHO", "t.mayor")) == ()
    # A place in a table may have been written since.
    assert codes(head.replace("WHO", 'towns["Ulm"].mayor')) == {"TC0311"}
