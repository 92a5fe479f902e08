"""Rows in the published format are scored, from their codes, as the environment is scored.

The published measure is written here anew from its formulas, and the codes run in a bare
interpreter which has nothing but the standard library.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT, Toolc
from toolc.cli import export_command, main
from toolc.export import ftrl
from toolc.export.shaking import NotShakeable, Shaken
from toolc.train.admitted import Admitted
from toolc.train.dataset import Options
from toolc.train.rows import Row
from toolc_runtime import Environment, load
from toolc_runtime import ftrl as own
from toolc_runtime.values import plain

SPECS = ("geography", "suites/trading", "suites/vehicle")

HARNESS = """
import json, sys

def run(name, arguments, code):
    exec(code)
    return eval(name)(**arguments)

given = json.load(sys.stdin)
json.dump([run(n, a, given["codes"][c]) for c, n, a in given["calls"]], sys.stdout)
"""
"""What the published harness does with a code: it has no namespace of its own."""

Call = tuple[str, dict[str, Any]]


@pytest.fixture(scope="session", params=SPECS)
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Environment, list[Row]]:
    """An environment, and its rows."""
    spec, build = ROOT / "specs" / request.param, tmp_path_factory.mktemp("export") / "build"
    command = [sys.executable, "-m", "toolc", "compile", str(spec), "-o", str(build), "-q"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    folder = build / spec.name
    environment = load(folder)
    admitted = Admitted(str(folder), environment, tuple(environment.tasks))
    export = ftrl.make({spec.name: admitted}, Options())
    refused = export.tasks[spec.name]
    rows = [row for split in export.rows.values() for row in split]
    assert {row["task"] for row in rows} | refused.keys() == environment.tasks.keys()
    return environment, rows


# ---------------------------------------------------------------- the published measure


def verified(text: str, golden: str) -> bool:
    found = text.lower().replace(",", "").strip()
    return all(part.lower().replace(",", "").strip() in found for part in golden.split(", "))


class Marks(NamedTuple):
    solved: int
    calls: int
    expected: int
    rewards: tuple[float, ...]


def published(row: Row, results: Sequence[tuple[str, str]], said: str) -> Marks:
    """The marks of a trajectory that makes one call a message and then says something."""
    left = json.loads(row["unsolved_set"])
    expected = sum(len(each) for each in left.values())
    solved = 0
    rewards: list[float] = []
    for tool, text in results:
        hit = next((each for each in left.get(tool, []) if verified(text, each)), None)
        if hit is not None:
            left[tool].remove(hit)
        k = int(hit is not None)
        solved += k
        rewards += [2 * k / 2, k / 1, float(k), k**2 / 1]
    unsolved = expected - solved
    if not said:
        last = -0.5
    elif "<tool_call>" in said or "</tool_call>" in said:
        last = -0.3
    elif verified(said, row["answer"]):
        last = 1 / (1 + unsolved)
    else:
        last = 0.0 if unsolved else 0.5
    return Marks(solved, len(results), expected, (*rewards, last))


def compatible(environment: Environment, row: Row, calls: Sequence[Call], said: str) -> Marks:
    """The same marks by the compatibility mode, on an episode."""
    task = environment.tasks[row["task"]]
    episode = environment.episode(task)
    for tool, arguments in calls:
        episode.call(tool, arguments)
    made = [(call.tool, plain(call.result)) for call in episode.trace]
    marks = own.score(own.expected_answers(task), made)
    answer = own.expected_text(task.turns[0].get("answer"))
    rewards = []
    left = {kind: own.expected_answers(task) for kind in own.STEP_REWARDS}
    for call in made:
        rewards += [own.step_reward(kind, left[kind], [call], "", "") for kind in own.STEP_REWARDS]
    rewards.append(own.step_reward("rate", left["rate"], [], said, answer))
    return Marks(*marks, tuple(rewards))


# ---------------------------------------------------------------- trajectories


def plans(environment: Environment, rows: Sequence[Row]) -> dict[str, list[Call]]:
    """By task the calls of its plan."""
    return {
        row["task"]: [
            (step["tool"], step["arguments"])
            for step in environment.tasks[row["task"]].turns[0]["steps"]
        ]
        for row in rows
    }


def traces(
    row: Row, plan: list[Call], pool: Sequence[Call], most: int, chance: random.Random
) -> Iterator[list[Call]]:
    """Reference, partial, wrong and random."""
    tools = set(json.loads(row["codes"]))
    others = [call for call in pool if call[0] in tools]
    yield plan
    yield plan[:-1]
    yield [(tool, {}) for tool, _ in plan]
    yield [(tool, {**arguments, "another": None}) for tool, arguments in plan]
    yield [chance.choice([other for other in others if other[0] == tool]) for tool, _ in plan]
    yield [*chance.sample(others, min(len(others), most - 1)), plan[0]][:most]
    yield [*plan, *plan][:most]


def results(rows: Sequence[Row], calls: Sequence[tuple[Row, Call]]) -> list[str]:
    """What codes give in an interpreter that has the standard library alone."""
    codes: dict[str, str] = {}
    asked = []
    for row, (tool, arguments) in calls:
        text = json.loads(row["codes"])[tool]
        asked.append((codes.setdefault(text, str(len(codes))), tool, arguments))
    given = {"codes": {number: text for text, number in codes.items()}, "calls": asked}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", HARNESS],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def test_codes_are_scored_as_the_environment_is(exported: tuple[Environment, list[Row]]) -> None:
    environment, rows = exported
    chance = random.Random(1)
    plan_of = plans(environment, rows)
    pool = [call for plan in plan_of.values() for call in plan]
    made = []
    for row in rows:
        task = environment.tasks[row["task"]]
        most = min(task.limits.get("calls", 12), task.limits.get("turns", 12), 12)
        found = traces(row, plan_of[task.id], pool, most, chance)
        answer = row["answer"] or "Done."
        endings = (f"It is {answer}.", "I do not know.", "", f"<tool_call>{answer}", answer)
        made += [(row, trace, chance.choice(endings)) for trace in found]
    asked = [(row, call) for row, trace, _ in made for call in trace]
    texts = iter(results(rows, asked))
    full = 0
    for row, trace, said in made:
        episode = environment.episode(row["task"])
        found_texts = [(tool, next(texts)) for tool, _ in trace]
        assert found_texts == [(tool, episode.call(tool, given)) for tool, given in trace]
        marks = published(row, found_texts, said)
        assert marks == compatible(environment, row, trace, said), (row["id"], trace)
        full += marks.solved == marks.calls == marks.expected
    assert full >= len(rows)  # every plan earns everything
    assert full < len(made) / 2


def test_rows_have_the_published_columns(exported: tuple[Environment, list[Row]]) -> None:
    environment, rows = exported
    for row in rows:
        tools = [schema["function"]["name"] for schema in json.loads(row["tools"])]
        codes = json.loads(row["codes"])
        assert list(codes) == tools
        assert json.loads(row["unsolved_set"]).keys() <= codes.keys()
        assert not [tool for tool in tools if environment.tools[tool].writes]
        assert [each["role"] for each in row["messages"]][-1] == "user"
        assert row["split"] in ("train", "test")
        assert row["data_source"] == f"toolc/{environment.name}"


# ---------------------------------------------------------------- the command


def test_the_command_writes_rows_and_says_what_it_refuses(
    toolc: Toolc, town_build: Path, tmp_path: Path
) -> None:
    done = toolc("export", "ftrl", str(town_build), "-o", "rows", "--format", "json")
    assert done.returncode == 0, done.stderr
    about = json.loads(done.stdout)
    assert about == json.loads((tmp_path / "rows/export.json").read_text())
    refused = about["refused"]
    assert refused["tools"]["town"] == {"reset": "writes books"}
    assert set(refused["tasks"]["town"].values()) == {
        "`reset` writes books",
        "has 2 turns",
        "needs no tool, and the published measure divides by what tools must solve",
    }
    import pyarrow.parquet as parquet

    for name, counted in about["rows"].items():
        lines = (tmp_path / f"rows/{name}.jsonl").read_text().splitlines()
        rows = list(map(json.loads, lines))
        assert len(rows) == sum(counted.values()) > 0
        table = parquet.read_table(tmp_path / f"rows/{name}.parquet")
        assert table.column("codes").to_pylist() == [row["codes"] for row in rows]
    again = toolc("export", "ftrl", str(town_build), "-o", "rows", "--format", "json")
    assert json.loads(again.stdout) == about


def test_where_every_task_writes_nothing_is_written(
    town: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    writing = tuple(task.id for task in town.tasks.values() if task.scenario == "one_more")
    admitted = {"town": Admitted("", town, writing)}
    monkeypatch.setattr(export_command, "admitted_tasks", lambda build: admitted)
    assert main(["export", "ftrl", "build", "-o", str(tmp_path / "rows")]) == 1
    said = capsys.readouterr().err
    assert f"{len(writing)} tasks refused: {len(writing)} `reset` writes books" in said
    assert "no task that can be exported as ftrl" in said
    assert not (tmp_path / "rows").exists()


# ---------------------------------------------------------------- shaking

MODULES: Mapping[str, str] = {
    "one": """
