"""From a spec and its data to artifacts: rows are bound and checked, wrong cells are pointed at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.scenarios.specs import compile_text, load_built
from toolc.analysis.check import check
from toolc.build import Built, build
from toolc.data import FORMATS, Rows, read_rows
from toolc.syntax.parser import parse

HEAD = 'toolc 1\nenvironment test "Test." version "1.0" clock "2024-05-01T12:00:00" seed 3\n'
TOOL = 'tool nothing "Nothing." () -> int { return 1 }\n'
PEOPLE = (
    "record Person {\n"
    "  name: str, age: int(minimum: 0), height: float, born: date, member: bool,\n"
    "  tags: list[str] = [], nick?: str, friend: (ref people)? = null,\n"
    "}\n"
    'table people[name]: Person = file("people{0}")\n'
)


def compile_with(text: str, data: dict[str, tuple[str, str]]) -> Built:
    """Builds a spec whose tables have these files, `{table: (name, content)}`."""
    path = "spec.toolc"
    parsed = parse(text, path)
    assert parsed.module is not None and not parsed.diagnostics, parsed.diagnostics
    checked = check({path: parsed.module})
    assert checked.environment is not None, checked.diagnostics
    rows: dict[str, Rows] = {
        table: read_rows(name, content.encode(), FORMATS[Path(name).suffix])
        for table, (name, content) in data.items()
    }
    return build(checked.environment, rows, {path: text})


def people(suffix: str, content: str) -> Built:
    spec = HEAD + PEOPLE.replace("{0}", suffix) + TOOL
    return compile_with(spec, {"people": (f"people{suffix}", content)})


def rows_of(built: Built, table: str) -> dict[str, Any]:
    assert built.diagnostics == ()
    rows: dict[str, Any] = json.loads(built.files["data.json"])["tables"][table]["rows"]
    return rows


def found(built: Built, content: str) -> list[tuple[str, str]]:
    """The codes, each with the text that it points at."""
    assert built.files == {}
    return [(each.code, content[each.span.start : each.span.end]) for each in built.diagnostics]


HEADER = "name,age,height,born,member,tags,nick,friend\n"
ADA = {
    "name": "Ada",
    "age": 36,
    "height": 1.7,
    "born": "1815-12-10",
    "member": True,
    "friend": None,
}

# ---------------------------------------------------------------- rows


def test_csv_cells_are_read_as_their_fields_type() -> None:
    content = (
        HEADER + 'Ada,36,1.7,1815-12-10,true,"[""a"", ""b""]",,\nBob,1,2,2000-02-29,false,,B,Ada\n'
    )
    rows = rows_of(people(".csv", content), "people")
    assert rows["Ada"] == {**ADA, "tags": ["a", "b"]}
    assert rows["Bob"] == {
        "name": "Bob",
        "age": 1,
        "height": 2.0,
        "born": "2000-02-29",
        "member": False,
        "nick": "B",
        "friend": "Ada",
        "tags": [],
    }
    assert isinstance(rows["Bob"]["height"], float)


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".json", json.dumps([ADA])),
        (".json", json.dumps({"Ada": ADA})),
        (".jsonl", json.dumps(ADA) + "\n"),
    ],
)
def test_json_rows(suffix: str, content: str) -> None:
    assert rows_of(people(suffix, content), "people") == {"Ada": {**ADA, "tags": []}}


def test_rows_keep_the_order_of_the_file() -> None:
    content = json.dumps([{**ADA, "name": name} for name in ("c", "a", "b")])
    assert list(rows_of(people(".json", content), "people")) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        ("Ada,old,1.7,1815-12-10,true,,,", "old"),
        ("Ada,-1,1.7,1815-12-10,true,,,", "-1"),
        ("Ada,36,tall,1815-12-10,true,,,", "tall"),
        ("Ada,36,1.7,1815-13-10,true,,,", "1815-13-10"),
        ("Ada,36,1.7,1815-12-10,maybe,,,", "maybe"),
        ("Ada,36,1.7,1815-12-10,true,[a],,", "[a]"),
        ("Ada,,1.7,1815-12-10,true,,,", ""),
        ('Ada,36,"nan",1815-12-10,true,,,', '"nan"'),
    ],
)
def test_a_wrong_cell_is_pointed_at(row: str, cell: str) -> None:
    content = HEADER + row + "\n"
    assert found(people(".csv", content), content) == [("TC0410", cell)]


def test_a_wrong_value_in_json_is_pointed_at() -> None:
    content = json.dumps([ADA, {**ADA, "name": "Bob", "tags": ["x", 7]}])
    assert found(people(".json", content), content) == [("TC0410", "7")]
    content = json.dumps([{**ADA, "colour": "red"}])
    assert found(people(".json", content), content) == [("TC0410", '"red"')]
    content = json.dumps([{"name": "Ada"}])
    assert found(people(".json", content), content) == [("TC0410", '{"name": "Ada"}')]


def test_the_first_wrong_rows_are_told_and_the_rest_counted() -> None:
    content = HEADER + "".join(f"n{n},x,1,2000-01-01,true,,,\n" for n in range(12))
    built = people(".csv", content)
    assert found(built, content) == [("TC0410", "x")] * 5
    assert built.diagnostics[-1].help == ("7 more of this table",)
    assert {each.path for each in built.diagnostics} == {"people.csv"}


def test_a_key_that_occurs_twice() -> None:
    content = HEADER + "Ada,1,1,2000-01-01,true,,,\nAda,2,1,2000-01-01,true,,,\n"
    built = people(".csv", content)
    assert found(built, content) == [("TC0411", "Ada")]
    assert built.diagnostics[0].span.start == content.rindex("Ada")


def test_a_key_that_is_not_its_rows() -> None:
    content = json.dumps({"Bob": ADA})
    assert found(people(".json", content), content) == [("TC0412", '"Bob"')]


def test_a_reference_to_a_missing_row() -> None:
    content = json.dumps([ADA, {**ADA, "name": "Bob", "friend": "Cyd"}])
    built = people(".json", content)
    assert found(built, content) == [("TC0413", '"Cyd"')]
    assert "`friend`" in built.diagnostics[0].message


REFERENCES = HEAD + (
    "record Node { id: str, next: (ref nodes)? = null, children: list[Node] = [] }\n"
    "union Part by kind {\n"
    '  case "one" { node: ref nodes }, case "many" { by: dict[ref nodes, int] }\n'
    "}\n"
    "record Box { id: str, parts: list[Part] }\n"
    'table nodes[id]: Node = file("nodes.json")\n'
    'table boxes[id]: Box = file("boxes.json")\n' + TOOL
)


@pytest.mark.parametrize(
    ("nodes", "boxes", "wrong"),
    [
        ([{"id": "a", "next": "b"}, {"id": "b", "next": "a"}], [], []),
        ([{"id": "a", "children": [{"id": "x", "next": "z"}]}], [], ['"z"']),
        ([{"id": "a", "children": [{"id": "x", "children": [{"id": "y", "next": "a"}]}]}], [], []),
        ([{"id": "a"}], [{"id": "1", "parts": [{"kind": "one", "node": "a"}]}], []),
        ([{"id": "a"}], [{"id": "1", "parts": [{"kind": "one", "node": "q"}]}], ['"q"']),
        ([{"id": "a"}], [{"id": "1", "parts": [{"kind": "many", "by": {"a": 1}}]}], []),
        ([{"id": "a"}], [{"id": "1", "parts": [{"kind": "many", "by": {"r": 1}}]}], ["1"]),
    ],
)
def test_references_anywhere_in_a_row(nodes: Any, boxes: Any, wrong: list[str]) -> None:
    texts = {"nodes": json.dumps(nodes), "boxes": json.dumps(boxes)}
    built = compile_with(REFERENCES, {name: (f"{name}.json", text) for name, text in texts.items()})
    pointed = [
        texts[each.path.removesuffix(".json")][each.span.start : each.span.end]
        for each in built.diagnostics
    ]
    assert pointed == wrong
    assert {each.code for each in built.diagnostics} <= {"TC0413"}


KEYS = HEAD + (
    'table rates[base: str, year: int]: {rate: decimal} = file("rates.{0}")\n'
    'tool rate "Rate." (base: str, year: int) -> decimal {\n'
    '  return rates[base, year].rate else fail "none"\n'
    "}\n"
)


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("csv", "base,year,rate\nEUR,2024,1.10\n"),
        ("json", '[{"base": "EUR", "year": 2024, "rate": "1.10"}]'),
        ("json", '{"[\\"EUR\\",2024]": {"rate": "1.10"}}'),
    ],
)
def test_composite_keys_outside_the_row(suffix: str, content: str, tmp_path: Path) -> None:
    built = compile_with(KEYS.replace("{0}", suffix), {"rates": (f"rates.{suffix}", content)})
    assert rows_of(built, "rates") == {'["EUR",2024]': {"rate": "1.10"}}
    episode = load_built(built, tmp_path, "test").episode()
    assert episode.call("rate", {"base": "EUR", "year": 2024}) == '"1.10"'


def test_a_missing_key_outside_the_row() -> None:
    content = '[{"base": "EUR", "rate": "1.10"}]'
    built = compile_with(KEYS.replace("{0}", "json"), {"rates": ("rates.json", content)})
    assert [each.code for each in built.diagnostics] == ["TC0410"]


def test_numbers_as_keys_of_a_json_object(tmp_path: Path) -> None:
    spec = (
        HEAD
        + 'table rooms[n: int]: {seats: int} = file("rooms.json")\n'
        + ('tool seats "Seats." (n: int) -> int { return rooms[n].seats else fail "none" }\n')
    )
    built = compile_with(spec, {"rooms": ("rooms.json", '{"7": {"seats": 2}}')})
    assert load_built(built, tmp_path, "test").episode().call("seats", {"n": 7}) == "2"
    content = '{"x": {"seats": 2}}'
    assert found(compile_with(spec, {"rooms": ("rooms.json", content)}), content) == [
        ("TC0412", '"x"')
    ]


def test_wrong_rows_in_the_spec_are_pointed_at() -> None:
    spec = HEAD + (
        "record Town { name: str, twin: ref towns }\n"
        "table towns[name]: Town = [\n"
        '  {name: "Ulm", twin: "Ulm"},\n'
        '  {name: "Ulm", twin: "Trier"},\n'
        "]\n" + TOOL
    )
    built = compile_text(spec)
    assert ("TC0411", '{name: "Ulm", twin: "Trier"}') in found(built, spec)


def test_an_invariant_that_the_data_break() -> None:
    spec = HEAD + (
        'state left: int = 0\ninvariant some_left "Something is left.": left > 0\n' + TOOL
    )
    built = compile_text(spec)
    assert [(each.code, each.severity) for each in built.diagnostics] == [("TC0614", "error")]
    assert built.diagnostics[0].message == "invariant `some_left` does not hold in the data"


# ---------------------------------------------------------------- artifacts


def test_the_files_of_a_build() -> None:
    built = compile_text(HEAD + TOOL)
    assert sorted(built.files) == [
        "__init__.py",
        "data.json",
        "scenarios.jsonl",
        "schemas.json",
        "state_schemas.json",
        "tools.py",
        "trl_environment.py",
        "verifiers.py",
    ]
    assert built.entry == {"version": "1.0", "clock": "2024-05-01T12:00:00", "seed": 3}
    assert built.summary == {"tools": 1, "scenarios": 0, "tasks": 0}


def test_a_build_is_a_package(tmp_path: Path) -> None:
    load_built(compile_text(HEAD + TOOL), tmp_path, "test")
    code = "from build.test import environment; print(environment.episode().call('nothing', {}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT / 'runtime'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_declared_tool_builds(tmp_path: Path) -> None:
    built = compile_text(HEAD + 'tool later "Later." (n: int) -> int\n')
    text = load_built(built, tmp_path, "test").episode().call("later", {"n": 1})
    assert "without a body" in text
