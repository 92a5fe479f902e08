"""What is wrong with the tasks of one scenario: the first few are told, the rest are counted."""

from __future__ import annotations

from typing import Any

from toolc.diagnostics.diagnostic import Reporter
from toolc.node import Span

MOST = 3
"""Diagnostics of one scenario that come from single tasks."""


class Broken(Exception):
    """A task that cannot be played further; why is among the findings."""


class Findings:
    """Collects; `report` gives each finding once, and names the tasks of a family."""

    def __init__(self, scenario: str) -> None:
        self.scenario = scenario
        self.found: dict[tuple[str, Span, str], tuple[dict[str, Any], list[str]]] = {}

    def add(self, code: str, span: Span, task: str, **values: Any) -> None:
        """A finding in a task."""
        key = (code, span, repr(values))
        self.found.setdefault(key, (values, []))[1].append(task)

    def broken(self, code: str, span: Span, task: str, **values: Any) -> Broken:
        """A finding that ends the task; to be raised."""
        self.add(code, span, task, **values)
        return Broken()

    def report(self, reporter: Reporter) -> None:
        """Hands over the first findings, and how many more tasks have one."""
        tasks = sum(len(tasks) for _, tasks in self.found.values())
        shown = list(self.found.items())[:MOST]
        rest = tasks - sum(len(tasks) for _, (_, tasks) in shown)
        for (code, span, _), (values, where) in shown:
            help = self._where(where)
            if rest and values is shown[-1][1][0]:
                help = (*help, f"{rest} more tasks of this scenario have a finding")
            reporter.report(code, span, help=help, **values)

    def _where(self, tasks: list[str]) -> tuple[str, ...]:
        if tasks[0] == self.scenario:
            return ()
        more = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
        return (f"in task `{tasks[0]}`{more}",)
