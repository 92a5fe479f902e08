"""`toolc audit` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import toolc_runtime
from tests.conftest import ROOT, Toolc
from toolc.audit import GATES
from toolc.audit.record import admitted

AUDITED = ROOT / "tests" / "audit"


@pytest.fixture
def build(toolc: Toolc, tmp_path: Path) -> Path:
    for kind, name in (("sound", "sum_of_results"), ("defects", "untold_friday")):
        text = (AUDITED / kind / f"{name}.toolc").read_text(encoding="utf-8")
        (tmp_path / f"{kind}.toolc").write_text(text, encoding="utf-8")
    assert toolc("compile", "sound.toolc", "defects.toolc", "-q").returncode == 0
    return tmp_path / "build"


def test_it_says_what_is_refuted_and_keeps_it(toolc: Toolc, build: Path) -> None:
    ended = toolc("audit", "build")
    assert ended.returncode == 1
    assert "informed: step " in ended.stdout
    assert "ms a task: " in ended.stderr
    assert all(f" {gate} " in ended.stderr for gate in GATES)
    assert " refuted, 0 unknown\n" in ended.stderr
    audits = json.loads((build / "manifest.json").read_text(encoding="utf-8"))["audits"]
    assert sorted(len(each["refuted"]) > 0 for each in audits.values()) == [False, True]


def test_json_has_every_gate_of_every_task(toolc: Toolc, build: Path) -> None:
    found = json.loads(toolc("audit", "build", "--format", "json").stdout)
    assert found["tasks"] == found["passed"] + found["refuted"] + found["unknown"]
    assert len(found["results"]) == found["tasks"]
    assert found["seconds"].keys() == GATES.keys()
    for task in found["results"]:
        assert task["gates"].keys() == GATES.keys()
        assert {each["verdict"] for each in task["gates"].values()} <= {"proved", "refuted"}


def test_a_page_to_read(toolc: Toolc, build: Path) -> None:
    toolc("audit", "build", "--html", "audit.html")
    page = (build.parent / "audit.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "://" not in page
    assert page.count("<tr>") == page.count("</tr>")


def test_what_is_kept_outlives_a_compile_of_another(toolc: Toolc, build: Path) -> None:
    toolc("audit", "build")
    before = json.loads((build / "manifest.json").read_text(encoding="utf-8"))["audits"]
    assert toolc("compile", "sound.toolc", "--force", "-q").returncode == 0
    after = json.loads((build / "manifest.json").read_text(encoding="utf-8"))["audits"]
    assert len(after) == 1
    assert after.items() <= before.items()


def test_one_environment_and_one_task(toolc: Toolc, build: Path) -> None:
    sound = next(each for each in build.iterdir() if (each / "tools.py").exists())
    assert toolc("audit", str(sound)).returncode in (0, 1)
    wrong = toolc("audit", "build", "--only", "nothing")
    assert (wrong.returncode, "nothing" in wrong.stderr) == (2, True)
    assert toolc("audit", "elsewhere").returncode == 2


# ---------------------------------------------------------------- what has passed before


def audits_of(build: Path) -> Any:
    return json.loads((build / "manifest.json").read_text(encoding="utf-8"))["audits"]


def test_what_has_passed_is_not_audited_again(toolc: Toolc, tmp_path: Path) -> None:
    text = (AUDITED / "sound" / "sum_of_results.toolc").read_text(encoding="utf-8")
    (tmp_path / "spec.toolc").write_text(text, encoding="utf-8")
    ended = toolc("compile", "spec.toolc", "--audit", "--format", "json")
    first = json.loads(ended.stdout.splitlines()[-1])
    assert (ended.returncode, first["type"], first["audited"]) == (0, "audit", first["tasks"])
    before = f"{first['tasks']} of them in 1 environment that passed before"
    assert before in toolc("audit", "build").stderr
    assert before not in toolc("audit", "build", "--again").stderr
    whole = json.loads(toolc("audit", "build", "--format", "json").stdout)
    assert (whole["audited"], whole["unchanged"]) == (first["tasks"], {}), "JSON has all verdicts"
    (tmp_path / "spec.toolc").write_text(text + "\n# changed\n", encoding="utf-8")
    ended = toolc("compile", "spec.toolc", "--audit", "--format", "json")
    assert json.loads(ended.stdout.splitlines()[-1])["audited"] == first["tasks"]


def test_compile_with_an_audit_fails_where_a_task_does(toolc: Toolc, tmp_path: Path) -> None:
    text = (AUDITED / "defects" / "untold_friday.toolc").read_text(encoding="utf-8")
    (tmp_path / "spec.toolc").write_text(text, encoding="utf-8")
    for _ in range(2):  # what failed is shown again
        ended = toolc("compile", "spec.toolc", "--audit")
        assert (ended.returncode, "informed: step " in ended.stdout) == (1, True)
    assert any(each["refuted"] for each in audits_of(tmp_path / "build").values())


def test_admission(toolc: Toolc, build: Path) -> None:
    environments = [toolc_runtime.load(each.parent) for each in build.glob("*/tools.py")]
    for environment in environments:
        assert admitted(build, environment) == ((), {}, True)
    toolc("audit", "build")
    refused: dict[str, tuple[str, ...]] = {}
    for environment in environments:
        found = admitted(build, environment)
        assert not found.unaudited
        assert {*found.passed, *found.refused} == environment.tasks.keys()
        refused |= found.refused
    assert refused
    assert all(gates[0] == "informed" for gates in refused.values())
    manifest = json.loads((build / "manifest.json").read_text(encoding="utf-8"))
    for each in manifest["audits"].values():
        each["of"] = "0" * 64  # of other artifacts
    (build / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert all(admitted(build, each).unaudited for each in environments)


@pytest.mark.parametrize("audits", [None, 7, [], {"x": 1}, {"tasks": "many"}])
def test_an_admission_takes_no_nonsense(toolc: Toolc, build: Path, audits: object) -> None:
    manifest = json.loads((build / "manifest.json").read_text(encoding="utf-8"))
    manifest["audits"] = dict.fromkeys(manifest["environments"], audits)
    (build / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for each in build.glob("*/tools.py"):
        assert admitted(build, toolc_runtime.load(each.parent)).unaudited


@pytest.mark.parametrize("name", ["../other", "/etc", "a/b", "", ".."])
def test_a_manifest_that_names_what_is_elsewhere(toolc: Toolc, tmp_path: Path, name: str) -> None:
    (tmp_path / "build").mkdir()
    manifest = {"language": 1, "environments": {name: {"artifacts": {}}}}
    (tmp_path / "build" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    ended = toolc("audit", "build")
    assert ended.returncode == 2
    assert "manifest.json names an environment" in ended.stderr
    assert "Traceback" not in ended.stderr


# ---------------------------------------------------------------- counter-examples


def test_a_counter_example_can_be_played(toolc: Toolc, tmp_path: Path) -> None:
    text = (AUDITED / "defects" / "delete_by_name.toolc").read_text(encoding="utf-8")
    (tmp_path / "spec.toolc").write_text(text, encoding="utf-8")
    toolc("compile", "spec.toolc", "-q")
    found = json.loads(toolc("audit", "build", "--format", "json").stdout)
    result = next(each for each in found["results"] if each["outcome"] == "refuted")
    verdict = result["gates"]["no_shortcut"]
    place = ("run", f"build/{result['environment']}", "--task", result["task"])
    (tmp_path / "bad.json").write_text(json.dumps(verdict), encoding="utf-8")
    shown = toolc(*place, "--script", "bad.json")
    assert (shown.returncode, "reward 1" in shown.stdout) == (0, True)
    assert shown.stdout.count("  call  ") == sum("call" in each for each in verdict["episode"])
    piped = toolc(*place, "--script", "-", input=json.dumps(verdict["episode"]))
    assert piped.stdout == shown.stdout
    idle = toolc(*place, "--script", "-", "--format", "json", input='[{"say": "Done."}]')
    assert idle.returncode == 1
    assert json.loads(idle.stdout.splitlines()[-1])["reward"] == 0


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"call": 1}]', "nonsense", '[{"say": null}]'])
def test_what_is_no_episode_is_said_to_be_none(toolc: Toolc, build: Path, text: str) -> None:
    environment = next(each.parent for each in build.glob("*/tools.py"))
    ended = toolc("run", str(environment), "--script", "-", input=text)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


# ---------------------------------------------------------------- tools of other environments

ONE = """toolc 1
environment alpha "A."
record Row { id: str, n: int }
table rows[id]: Row = [ {id: "r-1", n: 4411}, {id: "r-2", n: 7120}, {id: "r-3", n: 17} ]
tool get_n "The n of a row." (id: str) -> int {
  let row = rows[id] else fail "unknown: {id}"
  return row.n
}
scenario one "Sound" {
  user "What is n of r-2?"
  tools [get_n] distractors 2 from [beta]
  plan { step "Look." let n = get_n(id: "r-2") }
  answer n
}
"""
OTHER = """toolc 1
environment beta "B."
record Cell { id: str, m: int }
table cells[id]: Cell = [ {id: "c-1", m: 4411}, {id: "c-2", m: 1} ]
tool get_m "The m of a cell." (id: str) -> int {
  let row = cells[id] else fail "unknown: {id}"
  return row.m
}
tool set_m "Set m." (id: str, m: int) -> null {
  require id in cells else fail "unknown: {id}"
  cells[id].m = m
}
"""


def test_tasks_that_offer_tools_of_other_environments(toolc: Toolc, tmp_path: Path) -> None:
    for name, text in (("one", ONE), ("other", OTHER)):
        (tmp_path / f"{name}.toolc").write_text(text, encoding="utf-8")
    ended = toolc("compile", ".", "--audit")
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
    assert "alpha: 1 passed" in ended.stdout


def test_where_a_solver_disagrees(toolc: Toolc, build: Path) -> None:
    """Runs of `toolc eval` stand beside the plans; they refute nothing."""
    for policy in ("noop", "reference"):
        played = toolc("eval", "build", "--policy", policy, "--unaudited", "-o", policy)
        assert played.returncode == 0, played.stderr
    alone = json.loads(toolc("audit", "build", "--format", "json").stdout)
    found = json.loads(toolc("audit", "build", "--format", "json", "--solver", "noop").stdout)
    assert found["refuted"] == alone["refuted"]
    assert len(found["disagreements"]) == found["tasks"]
    for each in found["disagreements"]:
        assert (each["episodes"], each["solved"]) == (1, 0)
        assert each["said"] == "I do nothing."
        assert each["failing"]
    agreed = toolc("audit", "build", "--solver", "reference", "--html", "page.html")
    assert "the solver disagrees on 0 tasks" in agreed.stdout
    shown = toolc("audit", "build", "--solver", "noop", "--html", "page.html")
    assert f"the solver disagrees on {found['tasks']} tasks" in shown.stdout
    assert "the solver solved 0 of 1" in (build.parent / "page.html").read_text(encoding="utf-8")


def test_a_run_of_something_else_is_no_solver(toolc: Toolc, build: Path) -> None:
    assert toolc("eval", "build", "--policy", "noop", "--unaudited", "-o", "run").returncode == 0
    head = json.loads((build.parent / "run" / "run.json").read_text(encoding="utf-8"))
    for entry in head["environments"].values():
        entry["digest"] = "0" * 64
    (build.parent / "run" / "run.json").write_text(json.dumps(head), encoding="utf-8")
    ended = toolc("audit", "build", "--solver", "run")
    assert (ended.returncode, "run of other environments" in ended.stderr) == (2, True)
    ended = toolc("audit", "build", "--solver", "nowhere")
    assert (ended.returncode, "nowhere" in ended.stderr) == (2, True)
