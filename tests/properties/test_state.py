"""Fork and rollback of the copy-on-write state equal those of a deep copy, under any writes."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from toolc_runtime.draws import Draws
from toolc_runtime.errors import Fail
from toolc_runtime.state import (
    Base,
    Context,
    Source,
    State,
    append,
    assign,
    changes,
    derive,
    erase,
    fork,
    rollback,
    scalars_of,
    settle,
)
from toolc_runtime.values import canonical, parse

KEYS = st.sampled_from("abcdef")
Operation = tuple[str, str, int]
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["put", "insert", "delete", "assign", "append", "erase", "scalar"]),
        KEYS,
        st.integers(0, 3),
    ),
    max_size=12,
)
CALLS = st.lists(st.tuples(OPERATIONS, st.sampled_from(["keep", "undo", "fork"])), max_size=6)

Model = tuple[dict[str, Any], int]


def base() -> Base:
    rows = {key: {"n": index, "tags": [key]} for index, key in enumerate("abcd")}
    return Base({"rows": Source(rows)}, {"count": 0}, datetime(2024, 5, 1))


def on_state(state: Any, operation: Operation) -> bool:
    """Do it; whether it worked."""
    name, key, number = operation
    row = {"n": number, "tags": []}
    try:
        match name:
            case "put":
                state.rows.put(key, row)
            case "insert":
                state.rows.insert(key, row)
            case "delete":
                state.rows.delete(key)
            case "assign":
                assign(state.rows, key, "n", value=number)
            case "append":
                append(state.rows, key, "tags", value=number)
            case "erase":
                erase(state.rows, key, "tags", -1)
            case _:
                state.count += number
    except Fail:
        return False
    return True


def on_model(model: Any, operation: Operation) -> bool:
    name, key, number = operation
    rows = model["rows"]
    row = {"n": number, "tags": []}
    if name == "scalar":
        model["count"] += number
    elif name == "put" or (name == "insert" and key not in rows):
        rows[key] = row
    elif name == "insert" or key not in rows:
        return False
    elif name == "delete":
        del rows[key]
    elif name == "assign":
        rows[key]["n"] = number
    elif name == "append":
        rows[key]["tags"].append(number)
    elif not rows[key]["tags"]:
        return False
    else:
        rows[key]["tags"].pop()
    return True


def agree(state: Any, model: Any) -> None:
    assert list(state.rows.items()) == list(model["rows"].items())
    assert list(state.rows) == list(model["rows"].values())
    assert len(state.rows) == len(model["rows"])
    assert state.count == model["count"]
    for key in "abcdefz":
        assert state.rows.get(key) == model["rows"].get(key)
        assert (key in state.rows) == (key in model["rows"])


def expected_changes(model: Any, start: Any) -> dict[str, Any]:
    rows = {
        key: model["rows"].get(key)
        for key in {**start["rows"], **model["rows"]}
        if start["rows"].get(key) != model["rows"].get(key)
    }
    found: dict[str, Any] = {"rows": rows} if rows else {}
    if model["count"] != start["count"]:
        found["count"] = model["count"]
    return found


def play(state: Any, model: Any, start: Any, calls: Any) -> None:
    siblings = []
    for operations, ending in calls:
        before = scalars_of(state, ("count",))
        copy = deepcopy(model)
        first = deepcopy(model)
        if ending == "fork":
            siblings.append((fork(state), deepcopy(model)))
        for operation in operations:
            assert on_state(state, operation) == on_model(copy, operation)
        if ending == "undo":
            rollback(state, ("count",), before)
        else:
            written = settle(state, ("count",), before)
            model = copy
            touched = {(write.name, write.key) for write in written}
            for key in "abcdef":
                differs = first["rows"].get(key) != model["rows"].get(key)
                assert (("rows", key) in touched) == differs
        agree(state, model)
        assert changes(state) == expected_changes(model, start)
    for other, kept in siblings:
        agree(other, kept)
        on_state(other, ("put", "a", 3))
    agree(state, model)


@settings(max_examples=300, deadline=None)
@given(CALLS)
def test_state_is_a_deep_copy(calls: Any) -> None:
    shared = base()
    start = {"rows": deepcopy(dict(shared.tables["rows"].rows)), "count": 0}
    play(State(Context(shared, Draws(0))), deepcopy(start), start, calls)
    assert shared.tables["rows"].rows == start["rows"], "the base was written to"


@settings(max_examples=200, deadline=None)
@given(OPERATIONS, CALLS)
def test_state_after_given(given_first: list[Operation], calls: Any) -> None:
    """The same on a base that `given` has changed; changes are relative to it."""
    state = State(Context(base(), Draws(0)))
    for operation in given_first:
        on_state(state, operation)
    settle(state)
    derived = derive(state)
    start = {"rows": deepcopy(dict(state.rows.items())), "count": state.count}
    play(State(Context(derived, Draws(0))), deepcopy(start), start, calls)
    agree(State(Context(derived, Draws(0))), start)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_canonical_text_round_trip(value: Any) -> None:
    text = canonical(value)
    back = parse(text)
    assert canonical(back) == text == canonical(json.loads(text))
    assert back == value
