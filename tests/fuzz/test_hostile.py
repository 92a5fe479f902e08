"""Specs that mean to hang the compiler, or to exhaust it: each ends, as a diagnostic or a build.

They run in processes whose memory is bounded, with a generous time. A spec is expected to have
diagnostics of the codes given, beside warnings; none where it is to be built.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from toolc.cli import main

HEAD = 'toolc 1\nenvironment e "e"\n'
MEMORY = 2 << 30
PATIENCE = 300
BOUNDED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
from toolc.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run(body: str, *declarations: str, result: str = "json") -> str:
    """A spec with a tool of this body, and a plan that calls it."""
    return (
        HEAD
        + "\n".join(declarations)
        + f"\ntool f(n: int) -> {result} {{ {body} }}\n"
        + 'scenario s { user "x" plan { step "q" let r = f(n: 3) } answer r }\n'
    )


def grown(start: str, step: str, then: str, times: int = 60) -> str:
    return run(f"var x: json = {start} for i in range({times}) {{ x = {step} }} {then}")


def doubled(body: str, times: int = 15, start: str = "ab") -> str:
    """`x` is a text, doubled so often."""
    return run(f'var x = "{start}" for i in range({times}) {{ x = x + x }} {body}')


def plan(clauses: str, head: str = HEAD) -> str:
    return head + f"tool f(n: int) -> int {{ return n }}\nscenario s {clauses}\n"


RECORDS = "".join(f"record R{i} {{ a: R{i + 1}, b: R{i + 1} }}\n" for i in range(40))
ONE = '{ user "x" plan { step "q" let r = f(n: 1) } answer r }'
EACH = '{ user "x {a}" plan { step "q" let r = f(n: a) } answer r }'
WALK = (
    "record R { id: str, to: list[ref rows] }\n"
    'table rows[id]: R = [{id: "a", to: ["b", "a"]}, {id: "b", to: ["a"]}]'
)
SPECS: dict[str, tuple[str, str]] = {
    # size
    "many declarations": ("", HEAD + "".join(f"const c{i} = {i}\n" for i in range(10_000))),
    "many mistakes": ("TC0101", HEAD + "const = ]\n" * 20_000),
    "many unknown names": ("TC0201", HEAD + "".join(f"const c{i} = x{i}\n" for i in range(1_000))),
    "many duplicates": ("TC0202", HEAD + "const a = 1\n" * 20_000),
    "many fields": (
        "",
        HEAD
        + f"record R {{ {', '.join(f'f{i}: int' for i in range(10_000))} }}\n"
        + "state r: R? = null",
    ),
    "many cases": (
        "TC0121",
        HEAD
        + "enum E { "
        + ", ".join(f'"v{i}"' for i in range(10_000))
        + " }\n"
        + "tool f(e: E) -> int { match e {"
        + "".join(f'case "v{i}" {{ return {i} }}\n' for i in range(10_000))
        + "} }",
    ),
    "brackets": ("TC0121", HEAD + "const x = " + "[" * 10_000 + "]" * 10_000),
    "open brackets": ("TC0121", HEAD + "const x = " + "(" * 100_000),
    "quotes": ("TC0111", HEAD + '"' * 100_001),
    "a long name": ("", HEAD + "const " + "x" * 1_000_000 + " = 1"),
    "a long text": ("TC0301", HEAD + 'const x: int = "' + "x" * 1_000_000 + '"'),
    "a long plan": (
        "TC0667",
        plan(
            '{ user "x" plan {'
            + "\n".join(f'step "q" let r{i} = f(n: {i})' for i in range(10_000))
            + "} answer r1 }"
        ),
    ),
    # what is written out
    "records": ("TC0345", HEAD + RECORDS + "record R40 {}\ntool f(r: R0) -> int { return 1 }"),
    "aliases": (
        "TC0345",
        HEAD + RECORDS.replace("record", "type").replace(" {", " = {") + "type R40 = int",
    ),
    "constants": (
        "TC0345",
        HEAD + "".join(f"const c{i + 1} = [c{i}, c{i}]\n" for i in range(40)) + "const c0 = 1",
    ),
    # growth
    "text": ("TC0601", doubled("return x", 100)),
    "interpolation": (
        "TC0601",
        run('var x = "a" for i in range(99) { x = "{x}{x}" } return x'),
    ),
    "list": ("TC0601", run("var x = [1] for i in range(99) { x = x + x } return x")),
    "int": ("TC0601", run("return 9 ** 9 ** 9 ** n")),
    "decimal": ("TC0601", run('return decimal("9") ** decimal("999999999999")')),
    "shared result": ("TC0601", grown("1", "[x, x]", "return x")),
    "shared failure": ("TC0601", grown("1", "[x, x]", "fail x")),
    "shared text": ("TC0601", grown("1", "[x, x]", 'return len("{x}")')),
    "shared json": ("TC0601", grown("1", "{a: x, b: x}", "return to_json(x)")),
    "shared members": ("TC0601", grown("1", "[x, x]", "return unique([x, x])")),
    "shared list": ("TC0601", run("let a = range(100000) return [a for i in range(100000)]")),
    "shared equals": ("TC0601", grown("1", "[x, x]", "let y = [x] return y == [x, x]")),
    "shared in": ("TC0601", grown("1", "[x, x]", "return x in [[x, x]]")),
    "shared state": (
        "TC0601",
        run("for i in range(60) { s = [s, s] } return 1", "state s: json = 1"),
    ),
    "deep result": ("TC0601", grown("1", "[x]", "return x", 50_000)),
    "deep state": (
        "TC0601",
        run("for i in range(5000) { s = [s] } return 1", "state s: json = 1"),
    ),
    "rows": (
        "TC0601",
        run(
            "for i in range(100000) { for j in range(99999) { insert {id: i * 99999 + j} into t } }"
            " return 1",
            "table t[id]: {id: int} = []",
        ),
    ),
    "replace": (
        "TC0601",
        run('var x = "a" for i in range(99) { x = replace(x, "a", "aa") } return x'),
    ),
    "pad": ("TC0601", run('return pad("x", 10 ** 12)')),
    "width": ("TC0314", run('return "{n:>1000000000}"')),
    "precision": ("TC0314", run('let x = 1.5 return "{x:.999999999f}"')),
    # work
    "loops": (
        "TC0601",
        run("var t = 0 for a in range(99999) { for b in range(99999) { t += 1 } } return t"),
    ),
    "product": ("TC0601", run("return [a for a in range(99999) for b in range(99999)]")),
    "calls": (
        "TC0512",
        HEAD
        + "".join(
            f"fn f{i}(n: int) -> int {{ return f{i + 1}(n) * f{i + 1}(n) }}\n" for i in range(60)
        )
        + "fn f60(n: int) -> int { return n }\ntool f(n: int) -> int { return f0(n) }",
    ),
    "similarity": ("TC0601", doubled("return sum(similarity(x, reversed(x)) for i in [1, 2, 3])")),
    "arithmetic text": ("TC0601", run('return calculate("9**9**9")')),
    "deep arithmetic": ("TC0601", doubled("return calculate(x)", start="(")),
    "sort": ("TC0601", run("return sum(len(sorted(range(99999))) for i in range(99999))")),
    "walk in a ring": ("", run('return [k for k in walk(i from "a" by rows[i].to)]', WALK)),
    "endless walk": ("TC0601", run("return len(walk(i from 0 by [i + 1, i + 2]))")),
    "backtracking": ("", doubled('return matches(x + "b", "^(a|a)*(a|aa)+$")', start="aa")),
    "repetitions": ("", run('return matches("a", "((((a{1000}){1000}){1000}){1000})")')),
    "pattern of a type": ("TC0308", HEAD + 'type T = str(pattern: "((a{1000}){1000}){1000}")'),
    "range": ("TC0601", run("return range(10 ** 18)")),
    "round": ("TC0601", run("return round(1.5, 10 ** 9)")),
    "a large answer": ("TC0613", run("return zip(range(100000), range(100000))")),
    "random float": ("TC0601", run("return random_float(-1e308, 1e308)")),
    "fresh ids": ("TC0601", run('return [fresh_id("W", 1) for i in range(99)]')),
    "duration": ("TC0601", run('return duration("P1D") * 10 ** 12')),
    "calendar": ("TC0601", run('return now() + duration("P99999999D")')),
    "clock": ("TC0310", HEAD.replace('"e"', '"e" clock "99999-01-01T00:00:00"')),
    "advance": ("TC0613", plan('{ given { advance "P99999999D" }' + ONE[1:])),
    # scenarios
    "family": ("TC0613", plan(f"for a in range(10 ** 9) {EACH}")),
    "sample": ("TC0607", plan(f"for a in range(10) sample 1000000000 {EACH}")),
    "distractors": ("TC0616", plan(ONE.replace("plan", "tools [f] distractors 1000000000 plan"))),
    "limits": ("", plan(ONE.replace("plan", "limits {calls: 1000000000000000000} plan"))),
    "invariant": (
        "TC0614",
        HEAD + "invariant i: sum(1 for a in range(99999) for b in range(99999)) > 0\n",
    ),
}


def compiled(folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    """`toolc compile` with little memory."""
    names = [str(path) for path in paths]
    return subprocess.run(
        [sys.executable, "-c", BOUNDED, "compile", *names, "-o", str(folder), "--format", "plain"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize(("code", "text"), SPECS.values(), ids=SPECS)
def test_specs(tmp_path: Path, code: str, text: str) -> None:
    path = tmp_path / "e.toolc"
    path.write_text(text)
    ended = compiled(tmp_path / "out", path)
    assert "internal error" not in ended.stderr and "Traceback" not in ended.stderr
    assert "defective" not in ended.stdout
    assert ended.returncode == (1 if "error[" in ended.stdout else 0), ended.stderr[-500:]
    assert f"[{code}]" in ended.stdout if code else "error[" not in ended.stdout


def test_a_spec_of_a_hundred_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "e.toolc"
    with path.open("wb") as file:
        file.truncate(100 << 20)
    ended = compiled(tmp_path / "out", path)
    assert ended.returncode == 1
    assert "larger than 4 MiB" in ended.stdout


NAMES = ["class", "async", "print", "self", "state", "str", "list", "dict", "TOOLS", "State", "e"]
NAMES += ["Fail", "TypedDict", "Literal", "datetime", "Table", "each", "match", "type", "lambda"]
EVERYWHERE = """toolc 1
environment NAME "e"
enum KIND { "NAME", "b" }
union ANY by NAME { case "NAME" { a: int }, case "b" {} }
record R { NAME: str, "NAME of": int = 1, inner?: { NAME: KIND } }
table rows[NAME]: R = [{ NAME: "NAME" }]
fn NAME_of(NAME: str) -> R? { let row = rows[NAME] else fail "no {NAME}" return row }
tool NAME(NAME: str, kind: KIND = "NAME") -> str {
  for row in rows { require row.NAME != "" else fail { NAME: row.NAME } }
  let names = [row.NAME for row in rows if row.NAME in rows]
  return names[0] else fail NAME
}
invariant NAME: all(NAME.NAME != "" for NAME in rows)
scenario NAME for NAME in rows {
  user "{NAME.NAME}"
  plan { step "?" let found = NAME(NAME: NAME.NAME) }
  answer found
  verify { check NAME: found == NAME.NAME }
}
"""


@pytest.mark.parametrize("name", NAMES)
def test_names_of_python_everywhere(tmp_path: Path, name: str) -> None:
    path = tmp_path / "e.toolc"
    path.write_text(EVERYWHERE.replace("NAME", name))
    assert main(["compile", str(path), "-o", str(tmp_path / "out")]) == 0


TEXTS = ['\\"', "'", "\\n", "{{", "}}", "\\\\", '\\"\\"\\"', "\\u202e", "\\u200b", "\\u2028", "\\t"]
TEXTS += ["#", "%s", "\\u001b[31m", "\\\\N{{DASH}}", "\\ufeff", "é", "\\u0085", '\\\\\\"\\"\\"']
SAID = """toolc 1
environment e "RAW" version "RAW"
enum Kind "RAW" { "aRAW", "b" }
record R "RAW" { id: str "RAW", "xRAW": str = "TEXT" "RAW" }
table rows[id]: R = [{ id: "TEXT" }]
const c = { "RAW": "TEXT" }
fn g "RAW" (x: str = "TEXT") -> str { return x + "TEXT" }
tool f "RAW" (x: str = "TEXT" "RAW", k: Kind = "aTEXT") -> str {
  match k { case "aRAW" { fail "TEXT" } else {} }
  return g() + c["TEXT"] + rows["TEXT"].id
}
scenario s "RAW" { system "TEXT" user "TEXT {1}" plan { step "TEXT" f() fails with "TEXT" } }
"""


@pytest.mark.parametrize("text", TEXTS)
def test_texts_everywhere(tmp_path: Path, text: str) -> None:
    """Texts of a spec stand in code, in its comments and its docstrings."""
    path = tmp_path / "e.toolc"
    raw = text.replace("{{", "{").replace("}}", "}")  # where braces mean nothing
    path.write_text(SAID.replace("RAW", raw).replace("TEXT", text))
    assert main(["compile", str(path), "-o", str(tmp_path / "out")]) == 0
