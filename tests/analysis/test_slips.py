# ruff: noqa: E501
"""What is written by habit from other languages: what is found, and what its fixes give."""

from __future__ import annotations

import pytest

from tests.analysis.samples import ENTRY, judge
from toolc.diagnostics.diagnostic import Diagnostic
from toolc.diagnostics.render import apply_fixes
from toolc.diagnostics.rules.sample import SAMPLE
from toolc.syntax.parser import parse

FRAMES = {
    "body": (
        SAMPLE + "fn helper(x: int) -> int { return x }\ntool t(title: str, n: int) -> int {\n ",
        "\n}\n",
    ),
    "item": (SAMPLE, "\n"),
    "file": ("", ""),
}
ROUNDS = 5

# A frame, what is written in it, the codes of what is found, and the text after all safe fixes; None
# where no fix is safe.
SLIPS: list[tuple[str, str, str, str | None]] = [
    (
        "body",
        "let a = 1 if n > 2 else 3\n return a",
        "TC0130",
        "let a = if n > 2 then 1 else 3\n return a",
    ),
    (
        "body",
        "return len([1 if n > 2 else 3, n])",
        "TC0130",
        "return len([if n > 2 then 1 else 3, n])",
    ),
    ("body", "return n > 2 ? 1 : 3", "TC0130", "return if n > 2 then 1 else 3"),
    (
        "body",
        "let s = sorted(books, key=lambda b: b.pages)\n return len(s)",
        "TC0132",
        "let s = sorted(b for b in books by b.pages)\n return len(s)",
    ),
    (
        "body",
        "let s = sorted(books, key=lambda b: (b.pages, b.title), reverse=True)\n return len(s)",
        "TC0132",
        "let s = sorted(b for b in books by b.pages desc, b.title desc)\n return len(s)",
    ),
    (
        "body",
        "let s = sorted([1, 2], reverse=True)\n return len(s)",
        "TC0132",
        "let s = reversed(sorted([1, 2]))\n return len(s)",
    ),
    ("body", "return helper(x = n)", "TC0112", "return helper(x: n)"),
    ("body", "let o = {a = 1}\n return o.a", "TC0112", "let o = {a: 1}\n return o.a"),
    (
        "body",
        "if n > 1 { return 1 } elif n > 0 { return 2 } else { return 3 }",
        "TC0113",
        "if n > 1 { return 1 } else if n > 0 { return 2 } else { return 3 }",
    ),
    ("body", "let x: int? = None\n return x ?? 1", "TC0115", "let x: int? = null\n return x ?? 1"),
    ("body", 'let s = f"a {n}"\n return len(s)', "TC0131", 'let s = "a {n}"\n return len(s)'),
    (
        "body",
        "let s = f'a {n}'\n return len(s)",
        "TC0108 TC0131",
        'let s = "a {n}"\n return len(s)',
    ),
    (
        "body",
        "var xs = [1]\n xs.append(n)\n return len(xs)",
        "TC0213",
        "var xs = [1]\n append n to xs\n return len(xs)",
    ),
    (
        "body",
        'let d = {"a": 1}\n return d.get("a", 0)',
        "TC0213",
        'let d = {"a": 1}\n return (d["a"] ?? 0)',
    ),
    (
        "body",
        'let d = {"a": 1}\n return sum(v for k, v in d.items())',
        "TC0213",
        'let d = {"a": 1}\n return sum(v for k, v in items(d))',
    ),
    (
        "body",
        'let d = {"a": 1}\n return len(d.keys())',
        "TC0213",
        'let d = {"a": 1}\n return len(keys(d))',
    ),
    ("body", "return len(title.lower())", "TC0213", "return len(lower(title))"),
    ("body", "return title.len()", "TC0213", "return len(title)"),
    ("body", "return title.length", "TC0318", "return len(title)"),
    (
        "body",
        'return len(", ".join(["a", title]))',
        "TC0213",
        'return len(join(["a", title], ", "))',
    ),
    (
        "body",
        'return if title.startswith("a") then 1 else 2',
        "TC0213",
        'return if starts_with(title, "a") then 1 else 2',
    ),
    (
        "body",
        "let x = books[title].isbn\n return if x is None then 1 else 2",
        "TC0115 TC0117",
        "let x = books[title].isbn\n return if x == null then 1 else 2",
    ),
    (
        "body",
        "let x = books[title].isbn\n let y = x is not None\n return if y then 1 else 2",
        "TC0115 TC0117",
        "let x = books[title].isbn\n let y = x != null\n return if y then 1 else 2",
    ),
    (
        "body",
        "var s = 0\n for (b of books) { s += b.pages }\n return s",
        "TC0117",
        "var s = 0\n for b in books { s += b.pages }\n return s",
    ),
    (
        "body",
        "var s = 0\n for (const b of books) { s += b.pages }\n return s",
        "TC0117",
        "var s = 0\n for b in books { s += b.pages }\n return s",
    ),
    ("body", "while n > 2 { return 1 }\n return 2", "TC0126", None),
    ("body", "try { return 1 } except { return 2 }", "TC0126", None),
    (
        "body",
        'if n > 2 { raise ValueError("bad") }\n return 2',
        "TC0126",
        'if n > 2 { fail "bad" }\n return 2',
    ),
    (
        "body",
        'if n > 2 { throw new Error("bad") }\n return 2',
        "TC0126",
        'if n > 2 { fail "bad" }\n return 2',
    ),
    ("body", 'if n > 2 { throw "bad" }\n return 2', "TC0126", 'if n > 2 { fail "bad" }\n return 2'),
    ("body", "var x = n\n x++\n return x", "TC0117", "var x = n\n x+= 1\n return x"),
    ("body", "let mut x = n\n x += 1\n return x", "TC0117", "var x = n\n x += 1\n return x"),
    ("body", "const x = n\n return x", "TC0126", "let x = n\n return x"),
    ("body", "x = n\n return x", "TC0201", "let x = n\n return x"),
    ("body", "x = n\n x += 2\n return x", "TC0201", "var x = n\n x += 2\n return x"),
    (
        "body",
        'let d = {1: "a", 2: "b"}\n return len(d)',
        "TC0133",
        'let d = {"1": "a", "2": "b"}\n return len(d)',
    ),
    (
        "body",
        'let d: dict[int, str] = {[0]: "a"}\n return len(d)',
        "TC0133",
        'let d: dict[int, str] = {"0": "a"}\n return len(d)',
    ),
    ("body", 'return len("a { b")', "TC0110", None),
    ("body", 'return len("a } b")', "TC0110", 'return len("a }} b")'),
    ("body", 'return len("a {} b")', "TC0110", None),
    ("body", "return state.lent", "TC0201", "return lent"),
    ("body", "return self.books[title].pages", "TC0201", "return books[title].pages"),
    ("body", "return if n === 2 then 1 else 2", "TC0117", "return if n == 2 then 1 else 2"),
    ("body", "return if n !== 2 then 1 else 2", "TC0117", "return if n != 2 then 1 else 2"),
    ("body", "if n = 2 { return 1 }\n return 2", "TC0117", "if n == 2 { return 1 }\n return 2"),
    ("body", "return books[title]?.pages ?? 1", "TC0117", None),
    ("body", '"Does it."\n return n', "TC0137", "# Does it.\n return n"),
    ("body", '"""Does it."""\n return n', "TC0111 TC0137", "# Does it.\n return n"),
    ("body", "if n > 2:\n  return 1\n return 2", "TC0142", None),
    (
        "body",
        "return if n > 2 && n < 5 || !(n == 3) then 1 else 2",
        "TC0117",
        "return if n > 2 and n < 5 or not (n == 3) then 1 else 2",
    ),
    ("body", "let x = 1;\n return x;", "TC0119", "let x = 1\n return x"),
    ("body", "// one\n return n", "TC0116", "# one\n return n"),
    ("body", "/* one */\n return n", "TC0116", "# one\n return n"),
    ("body", "let x := 1\n return x", "TC0117", "let x = 1\n return x"),
    ("body", "return if n <> 2 then 1 else 2", "TC0117", "return if n != 2 then 1 else 2"),
    ("body", "int x = n\n return x", "TC0126", "let x: int = n\n return x"),
    ("body", "let s = `a ${n}`\n return len(s)", "TC0108", 'let s = "a {n}"\n return len(s)'),
    ("body", "let xs = [1]\n if xs { return 1 }\n return 2", "TC0301", None),
    ("body", 'let x = books[title].isbn\n return len(x or "none")', "TC0301", None),
    ("body", "if n > 2 { pass }\n return 2", "TC0126", "if n > 2 {  }\n return 2"),
    (
        "body",
        'assert n > 2, "too small"\n return n',
        "TC0126",
        'require n > 2 else fail "too small"\n return n',
    ),
    (
        "body",
        "let xs = list(filter(lambda b: b.pages > 2, books))\n return len(xs)",
        "TC0132",
        "let xs = [b for b in books if b.pages > 2]\n return len(xs)",
    ),
    (
        "body",
        "return if [1, 2].includes(n) then 1 else 2",
        "TC0213",
        "return if (n in [1, 2]) then 1 else 2",
    ),
    (
        "body",
        "var xs = [1]\n xs.remove(1)\n return len(xs)",
        "TC0213",
        "var xs = [1]\n remove 1 from xs\n return len(xs)",
    ),
    (
        "body",
        "let b = books.get(title)\n return if b == null then 1 else 2",
        "TC0213",
        "let b = (books[title] ?? null)\n return if b == null then 1 else 2",
    ),
    ("body", "var x = 1.0\n x /= 2\n return n", "TC0117", "var x = 1.0\n x = x / 2\n return n"),
    ("body", 'return len("a" + n)', "TC0323", 'return len("a" + str(n))'),
    (
        "body",
        "var xs = [1]\n xs.push(2)\n return len(xs)",
        "TC0213",
        "var xs = [1]\n append 2 to xs\n return len(xs)",
    ),
    ("body", "try:\n  return 1\n except:\n  return 2", "TC0126", None),
    ("body", "return", "TC0117 TC0301", None),
    ("body", "return len(list(books))", "TC0212", "return len(values(books))"),
    (
        "body",
        "return max(books, key=lambda b: b.pages).pages",
        "TC0132",
        "return max(b for b in books by b.pages).pages",
    ),
    ("body", "return max([n], default=0)", "TC0132", "return max([n]) ?? 0"),
    (
        "body",
        'require n > 2, "too small"\n return n',
        "TC0117",
        'require n > 2 else fail "too small"\n return n',
    ),
    (
        "body",
        'let x = books[title] or fail "no"\n return x.pages',
        "TC0117",
        'let x = books[title] else fail "no"\n return x.pages',
    ),
    (
        "body",
        'let b = books[title]\n return b["pages"]',
        "TC0321",
        "let b = books[title]\n return b.pages",
    ),
    (
        "body",
        "return len([b for b in books where b.pages > 2])",
        "TC0117",
        "return len([b for b in books if b.pages > 2])",
    ),
    (
        "body",
        "let d = {b.title: b.pages for b in books}\n return len(d)",
        "TC0141",
        "let d = {[b.title]: b.pages for b in books}\n return len(d)",
    ),
    ("body", "del books[title]\n return n", "TC0126", "delete books[title]\n return n"),
    ("body", "return n.to_string().length", "TC0213", "return len(str(n))"),
    ("item", "def f(x: int) -> int { return x }", "TC0114", None),
    ("item", "def f(x: int) -> int:\n    return x", "TC0114 TC0142", None),
    ("item", "fn f(x: int): int { return x }", "TC0117", "fn f(x: int) -> int { return x }"),
    ("item", "fn f(x: int) => int { return x }", "TC0117", "fn f(x: int) -> int { return x }"),
    ("item", "fn f(x: int) { return x }", "TC0139", None),
    (
        "item",
        "record A { id: string, n: integer, x: number, ok: boolean }",
        "TC0203",
        "record A { id: str, n: int, x: float, ok: bool }",
    ),
    (
        "item",
        "record A { id: Optional[str], xs: List[int], d: Dict[str, int] }",
        "TC0203",
        "record A { id: str?, xs: list[int], d: dict[str, int] }",
    ),
    ("item", "record A { id: str[] }", "TC0136", "record A { id: list[str] }"),
    (
        "item",
        "record A { id: list<str>, m: Array<int> }",
        "TC0136 TC0203",
        "record A { id: list[str], m: list[int] }",
    ),
    ("item", 'record A { id: Literal["a", "b"] }', "TC0203", 'record A { id: "a" | "b" }'),
    (
        "item",
        "record A { id: str | null, n: int | None }",
        "TC0135",
        "record A { id: str ?, n: int ? }",
    ),
    ("item", "record A { id: str | int }", "TC0135", None),
    ("item", "record A { s: pending | done }", "TC0133", 'record A { s: "pending" | "done" }'),
    ("item", "enum A { pending, done }", "TC0133", 'enum A { "pending", "done" }'),
    (
        "item",
        'enum A { PENDING = "pending", DONE = "done" }',
        "TC0133",
        'enum A { "pending", "done" }',
    ),
    ("item", "record A { s: array }", "TC0203", None),
    ("item", "record A { s: object }", "TC0203", None),
    ("item", "record A { s: str; t: int; }", "TC0102 TC0119", "record A { s: str, t: int }"),
    ("item", "record A {\n  s: str\n  t: int\n}", "TC0102", "record A {\n  s: str,\n  t: int\n}"),
    ("item", "class A { s: str }", "TC0114", "record A { s: str }"),
    (
        "item",
        'tool f(x: int) -> int {\n  """Doc."""\n  return x\n}',
        "TC0111 TC0137",
        "tool f(x: int) -> int {\n  # Doc.\n  return x\n}",
    ),
    (
        "item",
        'tool f(x: int) "Doc." -> int { return x }',
        "TC0138",
        'tool f "Doc." (x: int) -> int { return x }',
    ),
    (
        "item",
        'tool f "Doc" (x: int // the x\n) -> int { return x }',
        "TC0116",
        'tool f "Doc" (x: int # the x\n) -> int { return x }',
    ),
    ("item", "tool f(x = int) -> int { return x }", "TC0112", "tool f(x: int) -> int { return x }"),
    (
        "item",
        'tool f(x: int "The x." = 3) -> int { return x }',
        "TC0138",
        'tool f(x: int = 3 "The x.") -> int { return x }',
    ),
    ("item", 'enum A = "a" | "b"', "TC0117", 'type A = "a" | "b"'),
    ("item", "record A = { a: int }", "TC0140", "record A  { a: int }"),
    ("item", "type A = int(min: 1, max: 3)", "TC0305", "type A = int(minimum: 1, maximum: 3)"),
    (
        "item",
        "type A = int(minimum=1, maximum=3)",
        "TC0112",
        "type A = int(minimum: 1, maximum: 3)",
    ),
    ("item", "let limit = 3", "TC0114", "const limit = 3"),
    ("item", "proc f() -> void { lent += 1 }", "TC0203", "proc f() -> null { lent += 1 }"),
    ("item", "proc f() -> None { lent += 1 }", "TC0203", "proc f() -> null { lent += 1 }"),
    (
        "item",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user: "Do it."\n  plan { step g(n: 1) }\n}',
        "TC0140",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it."\n  plan { step g(n: 1) }\n}',
    ),
    (
        "item",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it."\n  plan { let x = g(n: 1) }\n answer x\n}',
        "TC0117",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it."\n  plan { step let x = g(n: 1) }\n answer x\n}',
    ),
    (
        "item",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it.",\n  plan { step g(n: 1), step g(n: 2) },\n}',
        "TC0103",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it."\n  plan { step g(n: 1) step g(n: 2) }\n}',
    ),
    (
        "item",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it."\n  plan { step g(n: 1) }\n verify { check a: 1 == len("a")\n constraint calls <= 2 }\n}',
        "TC0102",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it."\n  plan { step g(n: 1) }\n verify { check a: 1 == len("a"),\n constraint calls <= 2 }\n}',
    ),
    (
        "item",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it."\n  plan { step x = g(n = 1) }\n answer x\n}',
        "TC0112 TC0117",
        'tool g(n: int) -> int { return n }\nscenario s {\n  user "Do it."\n  plan { step let x = g(n: 1) }\n answer x\n}',
    ),
    (
        "item",
        'tool g(n: int) -> int { fail "no" }\ntest "a" { expect g(n: 1) fails "no" }',
        "TC0117",
        'tool g(n: int) -> int { fail "no" }\ntest "a" { expect g(n: 1) fails with "no" }',
    ),
    (
        "item",
        'tool g(n: int) -> int { return n }\ntest "a" { assert g(n: 1) == 1 }',
        "TC0126",
        'tool g(n: int) -> int { return n }\ntest "a" { expect g(n: 1) == 1 }',
    ),
    (
        "file",
        'environment a "A."\nconst x = 1\n',
        "TC0104",
        'toolc 1\nenvironment a "A."\nconst x = 1\n',
    ),
    ("file", "toolc 1\nenvironment a\nconst x = 1\n", "TC0134", None),
    ("file", 'toolc 1.0\nenvironment a "A."\n', "TC0105", 'toolc 1\nenvironment a "A."\n'),
    (
        "file",
        'toolc 1\nenvironment a "A." version: "1.0"\n',
        "TC0140",
        'toolc 1\nenvironment a "A." version "1.0"\n',
    ),
    (
        "file",
        'toolc 1\nenvironment a "A." version 1.0\n',
        "TC0133",
        'toolc 1\nenvironment a "A." version "1.0"\n',
    ),
]


def found_in(text: str) -> tuple[Diagnostic, ...]:
    """The errors that `toolc check` finds: what the parser cannot mend safely is not checked further."""
    found = parse(text, ENTRY).diagnostics
    mended = all(each.fix is not None and each.fix.applicability == "safe" for each in found)
    return tuple(each for each in (judge(text) if mended else found) if each.severity == "error")


@pytest.mark.parametrize(("frame", "written", "codes", "mended"), SLIPS)
def test_slip(frame: str, written: str, codes: str, mended: str | None) -> None:
    before, after = FRAMES[frame]
    text = before + written + after
    assert " ".join(sorted({each.code for each in found_in(text)})) == codes
    for _ in range(ROUNDS):
        text = apply_fixes(text, found_in(text))
    if mended is None:
        assert found_in(text)
    else:
        assert text == before + mended + after
        assert found_in(text) == ()
