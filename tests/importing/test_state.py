"""JSON data that is imported loads as what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.importing.programs import environment_of, spec_of
from toolc.build import ground
from toolc.data import read_rows
from toolc.importing.spec import Imported, Unreadable
from toolc.importing.state import import_data


def loaded(imported: Imported) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tables (rows by key) and the states that a build of the spec starts from."""
    environment = environment_of(imported)
    rows = {
        table.name: read_rows(table.file, json.dumps(imported.files[table.file]).encode(), "json")
        for table in environment.tables
        if table.file is not None
    }
    built = ground(environment, rows)
    assert built.base is not None, [each.diagnostics for each in built.reports.values()]
    data = json.loads(built.files["data.json"])
    return {name: table["rows"] for name, table in data["tables"].items()}, data["state"]


def check_equal(document: dict[str, Any], imported: Imported, names: dict[str, str]) -> None:
    """`names` are the labels of the document by the names that they have in the spec."""
    tables, states = loaded(imported)
    assert tables.keys() | states.keys() == names.keys()
    for name, label in names.items():
        wanted, found = document[label], states[name] if name in states else tables[name]
        if name in tables and isinstance(wanted, list):
            assert list(found.values()) == wanted
        elif name in tables:
            assert list(found.items()) == list(wanted.items())
        else:
            assert found == wanted


@pytest.mark.parametrize("suite", ["posting", "retail", "ticket", "trading", "vehicle"])
def test_starting_states_of_the_suites(suite: str, suites: Path) -> None:
    document = json.loads((suites / suite / "state.json").read_text(encoding="utf-8"))
    imported = import_data(document, "state")
    check_equal(document, imported, {name: name for name in document})


def test_the_types_of_a_shop(suites: Path) -> None:
    document = json.loads((suites / "retail" / "state.json").read_text(encoding="utf-8"))
    spec = spec_of(import_data(document, "state"))
    for part in (
        "table orders[order_id]: Order = file(",
        "table users[id: str]: User = file(",
        "user_id: ref users,",
        "orders: list[ref orders],",
        'status: "processed" | "delivered" | "pending" | "cancelled",',
        "variants: dict[str, Variant]",
        "options: dict[str, str]",
        "union PaymentMethod by source {",
        'case "gift_card" { balance: int },',
    ):
        assert part in spec, part


SHOP = {
    "rows": [
        {"id": n, "at": f"2024-01-0{n}T10:00:00", "on": f"2024-01-0{n}", "half": n / 2, "n": None}
        for n in range(1, 7)
    ],
    "notes": [{"text": "a"}, {"text": "b", "row_id": 3}],
    "events": {
        f"e{n}": {"row_id": n, "kind": "up" if n % 2 else "down", **({"by": n} if n % 2 else {})}
        for n in range(1, 7)
    },
    "limits": {"low": 1, "high": 2},
    "class": 1,
    "open at": "09:00:00",
    "empty": [],
    "nothing": None,
}


def test_a_state_of_everything() -> None:
    imported = import_data(SHOP, "state")
    renamed = {"class_": "class", "open_at": "open at"}
    names = {name: name for name in SHOP if name not in renamed.values()} | renamed
    check_equal(SHOP, imported, names)
    assert [note.subject for note in imported.notes] == ["class", "open at"]
    spec = spec_of(imported)
    for part in (
        "record Row { id: int, at: datetime, on: date, half: float, n: json }",
        "table rows[id]: Row",
        "table events[id: str]: Event",
        'union Event by kind { row_id: ref rows, case "up" { by: int }, case "down" {} }',
        "state limits: {low: int, high: int} = {low: 1, high: 2}",
        "state notes: list[{text: str, row_id?: int}]",
        'state open_at: time = "09:00:00"',
        "state empty: list[json] = []",
        "state nothing: json = null",
    ):
        assert part in spec, spec


def test_a_list_or_an_object_of_rows_is_one_table() -> None:
    for rows in ([{"id": "a"}, {"id": "b"}], {"a": {"id": "a"}, "b": {"id": "b"}}):
        imported = import_data(rows, "things")
        check_equal({"things": rows}, imported, {"things": "things"})
        assert "table things[id]: Thing" in spec_of(imported)


@pytest.mark.parametrize("document", [None, 3, "text", True, 1.5])
def test_a_value_alone_is_refused(document: Any) -> None:
    with pytest.raises(Unreadable):
        import_data(document, "state")


NAMES = st.sampled_from(["id", "name", "type", "a", "b", "user_id", "users", "int", "list", "len"])
HOSTILE = (
    "class",
    "None",
    "a b",
    "",
    "__class__",
    "_toolc",
    "_",
    "x-y",
    'q"',
    "{h}",
    "\n",
    "é",
    "1",
)
LABELS = st.one_of(
    NAMES,
    st.sampled_from([*HOSTILE, "State"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a", "b", "2024-01-01", "2024-02-30", "10:00:00", "10:00:00.5"]),
    st.sampled_from(["2024-01-01T10:00:00", "{x}", '"\\', "\0", "\u2028", "0", "-0", "u1"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(LABELS, inner, max_size=4)
    ),
    max_leaves=12,
)
ROWS = st.fixed_dictionaries(
    {"type": st.sampled_from(["a", "b"]), "x": VALUES},
    optional={"id": st.sampled_from(["u1", "u2", "u3"]), "user_id": st.sampled_from(["u1", "u2"])},
)
TABLES = st.one_of(
    st.lists(ROWS, max_size=8),
    st.dictionaries(st.sampled_from(["u1", "u2", "u3", "", "7", "é\n"]), ROWS, max_size=6),
    st.lists(VALUES.map(lambda value: {"id": 1, "x": value}), max_size=1),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, st.one_of(VALUES, TABLES), max_size=4))
def test_any_object_loads_as_it_was(document: dict[str, Any]) -> None:
    imported = import_data(document, "whole")
    assert imported.notes == ()
    if "data/whole.json" in imported.files:
        check_equal({"whole": document}, imported, {"whole": "whole"})
    else:
        check_equal(document, imported, {name: name for name in document})


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(LABELS, st.one_of(SCALARS, TABLES), max_size=4))
def test_names_that_cannot_be_are_changed(document: dict[str, Any]) -> None:
    imported = import_data(document, "whole")
    tables, states = loaded(imported)
    if "data/whole.json" not in imported.files:
        assert len(tables) + len(states) == len(document)
        kept = document.keys() - {note.subject for note in imported.notes}
        assert kept - {""} <= tables.keys() | states.keys()