from __future__ import annotations
import math, json
from typing import TYPE_CHECKING, NamedTuple
from two import Base, helper as help, unused
if TYPE_CHECKING:
    from three import Gone

SIZE, OTHER = 2, 3
WIDTH = 4

class Pair(NamedTuple):
    left: Gone
    right: int = SIZE

class Thing(Base):
    def used(self, value: Gone) -> Gone:
        "Says."
        return help(value)
    def never(self):
        return json.dumps(unused)

def root(value: Gone) -> int:
    made: int = Thing().used(Pair(value).left)
    return math.floor(made)
""",
    "two": """
unused = None
def helper(value):
    return value + LATER
LATER = 1
class Base:
    pass
""",
}


def test_shaking_keeps_what_runs_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = Shaken(MODULES.get, [("one", "root")]).modules()
    assert list(sources) == ["two", "one"]
    for gone in ("unused = ", "never", "json", "Gone", "Says", "WIDTH"):
        assert gone not in sources["one"] + sources["two"]
    for name, source in sources.items():
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(source, module.__dict__)
    assert module.root(4) == 5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("from other_library import x\ndef root(): x", "is not in the standard library"),
        ("import two\ndef root(): two", "cannot be followed"),
        ("from two import *\ndef root(): helper", "cannot be followed"),
        ("def root(): pass\nprint(1)", "binds no name"),
        ("def other(): pass", "has no `root`"),
    ],
)
def test_what_cannot_be_followed_is_refused(text: str, why: str) -> None:
    with pytest.raises(NotShakeable, match=why):
        Shaken({**MODULES, "one": text}.get, [("one", "root")])
