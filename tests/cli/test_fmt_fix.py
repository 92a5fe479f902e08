"""`toolc fmt --fix`, with real processes: what is fixed, what remains, what is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

SLIPS = """environment shop "A shop."
record Item { name: string, price: float }
table items[name]: Item = [{name = 'a', price: 1.0}];
tool cheapest(limit: int = 3): list[Item] {
  s = sorted(items, key=lambda i: i.price)
  return take(s, limit) if limit > 0 else []
}
"""
FIXED = """toolc 1

environment shop "A shop."

record Item { name: str, price: float }

table items[name]: Item = [{name: "a", price: 1.0}]

tool cheapest(limit: int = 3) -> list[Item] {
  let s = sorted(i for i in items by i.price)
  return if limit > 0 then take(s, limit) else []
}
"""
UNSAFE = 'toolc 1\nenvironment shop "A shop."\n\nfn twice(number: int) -> int {{ return 2 * {} }}\n'


def toolc(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "toolc", "fmt", *arguments],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )


def test_safe_fixes_are_applied_until_none_is_left(tmp_path: Path) -> None:
    spec = tmp_path / "shop.toolc"
    spec.write_text(SLIPS)
    ended = toolc("--fix", str(spec))
    assert (ended.returncode, ended.stdout) == (0, "")
    assert spec.read_text().replace("\n\n", "\n") == FIXED.replace("\n\n", "\n")
    assert f"{spec}:3:36: fixed[TC0108]: use double quotes" in ended.stderr
    assert ended.stderr.endswith("1 of 1 file changed\n")
    again = toolc("--fix", str(spec))
    assert (again.returncode, again.stderr) == (0, "0 of 1 file changed\n")
    assert [path.name for path in tmp_path.iterdir()] == ["shop.toolc"]


def test_nothing_is_written_by_check_and_diff(tmp_path: Path) -> None:
    spec = tmp_path / "shop.toolc"
    spec.write_text(SLIPS)
    checked, shown = toolc("--fix", "--check", str(spec)), toolc("--fix", "--diff", str(spec))
    assert (checked.returncode, checked.stdout) == (1, f"{spec}\n")
    assert shown.returncode == 1
    assert "+  let s = sorted(i for i in items by i.price)\n" in shown.stdout
    assert spec.read_text() == SLIPS


def test_standard_input_holds_only_the_spec() -> None:
    ended = toolc("--fix", "--stdin", text=SLIPS)
    assert ended.returncode == 0
    assert ended.stdout.replace("\n\n", "\n") == FIXED.replace("\n\n", "\n")
    left = toolc("--fix", "--stdin", text=UNSAFE.format("numbre"))
    assert left.returncode == 1
    assert "numbre" in left.stdout
    assert "error[TC0201]" in left.stderr


def test_what_remains_is_reported_and_the_rest_is_written(tmp_path: Path) -> None:
    spec = tmp_path / "shop.toolc"
    spec.write_text(SLIPS + "const broken: int 3\n")
    ended = toolc("--fix", str(spec))
    assert ended.returncode == 1
    assert "error[TC0101]" in ended.stdout
    assert "1 of 1 file changed, 1 problem" in ended.stderr
    assert "key=lambda" not in spec.read_text()


def test_unsafe_fixes_are_made_when_asked_for(tmp_path: Path) -> None:
    spec = tmp_path / "shop.toolc"
    spec.write_text(UNSAFE.format("numbre"))
    assert toolc("--fix", str(spec)).returncode == 1
    ended = toolc("--fix", "--unsafe-fixes", str(spec))
    assert (ended.returncode, ended.stdout) == (0, "")
    assert spec.read_text() == UNSAFE.format("number")
    refused = toolc("--unsafe-fixes", str(spec))
    assert refused.returncode == 2
    assert "goes with --fix" in refused.stderr
