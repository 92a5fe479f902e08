"""README's first example is what the compiler makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import toolc_runtime
from tests.conftest import ROOT, Toolc


def blocks(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_ten_lines(toolc: Toolc, tmp_path: Path) -> None:
    (spec,) = blocks("toolc")
    (tmp_path / "towns.toolc").write_text(spec, encoding="utf-8")
    ended = toolc("compile", "towns.toolc", "-o", "build")
    assert ended.returncode == 0, ended.stderr
    assert toolc("fmt", "--check", "towns.toolc").returncode == 0
    shown = [block.split("\n", 1) for block in blocks("python") if block.startswith("# ")]
    assert [heading for heading, _ in shown] == ["# tools.py", "# verifiers.py"]
    for heading, code in shown:
        emitted = (tmp_path / "build" / "towns" / heading[2:]).read_text(encoding="utf-8")
        assert code in emitted


def test_the_episode(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "towns.toolc").write_text(blocks("toolc")[0], encoding="utf-8")
    toolc("compile", "towns.toolc", "-o", "build")
    episode = toolc_runtime.load(tmp_path / "build" / "towns").episode("people:Ulm")
    assert episode.messages == [{"role": "user", "content": "How many people live in Ulm?"}]
    assert episode.call("get_people", {"town": "Ulm"}) == "128928"
    assert '"invalid_arguments"' in episode.call("get_people", {"city": "Ulm"})
    assert episode.finish("Answer: 128928").reward == 0.8
