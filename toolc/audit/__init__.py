"""The audit: proves of every task that it is sound before anybody trains on it.

A gate is a function from a `Subject` to a `Finding`; `GATES` holds them by name. docs/audit.md
says what each proves and what none can.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from toolc.audit import plan_gates
from toolc.audit.finding import Finding, refuted
from toolc.audit.informed import informed
from toolc.audit.luck import no_luck
from toolc.audit.nothing import nothing_gains_nothing
from toolc.audit.sharp import sharp
from toolc.audit.shortcut import no_shortcut
from toolc.audit.shotgun import no_shotgun
from toolc.audit.steps import every_step_counts
from toolc.audit.subject import Shared, Subject
from toolc.audit.unambiguous import unambiguous
from toolc_runtime.environment import Environment

Gate = Callable[[Subject], Finding]

GATES: Mapping[str, Gate] = {
    "solvable": plan_gates.solvable,
    "informed": informed,
    "nothing_gains_nothing": nothing_gains_nothing,
    "every_step_counts": every_step_counts,
    "no_shortcut": no_shortcut,
    "no_shotgun": no_shotgun,
    "no_luck": no_luck,
    "order_free": plan_gates.order_free,
    "unambiguous": unambiguous,
    "stable": plan_gates.stable,
    "sharp": sharp,
}


class TaskAudit(NamedTuple):
    """What the gates found of one task, and the seconds of processor time that each took."""

    task: str
    findings: Mapping[str, Finding]
    seconds: Mapping[str, float]

    @property
    def outcome(self) -> str:
        """`refuted` where a gate is, else `unknown` where one is, else `passed`."""
        outcomes = {finding.outcome for finding in self.findings.values()}
        return next((each for each in ("refuted", "unknown") if each in outcomes), "passed")

    def gates(self, outcome: str) -> list[str]:
        """The gates whose outcome is not `proved`, those of an outcome first."""
        found = {name: each.outcome for name, each in self.findings.items()}
        open_gates = [name for name, each in found.items() if each != "proved"]
        return sorted(open_gates, key=lambda name: found[name] != outcome)

    def to_json(self) -> dict[str, Any]:
        gates = {name: finding.to_json() for name, finding in self.findings.items()}
        return {"task": self.task, "outcome": self.outcome, "gates": gates}


def audit(environment: Environment) -> Iterator[TaskAudit]:
    """Audits every task of an environment, in order."""
    shared = Shared(environment)
    for task in environment.tasks.values():
        yield audit_task(Subject(shared, task))


def audit_task(subject: Subject) -> TaskAudit:
    """Puts one task through all gates. A task whose plan does not reach the whole reward is not
    put through the others: they would say the same in other words."""
    findings: dict[str, Finding] = {}
    seconds: dict[str, float] = {}
    for name, gate in GATES.items():
        started = time.process_time()
        if name != "solvable" and findings["solvable"].outcome != "proved":
            findings[name] = refuted("the plan does not reach the whole reward")
        else:
            findings[name] = gate(subject)
        seconds[name] = time.process_time() - started
    return TaskAudit(subject.task.id, findings, seconds)
