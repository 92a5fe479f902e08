"""The town of the tests of training, audited."""

from tests.train.conftest import town, town_build

__all__ = ["town", "town_build"]
