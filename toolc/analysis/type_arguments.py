"""Types that stand where the grammar has an expression: the second argument of `parse_json`.

Names, `list[T]`, `dict[K, V]` and `{a: T}` are written alike as types and as expressions. Other
types are given a name first.
"""

from __future__ import annotations

from toolc.syntax import tree


def as_type(node: tree.Expr) -> tree.TypeExpr | None:
    """The type that the expression is when it is read as one; None where it is none."""
    match node:
        case tree.Ref():
            return tree.NamedType(node.span, node.name)
        case tree.Index(base=tree.Ref(name=name)):
            members = _all(node.indices)
            return None if members is None else tree.GenericType(node.span, name, members)
        case tree.Object(entries=entries):
            fields = tuple(entry for entry in entries if isinstance(entry, tree.Entry))
            kinds = _all(tuple(field.value for field in fields))
            if kinds is None or len(fields) < len(entries):
                return None
            made = tuple(
                tree.Field(field.span, field.label, False, kind, None, None)
                for field, kind in zip(fields, kinds, strict=True)
            )
            return tree.RecordType(node.span, made, False)
    return None


def _all(nodes: tuple[tree.Expr, ...]) -> tuple[tree.TypeExpr, ...] | None:
    """The types that all of them are; None where one is none."""
    kinds = tuple(kind for kind in map(as_type, nodes) if kind is not None)
    return kinds if len(kinds) == len(nodes) else None
