"""The wheel: holds what it needs, declares what it imports, and works from any folder."""

from __future__ import annotations

import ast
import email
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.cli.test_usage import GOOD
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the tracked folders, so that nothing else can slip in."""
    target = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, folder=ROOT)
    (found,) = target.glob("toolc-*.whl")
    return found


def test_contents(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"toolc/grammar/toolc.lark", "toolc/guide/guide.md", "toolc_runtime/py.typed"} <= names
    assert "toolc/guide/museum.toolc" in names
    assert {"toolc/emission/prompts/emit.md", "toolc/generate/prompts/deploy.md"} <= names
    assert {"toolc/pages/base.css", "toolc/pages/report.js", "toolc/pages/report.html"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"toolc", "toolc_runtime"}
    assert not [name for name in names if name.endswith(".pyc")]


def imported(folder: Path) -> set[str]:
    """The packages that the modules of a folder import, anywhere in their text."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names)


def test_what_is_imported_is_declared(wheel: Path) -> None:
    (name,) = (n for n in zipfile.ZipFile(wheel).namelist() if n.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(zipfile.ZipFile(wheel).read(name))
    required = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    plain = {each.name for each in required if each.marker is None}
    extras = {
        extra: {
            each.name for each in required if each.marker and each.marker.evaluate({"extra": extra})
        }
        for extra in ("train", "ray", "verl")
    }
    training = extras["train"] | extras["verl"]
    assert plain >= {"lark"}
    assert imported(ROOT / "toolc") <= plain | training | extras["ray"] | {"toolc", "toolc_runtime"}
    assert imported(ROOT / "runtime" / "toolc_runtime") <= {"toolc_runtime"} | training


def test_installed_alone_it_compiles_and_runs(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, with the dependencies lent to it and nothing of this folder."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    install = ("-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel)
    run(sys.executable, *install, folder=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "good.toolc").write_text(GOOD)
    lent = {"PYTHONPATH": sysconfig.get_path("purelib")}
    where = run(python, "-c", "import toolc; print(toolc.__file__)", folder=elsewhere, **lent)
    assert where.startswith(str(home))
    toolc = home / "bin" / "toolc"
    run(toolc, "check", "good.toolc", folder=elsewhere, **lent)
    run(toolc, "compile", "good.toolc", "--prove", folder=elsewhere, **lent)
    # The runtime needs nothing but itself.
    script = (
        "import toolc_runtime; e = toolc_runtime.load('build/sums').episode(); "
        "print(e.call('add', {'a': 2}))"
    )
    assert run(python, "-c", script, folder=elsewhere) == "3\n"
    assert run(toolc, "--version", folder=elsewhere, **lent).startswith("toolc ")


def test_constraints_pin_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines == sorted(lines, key=str.lower)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line) for line in lines)
    pinned = {
        name.lower(): version for name, _, version in (each.partition("==") for each in lines)
    }
    assert not [name for name in pinned if name.startswith(("nvidia", "cuda", "triton"))]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    for text in chain(project["dependencies"], *extras):
        requirement = Requirement(text)
        assert requirement.specifier.contains(pinned[requirement.name]), text


def test_ci_ends_with_the_summary(tmp_path: Path) -> None:
    """`.ci/run` repeats pytest's summary last, and passes the status on."""
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "run"
    script.write_text((ROOT / ".ci" / "run").read_text())
    summary = "=================== 1 failed, 3 passed in 0.12s ==================="
    (tmp_path / "Makefile").write_text(f"test:\n\t@echo '{summary}'; false\n")
    ended = subprocess.run(["bash", str(script)], capture_output=True, text=True)
    assert ended.returncode != 0
    assert ended.stdout.splitlines()[-1] == summary
    (tmp_path / "Makefile").write_text(f"test:\n\t@echo '{summary}'; echo done\n")
    ended = subprocess.run(["bash", str(script)], capture_output=True, text=True)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == summary
