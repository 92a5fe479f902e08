"""What is to be said of a spec that a model wrote: after every safe fix, whether it may stand.

A judge is a function from a spec's text to a `Verdict`, made in a process of its own.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from toolc.apart import Died, Limits, apart, prepare
from toolc.diagnostics.diagnostic import Diagnostic
from toolc.diagnostics.render import render
from toolc.fixing import fix
from toolc.node import Span
from toolc.project import Loader, check_unit, failed, in_order
from toolc.syntax import tree
from toolc.syntax.formatter import format_module

if TYPE_CHECKING:
    from toolc.compiler import Compiled

Json = Mapping[str, Any]
NAME = "spec.toolc"
"""What the spec is called in what is said of it."""
LIMITS = Limits()

prepare(
    (
        "toolc.apart",
        "toolc.audit",
        "toolc.build",
        "toolc.compiler",
        "toolc.emission.judge",
        "toolc.emit.lower",
        "toolc.testing",
        "toolc_runtime.environment",
    )
)


class Verdict(NamedTuple):
    """A spec after the safe fixes, in canonical layout if it stands; the codes of those fixes, and
    what is wrong. `hash` is that of `fingerprint`, "" where it does not stand."""

    text: str
    fixed: tuple[str, ...] = ()
    problems: tuple[Json, ...] = ()
    hash: str = ""


class Standard(NamedTuple):
    """What a spec has to meet besides compiling and passing its own tests."""

    audit: bool = False
    """Every task passes the audit."""


class _Case(NamedTuple):
    text: str
    standard: Standard


def problem(code: str, message: str) -> Json:
    """Something wrong that is no diagnostic of the compiler."""
    return {"code": code, "severity": "error", "message": message}


def judge(text: str, standard: Standard = Standard(), limits: Limits = LIMITS) -> Verdict:  # noqa: B008
    """The verdict on a spec, which is compiled, tested and if need be audited, all within limits.
    It sees no files."""
    try:
        return apart(_judged, _Case(text, standard), limits)
    except Died as died:
        return Verdict(text, (), (problem("limits", f"the spec could not be judged: {died}"),))


def _judged(case: _Case) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="toolc-emit-") as folder:
        return judged(case.text, case.standard, folder)


def judged(text: str, standard: Standard, folder: str) -> Verdict:
    """The verdict, in this process. `folder` is one to work in: the spec may read what it holds."""
    from toolc.compiler import Options, compile_unit
    from toolc.emission.fingerprint import fingerprint

    path = os.path.join(folder, NAME)
    fixed = fix({path: text}, found_in)
    text = fixed.texts[path]
    codes = tuple(found.code for found, _ in fixed.made)
    unit = Loader({path: text}).load(path).unit
    if unit is None or failed(fixed.left):
        return Verdict(text, codes, shown(fixed.left, {path: text}))
    compiled = compile_unit(unit, Options(), {})
    problems = [
        *shown(compiled.diagnostics, compiled.texts),
        *_empty(unit.modules[path]),
    ]
    if not problems:
        problems += _tests(path, text)
    if not problems and standard.audit:
        problems += _audit(compiled, folder)
    if problems:
        return Verdict(text, codes, tuple(problems))
    module = unit.modules[path]
    return Verdict(format_module(module, text), codes, (), fingerprint(module))


def found_in(texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """What checking finds in the one spec among some texts."""
    (path,) = texts
    loaded = Loader(texts).load(path)
    checked = check_unit(loaded.unit).diagnostics if loaded.unit is not None else ()
    return in_order((*loaded.diagnostics, *checked))


def shown(found: Iterable[Diagnostic], texts: Mapping[str, str]) -> tuple[Json, ...]:
    """Errors as JSON values, without the folder that their files are in."""
    return tuple(
        {**json.loads(render([each], texts, "json")), "path": os.path.basename(each.path)}
        for each in found
        if each.severity == "error"
    )


def _empty(module: tree.Module) -> Iterable[Json]:
    """A spec without tools or tasks compiles, and is nothing that anybody asked for."""
    for kind, noun in ((tree.Tool, "tool"), (tree.Scenario, "scenario")):
        if not any(isinstance(item, kind) for item in module.items):
            yield problem(f"no_{noun}", f"the spec declares no {noun}")


def _tests(path: str, text: str) -> Iterable[Json]:
    from toolc.testing import run_unit

    unit = Loader({path: text}).load(path).unit
    assert unit is not None
    for outcome in run_unit(unit).outcomes:
        for failure in outcome.failures:
            message = f"the test `{outcome.test.title}`: {failure.message}"
            yield {**problem("test", message), "line": _line(text, failure.span)}


def _line(text: str, span: Span) -> int:
    return text.count("\n", 0, span.start) + 1


def _audit(compiled: Compiled, folder: str) -> Iterable[Json]:
    from toolc import __version__
    from toolc.audit import audit
    from toolc.output import write_build
    from toolc.project import LANGUAGE
    from toolc_runtime.environment import load

    assert compiled.artifacts is not None
    root = os.path.join(folder, "build")
    write_build(root, [compiled.artifacts], LANGUAGE, __version__)
    for task in audit(load(os.path.join(root, compiled.artifacts.name))):
        for gate, finding in task.findings.items():
            if task.outcome == "refuted" and finding.outcome == "refuted":
                message = f"the task `{task.task}` is not sound: {finding.reason}"
                yield problem(f"audit.{gate}", message)
