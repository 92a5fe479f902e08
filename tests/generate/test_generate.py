"""`toolc generate`: what comes out is proved, and the same for the same seed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Toolc
from tests.generate.programs import bakery
from toolc.generate.pipeline import STAGES
from toolc.generate.tables.questions import KINDS

FEW = ("--tasks", "24", "--jobs", "1")


def everything(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables in `tables` and what was generated of them in `out`."""
    from toolc.cli import main

    folder = tmp_path_factory.mktemp("generated")
    bakery(folder / "tables")
    arguments = ["--tables", str(folder / "tables"), "-o", str(folder / "out"), *FEW]
    assert main(["generate", *arguments]) == 0
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A copy of what was generated, to work on."""
    return Path(shutil.copytree(made / "out", tmp_path / "out"))


def lines(build: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(build.glob("*/scenarios.jsonl"))
        for line in path.read_text().splitlines()
    ]


def test_all_kinds_are_there_and_everything_passes_the_audit(made: Path, toolc: Toolc) -> None:
    tasks = lines(made / "out" / "build")
    assert len(tasks) >= 20
    for kind in KINDS:
        assert sum(task["kind"] == kind for task in tasks) >= 0.15 * len(tasks)
    prompts = [task["turns"][0]["user"] for task in tasks]
    assert len(set(prompts)) == len(prompts)
    assert toolc("audit", str(made / "out" / "build"), "-j1").returncode == 0


def test_the_deployed_specs_compile_without_a_word(made: Path, toolc: Toolc) -> None:
    done = toolc("compile", str(made / "out" / "5-deploy"), "-o", "again", "-q", "-j1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_same_seed_gives_the_same_bytes(made: Path, tmp_path: Path, toolc: Toolc) -> None:
    tables = ("--tables", str(made / "tables"))
    assert toolc("generate", *tables, "-o", "two", "--tasks", "24", "--jobs", "2").returncode == 0
    assert everything(tmp_path / "two") == everything(made / "out")
    assert toolc("generate", *tables, "-o", "other", *FEW, "--seed", "1").returncode == 0
    spec = Path("1-decompose", "sales", "sales.toolc")
    assert (tmp_path / "other" / spec).read_text() != (made / "out" / spec).read_text()


def test_stages_run_one_by_one_give_the_same(made: Path, tmp_path: Path, toolc: Toolc) -> None:
    first = toolc("generate", "decompose", "--tables", str(made / "tables"), "-o", "out", *FEW)
    assert first.returncode == 0
    for number, stage in enumerate(STAGES[1:], 2):
        assert not (tmp_path / "out" / f"{number}-{stage}").exists()
        assert toolc("generate", stage, "-o", "out", "--jobs", "1").returncode == 0
    assert everything(tmp_path / "out") == everything(made / "out")


def test_what_a_person_edits_is_kept_and_goes_on(copy: Path, toolc: Toolc) -> None:
    spec = copy / "2-document" / "sales" / "sales.toolc"
    assert "The sale ID." in spec.read_text()
    spec.write_text(spec.read_text().replace("The sale ID.", "The number on the bill."))
    assert toolc("generate", "-o", "out", "--jobs", "1").returncode == 0
    for stage in ("2-document", "3-integrate", "4-scale", "5-deploy"):
        text = (copy / stage / "sales" / "sales.toolc").read_text()
        assert "The number on the bill." in text
        assert "The sale ID." not in text


def test_what_a_person_edits_is_not_overwritten_unless_forced(copy: Path, toolc: Toolc) -> None:
    spec = copy / "2-document" / "sales" / "sales.toolc"
    spec.write_text(spec.read_text().replace("The sale ID.", "The number on the bill."))
    later = toolc("generate", "document", "-o", "out", "--seed", "9", "--jobs", "1")
    assert "was edited: it stays as it is; --force makes it anew" in later.stderr
    assert "The number on the bill." in spec.read_text()
    assert toolc("generate", "document", "-o", "out", "--jobs", "1", "--force").returncode == 0
    assert "The number on the bill." not in spec.read_text()


def test_an_edit_that_is_wrong_is_reported_with_its_place(copy: Path, toolc: Toolc) -> None:
    spec = copy / "1-decompose" / "sales" / "sales.toolc"
    spec.write_text(spec.read_text().replace("table sales[", "table [", 1))
    done = toolc("generate", "document", "-o", "out", "--jobs", "1")
    assert done.returncode == 1
    assert "out/1-decompose/sales/sales.toolc`, line " in done.stderr


@pytest.mark.parametrize("content", ['{"tools": {}}', "[", '{"tools": {"get_sale_shop": {}}}'])
def test_a_record_that_is_damaged_is_reported(content: str, copy: Path, toolc: Toolc) -> None:
    (copy / "1-decompose" / "sales" / "stage.json").write_text(content)
    done = toolc("generate", "document", "-o", "out", "--jobs", "1", "--force")
    assert done.returncode == 1
    assert "stage.json says it by the tool's name" in done.stderr


def test_a_run_that_was_killed_goes_on(made: Path, tmp_path: Path, toolc: Toolc) -> None:
    command = [sys.executable, "-m", "toolc", "generate", "--tables", str(made / "tables")]
    path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
    out = tmp_path / "out"
    for stage in ("1-decompose", "3-integrate", "5-deploy"):
        process = subprocess.Popen(
            [*command, "-o", "out", *FEW],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and not (out / stage).exists():
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert toolc("generate", "--tables", str(made / "tables"), "-o", "out", *FEW).returncode == 0
    found = {name: text for name, text in everything(out).items() if "/.toolc-" not in name}
    assert found == everything(made / "out")


def test_writes_where_asked(made: Path, tmp_path: Path, toolc: Toolc) -> None:
    options = ("--tables", str(made / "tables"), *FEW)
    assert not any(task["state"] for task in lines(made / "out" / "build"))
    assert toolc("generate", *options, "-o", "out", "--writes").returncode == 0
    assert any(task["state"] for task in lines(tmp_path / "out" / "build"))


def test_kinds_in_the_mix_that_is_asked_for(made: Path, tmp_path: Path, toolc: Toolc) -> None:
    mix = ("--kinds", "single_hop=1,multi_hop=3", "--depth", "2", "--scale", "none")
    done = toolc("generate", "--tables", str(made / "tables"), "-o", "out", *FEW, *mix)
    assert done.returncode == 0
    tasks = lines(tmp_path / "out" / "build")
    deep = sum(task["kind"] == "multi_hop" for task in tasks)
    assert {task["kind"] for task in tasks} == {"single_hop", "multi_hop"}
    assert 0.6 < deep / len(tasks) < 0.85
    assert max(task["difficulty"]["depth"] for task in tasks) == 2


def test_names_that_plans_and_tools_use_themselves(tmp_path: Path, toolc: Toolc) -> None:
    labels = ("each", "found", "order", "measure", "value", "limit", "statistic", "class", "{x}")
    rows = [
        {"id": f"R{n}", **{label: n * len(label) % 31 for label in labels[2:6]}}
        | {label: f"{label[:1]}{n % 3}" for label in (*labels[:2], *labels[6:])}
        for n in range(40)
    ]
    (tmp_path / "tables").mkdir()
    for name in ("each", "values", "class"):
        (tmp_path / "tables" / f"{name}.json").write_text(json.dumps(rows))
    done = toolc("generate", "--tables", "tables", "-o", "out", *FEW, "--writes")
    assert done.returncode == 0, done.stderr
    assert len(lines(tmp_path / "out" / "build")) >= 20


USAGE = {
    "no tables": (["-o", "x"], "say with --tables, --questions or --domain"),
    "no folder": (["-o", "x", "--tables", "nowhere"], "`nowhere` is not a folder"),
    "an empty folder": (["-o", "x", "--tables", "."], "holds no table to ask of"),
    "no such stage": (["deplow", "-o", "x"], "there is no stage `deplow`"),
    "nothing before": (["scale", "-o", "x"], "holds nothing of the stage `integrate`"),
    "no such kind": (["-o", "x", "--tables", ".", "--kinds", "deep=1"], "`deep=1` is no kind"),
    "no share": (["-o", "x", "--tables", ".", "--kinds", "multi_hop=0"], "have no share"),
    "no such transformation": (["-o", "x", "--scale", "up"], "there is no transformation `up`"),
}


@pytest.mark.parametrize("case", USAGE)
def test_usage(case: str, toolc: Toolc) -> None:
    arguments, message = USAGE[case]
    done = toolc("generate", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
