"""What the compiler says about a spec: values, without any rendering."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from toolc.diagnostics.registry import RULES
from toolc.node import Span

Severity = Literal["error", "warning"]
Applicability = Literal["safe", "unsafe"]


class Edit(NamedTuple):
    """Replace the text at a span."""

    span: Span
    text: str


class Fix(NamedTuple):
    """Edits that go together; a safe fix never changes what the author can have meant."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability = "safe"


class Note(NamedTuple):
    """A second place that explains the first, in the same file."""

    span: Span
    message: str


class Diagnostic(NamedTuple):
    """One finding. `path` is the file as the user named it; offsets are in its text."""

    code: str
    severity: Severity
    message: str
    path: str
    span: Span
    help: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    fix: Fix | None = None


class Reporter:
    """Collects the diagnostics of one file.

    `report("TC0201", span, name="x")` fills the rule's message template; the rule decides the
    severity.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.diagnostics: list[Diagnostic] = []
        self._known: set[Diagnostic] = set()

    def report(
        self,
        code: str,
        span: Span,
        *,
        help: tuple[str, ...] = (),
        notes: tuple[Note, ...] = (),
        fix: Fix | None = None,
        **values: Any,
    ) -> None:
        rule = RULES[code]
        message = rule.message.format(**values)
        found = Diagnostic(code, rule.severity, message, self.path, span, help, notes, fix)
        if found not in self._known:
            self._known.add(found)
            self.diagnostics.append(found)

    @property
    def failed(self) -> bool:
        return any(found.severity == "error" for found in self.diagnostics)
