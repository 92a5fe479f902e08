"""Writing: the old files or the new ones, whole, whatever happens in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolc import output
from toolc.output import Artifacts, OutputError, read_manifest, sha256, write_build, write_file


def artifacts(name: str, content: str) -> Artifacts:
    files = {"tools.py": content.encode(), "schemas.json": b"[]"}
    return Artifacts(name, files, {f"{name}.toolc": sha256(b"spec")}, {"tools": 1})


def held(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()}


def test_a_build_holds_artifacts_and_their_hashes(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "build"
    manifest = write_build(str(root), [artifacts("b", "x"), artifacts("a", "y")], 1, "0.1.0")
    assert manifest == read_manifest(str(root))
    assert list(manifest["environments"]) == ["a", "b"]
    entry = manifest["environments"]["a"]
    assert entry["artifacts"]["tools.py"] == sha256(b"y")
    assert entry["sources"] == {"a.toolc": sha256(b"spec")}
    assert sorted(held(root)) == [
        "a/schemas.json",
        "a/tools.py",
        "b/schemas.json",
        "b/tools.py",
        "manifest.json",
    ]
    assert os.listdir(tmp_path / "deep") == ["build"]


def test_other_environments_stay(tmp_path: Path) -> None:
    root = tmp_path / "build"
    write_build(str(root), [artifacts("a", "1"), artifacts("b", "1")], 1, "0.1.0")
    manifest = write_build(str(root), [artifacts("b", "2")], 1, "0.1.0")
    assert held(root)["a/tools.py"] == "1"
    assert held(root)["b/tools.py"] == "2"
    assert list(manifest["environments"]) == ["a", "b"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_build(str(one), [artifacts("a", "1"), artifacts("b", "2")], 1, "0.1.0")
    write_build(str(two), [artifacts("b", "2"), artifacts("a", "1")], 1, "0.1.0")
    assert held(one) == held(two)


@pytest.mark.parametrize("offered", [True, False])
def test_replaced_with_and_without_an_exchange_of_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offered: bool
) -> None:
    if not offered:
        monkeypatch.setattr(output, "_exchange", lambda first, second: False)
    root = tmp_path / "build"
    write_build(str(root), [artifacts("a", "1")], 1, "0.1.0")
    write_build(str(root), [artifacts("a", "2")], 1, "0.1.0")
    assert held(root)["a/tools.py"] == "2"
    assert os.listdir(tmp_path) == ["build"]


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="holds something else than a build"):
        write_build(str(tmp_path), [artifacts("a", "1")], 1, "0.1.0")
    file = tmp_path / "thesis.txt"
    with pytest.raises(OutputError, match="is not a folder"):
        write_build(str(file), [artifacts("a", "1")], 1, "0.1.0")
    assert held(tmp_path) == {"thesis.txt": "years of work"}


def test_what_is_no_part_of_a_build_stays(tmp_path: Path) -> None:
    root = tmp_path / "build"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("far")
    write_build(str(root), [artifacts("a", "1"), artifacts("b", "1")], 1, "0.1.0")
    (root / "run" / "sft").mkdir(parents=True)
    (root / "run" / "sft" / "metrics.jsonl").write_text("weeks")
    (root / "run" / "to").symlink_to(outside)
    (root / "to").symlink_to(outside)
    (root / "notes.txt").write_text("mine")
    with (root / "run" / "sft" / "metrics.jsonl").open("a") as going_on:
        write_build(str(root), [artifacts("a", "2")], 1, "0.1.0")
        going_on.write(" of work")
    assert (root / "run" / "sft" / "metrics.jsonl").read_text() == "weeks of work"
    assert (root / "run" / "to").readlink() == (root / "to").readlink() == outside
    assert (root / "notes.txt").read_text() == "mine"
    assert (root / "a" / "tools.py").read_text() == "2"
    with pytest.raises(OutputError, match="run` is no environment of the build: not replaced"):
        write_build(str(root), [artifacts("run", "1")], 1, "0.1.0")
    assert (root / "run" / "sft").is_dir()


def test_a_failed_write_leaves_the_build_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "build"
    write_build(str(root), [artifacts("a", "1")], 1, "0.1.0")
    before = held(root)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(output, "_take_place", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_build(str(root), [artifacts("a", "2")], 1, "0.1.0")
    assert held(root) == before
    assert os.listdir(tmp_path) == ["build"]


KILLED = """
import os, signal, sys
from toolc import output
from toolc.output import Artifacts, write_build

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(output, sys.argv[2], die)
if len(sys.argv) > 3:
    output._exchange = lambda first, second: False
    real, calls = os.rename, []
    def rename(source, target):
        calls.append(source)
        if len(calls) == 2:
            die()
        real(source, target)
    os.rename = rename
write_build(sys.argv[1], [Artifacts("a", {"tools.py": b"2"}, {}, {})], 1, "0.1.0")
"""


@pytest.mark.parametrize(
    "moment", [["sync"], ["_take_place"], ["no_such_moment", "between the renames"]]
)
def test_a_killed_write_is_undone_by_the_next(tmp_path: Path, moment: list[str]) -> None:
    root = tmp_path / "build"
    write_build(str(root), [artifacts("a", "1"), artifacts("b", "1")], 1, "0.1.0")
    before = held(root)
    command = [sys.executable, "-c", KILLED, str(root), *moment]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(command, env=environment, timeout=60, check=False)
    assert killed.returncode == -9
    if root.exists():
        assert held(root) == before
    write_build(str(root), [artifacts("a", "3")], 1, "0.1.0")
    assert held(root)["a/tools.py"] == "3"
    assert held(root)["b/tools.py"] == "1"
    assert os.listdir(tmp_path) == ["build"]


def test_two_writes_at_once_both_arrive(tmp_path: Path) -> None:
    script = (
        "import sys; from toolc.output import Artifacts, write_build\n"
        "for n in range(5): write_build(sys.argv[1], [Artifacts(sys.argv[2],"
        " {'tools.py': b'x'}, {}, {})], 1, '0')"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    root = tmp_path / "build"
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(root), name], env=environment)
        for name in ("a", "b")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert set(json.loads((root / "manifest.json").read_text())["environments"]) == {"a", "b"}
    assert sorted(held(root)) == ["a/tools.py", "b/tools.py", "manifest.json"]


def test_a_file_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    file, link = tmp_path / "a", tmp_path / "b"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_file(str(link), b"new")
    assert file.read_text() == "new" and link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_that_open_gives(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_file(str(tmp_path / "new"), b"x")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x")
    (tmp_path / "old").chmod(0o640)
    write_file(str(tmp_path / "old"), b"y")
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640
