"""Runs of small environments, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reporting.browser import Browser, browser, executable
from tests.reporting.runs import Json, played
from tests.scenarios.specs import compile_text, load_built
from toolc.guide import EXAMPLES, example
from toolc_runtime import Environment


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> list[Environment]:
    """The guide's environments."""
    return [
        load_built(compile_text(example(name)), tmp_path_factory.mktemp(name), name)
        for name in EXAMPLES
    ]


@pytest.fixture(scope="session")
def careless(environments: list[Environment]) -> list[Json]:
    """Episodes of a player that errs."""
    return played(environments, samples=3, care=0.7)


@pytest.fixture(scope="session")
def careful(environments: list[Environment]) -> list[Json]:
    """Episodes of a player that errs less."""
    return played(environments, samples=3, seed=1, care=0.95)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser; tests that need one are skipped where there is none."""
    path = executable()
    if path is None:
        pytest.skip("no browser: install chromium, or name one in TOOLC_CHROMIUM")
    with browser(path) as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"
