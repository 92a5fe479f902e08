"""Small Python expressions, and questions about those that were made."""

from __future__ import annotations

from toolc.emit import py


def state_of(name: str) -> py.Expr:
    """`state.name`, a table or a value."""
    return py.Attribute(py.Name("state"), name)


def assigned(name: str, value: py.Expr) -> py.Statement:
    """`name = value`."""
    return py.Assign((py.Name(name),), value)


def is_stable(value: py.Expr) -> bool:
    """Whether writing it twice means the same, and reads as well."""
    match value:
        case py.Name() | py.Literal() | py.Str():
            return True
        case py.Subscript(indexes=(py.Str(),)):
            return isinstance(value.base, py.Name)
        case py.TupleDisplay():
            return all(map(is_stable, value.items))
        case py.Unary(operator="-"):
            return isinstance(value.operand, py.Literal)
    return False


def is_fixed(value: py.Expr) -> bool:
    """Whether a comparison reads better with the value on the right."""
    match value:
        case py.Literal() | py.Str():
            return True
        case py.Unary(operator="-"):
            return is_fixed(value.operand)
        case py.ListDisplay() | py.TupleDisplay():
            return all(map(is_fixed, value.items))
        case py.Name():
            return value.id.isupper()
    return False


def is_name(value: py.Expr, name: str) -> bool:
    return isinstance(value, py.Name) and value.id == name


def is_grown(value: py.Expr) -> bool:
    return (
        isinstance(value, py.Call)
        and isinstance(value.function, py.Name)
        and value.function.id == "grow"
    )


def is_empty(value: py.Expr | None) -> bool:
    return (isinstance(value, py.ListDisplay) and not value.items) or (
        isinstance(value, py.DictDisplay) and not value.entries
    )


def entries_of(value: py.Expr) -> dict[str, py.Expr]:
    """The entries of a dict display without spreads, by label."""
    if not isinstance(value, py.DictDisplay) or any(key is None for key, _ in value.entries):
        return {}
    return {key.value: item for key, item in value.entries if isinstance(key, py.Str)}


def concatenated(left: py.Expr, right: py.Expr) -> py.Expr:
    """Lists, one after the other."""
    if not isinstance(left, py.ListDisplay) and not isinstance(right, py.ListDisplay):
        return py.Binary("+", left, right)
    items: list[py.Expr] = []
    for part in (left, right):
        items.extend(part.items if isinstance(part, py.ListDisplay) else (py.Star(part),))
    return py.ListDisplay(tuple(items))
