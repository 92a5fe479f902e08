"""Commands import what they need and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_usage import GOOD

HEAVY = {"black", "jsonschema", "libcst", "pydantic", "torch", "transformers", "trl"}
SLOW_TO_START = {
    "asyncio",
    "email",
    "importlib.metadata",
    "logging",
    "multiprocessing",
    "shutil",
    "tempfile",
}


def loaded(code: str, folder: Path) -> set[str]:
    """The modules that are loaded after some code, beside those of a bare interpreter."""
    script = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    command = [sys.executable, "-c", script]
    path = {"PYTHONPATH": ":".join(sys.path)}
    ended = subprocess.run(
        command, cwd=folder, env=path, capture_output=True, text=True, check=True
    )
    return set(ended.stdout.split())


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_command_line_itself(tmp_path: Path) -> None:
    modules = loaded("import toolc.cli", tmp_path)
    assert packages(modules).isdisjoint(HEAVY | SLOW_TO_START | {"lark", "toolc_runtime"})


@pytest.mark.parametrize("command", ["check", "fmt"])
def test_checking_and_formatting_need_no_package(tmp_path: Path, command: str) -> None:
    (tmp_path / "good.toolc").write_text(GOOD)
    code = f"from toolc.cli import main\nassert main(['{command}', 'good.toolc']) == 0"
    modules = loaded(code, tmp_path)
    foreign = packages(modules) - set(sys.stdlib_module_names) - {"toolc", "toolc_runtime"}
    assert foreign == set()
    assert command != "check" or modules.isdisjoint(SLOW_TO_START)


def test_a_command_imports_no_other(tmp_path: Path) -> None:
    (tmp_path / "good.toolc").write_text(GOOD)
    code = "from toolc.cli import main\nassert main(['check', 'good.toolc']) == 0"
    modules = {name for name in loaded(code, tmp_path) if name.startswith("toolc.")}
    assert {name for name in modules if name.startswith("toolc.cli.")} == {
        "toolc.cli.check_command",
        "toolc.cli.terminal",
    }
    parts = {name.split(".")[1] for name in modules}
    assert parts.isdisjoint({"importing", "emit", "scenarios", "build", "output", "compiler"})
