"""The environments that compiling is measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.generate import environment, write
from toolc.compiler import Options, compile_specs


@pytest.mark.parametrize("number", [0, 7, 12])
def test_they_follow_from_their_number(number: int) -> None:
    files = environment(number)
    assert files == environment(number)
    assert files != environment(number + 1)
    (spec,) = [text for name, text in files.items() if name.endswith(".toolc")]
    assert 90 <= spec.count("\n") <= 130


def test_they_compile_without_a_finding(tmp_path: Path) -> None:
    specs = [str(path) for path in write(tmp_path, 6)]
    kinds: set[str] = set()
    for compiled in compile_specs(specs, Options()):
        assert compiled.diagnostics == ()
        assert compiled.artifacts is not None
        kinds.update(compiled.artifacts.counts)
    assert kinds >= {"single_hop", "multi_hop", "none", "parallel_single_hop"}
