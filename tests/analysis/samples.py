"""Checking specs that stand in strings."""

from __future__ import annotations

from toolc.analysis.check import Checked, check
from toolc.diagnostics.diagnostic import Diagnostic
from toolc.syntax.parser import parse
from toolc.syntax.tree import Module

ENTRY = "spec.toolc"


def unpack(example: str) -> dict[str, str]:
    """The files of an example by name: what follows `# file: NAME` is a file in comments."""
    entry, *others = example.split("# file: ")
    files = {ENTRY: entry}
    for other in others:
        name, *lines = other.splitlines()
        files[name] = "".join(f"{line[2:]}\n" for line in lines)
    return files


def files_of(entry: str, **others: str) -> Checked:
    """A spec and the files that it uses, by their stems."""
    files = {ENTRY: entry} | {f"{stem}.toolc": text for stem, text in others.items()}
    modules = {name: parse(text, name).module for name, text in files.items()}
    return check({name: module for name, module in modules.items() if module is not None})


def judge(example: str) -> tuple[Diagnostic, ...]:
    """All that is said about an example."""
    modules: dict[str, Module] = {}
    found: list[Diagnostic] = []
    for name, text in unpack(example).items():
        parsed = parse(text, name)
        found.extend(parsed.diagnostics)
        if parsed.module is not None:
            modules[name] = parsed.module
    return (*found, *check(modules).diagnostics)


def checked(text: str) -> Checked:
    """One spec, parsed without a diagnostic and checked."""
    parsed = parse(text, ENTRY)
    assert parsed.module is not None
    assert parsed.diagnostics == ()
    return check({ENTRY: parsed.module})


def codes(example: str) -> set[str]:
    return {found.code for found in judge(example)}
