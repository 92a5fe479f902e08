"""`toolc init`: the first project works as its README says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from tests.conftest import Toolc


def test_every_command_of_its_readme(toolc: Toolc, tmp_path: Path) -> None:
    ended = toolc("init")
    assert ended.returncode == 0
    written = ended.stdout.splitlines()
    assert sorted(written) == ["README.md", "data/beds.csv", "greenhouse.toolc"]
    assert all((tmp_path / name).is_file() for name in written)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    toolc (.*?)(?: +#.*)?$", readme, re.MULTILINE)
    assert len(commands) == 8
    for command in commands:
        done = toolc(*shlex.split(command))
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        assert "warning" not in done.stderr
    assert toolc("fmt", "--check", ".").returncode == 0


def test_its_tasks(toolc: Toolc, tmp_path: Path) -> None:
    assert toolc("init", "deep/down").returncode == 0
    assert toolc("compile", "deep/down").returncode == 0
    shown = json.loads(toolc("show", "build/greenhouse", "--format", "json").stdout)
    kinds = {kind for scenario in shown["scenarios"] for kind in scenario["kinds"]}
    assert kinds == {"single_hop", "parallel_single_hop", "multi_hop", "none"}
    for scenario in shown["scenarios"]:
        if "none" not in scenario["kinds"]:
            assert toolc("run", "build/greenhouse", "--task", scenario["first"]).returncode == 0


def test_nothing_is_overwritten(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    ended = toolc("init")
    assert ended.returncode == 2
    assert "`README.md` is there already; nothing was written" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"
    below = toolc("init", "README.md")
    assert below.returncode == 2
    assert "`README.md` is not a folder" in below.stderr
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "greenhouse.toolc").symlink_to("nowhere")
    assert toolc("init", "link").returncode == 2
