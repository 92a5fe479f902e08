"""Reading and writing specs for commands that rewrite them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolc.cli.terminal import UsageError, report

if TYPE_CHECKING:
    from toolc.rewriting.spec import Spec


def read_specs(paths: Sequence[str], output: str | None, format: str) -> list[Spec] | None:
    """The environments below the paths; None, with the diagnostics printed, where one has errors.
    Raises `UsageError`."""
    from toolc.project import ProjectError, failed, find_specs, load_project
    from toolc.rewriting.spec import SpecError, load

    if not paths:
        raise UsageError("name a spec, or a folder of them")
    if output is None:
        raise UsageError("-o DIR says where to write")
    if any(_inside(path, output) for path in paths):
        raise UsageError("the output folder holds the specs that are read; choose another")
    try:
        found, diagnostics = find_specs(paths)
        project = load_project(paths)
    except ProjectError as error:
        raise UsageError(str(error)) from None
    if failed((*diagnostics, *project.diagnostics)):
        report((*diagnostics, *project.diagnostics), project.texts, format)
        return None
    specs: list[Spec] = []
    for unit in project.units:
        if unit.entry not in found or not _declares(unit.modules[unit.entry]):
            continue
        try:
            specs.append(load(unit.entry))
        except SpecError as error:
            report(error.diagnostics, error.texts, format)
            return None
    if not specs:
        raise UsageError("no spec there declares an environment")
    return specs


def _declares(module: object) -> bool:
    from toolc.project import environment_of
    from toolc.syntax.tree import Module

    return isinstance(module, Module) and environment_of(module) is not None


def _inside(path: str, output: str) -> bool:
    """Whether writing below `output` could overwrite what is read at `path`."""
    source, target = os.path.realpath(path), os.path.realpath(output)
    folder = source if os.path.isdir(source) else os.path.dirname(source)
    return target == folder


def write_specs(specs: Sequence[Spec], paths: Sequence[str], output: str, force: bool) -> list[str]:
    """Writes specs, what they use and their data below a folder, where they stood below the paths
    that were named; what was written. Raises `UsageError`."""
    from toolc.files import why
    from toolc.output import write_file
    from toolc.rewriting.spec import SpecError, files_of

    try:
        contents = {
            os.path.join(output, _place(spec.path, paths), name): content
            for spec in specs
            for name, content in files_of(spec).items()
        }
    except SpecError as error:
        raise UsageError(str(error)) from None
    taken = [path for path in contents if os.path.lexists(path)]
    if taken and not force:
        raise UsageError(f"`{taken[0]}` is there already (--force overwrites); nothing was written")
    try:
        for path, content in contents.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.lexists(path):
                write_file(path, content)
            else:
                with open(path, "xb") as file:
                    file.write(content)
    except OSError as error:
        raise UsageError(f"cannot write `{error.filename or output}`: {why(error)}") from None
    return list(contents)


def _place(path: str, paths: Sequence[str]) -> str:
    """The folder of a spec below the one of the named paths that it lies in."""
    for named in paths:
        if os.path.isdir(named):
            below = os.path.relpath(os.path.dirname(path) or ".", named)
            if not below.startswith(".."):
                return "" if below == "." else below
    return ""
