"""`toolc scale` and `toolc integrate` on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Toolc

HERE = Path(__file__).parent.parent


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    folder = tmp_path / "specs"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(HERE / "scaling" / "harbour.toolc", folder)
    depot = (HERE / "scaling" / "depot.toolc").read_text()
    start, end = depot.index("= ["), depot.index("]\n") + 1
    (folder / "deep" / "depot.toolc").write_text(
        depot[:start] + '= file("data/crates.csv")' + depot[end:]
    )
    (folder / "deep" / "data").mkdir()
    rows = "code,weight,held_by\nC1,40,Mara\nC2,55,Nico\nC3,71,Otis\n"
    (folder / "deep" / "data" / "crates.csv").write_text(rows)
    return folder


def test_scale_proves_what_it_writes(toolc: Toolc, specs: Path, tmp_path: Path) -> None:
    made = toolc("scale", "specs", "--level", "4", "--seed", "2", "-o", "out", "--format", "json")
    assert made.returncode == 0, made.stdout + made.stderr
    found = json.loads(made.stdout)
    assert found["problems"] == []
    assert found["environments"]["harbour"]["done"]
    before, after = found["figures"]["before"], found["figures"]["after"]
    assert after["schemas"] > before["schemas"]
    assert (tmp_path / "out" / "deep" / "data" / "crates.csv").read_text().startswith("code,")
    assert toolc("compile", "out", "-o", "build").returncode == 0
    audited = toolc("audit", "build")
    assert audited.returncode == 0, audited.stdout
    again = toolc("scale", "specs", "--level", "4", "-o", "out")
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_scale_shows_and_checks(toolc: Toolc, specs: Path) -> None:
    listed = toolc("scale", "--list")
    assert listed.returncode == 0
    assert "nest_results" in listed.stdout
    shown = toolc("scale", "specs/deep", "--level", "2", "--only", "nest_results", "-o", "o")
    assert shown.returncode == 0
    assert shown.stdout.startswith("depot: 2 nest_results\n")
    assert "2 files written, 3 tasks proved" in shown.stderr
    quick = toolc("scale", "specs", "--level", "5", "--unproved", "-o", "quick")
    assert (quick.returncode, quick.stderr) == (0, "3 files written\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scale", "specs"], "-o DIR says where to write"),
        (["scale", "-o", "out"], "name a spec"),
        (["scale", "specs", "-o", "specs"], "choose another"),
        (["scale", "specs", "-o", "out", "--only", "magic"], "no transformation `magic`"),
        (["scale", "nowhere", "-o", "out"], "does not exist"),
        (["integrate", "specs/harbour.toolc", "-o", "specs"], "choose another"),
        (["integrate", "empty", "-o", "out"], "holds no .toolc file"),
    ],
)
def test_wrong_usage(
    toolc: Toolc, specs: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    ended = toolc(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["scale", "integrate"])
def test_errors_of_specs_are_shown(toolc: Toolc, tmp_path: Path, command: str) -> None:
    (tmp_path / "bad.toolc").write_text(
        'toolc 1\nenvironment bad "B."\ntool t "T." () -> int { }\n'
    )
    ended = toolc(command, "bad.toolc", "-o", "out")
    assert ended.returncode == 1
    assert "TC0" in ended.stdout
    assert not (tmp_path / "out").exists()
    (tmp_path / "gone.toolc").write_text(
        'toolc 1\nenvironment gone "G."\n'
        'table rows[id]: {id: str} = file("none.csv")\n'
        'tool t "T." (id: str) -> str { return rows[id].id else fail "no" }\n'
    )
    ended = toolc(command, "gone.toolc", "-o", "out")
    assert ended.returncode == 2
    assert "`none.csv` cannot be read" in ended.stderr


def test_integrate_tells_its_merges(toolc: Toolc, specs: Path) -> None:
    made = toolc("integrate", "specs/deep", "-o", "fewer", "--format", "json")
    assert made.returncode == 0, made.stdout + made.stderr
    merged = json.loads(made.stdout)["environments"]["depot"]["merged"]
    assert merged == [
        {"tool": "get_crate", "members": ["weigh_crate", "crate_holder"], "by": ["column"]}
    ]
    assert toolc("check", "fewer").returncode == 0
