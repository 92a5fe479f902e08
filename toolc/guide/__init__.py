"""`toolc guide`: the language on one page, to put before a language model that writes specs.

The prose is `guide.md`; built-ins and facets come from their registries, and the worked
environments are the specs beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

from toolc.analysis.builtins import FAMILIES
from toolc.analysis.declare import FACETS

EXAMPLES = ("museum", "lending", "lights")
"""The worked environments, the simplest first."""


def page() -> str:
    """The guide, Markdown."""
    prose = _read("guide.md")
    prose = prose.replace("BUILTINS", "\n".join(builtins())).replace("FACETS", facets())
    return prose + "\n".join(f"\n```toolc\n{example(name)}```" for name in EXAMPLES) + "\n"


def example(name: str) -> str:
    """The text of one of `EXAMPLES`."""
    return _read(f"{name}.toolc")


def _read(name: str) -> str:
    return files("toolc.guide").joinpath(name).read_text(encoding="utf-8")


def facets() -> str:
    """Every facet, by what takes it."""
    types: dict[str, list[str]] = {}
    for name, known in FACETS.items():
        types.setdefault(", ".join(f"`{each}`" for each in known), []).append(name)
    return "; ".join(f"{', '.join(names)}: {known}" for known, names in types.items())


def builtins() -> Iterator[str]:
    """A line for each family of built-ins; those of one signature stand together."""
    for family, members in FAMILIES.items():
        names: dict[str, list[str]] = {}
        for builtin in members:
            for form in _merged(_parsed(each) for each in builtin.signatures):
                names.setdefault(_shown(form), []).append(builtin.name + "!" * builtin.partial)
        yield f"- {family}: " + ", ".join(f"`{' '.join(who)}{form}`" for form, who in names.items())


class _Form(NamedTuple):
    """A signature: names and types of the parameters, the result, whether the last is optional."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    result: str
    optional: bool = False


def _parsed(signature: str) -> _Form:
    inside, _, result = signature.removeprefix("(").rpartition(") -> ")
    parameters = [each.split(": ") for each in re.split(r", (?=\w+: )", inside) if each]
    return _Form(tuple(p[0] for p in parameters), tuple(p[1] for p in parameters), result)


def _merged(forms: Iterable[_Form]) -> list[_Form]:
    """Overloads of one built-in, with those that differ in the first type alone, or in a last
    parameter, as one."""
    first, *others = forms
    merged = [first]
    for form in others:
        last = merged[-1]
        if (last.result, last.types[1:]) == (form.result, form.types[1:]):
            types = (f"{last.types[0]} | {form.types[0]}", *form.types[1:])
            merged[-1] = form._replace(types=types)
        elif (last.result, last.names) == (form.result, form.names[:-1]):
            merged[-1] = form._replace(optional=True)
        else:
            merged.append(form)
    return merged


def _shown(form: _Form) -> str:
    """As the guide writes it: a lone parameter without its name, neighbours of one type with one
    type."""
    parts = [f"{name}: {kind}" for name, kind in zip(form.names, form.types, strict=True)]
    if len(parts) == 1:
        parts = [form.types[0]]
    if form.optional:
        parts[-1] = parts[-1].replace(":", "?:")
    same = (kind == after for kind, after in pairwise(form.types))
    for n, elided in enumerate(same):
        if elided and not (form.optional and n == len(parts) - 2):
            parts[n] = form.names[n]
    return f"({', '.join(parts)}) -> {form.result}"
