"""Loading builds, refusing edited ones, other data."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.builds import order, write_build
from toolc_runtime import BuildError, Environment, load


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_build(tmp_path)


def rewrite(path: Path, name: str, text: str) -> None:
    """Change an artifact and its hash, as a compiler with a defect would."""
    (path / name).write_text(text)
    manifest_path = path.parent / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    hashes = manifest["environments"]["shop"]["artifacts"]
    hashes[name] = sha256(text.encode()).hexdigest()
    manifest_path.write_text(json.dumps(manifest))


def test_load(path: Path) -> None:
    before = list(sys.path)
    environment = load(path)
    assert sys.path == before and not list(path.glob("__pycache__"))
    assert (environment.name, environment.version, environment.seed) == ("shop", "1.0", 7)
    assert list(environment.tools)[:2] == ["get_order", "cancel_order"]
    assert environment.schemas[0]["function"]["name"] == "get_order"
    assert environment.tasks["cancel_twice:#W0000001"].limits == {"calls": 3}
    assert environment.episode().state.rates["USD", "EUR"] == {"rate": Decimal("0.92")}
    with pytest.raises(KeyError, match="did you mean"):
        environment.episode("cancel_twice:#W0000002")


def test_a_build_may_be_loaded_by_several_threads(path: Path) -> None:
    code = (path / "tools.py").read_text()
    rewrite(path, "tools.py", code.replace("TOOLS: ", "import time\ntime.sleep(0.05)\nTOOLS: "))
    with ThreadPoolExecutor(8) as threads:
        loaded = list(threads.map(lambda _: load(path), range(8)))
    assert len({tuple(each.tools) for each in loaded}) == 1


@pytest.mark.parametrize("name", ["tools.py", "data.json", "verifiers.py", "scenarios.jsonl"])
def test_edited_builds_are_refused(path: Path, name: str) -> None:
    with (path / name).open("a") as file:
        file.write("\nraise SystemExit('edited code ran')\n")
    with pytest.raises(BuildError, match=f"{name} is not what the compiler wrote"):
        load(path)


def test_an_edited_build_can_be_trusted(path: Path) -> None:
    text = (path / "tools.py").read_text()
    (path / "tools.py").write_text(text.replace("order not found", "no such order"))
    environment = load(path, trust=True)
    call = {"order_id": "#W7777777", "reason": "ordered by mistake"}
    assert environment.episode().call("cancel_order", call) == '"no such order"'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("schemas.json", "[{}]", "does not fit the tools"),
        ("schemas.json", "[" * 100_000, "is not JSON"),
        ("tools.py", "x = 1 +", "cannot be loaded: SyntaxError"),
        ("tools.py", "TOOLS = {}", "does not fit the tools"),
        ("state_schemas.json", '{"tables": []}', "not of the expected form"),
        ("data.json", '{"tables": {}, "state": {}}', "not of the expected form"),
        ("data.json", "nope", "is not JSON"),
        ("scenarios.jsonl", '{"id": 3}', "is not a task"),
        ("scenarios.jsonl", '{"id": "a", "scenario": "a", "given": {"x": 1}}', "no table or state"),
        ("scenarios.jsonl", '{"id": "a", "scenario": "a", "tools": ["x"]}', "expected form"),
    ],
)
def test_broken_builds_are_refused(path: Path, name: str, text: str, message: str) -> None:
    rewrite(path, name, text)

    def use() -> None:
        environment = load(path)
        environment.episode()
        for task in environment.tasks:
            environment.episode(task)

    with pytest.raises(BuildError, match=message):
        use()


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "{}",
        '{"environments": {"shop": {"artifacts": {"../../secret": "00"}}}}',
        '{"environments": {"shop": {"artifacts": {}}}}',
        '{"environments": {"shop": {"artifacts": {}, "clock": "today"}}}',
        '{"environments": {"shop": {"artifacts": [1]}}}',
    ],
)
def test_broken_manifests_are_refused(path: Path, manifest: str) -> None:
    (path.parent / "manifest.json").write_text(manifest)
    with pytest.raises(BuildError):
        load(path)


def test_missing_builds_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot be read"):
        load(tmp_path / "nowhere")
    (path / "data.json").unlink()
    with pytest.raises(BuildError, match="cannot be read"):
        load(path)


def test_other_data(shop: Environment) -> None:
    initial: dict[str, Any] = {"orders": {"#W0000009": order(9)}, "cancelled_today": 5.0}
    other = shop.with_state(initial)
    assert other.tasks == {}
    episode = other.episode()
    assert list(episode.state.orders.keys()) == ["#W0000009"]
    assert episode.state.cancelled_today == 5 and "ann" in episode.state.users
    assert episode.changes() == {}
    assert len(shop.episode().state.orders) == 4
    assert len(shop.episode(initial=initial).state.orders) == 1


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ({"order": {}}, "no table or state `order`; did you mean `orders`"),
        ({"orders": {"#W1": order(1)}}, "is not a key of `orders`"),
        ({"orders": {"#W0000001": {}}}, "/order_id: is required"),
        ({"orders": []}, "must be an object"),
        ({"rates": {'["USD"]': {"rate": "1"}}}, "is not a key of `rates`"),
        ({"rates": {"USD": {"rate": "1"}}}, "is not a key"),
        ({"rates": {'["A","B"]': {"rate": 1}}}, "expected a text"),
        ({"cancelled_today": "many"}, "cancelled_today: expected an integer"),
    ],
)
def test_other_data_is_checked(shop: Environment, initial: Any, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        shop.with_state(initial)


def test_data_at_load(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "initial.json"
    file.write_text('{"cancelled_today": 3}')
    for environment in (load(path, data=file), load(path, data={"cancelled_today": 3})):
        assert environment.episode().state.cancelled_today == 3
        assert environment.tasks == {}
