"""`toolc import`: a spec and its data on disk, and clean refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Toolc

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_order",
            "description": "An order.",
            "parameters": {
                "type": "object",
                "properties": {
                    "order_id": {"type": "string", "description": "Its id."},
                    "mode": {"type": ["string", "integer"]},
                },
                "required": ["order_id"],
            },
        },
    }
]
STATE = {"orders": {"W1": {"order_id": "W1", "paid": True}}, "count": 1}


def test_tools_are_declared_and_compile(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text(json.dumps(TOOLS))
    ended = toolc("import", "openai", "tools.json", "-o", "shop", "--name", "shop")
    assert (ended.returncode, ended.stdout) == (0, "shop/shop.toolc\n")
    assert ended.stderr == (
        "warning: get_order parameters.mode: values of several types cannot be said: it is `json`\n"
    )
    assert (tmp_path / "shop" / "shop.toolc").read_text() == (
        "toolc 1\n\n"
        'environment shop "Imported from tools.json." version "1.0"\n\n'
        'tool get_order "An order." (order_id: str "Its id.", mode?: json) -> json\n'
    )
    assert toolc("compile", "shop").returncode == 0
    (schema,) = json.loads((tmp_path / "build" / "shop" / "schemas.json").read_text())
    assert schema["function"]["description"] == "An order."


def test_data_stands_beside_the_spec(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps(STATE))
    shown = toolc("import", "json", "state.json")
    assert shown.returncode == 0
    assert shown.stderr == "-o PATH writes it, and 1 data file beside it\n"
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    ended = toolc("import", "json", "state.json", "-o", "shop/shop.toolc")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "shop/shop.toolc\nshop/data/orders.json\n"
    assert (tmp_path / "shop" / "shop.toolc").read_text() == shown.stdout
    text = (tmp_path / "shop" / "data" / "orders.json").read_text()
    assert text == '{\n"W1": {"order_id": "W1", "paid": true}\n}\n'
    assert toolc("fmt", "--check", "shop").returncode == 0
    assert toolc("compile", "shop").returncode == 0
    data = json.loads((tmp_path / "build" / "state" / "data.json").read_text())
    assert data["tables"]["orders"]["rows"] == STATE["orders"]
    assert data["state"] == {"count": 1}


def test_nothing_is_overwritten_unless_forced(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps(STATE))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.json").write_text("mine")
    ended = toolc("import", "json", "state.json", "-o", ".")
    assert ended.returncode == 2
    assert "`./data/orders.json` is there already" in ended.stderr
    assert (tmp_path / "data" / "orders.json").read_text() == "mine"
    assert not (tmp_path / "state.toolc").exists()
    assert toolc("import", "json", "state.json", "-o", ".", "--force").returncode == 0
    assert toolc("check", ".").returncode == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: expecting value"),
        (b'{"a": 1, "a": 2}', "line 1: key `a` occurs twice"),
        (b"\xff\x00", "line 1 is not UTF-8 text"),
        (b'{"a": NaN}', "`NaN` is not a JSON number"),
        (b'{"a": 1e999}', "a number beyond 64 bits"),
        (b"[" * 5000 + b"]" * 5000, "nested deeper than 64"),
        (b'"\\ud800"', "a surrogate stands alone"),
        (b"3", "expected"),
        (b"[]", ""),
    ],
)
@pytest.mark.parametrize("kind", ["openai", "json"])
def test_what_cannot_be_read(
    toolc: Toolc, tmp_path: Path, kind: str, content: bytes, message: str
) -> None:
    (tmp_path / "in.json").write_bytes(content)
    ended = toolc("import", kind, "in.json", "-o", "out")
    if content == b"[]" and kind == "json":
        assert ended.returncode == 0
        return
    assert ended.returncode == 2
    assert ended.stderr.startswith("toolc: cannot ") and ended.stderr.count("\n") == 1
    assert message in ended.stderr
    assert not (tmp_path / "out").exists()


def test_names_of_environments(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "my shop (2).json").write_text("{}")
    assert "environment my_shop_2 " in toolc("import", "json", "my shop (2).json").stdout
    ended = toolc("import", "json", "my shop (2).json", "--name", "a b")
    assert ended.returncode == 2
    assert "`a b` cannot be the name of an environment" in ended.stderr


def test_states_that_are_too_large_for_a_spec(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(json.dumps({"a": ["x" * 1000] * 1500}))
    ended = toolc("import", "json", "in.json", "-o", "out")
    assert ended.returncode == 2
    assert "more than 1,048,576 characters" in ended.stderr
    assert not (tmp_path / "out").exists()
