"""The stages as tasks of a local Ray cluster: what comes out is what comes out without."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Toolc
from tests.emission.replies import FIXABLE, GOOD, UNKNOWN, by_description, fenced
from tests.eval.server import Server, fails, says
from tests.generate.programs import bakery
from tests.generate.test_generate import everything
from tests.generate.test_model import QUESTIONS, replying
from toolc.cluster import LOCAL, Cluster, cluster
from toolc.models.client import Refused


@pytest.fixture(scope="module")
def ray() -> Iterator[Cluster]:
    """A cluster of two workers on this machine."""
    if find_spec("ray") is None:
        pytest.skip("the extra `ray` is not installed")
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = path
    try:
        with cluster(LOCAL, 2) as made:
            yield made
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


@pytest.fixture
def address(ray: Cluster) -> str:
    found: str = ray.ray.get_runtime_context().gcs_address
    return found


def squared(number: int) -> int:
    """The square of a number, but for one that ends the worker, one that fails, and one that ends
    all."""
    if number == 3:
        os._exit(1)
    if number == 4:
        raise KeyError("four")
    if number == 9:
        raise Refused("the key is wrong")
    return number * number


def test_who_dies_or_fails_is_told_and_the_others_go_on(ray: Cluster) -> None:
    told: dict[int, str] = {}

    def lost(number: int, reason: str) -> int:
        told[number] = reason
        return -number

    made = sorted(ray.each(squared, range(8), lost, (Refused,)))
    assert made == [-4, -3, 0, 1, 4, 25, 36, 49]
    assert told == {3: "its worker was killed: out of memory?", 4: "KeyError: 'four'"}


def test_what_ends_all_is_raised(ray: Cluster) -> None:
    with pytest.raises(Refused, match="the key is wrong"):
        list(ray.each(squared, [1, 9, 2], lambda number, reason: -1, (Refused,)))


def test_more_tasks_than_are_handed_over_at_a_time(ray: Cluster) -> None:
    offset = 7

    def moved(number: int) -> int:
        return number + offset

    made = sorted(ray.each(moved, range(60), lambda number, reason: -1))
    assert made == list(range(7, 67))


def test_tables_give_the_same_bytes(address: str, toolc: Toolc, tmp_path: Path) -> None:
    for name in ("one", "two"):
        bakery(tmp_path / "tables" / name)
    few = ("generate", "--tables", "tables", "--tasks", "8")
    plain = toolc(*few, "-o", "plain", "--jobs", "1")
    spread = toolc(*few, "-o", "spread", "--ray", address)
    assert plain.returncode == spread.returncode == 0, spread.stderr
    assert everything(tmp_path / "spread") == everything(tmp_path / "plain")
    # What stands is not made again, and what was lost is.
    shutil.rmtree(tmp_path / "spread" / "5-deploy")
    again = toolc("generate", "-o", "spread", "--ray", address)
    assert again.returncode == 0, again.stderr
    assert everything(tmp_path / "spread") == everything(tmp_path / "plain")


def test_a_model_gives_the_same_specs(address: str, toolc: Toolc, tmp_path: Path) -> None:
    made: dict[str, dict[str, bytes]] = {}
    for name, more in {"plain": (), "spread": ("--ray", address)}.items():
        with Server(by=replying()) as server:
            asked = ("--endpoint", server.url, "--model", "m", "--retries", "0", "--rounds", "1")
            ended = toolc("generate", "--questions", str(QUESTIONS), "-o", name, *asked, *more)
            assert ended.returncode == 1, ended.stderr  # one question cannot be decomposed
            before = len(server.requests)
            toolc("generate", "--questions", str(QUESTIONS), "-o", name, *asked, *more)
            assert len(server.requests) == before
        made[name] = {
            file: content
            for file, content in everything(tmp_path / name).items()
            if file not in ("attempts.jsonl", "generate.json")
        }
    assert made["spread"] == made["plain"]


def test_descriptions_are_settled_and_asked_for_once(
    address: str, toolc: Toolc, tmp_path: Path
) -> None:
    plans = {
        "good": [says(fenced(GOOD))],
        "fixable": [says(FIXABLE.replace("price: 5", "price: 6"))],
        "repaired": [says(UNKNOWN), says(GOOD.replace("price: 5", "price: 7"))],
        "unasked": [fails(500)],
    }
    lines = [json.dumps({"id": name, "description": f"A kiosk, {name}."}) for name in plans]
    (tmp_path / "ideas.jsonl").write_text("\n".join(lines) + "\n")
    summaries: list[dict[str, Any]] = []
    for name, more in {"plain": (), "spread": ("--ray", address)}.items():
        command = ["emit", "--descriptions", "ideas.jsonl", "-o", name, "--retries", "0", *more]
        with Server(by=by_description(plans)) as server:
            asked = ("--endpoint", server.url, "--model", "m")
            assert toolc(*command, *asked).returncode == 1
            first = len(server.requests)
            plans["unasked"] = [says(GOOD.replace("price: 5", "price: 8"))]
            server.by = by_description(plans)
            assert toolc(*command, *asked).returncode == 0
            assert len(server.requests) == first + 1
        plans["unasked"] = [fails(500)]
        summaries.append(json.loads((tmp_path / name / "summary.json").read_text()))
    assert summaries[0] == summaries[1]
    assert everything(tmp_path / "spread" / "specs") == everything(tmp_path / "plain" / "specs")


@pytest.mark.parametrize("command", ["generate", "emit"])
def test_nobody_listens(ray: Cluster, command: str, toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "ideas.jsonl").write_text('{"id": "a", "description": "A kiosk."}\n')
    what = {
        "generate": ("--tables", "tables"),
        "emit": ("--descriptions", "ideas.jsonl", "--endpoint", "http://127.0.0.1:9", "--model=m"),
    }
    ended = toolc(command, *what[command], "-o", "out", "--ray", "127.0.0.1:1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "there is no Ray cluster at `127.0.0.1:1`" in ended.stderr


def test_without_ray_it_says_what_is_missing(tmp_path: Path) -> None:
    hidden = (
        "import sys; sys.modules['ray'] = None; from toolc.cli import main; "
        "sys.exit(main(['generate', '-o', 'out', '--tables', '.', '--ray', 'local']))"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
    ended = subprocess.run(
        [sys.executable, "-c", hidden],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 2
    assert "Ray is not installed: it comes with `toolc[ray]`" in ended.stderr
