"""What holds of every text: diagnostics, whatever it says, and a sound build where it is clean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any, NoReturn

from tests.conftest import ROOT
from toolc.analysis.check import check
from toolc.analysis.core import EnvironmentDef
from toolc.build import Built, build
from toolc.compiler import read_tables
from toolc.diagnostics.diagnostic import Diagnostic
from toolc.diagnostics.render import apply_fixes, render
from toolc.emit.closed import check_closed
from toolc.node import same
from toolc.project import failed
from toolc.scenarios.stage import Artifacts
from toolc.syntax.formatter import format_module
from toolc.syntax.parser import Parsed, parse
from toolc_runtime import episode
from toolc_runtime.environment import Environment
from toolc_runtime.values import canonical

PATH = "spec.toolc"
DATA = str(ROOT / "specs" / "geography")
"""A folder of data files."""
STATUSES = {"ok", "failed", "rejected", "exhausted"}


class Defect(AssertionError):
    """Something that must hold of every text does not hold of this one."""


def require(holds: object, *what: object) -> None:
    if not holds:
        raise Defect(*what)


def reveal_faults() -> None:
    """Makes what a tool's own code raises a defect here, rather than an observation."""

    def reveal(error: BaseException) -> NoReturn:
        raise error

    episode._fault = reveal


def examine(text: str, data: str, random: Random, compiling: bool) -> str:
    """Takes a text through the compiler; how far it came. Raises `Defect`, or what was raised.

    `data` is a folder of data files; `compiling`: build what is clean, and call its tools.
    """
    parsed = parse(text, PATH)
    require(parsed.module is not None or failed(parsed.diagnostics), "no module and no error")
    _examine_diagnostics(text, parsed.diagnostics)
    if parsed.module is None:
        return "unread"
    checked = check({PATH: parsed.module})
    _examine_diagnostics(text, checked.diagnostics)
    if parsed.diagnostics:
        return "malformed"
    _examine_format(text, parsed)
    if failed(checked.diagnostics):
        return "ill-typed"
    require(checked.environment is not None, "no environment and no error")
    assert checked.environment is not None
    if not compiling:
        return "clean"
    return _examine_build(checked.environment, text, data, random)


def _examine_diagnostics(text: str, diagnostics: Iterable[Diagnostic]) -> None:
    """Each lies in the text and can be shown, and the text with the fixes can be read."""
    found = tuple(diagnostics)
    spans = [each.span for each in found]
    spans += [note.span for each in found for note in each.notes]
    spans += [edit.span for each in found if each.fix for edit in each.fix.edits]
    for span in spans:
        require(0 <= span.start <= span.end <= len(text), "a span beyond the text", span)
    for format in ("human", "plain", "json"):
        shown = render(found, {PATH: text}, format)
        shown.encode("utf-8")
        require(shown.count(PATH) >= len(found), "a finding is not shown", format)
        if format == "json":
            require(len([json.loads(line) for line in shown.split("\n")[:-1]]) == len(found), shown)
        require(format == "human" or len(shown.split("\n")) == len(found) + 1, shown)
    if any(each.fix for each in found):
        for applicability in ("safe", "unsafe"):
            mended = parse(apply_fixes(text, found, applicability), PATH)
            if mended.module is not None:
                check({PATH: mended.module})


def _examine_format(text: str, parsed: Parsed) -> None:
    """The canonical layout is read as the same, keeps comments, and is its own layout."""
    module = parsed.module
    assert module is not None
    formatted = format_module(module, text)
    again = parse(formatted, PATH)
    require(again.module is not None and not again.diagnostics, "not read again", formatted)
    assert again.module is not None
    require(same(module.items, again.module.items), "formatted to another meaning", formatted)
    require(len(module.comments) == len(again.module.comments), "lost a comment", formatted)
    require(format_module(again.module, formatted) == formatted, "not idempotent", formatted)


# ---------------------------------------------------------------- builds


def _examine_build(environment: EnvironmentDef, text: str, data: str, random: Random) -> str:
    """Builds, proves the code closed, and calls every tool."""
    bound = read_tables(environment, PATH, data)
    if failed(bound.diagnostics):
        return "without data"
    built = build(environment, bound.rows, {PATH: text})
    for format in ("human", "plain", "json"):
        render(built.diagnostics, {PATH: text, **bound.texts}, format).encode("utf-8")
    require(bool(built.files) != failed(built.diagnostics), "files and errors")
    for name, content in built.files.items():
        if name.endswith(".py"):
            problems = check_closed(content.decode())
            require(not problems, name, *problems)
    if not built.files:
        return "broken"
    _call_tools(environment, built, random)
    return "built"


def _call_tools(environment: EnvironmentDef, built: Built, random: Random) -> None:
    artifacts = Artifacts(environment, built.files)
    try:
        loaded = Environment(artifacts)
        played = loaded.episode()
        for schema in loaded.schemas:
            function = schema["function"]
            for _ in range(3):
                given = value(random, function["parameters"], function["parameters"])
                said = played.call(function["name"], canonical(given))
                require(canonical(json.loads(said)) == said, "not canonical", said)
                status = played.trace[-1].status if played.trace else "rejected"
                require(status in STATUSES, function["name"], given, said)
        played.finish("Answer: 1")
    finally:
        artifacts.forget()


_SCALARS: Mapping[str, list[Any]] = {
    "string": ["", "a", "b", "x" * 200, "2024-01-31", "P1D", "1.5", "\u202e", "\x00", '"', "{x}"],
    "integer": [0, 1, -1, 5, 2**63 - 1, -(2**63), 2**63],
    "number": [0, 1.5, -1, 1e308, 5e-324, 2**63],
    "boolean": [True, False],
    "null": [None],
}


def value(
    random: Random, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0
) -> Any:
    """A JSON value that mostly meets a schema, but for its facets."""
    if depth > 12 or random.random() < 0.02:
        return random.choice([None, 0, "", [], {}, [[[]]], {"a": 1}, True])
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return value(random, root["$defs"][name], root, depth + 1)
    if "enum" in schema:
        return random.choice(schema["enum"])
    if "default" in schema and random.random() < 0.3:
        return schema["default"]
    if "anyOf" in schema:
        return value(random, random.choice(schema["anyOf"]), root, depth + 1)
    kind = schema.get("type", "string")
    kind = random.choice(kind) if isinstance(kind, list) else kind
    if kind == "array":
        size = random.choice((0, 1, 2, 3))
        return [value(random, schema["items"], root, depth + 1) for _ in range(size)]
    if kind == "object":
        required = schema.get("required", ())
        made = {
            name: value(random, inner, root, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or random.random() < 0.6
        }
        further = schema.get("additionalProperties", {})
        if further is not False:
            for key in random.choices(["1", "a", "é", "class"], k=random.randrange(3)):
                made.setdefault(key, value(random, further or {}, root, depth + 1))
        return made
    return random.choice(_SCALARS[kind])
