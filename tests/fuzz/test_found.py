"""What fuzzing found, made small: each text says in a comment what went wrong."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.oracle import DATA, examine

FOUND = sorted((Path(__file__).parent / "found").glob("*.toolc"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_found(path: Path) -> None:
    examine(path.read_text(encoding="utf-8"), DATA, Random(0), compiling=True)
