"""The audit as a page for a person: question, plan and answer side by side, and each verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os.path import basename
from typing import Any

from toolc.audit import GATES, TaskAudit
from toolc.audit.report import Audited
from toolc.audit.solver import Disagreement
from toolc.pages import document, escape
from toolc_runtime.environment import Environment
from toolc_runtime.task import Task
from toolc_runtime.values import canonical


def page(
    environments: Mapping[str, Environment],
    audited: Sequence[Audited],
    disagreements: Sequence[Disagreement] = (),
) -> str:
    """One self-contained HTML page; `environments` by folder. A solver's disagreements stand
    first, and beside the answers that they are about."""
    parts = ["<main><h1>Audit</h1>"]
    solver = {(each.environment, each.task): each for each in disagreements}
    if solver:
        parts.append(f"<p>A solver disagrees with the plan in {len(solver)} tasks:</p><ul>")
        parts += [f"<li><code>{escape(f'{name}/{task}')}</code>" for name, task in solver]
        parts.append("</ul>")
    for folder, environment in environments.items():
        audits = [each.audit for each in audited if each.folder == folder]
        parts.append(f"<h2>{escape(basename(folder))}</h2>{_counts(audits)}")
        parts.append("<table><tr><th>task<th>question<th>plan<th>answer<th>verdict</tr>")
        parts += [
            _row(environment.tasks[audit.task], audit, solver.get((basename(folder), audit.task)))
            for audit in audits
        ]
        parts.append("</table>")
    return document("Audit", "\n".join([*parts, "</main>"]))


PROVED = '<span class="proved">all proved</span>'


def _counts(audits: Sequence[TaskAudit]) -> str:
    rows = []
    for gate in GATES:
        outcomes = [audit.findings[gate].outcome for audit in audits]
        bad = {each: outcomes.count(each) for each in ("refuted", "unknown") if each in outcomes}
        shown = ", ".join(f'<span class="{each}">{n} {each}</span>' for each, n in bad.items())
        rows.append(f"<tr><td>{gate}<td>{shown or PROVED}</tr>")
    table = f"<table>{''.join(rows)}</table>"
    return f"<details><summary>{len(audits)} tasks by gate</summary>{table}</details>"


def _row(task: Task, audit: TaskAudit, disagreement: Disagreement | None) -> str:
    cells = (
        f"<code>{escape(task.id)}</code><br>{escape(task.kind)}",
        "<br>".join(_questions(task)),
        "<br>".join(_plan(task)),
        "<br>".join((*_answers(task), *_said(disagreement))),
        _verdict(audit),
    )
    return f"<tr>{''.join(f'<td>{cell}' for cell in cells)}</tr>"


def _questions(task: Task) -> Iterator[str]:
    if task.system:
        yield f"<i>{escape(task.system)}</i>"
    for turn in task.turns:
        yield escape(turn["user"])


def _plan(task: Task) -> Iterator[str]:
    for turn in task.turns:
        for step in turn.get("steps") or ():
            given = ", ".join(
                f"{name}: {canonical(value)}"
                for name, value in step["arguments"].items()
                if value is not None
            )
            yield f"<code>{escape(step['tool'])}({escape(_cut(given))})</code>"
            yield f"&rarr; <code>{escape(_cut(canonical(_outcome(step))))}</code>"


def _outcome(step: Mapping[str, Any]) -> Any:
    return {"refused": step["failure"]} if "failure" in step else step.get("result")


def _answers(task: Task) -> Iterator[str]:
    for turn in task.turns:
        if "answer" in turn:
            yield f"<code>{escape(_cut(canonical(turn['answer'])))}</code>"
    if task.state:
        yield f"state: <code>{escape(_cut(canonical(dict(task.state))))}</code>"


def _said(disagreement: Disagreement | None) -> Iterator[str]:
    if disagreement is not None:
        solved = f"solved {disagreement.solved} of {disagreement.episodes}"
        yield f'<span class="unknown">the solver {solved}, and said:</span>'
        yield escape(_cut(disagreement.said or "nothing"))
        yield from (f"<i>{escape(_cut(reason))}</i>" for reason in disagreement.failing)


def _verdict(audit: TaskAudit) -> str:
    bad = [
        f'<span class="{finding.outcome}">{gate}: {escape(finding.reason)}</span>'
        for gate, finding in audit.findings.items()
        if finding.outcome != "proved"
    ]
    proved = "".join(
        f"<li>{gate}: {escape(finding.reason)}"
        for gate, finding in audit.findings.items()
        if finding.outcome == "proved"
    )
    shown = "<br>".join(bad) or '<span class="passed">passed</span>'
    return f"{shown}<details><summary>proofs</summary><ul>{proved}</ul></details>"


def _cut(text: str, limit: int = 400) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
