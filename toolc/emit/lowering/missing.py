"""What may be missing or fail: `??`, `else fail`, and the paths to their left."""

from __future__ import annotations

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS
from toolc.analysis.partiality import may_miss
from toolc.emit import py
from toolc.emit.lowering.comprehensions import Comprehensions
from toolc.emit.lowering.shapes import assigned, is_name, state_of
from toolc.emit.lowering.trees import has_gap, hint, path_of, unnarrowed


class Missing(Comprehensions):
    """Values that are tested for being there."""

    def into(self, name: str, node: core.Expr) -> None:
        """Assigns the value to a name."""
        match node:
            case core.OrFail():
                self.into_or_fail(name, node)
            case core.Coalesce():
                self.into_coalesce(name, node, missing=False)
            case core.Conditional():
                self.into_conditional(name, node)
            case core.Comprehension(order=()) | core.DictComprehension():
                made = self.gathered(node, name)
                if not is_name(made, name):
                    self.set_(name, made)
            case core.Narrowed(value=core.OrFail() | core.Coalesce() | core.Conditional() as inner):
                self.into(name, inner)
            case _:
                self.set_(name, self.expr(node))

    def into_conditional(self, name: str, node: core.Conditional) -> None:
        (condition,) = self.exprs(node.condition)
        then = self.block(lambda: self.into(name, node.then))
        otherwise = self.block(lambda: self.into(name, node.otherwise))
        self.out.append(py.If(((condition, then),), otherwise))

    def into_coalesce(self, name: str, node: core.Coalesce, *, missing: bool) -> None:
        """`left ?? right`; with `missing`, None where right is missing, too."""
        default = self.with_default(node)
        if default is not None and not missing:
            self.set_(name, default)
            return
        self.into_maybe(name, node.left)
        if isinstance(node.right, core.Constant) and node.right.value is None:
            return
        if missing:
            body = self.block(lambda: self.into_maybe(name, node.right))
        else:
            body = self.block(lambda: self.into(name, node.right))
        self.out.append(py.If(((py.is_none(py.Name(name)), body),)))

    def with_default(self, node: core.Coalesce) -> py.Expr | None:
        """`d.get(key, default)`, or the like, where that is all there is to it."""
        left = unnarrowed(node.left)
        if isinstance(left, core.CallBuiltin) and isinstance(node.right, core.Constant):
            return None if t.nullable(left.type) else self.found(left, self.expr(node.right))
        if (
            isinstance(left, core.Item)
            and not t.nullable(left.type)
            and self.is_total(left.base)
            and isinstance(node.right, core.Constant)
        ):
            base, key = self.borrows(left.base, left.key)
            return py.call(py.Attribute(base, "get"), key, self.expr(node.right))
        return None

    def into_maybe(self, name: str, node: core.Expr) -> None:
        """Assigns the value, or None where it is missing."""
        match node:
            case core.Coalesce():
                self.into_coalesce(name, node, missing=True)
            case core.Narrowed():
                self.into_maybe(name, node.value)
            case core.ToFloat() | core.ToDecimal():
                self.into_maybe(name, node.value)
                function = "float" if isinstance(node, core.ToFloat) else "Decimal"
                if function == "Decimal":
                    self.imported.add(function)
                target = py.Name(name)
                self.out.append(
                    py.If(((py.is_not_none(target), (assigned(name, py.call(function, target)),)),))
                )
            case core.CallBuiltin() if BUILTINS[node.name].partial:
                made = self.maybe_called(node, name)
                if not is_name(made, name):
                    self.set_(name, made)
            case _:
                self.set_(name, self.maybe(node))

    def maybe(self, node: core.Expr) -> py.Expr:
        """The value, or None where a link of its path is missing."""
        root, path = path_of(node)
        opened = may_miss(root)
        keys = [link for link in path if isinstance(link, core.Expr)]
        gap = has_gap(node)
        if not opened and not keys and not gap:
            return self.expr(unnarrowed(node))
        if isinstance(root, core.TableRef):
            base: py.Expr = state_of(root.name)
            made = self.exprs(*keys)
        else:
            start = self.opening if opened else self.borrow
            base, *made = self.operands(
                lambda: start(root),
                *(lambda key=key: self.expr(key) for key in keys),
            )
        if not path:
            return base
        values = iter(made)
        steps = [py.Str(link) if isinstance(link, str) else next(values) for link in path]
        if len(steps) == 1 and not gap and isinstance(unnarrowed(node), (core.Lookup, core.Item)):
            return py.call(py.Attribute(base, "get"), steps[0])
        return self.call("peek", base, *steps)

    def opening(self, root: core.Expr) -> py.Expr:
        """The root of a path, or None where it is missing itself."""
        if isinstance(root, core.CallBuiltin):
            return self.maybe_called(root)
        assert isinstance(root, core.Coalesce)
        name = self.scope.fresh(hint(root))
        self.into_coalesce(name, root, missing=True)
        return py.Name(name)

    def maybe_called(self, call: core.CallBuiltin, name: str = "") -> py.Expr:
        """A partial built-in's result, or None where it fails; `name` may hold it.

        What fails in an argument is no failure of the call.
        """
        found = self.found(call)
        if found is not None:
            return found
        partial = [argument for argument in call.arguments if not self.is_total(argument)]
        for argument in partial:
            self.known[id(argument)] = self.simple(self.borrow(argument), hint(argument))
        before, value = self.captured(call)
        for argument in partial:
            del self.known[id(argument)]
        name = name or self.scope.fresh("result")
        self.attempt((*before, assigned(name, value)), (assigned(name, py.NONE),))
        return py.Name(name)

    def found(self, call: core.CallBuiltin, default: py.Expr = py.NONE) -> py.Expr | None:
        """`first(items)` and `last(items)`, or the default; None for other calls."""
        if call.name not in ("first", "last"):
            return None
        (items,) = call.arguments
        match = self.first_match(call, default)
        if match is not None:
            return match
        found = self.simple(self.borrow(items), "found")
        return py.IfElse(found, py.Subscript(found, (_end(call),)), default)

    def first_match(self, call: core.CallBuiltin, default: py.Expr = py.NONE) -> py.Expr | None:
        """`next((x for …), default)`, where no member is null and the items need no statements."""
        (items,) = call.arguments
        if call.name != "first" or not isinstance(items, core.Comprehension) or items.order:
            return None
        if t.nullable(items.element.type) or not self.is_total(items):
            return None
        given = self.scope.given()
        before, value = self.capture(lambda: self.comprehension(items))
        if not isinstance(value, py.Comprehension):
            self.scope.forget(given)
            return None
        self.out.extend(before)
        members = py.Comprehension("generator", value.element, value.clauses)
        return py.call("next", members, default)

    def attempt(self, body: py.Block, handler: py.Block) -> None:
        """`body`, or `handler` where it fails, but for an exhausted budget."""
        self.imported |= {"Fail", "BudgetExceeded"}
        self.out.append(py.Try(body, (("BudgetExceeded", (py.Raise(None),)), ("Fail", handler))))

    def into_or_fail(self, name: str, node: core.OrFail) -> None:
        value = node.value
        if self._first_or_fail(name, node):
            return
        target = py.Name(name)
        refuse = (py.is_none(target), self.block(lambda: self.fail(node.error)))
        if not t.nullable(node.type) and self.misses_only(value):
            self.into_maybe(name, value)
            self.out.append(py.If((refuse,)))
            return
        body = self.block(lambda: self.into(name, value))
        outer, self.handling = self.handling, True
        handler = self.block(lambda: self.fail(node.error))
        self.handling = outer
        self.attempt(body, handler)
        if t.nullable(value.type) and not t.nullable(node.type):
            self.out.append(py.If((refuse,)))

    def _first_or_fail(self, name: str, node: core.OrFail) -> bool:
        """`first(items) else fail …`, where nothing but an empty list is in the way."""
        call = unnarrowed(node.value)
        if not isinstance(call, core.CallBuiltin) or call.name not in ("first", "last"):
            return False
        (items,) = call.arguments
        if not self.is_total(items) or (t.nullable(call.type) and not t.nullable(node.type)):
            return False
        refuse = self.block(lambda: self.fail(node.error))
        match = self.first_match(call)
        if match is not None:
            self.set_(name, match)
            self.out.append(py.If(((py.is_none(py.Name(name)), refuse),)))
            return True
        found = self.simple(self.borrow(items), "found")
        self.out.append(py.If(((py.negate(found), refuse),)))
        self.set_(name, py.Subscript(found, (_end(call),)))
        return True

    def fail(self, error: core.Expr) -> None:
        """`raise Fail(error)`; a text that ends the call need not be kept from growing."""
        outer, self.failing = self.failing, True
        value = self.expr(error)
        self.failing = outer
        self.out.append(py.Raise(self.call("Fail", value), from_none=self.handling))

    def or_fail(self, node: core.OrFail) -> py.Expr:
        return self.named(node, hint(node.value))

    def coalesce(self, node: core.Coalesce) -> py.Expr:
        default = self.with_default(node)
        return default if default is not None else self.named(node, hint(node.left))

    def named(self, node: core.Expr, hint: str) -> py.Expr:
        name = self.scope.fresh(hint)
        self.into(name, node)
        return py.Name(name)


def _end(call: core.CallBuiltin) -> py.Expr:
    """The index of what `first` or `last` gives."""
    return py.number(0 if call.name == "first" else -1)
