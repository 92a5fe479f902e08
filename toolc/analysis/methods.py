"""Method calls and functions of other languages, as toolc writes them.

The checker sees trees and no text, so a fix is made of insertions between the parts of a call.
"""

from __future__ import annotations

from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS, signatures
from toolc.analysis.types import Type
from toolc.diagnostics.diagnostic import Edit, Fix
from toolc.node import Span
from toolc.syntax import strings, tree

BUILT_INS = {
    **{name: name for name in BUILTINS if name not in ("min", "max", "sum", "any", "all", "count")},
    **dict.fromkeys(("length", "size", "__len__"), "len"),
    **dict.fromkeys(("lowercase", "toLowerCase", "to_lower", "casefold", "toLower"), "lower"),
    **dict.fromkeys(("uppercase", "toUpperCase", "to_upper", "toUpper"), "upper"),
    **dict.fromkeys(("trim",), "strip"),
    **dict.fromkeys(("startswith", "startsWith"), "starts_with"),
    **dict.fromkeys(("endswith", "endsWith"), "ends_with"),
    **dict.fromkeys(("toString", "to_string", "to_str", "string"), "str"),
    **dict.fromkeys(("replaceAll", "replace_all"), "replace"),
    **dict.fromkeys(("distinct", "dedupe", "uniq"), "unique"),
    **dict.fromkeys(("integer", "parseInt", "to_int", "parse_int"), "int"),
    **dict.fromkeys(("number", "parseFloat", "to_float"), "float"),
    **dict.fromkeys(("reverse",), "reversed"),
    **dict.fromkeys(("entries",), "items"),
    **dict.fromkeys(("current_time", "datetime_now"), "now"),
}
"""What a built-in is called elsewhere, where it gives the same."""
MEMBERSHIP = frozenset(["includes", "contains", "has", "has_key", "containsKey", "__contains__"])
ADDING = frozenset(["append", "push", "add"])


def method_fix(node: tree.Call, base: Type) -> Fix | None:
    """A method call as a call of a built-in, a lookup or a test; `base` is its value's type."""
    assert isinstance(node.base, tree.Attribute)
    name, value = node.base.name.text, node.base.base
    arguments = [argument.value for argument in node.arguments]
    if any(isinstance(argument, (tree.Comprehension, tree.Walk)) for argument in arguments):
        return None
    bare = t.strip(base)
    if name == "get" and isinstance(bare, (t.Dict, t.TableType)) and len(arguments) in (1, 2):
        return _get(node, value, arguments)
    if name == "join" and isinstance(value, tree.String) and len(arguments) == 1:
        only = arguments[0].span
        edits = (
            Edit(Span(value.span.start, only.start), "join("),
            Edit(Span(only.end, node.span.end), f', "{strings.braces(value.value)}")'),
        )
        return Fix("write `join(…)`", edits)
    if name in MEMBERSHIP and len(arguments) == 1 and (item := source(arguments[0])) is not None:
        edits = (_insert(value.span.start, f"({item} in "), _replace(value, node, ")"))
        return Fix(f"write `{item} in …`", edits)
    known = BUILT_INS.get(name)
    counts = {len(each.parameters) for each in signatures(known)} if known else set()
    if known is None or len(arguments) + 1 not in counts:
        return None
    opening = _insert(value.span.start, f"{known}(")
    if arguments:
        rest = Edit(Span(value.span.end, arguments[0].span.start), ", ")
    else:
        rest = _replace(value, node, ")")
    return Fix(f"write `{known}(…)`", (opening, rest))


def _get(node: tree.Call, value: tree.Expr, arguments: list[tree.Expr]) -> Fix:
    """`d.get(key, default)`."""
    key, *default = arguments
    opening = Edit(Span(value.span.end, key.span.start), "[")
    before = _insert(value.span.start, "(")
    if not default:
        return Fix("write `…[…] ?? null`", (before, opening, _replace(key, node, "] ?? null)")))
    wrapped = isinstance(default[0], (tree.Binary, tree.Compare, tree.Unary, tree.Conditional))
    middle = Edit(Span(key.span.end, default[0].span.start), "] ?? (" if wrapped else "] ?? ")
    end = _replace(default[0], node, "))" if wrapped else ")")
    return Fix("write `…[…] ?? …`", (before, opening, middle, end))


def statement_fix(node: tree.Call) -> Fix | None:
    """A method call that changes a list, as a statement."""
    if not isinstance(node.base, tree.Attribute) or len(node.arguments) != 1:
        return None
    name, value, only = node.base.name.text, node.base.base, node.arguments[0].value
    place = source(value)
    if place is None or isinstance(only, (tree.Comprehension, tree.Walk)):
        return None
    before = Span(node.span.start, only.span.start)
    if name in ADDING:
        edits = (Edit(before, "append "), _replace(only, node, f" to {place}"))
        return Fix(f"write `append … to {place}`", edits)
    if name == "remove":
        edits = (Edit(before, "remove "), _replace(only, node, f" from {place}"))
        return Fix(f"write `remove … from {place}`", edits)
    if name == "extend":
        edits = (Edit(before, f"{place} += "), _replace(only, node, ""))
        return Fix(f"write `{place} += …`", edits)
    return None


def function_fix(node: tree.Call, base: Type | None) -> Fix | None:
    """A call of another language's function; `base` is its only argument's type."""
    assert isinstance(node.base, tree.Ref)
    known = BUILT_INS.get(node.base.name)
    if known is not None:
        return Fix(f"write `{known}`", (Edit(node.base.span, known),))
    if node.base.name == "list" and isinstance(base, t.TableType):
        return Fix("write `values`", (Edit(node.base.span, "values"),))
    if node.base.name == "list" and isinstance(base, t.List):
        only = node.arguments[0].value
        start = Edit(Span(node.span.start, only.span.start), "")
        return Fix("leave it out", (start, _replace(only, node, "")))
    return None


def source(node: tree.Expr) -> str | None:
    """The text of a path or a literal; None for what is longer."""
    match node:
        case tree.Ref(name=name):
            return name
        case tree.Number(text=text):
            return text
        case tree.String(value=value):
            return f'"{strings.braces(value)}"'
        case tree.Attribute(base=base, name=name) if not name.quoted:
            inner = source(base)
            return None if inner is None else f"{inner}.{name.text}"
        case tree.Index(base=base, indices=indices):
            parts = [source(part) for part in (base, *indices)]
            known = [part for part in parts if part is not None]
            return f"{known[0]}[{', '.join(known[1:])}]" if len(known) == len(parts) else None
    return None


def _insert(at: int, text: str) -> Edit:
    return Edit(Span(at, at), text)


def _replace(part: tree.Expr, whole: tree.Call, text: str) -> Edit:
    """What follows a part of a call, up to the call's end."""
    return Edit(Span(part.span.end, whole.span.end), text)
