"""Distractors from other environments: drawn, built, called, and never in the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from toolc.cli import main
from toolc.compiler import Compiled, Options, compile_specs
from toolc_runtime import Environment, load
from toolc_runtime.errors import BuildError

TOWNS = """toolc 1
environment towns "Towns." seed 4
record Town { name: str, people: int }
table towns[name]: Town = [{name: "Ulm", people: 120}]
tool get_people "People of a town." (town: str) -> int {
  return towns[town].people else fail "unknown town"
}
tool rename "Both have it." (town: str) -> str { return town }
scenario ask {
  user "How many people live in Ulm?"
  tools [get_people] distractors 2 from [villages]
  plan { step let people = get_people(town: "Ulm") }
  answer people
}
scenario alone {
  user "How many people live in Ulm?"
  plan { step let people = get_people(town: "Ulm") }
  answer people
}
"""
VILLAGES = """toolc 1
environment villages "Villages."
record Village { name: str, people: int }
table villages[name]: Village = file("villages.json")
tool rename "Both have it." (village: str) -> str { return village }
tool grow "A village grows." (village: str, by: int(minimum: 1) = 1) -> Village {
  villages[village].people += by
  require villages[village].people < 12 else fail "full"
  return villages[village]
}
tool lot "Drawn." () -> int { return random_int(0, 1_000_000) }
scenario more {
  user "Grow Au."
  tools all distractors 1 from [towns]
  plan { step let village = grow(village: "Au") }
  answer village.people
}
"""
FILES = {
    "towns.toolc": TOWNS,
    "villages.toolc": VILLAGES,
    "villages.json": '[{"name": "Au", "people": 10}]',
}


def write(folder: Path, changes: Mapping[str, str] | None = None) -> list[str]:
    for name, text in {**FILES, **(changes or {})}.items():
        (folder / name).write_text(text)
    return sorted(map(str, folder.glob("*.toolc")))


def compiled(folder: Path, changes: Mapping[str, str] | None = None) -> dict[str, Compiled]:
    paths = write(folder, changes)
    return {Path(each.path).stem: each for each in compile_specs(paths, Options())}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("others")
    write(folder)
    assert main(["compile", str(folder), "-o", str(folder / "build"), "-q", "--prove"]) == 0
    return folder / "build"


@pytest.fixture(scope="module")
def towns(built: Path) -> Environment:
    return load(built / "towns")


def test_tools_are_drawn_but_for_names_that_clash(towns: Environment) -> None:
    assert towns.tasks["ask"].tools == ["get_people", "grow", "lot"]
    assert towns.tasks["alone"].tools is None
    assert dict(towns.tasks["ask"].difficulty)["tools"] == 3


def test_each_may_draw_from_the_other(built: Path) -> None:
    task = load(built / "villages").tasks["more"]
    assert task.tools == ["rename", "grow", "lot", "get_people"]


def test_schemas_of_a_task(towns: Environment, built: Path) -> None:
    def names(schemas: list[dict[str, Any]]) -> list[str]:
        return [schema["function"]["name"] for schema in schemas]

    assert names(towns.schemas_of("ask")) == ["get_people", "grow", "lot"]
    assert names(towns.schemas_of("alone")) == ["get_people", "rename"]
    theirs = {s["function"]["name"]: s for s in load(built / "villages").schemas}
    assert towns.schemas_of("ask")[1] == theirs["grow"]


def test_a_call_runs_on_a_state_of_its_own(towns: Environment) -> None:
    episode = towns.episode("ask")
    assert json.loads(episode.call("grow", {"village": "Au"}))["people"] == 11
    assert json.loads(episode.call("grow", {"village": "Au"})) == "full"
    assert json.loads(episode.call("grow", {"village": "Au", "by": 0}))["error"]["problems"]
    assert "did you mean `grow`" in episode.call("grov", "{}")
    assert episode.changes() == {}
    assert [(call.tool, call.status, call.writes, call.message) for call in episode.trace] == [
        ("grow", "ok", {}, 0),
        ("grow", "failed", {}, 1),
        ("grow", "rejected", {}, 2),
        ("grov", "rejected", {}, 3),
    ]
    assert json.loads(towns.episode("ask").call("grow", {"village": "Au"}))["people"] == 11
    episode.call("get_people", {"town": "Ulm"})
    assert towns.episode("alone").call("grow", {"village": "Au"}).startswith('{"error"')


def test_calls_count_and_do_not_change_the_verdict(towns: Environment) -> None:
    episode = towns.episode("ask")
    episode.call("grow", {"village": "Au"})
    episode.call("get_people", {"town": "Ulm"})
    verdict = episode.finish("Answer: 120")
    assert verdict.scored
    assert verdict.reward < 1, "a call that the plan lacks costs precision"
    idle = towns.episode("ask")
    idle.call("get_people", {"town": "Ulm"})
    assert idle.finish("Answer: 120").reward == 1


def test_forks_part(towns: Environment) -> None:
    episode = towns.episode("ask")
    episode.call("grow", {"village": "Au"})
    copy = episode.fork()
    fresh = towns.episode("ask").fork()
    assert json.loads(copy.call("grow", {"village": "Au"})) == "full"
    assert json.loads(fresh.call("grow", {"village": "Au"}))["people"] == 11
    assert len(episode.trace) == 1


def test_draws_follow_the_seed_of_the_episode(towns: Environment) -> None:
    first, same, other = (towns.episode("ask", seed=seed).call("lot", {}) for seed in (1, 1, 2))
    assert first == same != other


def test_trl_has_the_methods(built: Path) -> None:
    spec = util.spec_from_file_location("towns_trl", built / "towns" / "trl_environment.py")
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    environment = module.TownsEnvironment()
    environment.reset(task="ask")
    assert json.loads(environment.grow(village="Au"))["people"] == 11


def test_show_tells_of_them(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(built / "towns")]) == 0
    shown = capsys.readouterr().out.split("of other environments, as distractors")[1]
    assert shown.split()[:4] == ["grow", "villages", "lot", "villages"]


def test_an_edited_part_is_refused(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "build")
    path = tmp_path / "build" / "towns" / "others" / "villages" / "tools.py"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(BuildError, match="not what the compiler wrote"):
        load(tmp_path / "build" / "towns")


@pytest.mark.parametrize(
    "changes, reason, help",
    [
        ({"towns.toolc": TOWNS.replace("from [villages]", "from [vilages]")}, "no environment", 1),
        ({"towns.toolc": TOWNS.replace("from [villages]", "from [towns]")}, "it is this", 0),
        ({"villages.toolc": VILLAGES.replace("by: int", "by: number")}, "it has errors", 0),
        ({"villages.toolc": VILLAGES.replace("table villages", "table")}, "it has errors", 0),
        ({"villages.json": '[{"name": "Au"}]'}, "it has errors", 0),
        ({"villages.json": "[{"}, "it has errors", 0),
    ],
)
def test_nothing_to_draw_from(
    tmp_path: Path, changes: dict[str, str], reason: str, help: int
) -> None:
    found = compiled(tmp_path, changes)["towns"]
    assert found.artifacts is None
    (diagnostic,) = [each for each in found.diagnostics if each.severity == "error"]
    assert diagnostic.code == "TC0615"
    assert reason in diagnostic.message
    assert len(diagnostic.help) == help


def test_too_few(tmp_path: Path) -> None:
    text = TOWNS.replace("distractors 2 from", "distractors 9 from")
    found = compiled(tmp_path, {"towns.toolc": text})["towns"]
    assert [each.code for each in found.diagnostics] == ["TC0616"]


def test_what_another_is_made_of_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["compile", *(arguments or (".",))]) == 0
        return capsys.readouterr().err

    run()
    assert "(0 compiled, 2 unchanged)" in run()
    (tmp_path / "villages.json").write_text('[{"name": "Au", "people": 9}]')
    assert "2 environments in build" in run()
    moved = (tmp_path / "villages.toolc").rename(tmp_path / "hamlets.toolc")
    assert "towns.toolc: 2 tools" in run()
    moved.write_text(VILLAGES.replace("environment villages", "environment hamlets"))
    assert main(["compile", "."]) == 1
    assert main(["compile", "towns.toolc"]) == 1, "what it draws from must be compiled with it"
