"""Every artifact of one environment, from its typed tree and its data. Pure: bytes, no files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolc.analysis.core import EnvironmentDef
from toolc.bind import Binder, Checks, Tables
from toolc.data import Rows
from toolc.diagnostics.diagnostic import Diagnostic, Reporter
from toolc.emit import py
from toolc.emit.printer import print_module
from toolc.emit.schemas import state_schemas, tool_schemas
from toolc.emit.tools import banner, emit_tools, finished
from toolc.emit.trl import emit_trl
from toolc.emit.verifiers import emit_verifiers
from toolc.scenarios.others import (
    NO_OTHERS,
    Guest,
    Missing,
    Others,
    drawn,
    files_of,
    unknown,
    wanted,
)
from toolc.scenarios.pieces import pieces_of
from toolc.scenarios.play import broken_invariants
from toolc.scenarios.stage import Stage, require_closed, stage
from toolc.scenarios.tasks import count, families, prove, scenarios_jsonl
from toolc_runtime.schema import Problems, compile_schema
from toolc_runtime.state import Base, Source
from toolc_runtime.values import canonical, key_text, parse_datetime, plain


class Built(NamedTuple):
    """The files of `build/<environment>/` by name, empty where there was an error; `summary` are
    the counts, and `entry` what the manifest says of the environment beside them."""

    files: dict[str, bytes]
    diagnostics: tuple[Diagnostic, ...]
    summary: dict[str, int]
    entry: dict[str, Any]


def build(
    environment: EnvironmentDef,
    data: Mapping[str, Rows],
    sources: Mapping[str, str],
    others: Others = NO_OTHERS,
) -> Built:
    """Binds the data, emits the code, plays the scenarios and proves their rewards.

    `data` holds the rows of each table that has a file; `sources` the texts of the spec's files;
    `others` the environments that distractors are drawn from.
    Raises `NotClosed` where the emitter wrote what it may not write, before any of it is run.
    """
    path = environment.paths[0]
    digest = digest_of(sources)
    known = _known(environment, others)
    guests = drawn(environment, known)
    files, base, reports = ground(environment, data, digest, guests)
    reporter = reports.setdefault(path, Reporter(path))
    _report_missing(environment, known, reporter)
    summary: dict[str, int] = {}
    if base is not None and not reporter.failed:
        files |= files_of(guests, known)
        text = sources.get(path, "")
        summary = _play(environment, files, base, text, digest, reporter, known)
    diagnostics = tuple(found for each in reports.values() for found in each.diagnostics)
    if any(each.failed for each in reports.values()):
        files = {}
    entry = {
        "version": environment.version,
        "clock": environment.clock,
        "seed": environment.seed,
    }
    return Built(files, diagnostics, summary, entry)


class Ground(NamedTuple):
    """What plans and tests are played on: the files of the tools, and the data, None where it
    breaks its schemas; `reports` say how, by file."""

    files: dict[str, bytes]
    base: Base | None
    reports: dict[str, Reporter]


def ground(
    environment: EnvironmentDef,
    data: Mapping[str, Rows],
    digest: str = "",
    guests: Sequence[Guest] = (),
) -> Ground:
    """Binds the data, and emits the tools where it is sound."""
    schemas = plain(state_schemas(environment))
    binder = Binder(environment, _checks(schemas))
    tables = binder.bind(data)
    if any(each.failed for each in binder.reports.values()):
        return Ground({}, None, binder.reports)
    scalars = _scalars(environment, schemas)
    files = {
        "__init__.py": _init(environment, digest),
        "tools.py": emit_tools(environment, digest).encode(),
        "schemas.json": _json(plain(tool_schemas(environment))),
        "state_schemas.json": _json(schemas),
        "data.json": _data(environment, tables, scalars),
        "trl_environment.py": emit_trl(
            environment, digest, [guest.tool for guest in guests]
        ).encode(),
    }
    sources = {name: Source(rows) for name, rows in tables.items()}
    return Ground(files, Base(sources, scalars, parse_datetime(environment.clock)), binder.reports)


def _play(
    environment: EnvironmentDef,
    files: dict[str, bytes],
    base: Base,
    text: str,
    digest: str,
    reporter: Reporter,
    others: Others,
) -> dict[str, int]:
    """Adds the tasks and the verifiers, once the data, the plans and the rewards are sound."""
    python = [name for name in files if name.endswith(".py") and name != "tools.py"]
    require_closed({name: files[name].decode() for name in python})
    with stage(environment, files, base, pieces_of(environment)) as made:
        report_invariants(made, reporter)
        if reporter.failed:
            return {}
        found = families(made, reporter, others)
        writes = {each.scenario.name: each.writes for each in found}
        files["scenarios.jsonl"] = scenarios_jsonl(found)
        verifiers = emit_verifiers(environment, writes, text, digest)
        files["verifiers.py"] = verifiers.encode()
        if not reporter.failed:
            require_closed({"verifiers.py": verifiers})
            made.artifacts.add("verifiers.py", files["verifiers.py"])
            prove(made, found, reporter)
        return {
            "tools": sum(function.kind == "tool" for function in environment.functions),
            "scenarios": len(environment.scenarios),
            "tasks": sum(len(each.lines) for each in found),
            **dict(count(found)),
        }


def _known(environment: EnvironmentDef, others: Others) -> Others:
    """Every environment that distractors are drawn from; with tools, or why it has none."""
    found = {each: others.get(each) or unknown(each) for each in wanted(environment)}
    if environment.name in found:
        found[environment.name] = Missing("it is this environment")
    return found


def _report_missing(environment: EnvironmentDef, others: Others, reporter: Reporter) -> None:
    for scenario in environment.scenarios:
        for name in scenario.distractor_sources:
            missing = others[name]
            if isinstance(missing, Missing):
                reason, help = missing
                reporter.report("TC0615", scenario.span, help=help, name=name, reason=reason)


def report_invariants(made: Stage, reporter: Reporter) -> None:
    """Reports the invariants that the data itself breaks."""
    for name in broken_invariants(made, made.state(made.base)):
        span = next(each.span for each in made.definition.invariants if each.name == name)
        reporter.report("TC0614", span, name=name, when="in the data")


def digest_of(sources: Mapping[str, str]) -> str:
    """One hash over the texts of the spec's files, whatever folder they are in."""
    texts = sorted(hashlib.sha256(text.encode()).hexdigest() for text in sources.values())
    if len(texts) == 1:
        return texts[0]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _checks(schemas: Mapping[str, Any]) -> dict[str, Checks]:
    definitions = schemas["$defs"]
    return {
        name: Checks(
            compile_schema(table["row"], definitions),
            tuple(compile_schema(key, definitions) for key in table["keys"]),
        )
        for name, table in schemas["tables"].items()
    }


