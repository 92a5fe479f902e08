"""Reports for people, for grep and for programs."""

import json
from textwrap import dedent

from toolc.diagnostics.diagnostic import Diagnostic, Edit, Fix, Note
from toolc.diagnostics.render import apply_fixes, render
from toolc.node import Span
from toolc.syntax.parser import parse

TEXT = 'toolc 1\nrecord A { a: int b: str }\nconst x = f(a,\n  b c d\n  "\t数 {y z}")\n'


def report(text: str, format: str, colour: bool = False) -> str:
    return render(parse(text, "a.toolc").diagnostics, {"a.toolc": text}, format, colour)


def test_human() -> None:
    assert report(TEXT, "human") == dedent(
        """\
        error[TC0102]: missing comma before `b`
         --> a.toolc:2:15
          |
        2 | record A { a: int b: str }
          |               ^^^
          = fix: insert a comma
        2 + record A { a: int, b: str }

        error[TC0101]: expected `)`, `,`, `:` or `from`, found `c`
         --> a.toolc:4:5
          |
        4 |   b c d
          |     ^
        note: this `(` is still open
         --> a.toolc:3:12
          |
        3 | const x = f(a,
          |            -

        """
    ).replace("expected `)`, `,`, `:` or `from`", _expected(TEXT))


def _expected(text: str) -> str:
    return parse(text, "a").diagnostics[1].message.partition(", found")[0]


def test_plain() -> None:
    lines = report(TEXT, "plain").splitlines()
    assert lines[0] == "a.toolc:2:15: error[TC0102]: missing comma before `b`"


def test_json() -> None:
    first, second = map(json.loads, report(TEXT, "json").splitlines())
    assert first == {
        "version": 1,
        "code": "TC0102",
        "severity": "error",
        "message": "missing comma before `b`",
        "path": "a.toolc",
        "line": 2,
        "column": 15,
        "end_line": 2,
        "end_column": 18,
        "source_line": "record A { a: int b: str }",
        "help": [],
        "notes": [],
        "fix": {
            "title": "insert a comma",
            "applicability": "safe",
            "edits": [{"line": 2, "column": 18, "end_line": 2, "end_column": 18, "text": ","}],
        },
    }
    assert second["notes"][0]["line"] == 3


def test_colour_only_adds_escapes() -> None:
    plain, coloured = report(TEXT, "human"), report(TEXT, "human", colour=True)
    assert "\x1b[1;31merror[TC0102]\x1b[0m" in coloured
    assert len(coloured) > len(plain)
    assert "\x1b" not in plain


def found_at(start: int, end: int, **rest: object) -> Diagnostic:
    return Diagnostic("TC0101", "error", "message", "p", Span(start, end), **rest)  # type: ignore[arg-type]


def test_carets_follow_the_width_of_what_is_above() -> None:
    text = '\t"数é" x\n'
    lines = render([found_at(text.index("x"), text.index("x") + 1)], {"p": text}).splitlines()
    assert lines[3:5] == ['1 |     "数é" x', "  |" + " " * 11 + "^"]


def test_long_lines_show_what_is_around() -> None:
    text = "a" * 5000 + "!" + "b" * 5000
    lines = render([found_at(5000, 5001)], {"p": text}).splitlines()
    assert lines[1] == " --> p:1:5001"
    assert len(lines[3]) < 130
    assert lines[3][lines[4].index("^")] == "!"
    assert len(json.loads(render([found_at(5000, 5001)], {"p": text}, "json"))["source_line"]) < 130


def test_control_characters_do_not_reach_the_terminal() -> None:
    shown = render([found_at(0, 1)], {"p": "\x1b[31m\x00\u202e \udc80"})
    assert not set(shown) & set("\x1b\x00\u202e\udc80")
    assert render([found_at(0, 1)], {"p": "\udc80"}, "json").encode()


def test_spans_over_lines_at_the_end_and_without_source() -> None:
    lines = render([found_at(2, 9)], {"p": "abcd\nefgh"}).splitlines()
    assert lines[4] == "  |   ^^"
    assert "p:1:5" in render([found_at(4, 4)], {"p": "abcd"})
    assert render([found_at(4, 9)], {}).splitlines()[1] == " --> p:1:1"


def test_notes_and_help() -> None:
    note = Note(Span(0, 1), "first here")
    shown = render([found_at(2, 3, help=("try `y`",), notes=(note,))], {"p": "a b"}, "human")
    assert "note: first here\n --> p:1:1" in shown
    assert "  = help: try `y`" in shown


def test_fixes() -> None:
    def fixing(*edits: Edit, applicability: str = "safe") -> Diagnostic:
        return found_at(0, 1, fix=Fix("mend", edits, applicability))  # type: ignore[arg-type]

    first = fixing(Edit(Span(0, 1), "A"), Edit(Span(4, 5), "C"))
    touching = fixing(Edit(Span(1, 2), "!"))
    second = fixing(Edit(Span(2, 3), "B"))
    unsafe = fixing(Edit(Span(6, 6), "?"), applicability="unsafe")
    assert apply_fixes("a b c ", [first, touching, second, unsafe]) == "A B C "
    assert apply_fixes("a b c ", [first, unsafe], "unsafe") == "A b C ?"
    assert apply_fixes("a", []) == "a"
