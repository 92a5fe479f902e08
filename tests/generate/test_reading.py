"""Tables of others: what is read of them, what is inferred, and what is said of the rest."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from toolc.generate.tables import reading
from toolc.generate.tables.environments import Wishes, begin
from toolc.generate.tables.inference import Inferred, infer
from toolc.generate.tables.questions import KINDS
from toolc.generate.tables.reading import read_folder
from toolc.generate.tables.schema import NUMBER, Table

WISHES = Wishes(kinds=dict.fromkeys(KINDS, 1.0))


def inferred(folder: Path) -> Inferred:
    return infer(read_folder(str(folder)).tables)


def table(folder: Path, name: str) -> Table:
    return next(each for each in inferred(folder).tables if each.name == name)


def told(folder: Path) -> str:
    """Everything that is said of what is not used."""
    read = read_folder(str(folder))
    made = infer(read.tables)
    notes = [*read.notes, *made.notes]
    aside = [*read.aside, *made.aside]
    return "\n".join(
        [f"{n.subject}: {n.reason}" for n in notes]
        + [f"{row.source} row {row.row}: {row.reason}: {row.content}" for row in aside]
    )


def many(start: str, line: Callable[[int], str], rows: int = 20) -> bytes:
    return "\n".join([start, *map(line, range(1, rows + 1))]).encode() + b"\n"


# ---------------------------------------------------------------- hostile tables

HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "missing cells": (
        "a.csv",
        many("id,size", lambda n: f"R{n}," if n % 5 else f"R{n},n/a"),
        "left out: it holds nothing",
    ),
    "cells that say they are missing": (
        "a.csv",
        many("id,size", lambda n: f"R{n},{n if n % 5 else 'n/a'}"),
        "4 cells say that they are missing",
    ),
    "mixed types in CSV": (
        "a.csv",
        many("id,size", lambda n: f"R{n},{n if n % 5 else 'large'}"),
        "16 of 20 cells are numbers: it is read as text",
    ),
    "mixed types in JSON": (
        "a.json",
        json.dumps([{"id": f"R{n}", "size": n if n % 2 else "two"} for n in range(9)]).encode(),
        "it mixes types: each cell is read as text",
    ),
    "lists in cells": (
        "a.json",
        json.dumps([{"id": f"R{n}", "tags": [n]} for n in range(9)]).encode(),
        "column `tags`: left out: it holds lists or objects",
    ),
    "a key twice": (
        "a.csv",
        many("id,size", lambda n: f"R{1 if n == 20 else n},{n}", 30),
        "a.csv row 20: its key occurs before: {'id': 'R1', 'size': 20}",
    ),
    "a key that is missing": (
        "a.csv",
        many("id,size", lambda n: f"{'' if n == 20 else f'R{n}'},{n}", 30),
        "row 20: its key is missing",
    ),
    "a key that ends the sentence": (
        "a.csv",
        many("id,size", lambda n: f"{'<|end|>' if n == 20 else f'R{n}'},{n}", 30),
        "row 20: its key cannot stand in a sentence",
    ),
    "no key": (
        "a.csv",
        many("size,colour", lambda n: f"{n % 3},red"),
        "no column tells rows apart",
    ),
    "too many cells in a row": (
        "a.csv",
        many("id,size", lambda n: f"R{n},{n},extra" if n == 3 else f"R{n},{n}"),
        "a.csv row 3: it has 3 cells, the header 2: ['R3', '3', 'extra']",
    ),
    "not UTF-8": (
        "a.csv",
        many("id,name", lambda n: f"R{n},caf") + b"R99,caf\xe9\n",
        "line 22 is not UTF-8: the file is read as Latin-1",
    ),
    "NUL": ("a.csv", many("id,name", lambda n: f"R{n},a\0b"), "it holds NUL characters"),
    "columns of one name": ("a.csv", many("id,x,x", lambda n: f"R{n},1,2"), "it is called `x 2`"),
    "a column without a name": ("a.csv", many("id,", lambda n: f"R{n},{n}"), "called `column 2`"),
    "an empty file": ("a.csv", b"", "it holds no rows"),
    "a header alone": ("a.csv", b"id,name\n", "it holds no rows"),
    "no JSON": ("a.json", b"[{]", "a.json: left out: "),
    "a scalar": ("a.json", b"3", "it holds no list of rows"),
    "deep JSON": ("a.json", b"[" * 5000 + b"]" * 5000, "a.json: left out: "),
    "a line that is no JSON": ("a.jsonl", b'{"id": "A"}\n{oops\n', "a.jsonl row 2: "),
    "rows that are no objects": ("a.jsonl", b'{"id": "A"}\n7\n', "row 2: it is no object: 7"),
    "no database": ("a.sqlite", b"not a database at all" * 99, "a.sqlite: left out: "),
    "a cell without end": (
        "a.csv",
        many("id,name", lambda n: f"R{n},{'x' * 20_000 if n == 3 else n}"),
        "row 3: a cell has more than 10,000 characters",
    ),
    "a quote without end": (
        "a.csv",
        b'id,name\nR1,"' + b"x" * 200_000,
        "left out: field larger than",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_not_used_is_told(case: str, tmp_path: Path) -> None:
    name, content, reason = HOSTILE[case]
    (tmp_path / name).write_bytes(content)
    assert reason in told(tmp_path)
    begin(read_folder(str(tmp_path)), WISHES)


def test_every_row_is_used_or_told_of(tmp_path: Path) -> None:
    lines = ["id,size"]
    lines += [f"R{n},{n}" for n in range(1, 101)]
    lines[7], lines[20], lines[40] = "R1,5", "R20,1,2", ",9"
    (tmp_path / "things.csv").write_text("\n".join(lines))
    read = read_folder(str(tmp_path))
    made = infer(read.tables)
    aside = [*read.aside, *made.aside]
    assert len(made.tables[0].rows) + len(aside) == 100
    assert sorted(row.row for row in aside) == [7, 20, 39]


def test_bounds_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 50)
    monkeypatch.setattr(reading, "MAX_COLUMNS", 3)
    monkeypatch.setattr(reading, "MAX_FILES", 3)
    (tmp_path / "a.csv").write_bytes(many("id,b,c,d", lambda n: f"R{n},1,2,3", 1000))
    rows = [{"id": f"R{n}"} for n in range(1000)]
    (tmp_path / "b.json").write_text(json.dumps(rows))
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "d.csv").write_text("id\nx\n")
    said = told(tmp_path)
    for name in ("a.csv", "b.json", "c.jsonl"):
        assert f"{name}: rows after the first 50 are not used" in said
    assert "a.csv: columns after the first 3 are not used" in said
    assert "d.csv: left out: more than 3 files" in said
    assert all(len(raw.rows) == 50 for raw in read_folder(str(tmp_path)).tables)


def test_environments_hold_some_rows_and_all_that_they_refer_to(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(many("person_id,name", lambda n: f"P{n},N{n}", 5000))
    (tmp_path / "tasks.csv").write_bytes(
        many("task_id,person,kind,hours", lambda n: f"T{n},P{5001 - n},{'ab'[n % 2]},{n}", 5000)
    )
    beginning = begin(read_folder(str(tmp_path)), WISHES)
    (begun,) = beginning.environments
    people, tasks = (json.loads(begun.files[f"data/{name}.json"]) for name in ("people", "tasks"))
    assert len(people) == len(tasks) == 400
    assert {task["person"] for task in tasks} <= {person["person_id"] for person in people}
    notes = [tuple(note) for note in beginning.notes]
    assert ("people.csv", "400 of 5,000 rows are used") in notes


def test_a_large_file_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    (tmp_path / "a.csv").write_bytes(many("id,size", lambda n: f"R{n},{n}", 5000))
    (tmp_path / "b.json").write_text(json.dumps([{"id": n} for n in range(500)]))
    found = table(tmp_path, "a")
    assert 50 < len(found.rows) < 200
    assert "b.json: left out: it is larger" in told(tmp_path)


def test_links_out_of_the_folder_and_special_files_are_left_out(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret.csv").write_text("id\nx\n")
    (inside / "link.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(inside / "pipe.csv")
    (inside / "loop.csv").symlink_to(inside / "loop.csv")
    read = read_folder(str(inside))
    assert not read.tables
    assert len(read.notes) == 3


def test_names_that_are_no_text_are_told_as_such(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9\n.csv")).write_bytes(many("id", lambda n: f"R{n}"))
    (source,) = (raw.source for raw in read_folder(str(tmp_path)).tables)
    assert source == "caf\\udce9\\x0a.csv"


def test_hostile_names_give_specs_that_compile(tmp_path: Path) -> None:
    labels = [
        '"',
        "{x}",
        "'; DROP TABLE",
        "état",
        "город",
        "class",
        "a" * 300,
        "__x",
        "each",
        "1st",
    ]
    rows = [{label: f"{label[:3]}{n}" for label in labels} | {"id": f"R{n}"} for n in range(12)]
    for name in ("x}{y.json", "class.json", "日本.json", "file.json"):
        (tmp_path / name).write_text(json.dumps(rows))
    beginning = begin(read_folder(str(tmp_path)), WISHES)
    assert len(beginning.environments) == 4
    for begun in beginning.environments:
        from toolc.analysis.check import check
        from toolc.syntax.parser import parse

        parsed = parse(begun.draft.text(), "x")
        assert parsed.module is not None and not parsed.diagnostics
        found = check({"x": parsed.module}).diagnostics
        assert {each.code for each in found} <= {"TC0661"}


# ---------------------------------------------------------------- SQLite


def database(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_databases_tell_their_keys_and_references(tmp_path: Path) -> None:
    database(
        tmp_path / "db.sqlite",
        "CREATE TABLE makers (no INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE cars (plate TEXT PRIMARY KEY, by INTEGER REFERENCES makers(no), doors INT)",
        *(f"INSERT INTO makers VALUES ({n}, 'Maker {n}')" for n in range(5)),
        *(f"INSERT INTO cars VALUES ('P{n}', {n % 5}, {n})" for n in range(20)),
        "CREATE VIEW v AS SELECT * FROM cars",
    )
    cars = table(tmp_path, "cars")
    assert cars.key == ("plate",)
    assert cars.columns["by"].refers == "makers"
    assert {each.name for each in inferred(tmp_path).tables} == {"cars", "makers"}


def test_a_database_stays_as_it_is_and_rows_with_bytes_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    database(
        path,
        'CREATE TABLE "od""d; name" (id TEXT, blob)',
        """INSERT INTO "od""d; name" VALUES ('A', x'00ff'), ('B', 1), ('C', 2)""",
    )
    before = path.read_bytes()
    read = read_folder(str(tmp_path))
    assert [row.content for row in read.aside] == [["A", "00ff"]]
    assert [row["id"] for row in read.tables[0].rows] == ["B", "C"]
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["db.sqlite"]


# ---------------------------------------------------------------- what is inferred


def test_types_are_the_narrowest_that_fit_all_cells(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(
        many(
            "id,whole,part,day,moment,yes,zip,kind,prose",
            lambda n: (
                f"R{n},{n},{n}.5,2024-01-{n:02},2024-01-{n:02}T10:00:00,"
                f"{'true' if n % 2 else 'false'},0{n:04},{'xyz'[n % 3]},text {n}"
            ),
        )
    )
    columns = table(tmp_path, "t").columns
    kinds = {name: column.type for name, column in columns.items()}
    assert kinds == {
        "id": "str",
        "whole": "int",
        "part": "float",
        "day": "date",
        "moment": "datetime",
        "yes": "bool",
        "zip": "str",
        "kind": "str",
        "prose": "str",
    }
    assert columns["kind"].values == ("x", "y", "z")


KEYS: dict[str, tuple[str, Callable[[int], str], tuple[str, ...]]] = {
    "an id": ("size,thing_id", lambda n: f"{n % 4},T{n}", ("thing_id",)),
    "a first column of texts": ("word,size", lambda n: f"w{n},{n}", ("word",)),
    "two columns": (
        "day,room,size",
        lambda n: f"2024-01-{1 + n // 4:02},r{n % 4},{n}",
        ("day", "room"),
    ),
    "none": ("colour,size", lambda n: f"red,{n % 5}", (NUMBER,)),
}


@pytest.mark.parametrize("case", KEYS)
def test_keys(case: str, tmp_path: Path) -> None:
    start, line, expected = KEYS[case]
    (tmp_path / "things.csv").write_bytes(many(start, line))
    assert table(tmp_path, "things").key == expected


def test_references_need_every_value_to_be_a_key(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(many("person_id,name", lambda n: f"P{n},Name {n}"))
    (tmp_path / "tasks.csv").write_bytes(
        many("task_id,owner,person", lambda n: f"T{n},P{n % 7 + 1},{'P99' if n == 3 else 'P1'}")
    )
    tasks = table(tmp_path, "tasks")
    assert tasks.columns["owner"].refers == "people"
    assert tasks.columns["person"].refers == ""
    assert "1 of its 2 values are no key of `people`" in told(tmp_path)
