"""The shape of a diagnostic's registration."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Rule(NamedTuple):
    """A kind of finding.

    `message` is a `str.format` template: lower case, no final period, user text in backticks.
    `bad` is a whole spec that raises exactly this code; `good` is the same, mended. Further files
    that an example needs follow in comments: `# file: NAME` starts one.
    """

    code: str
    title: str
    message: str
    explanation: str
    bad: str
    good: str
    severity: Literal["error", "warning"] = "error"
