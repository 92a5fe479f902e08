"""Code that the emitter may not write is found."""

from __future__ import annotations

import pickle

import pytest

from tests.emit.spec import environment
from toolc.emit.closed import NotClosed, check_closed, prove
from toolc.emit.tools import emit_tools

TOOL = 'tool run(key: str) -> str { let row = rows[key] else fail "none" return row.name }'


def test_emitted_code_is_closed() -> None:
    prove({"tools.py": emit_tools(environment(TOOL)).encode()})


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import os\n", "the module `os`"),
        ("from subprocess import run\n", "the module `subprocess`"),
        ("x = ().__class__\n", "the attribute `__class__`"),
        ("x = __builtins__\n", "the name `__builtins__`"),
        ("x = eval('1')\n", "`eval` is not called"),
        ("open = 1\nx = open('a')\n", "`open` is not called"),
        ("x = getattr(state, 'a')\n", "`getattr` is not called"),
        ("def f(state):\n    return state.rows.format('a')\n", "the method `format`"),
        ("def f(state):\n    return state._toolc\n", "the attribute `_toolc`"),
        ("def f(row):\n    return row._secret\n", "the attribute `_secret`"),
        ("def f(a):\n    return a[0]()\n", "only names and methods are called"),
        ("while True:\n    pass\n", "`While`"),
        ("x = (y := 1)\n", "`NamedExpr`"),
        ("def f():\n    global x\n", "`Global`"),
        ("async def f():\n    pass\n", "`AsyncFunctionDef`"),
        ("x = {1}\n", "`Set`"),
        ("x = (", "no Python"),
        ("x = y\n", "the name `y` is not bound"),
    ],
)
def test_what_is_not_emitted_is_named(source: str, problem: str) -> None:
    assert any(problem in found for found in check_closed(source))


def test_a_proof_names_the_file_and_all_that_is_wrong() -> None:
    with pytest.raises(NotClosed) as raised:
        prove({"tools.py": b"import os\nx = {  'a': 1}\n", "data.json": b"{"})
    assert list(raised.value.problems) == ["tools.py"]
    assert "Black would change it" in str(raised.value)
    assert "the module `os`" in str(raised.value)


def test_a_failed_proof_passes_from_one_process_to_another() -> None:
    failed = pickle.loads(pickle.dumps(NotClosed({"tools.py": ["no Python"]})))
    assert failed.problems == {"tools.py": ["no Python"]}
    assert str(failed) == "tools.py: no Python"
