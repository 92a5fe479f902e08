"""The shipped tables are those of the grammar, and the grammar has no conflicts."""

import logging

import pytest
from lark import Lark, logger

from toolc.syntax import tables


def test_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    # The logger's own level, not the handler's, is what Lark asks before it tells of conflicts.
    level, logger.propagate = logger.level, True
    logger.setLevel(logging.DEBUG)
    try:
        Lark(
            tables.resource("toolc.lark"),
            parser="lalr",
            start=list(tables.STARTS),
            maybe_placeholders=True,
            debug=True,
        )
    finally:
        logger.setLevel(level)
    assert "Shift/Reduce" not in caplog.text
    assert "Reduce/Reduce" not in caplog.text


def test_conflicts_would_be_seen(caplog: pytest.LogCaptureFixture) -> None:
    level, logger.propagate = logger.level, True
    logger.setLevel(logging.DEBUG)
    try:
        Lark('start: e\ne: e "+" e | "a"', parser="lalr", debug=True)
    finally:
        logger.setLevel(level)
    assert "Shift/Reduce" in caplog.text


def test_tables_are_current() -> None:
    assert tables.resource("tables.json") == tables.build(), "run `python -m toolc.syntax.tables`"
