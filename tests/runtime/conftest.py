"""The miniature build, loaded once."""

from __future__ import annotations

import pytest

from tests.runtime.builds import write_build
from toolc_runtime import Environment, Episode, load


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment of the miniature build."""
    return load(write_build(tmp_path_factory.mktemp("shop")))


@pytest.fixture
def episode(shop: Environment) -> Episode:
    """An episode without a task."""
    return shop.episode()
