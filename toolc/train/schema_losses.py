"""What the schemas lose that TRL derives from the methods of `trl_environment.py`.

They are made from annotations, which have no bounds, formats, named fields or defaults. The
emitted descriptions tell what is lost, and `toolc train` gives its trainer the exact schemas; who
takes the class into a trainer of their own sees here what it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolc_runtime.environment import Environment
from toolc_runtime.trl import emitted, method_names

Schema = Mapping[str, Any]

NAME = "name"
"""The keyword of a parameter that has another name as an argument of Python's."""

_TELLING = frozenset(("title", "description", "examples", "$defs"))
_APART = frozenset(("type", "properties", "required", "items", "additionalProperties"))


class Loss(NamedTuple):
    """A keyword of the exact schema that the derived one lacks, or has otherwise, and its value.
    `path` leads to it through parameters and `*`, an item or a member's value."""

    path: str
    keyword: str
    value: Any


Lost = Mapping[str, Sequence[Loss]]
"""What is lost, by tool."""


def lost(environment: Environment) -> Lost:
    """By tool, what is lost; only tools of which something is. ImportError without
    transformers."""
    from transformers.utils.chat_template_utils import get_json_schema

    methods = emitted(environment)()
    schemas = list(environment.schemas)
    schemas += [
        each for task in environment.tasks.values() for each in environment.schemas_of(task)
    ]
    exact = {each["function"]["name"]: each["function"]["parameters"] for each in schemas}
    names = method_names([*environment.tools, *environment.guests])
    made = {}
    for tool, parameters in exact.items():
        derived = get_json_schema(getattr(methods, names[tool]))["function"]["parameters"]
        found = list(losses(parameters, derived))
        if found:
            made[tool] = found
    return made


def losses(exact: Schema, derived: Schema) -> Iterator[Loss]:
    """What a tool's derived schema lacks. That arguments beyond the parameters are refused goes
    without saying, and that what may be left out may be null does no harm."""
    known = derived.get("properties", {})
    renamed = False
    for name, schema in exact.get("properties", {}).items():
        if name in known:
            yield from _within(schema, known[name], f"/{name}")
        else:
            renamed = True
            yield Loss(f"/{name}", NAME, name)
    required, its = set(exact.get("required", ())), set(derived.get("required", ()))
    if required != its and not renamed:
        yield Loss("", "required", sorted(required))


def _within(exact: Schema, derived: Schema, path: str) -> Iterator[Loss]:
    kinds = _types(exact)
    if kinds and not kinds <= _types(derived) | {"null"}:
        yield Loss(path, "type", exact["type"])
    if exact.get("properties") is not None:
        yield Loss(path, "properties", sorted(exact["properties"]))
    for keyword, value in exact.items():
        if keyword not in _TELLING | _APART and _choices(keyword, value) != derived.get(keyword):
            yield Loss(path, keyword, value)
    for keyword in ("items", "additionalProperties"):
        inner = exact.get(keyword)
        if isinstance(inner, Mapping):
            other = derived.get(keyword)
            yield from _within(inner, other if isinstance(other, Mapping) else {}, f"{path}/*")


def _choices(keyword: str, value: Any) -> Any:
    """A keyword's value without null among the choices, which `nullable` says."""
    return [each for each in value if each is not None] if keyword == "enum" else value


def _types(schema: Schema) -> set[str]:
    found = schema.get("type", [])
    return {found} if isinstance(found, str) else set(found)


def counted(found: Mapping[str, Lost]) -> Counter[str]:
    """How often each keyword is lost, over environments and their tools."""
    return Counter(
        loss.keyword for tools in found.values() for each in tools.values() for loss in each
    )