def _scalars(environment: EnvironmentDef, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The scalars' values, read as the runtime reads them."""
    values = {}
    for scalar in environment.scalars:
        problems: Problems = []
        check = compile_schema(schemas["state"][scalar.name], schemas["$defs"])
        values[scalar.name] = check(plain(scalar.value), (), problems)
    return values


def _data(environment: EnvironmentDef, tables: Tables, scalars: Mapping[str, Any]) -> bytes:
    """`data.json`: the base data, by table and key."""
    text = {
        "tables": {
            table.name: {
                "key": None if table.outside else [name for name, _ in table.keys],
                "rows": {key_text(key): plain(row) for key, row in tables[table.name].items()},
            }
            for table in environment.tables
        },
        "state": plain(scalars),
    }
    return (canonical(text) + "\n").encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _init(environment: EnvironmentDef, digest: str) -> bytes:
    folder = py.Attribute(py.call("Path", py.Name("__file__")), "parent")
    body = (
        py.ImportFrom("pathlib", (("Path", None),)),
        py.ImportFrom("toolc_runtime.environment", (("load", None),)),
        py.Assign((py.Name("environment"),), py.call("load", folder)),
    )
    doc = environment.description or f"The environment {environment.name}."
    return finished(print_module(py.Module(banner(environment, digest), doc, body))).encode()
