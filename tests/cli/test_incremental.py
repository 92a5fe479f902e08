"""What has not changed is not compiled again, and everything that has is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolc import incremental
from toolc.cli import main

SPEC = """toolc 1
environment {name} "A shop."
use shared {{Price}}
record Item {{ name: str, price: Price, unused_hint: str = "" }}
table items[name]: Item = file("{name}.json")
tool price_of "What an item costs." (item: str) -> Price {{
  let row = items[item] else fail "no such item: {{item}}"
  return row.price
}}
scenario ask "A price." {{
  user "What does a cost?"
  tools [price_of] distractors 3
  plan {{ step let price = price_of(item: "a") }}
  answer price
}}
"""
"""Warns that there are fewer tools than the distractors that are asked for."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shared.toolc").write_text("toolc 1\ntype Price = int(minimum: 0)\n")
    for name in ("one", "two"):
        (tmp_path / f"{name}.toolc").write_text(SPEC.format(name=name))
        (tmp_path / f"{name}.json").write_text('[{"name": "a", "price": 3}]')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def held(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def compiled(capfd: pytest.CaptureFixture[str]) -> Callable[..., set[str]]:
    """Compiles, and gives the names of what was compiled and not passed over."""

    def run(*options: str) -> set[str]:
        capfd.readouterr()
        assert main(["compile", ".", "--jobs", "1", *options]) == 0
        shown = capfd.readouterr()
        assert shown.out.count("TC0616") == 2, "warnings are shown each time"
        return set(re.findall(r"^(\w+)\.toolc: ", shown.err, re.MULTILINE))

    return run


def test_nothing_changed(folder: Path, compiled: Callable[..., set[str]]) -> None:
    assert compiled() == {"one", "two"}
    before = held(folder / "build")
    inode = (folder / "build").stat().st_ino
    assert compiled() == set()
    assert (folder / "build").stat().st_ino == inode, "nothing is written"
    assert compiled("--force") == {"one", "two"}
    assert held(folder / "build") == before
    assert compiled("--jobs", "2", "--output", "other") == {"one", "two"}
    assert held(folder / "other") == before


def append(path: Path) -> None:
    path.write_text(path.read_text() + "\n")


def link(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere")
    path.symlink_to(path.parents[2] / "elsewhere")


def edit_record(path: Path, change: Callable[[Any], None]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a spec": (lambda at: append(at / "one.toolc"), {"one"}),
    "its data": (lambda at: append(at / "one.json"), {"one"}),
    "what both use": (lambda at: append(at / "shared.toolc"), {"one", "two"}),
    "an artifact": (lambda at: append(at / "build/one/tools.py"), {"one"}),
    "a lost artifact": (lambda at: (at / "build/one/tools.py").unlink(), {"one"}),
    "a file too many": (lambda at: (at / "build/one/more.py").write_text(""), {"one"}),
    "a link for a file": (lambda at: link(at / "build/one/data.json"), {"one"}),
    "the manifest": (
        lambda at: edit_record(
            at / "build/manifest.json",
            lambda value: value["environments"]["two"]["counts"].update(tools=9),
        ),
        {"two"},
    ),
    "the build lost": (
        lambda at: (at / "build").rename(at / ".old"),
        {"one", "two"},
    ),
    "the records lost": (lambda at: (at / "build/.cache.json").unlink(), {"one", "two"}),
    "no records": (
        lambda at: (at / "build/.cache.json").write_text('{"compiler": [], "specs": 1}'),
        {"one", "two"},
    ),
    "deep records": (
        lambda at: (at / "build/.cache.json").write_text("[" * 100_000),
        {"one", "two"},
    ),
    "a cut record": (
        lambda at: edit_record(
            at / "build/.cache.json", lambda value: value["specs"]["one.toolc"].pop("data")
        ),
        {"one"},
    ),
    "a span that is none": (
        lambda at: edit_record(
            at / "build/.cache.json",
            lambda value: value["specs"]["one.toolc"]["diagnostics"][0].__setitem__(4, [3, -1]),
        ),
        {"one"},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_is_compiled(
    folder: Path, compiled: Callable[..., set[str]], name: str
) -> None:
    change, expected = CHANGES[name]
    compiled()
    change(folder)
    assert compiled() == expected
    warm = held(folder / "build")
    assert compiled() == set()
    compiled("--output", "cold")
    assert held(folder / "cold") == warm


def test_other_options(folder: Path, compiled: Callable[..., set[str]]) -> None:
    compiled()
    assert compiled("--prove") == {"one", "two"}
    assert compiled("--data", ".") == {"one", "two"}
    assert compiled("--data", ".") == set()
    assert compiled("--sample", "3") == {"one", "two"}
    assert compiled("--sample", "3") == set()


def test_another_compiler(
    folder: Path, compiled: Callable[..., set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled()
    monkeypatch.setattr(incremental, "compiler_digest", lambda: "another")
    assert compiled() == {"one", "two"}


def test_an_error_leaves_build_and_records(folder: Path, compiled: Callable[..., set[str]]) -> None:
    compiled()
    before = held(folder / "build")
    spec = (folder / "one.toolc").read_text()
    (folder / "one.toolc").write_text(spec.replace("row.price", "row.cost"))
    assert main(["compile", "."]) == 1
    assert held(folder / "build") == before
    (folder / "one.toolc").write_text(spec)
    assert compiled() == set()


def test_what_is_left_out_stays(folder: Path, compiled: Callable[..., set[str]]) -> None:
    compiled()
    append(folder / "one.toolc")
    assert main(["compile", "one.toolc", "-q"]) == 0
    assert compiled() == set()


def test_a_data_file_that_left_its_folder(
    folder: Path, compiled: Callable[..., set[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    compiled()
    outside = tmp_path_factory.mktemp("outside") / "one.json"
    (folder / "one.json").rename(outside)
    (folder / "one.json").symlink_to(outside)
    assert main(["compile", ".", "-q"]) == 1
