"""Specs that were imported, as the compiler sees them."""

from __future__ import annotations

from typing import Any

from toolc.analysis.check import check
from toolc.analysis.core import EnvironmentDef
from toolc.emit.schemas import tool_schemas
from toolc.importing.spec import Imported, write
from toolc.syntax.formatter import format_module
from toolc.syntax.parser import parse


def spec_of(imported: Imported) -> str:
    """The text of the spec, which is as the formatter leaves it."""
    text = write("imported", "Imported.", imported.items)
    parsed = parse(text, "imported.toolc")
    assert parsed.module is not None and not parsed.diagnostics, parsed.diagnostics
    assert format_module(parsed.module, text) == text
    return text


def environment_of(imported: Imported) -> EnvironmentDef:
    """The checked environment; the check finds nothing wrong."""
    text = spec_of(imported)
    module = parse(text, "imported.toolc").module
    assert module is not None
    checked = check({"imported.toolc": module})
    assert checked.diagnostics == (), (checked.diagnostics, text)
    assert checked.environment is not None
    return checked.environment


def emitted(imported: Imported) -> dict[str, Any]:
    """What emission writes of the tools, by name."""
    schemas = tool_schemas(environment_of(imported))
    return {schema["function"]["name"]: schema["function"] for schema in schemas}
