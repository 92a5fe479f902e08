"""Statements: names for values, branches, loops, refusals, expectations."""

from __future__ import annotations

from toolc.analysis import core
from toolc.emit import data, py
from toolc.emit.lowering.operators import compare
from toolc.emit.lowering.places import Places
from toolc.emit.lowering.shapes import is_empty
from toolc.emit.lowering.trees import conjuncts, grows, hint, unnarrowed
from toolc.emit.namer import MODULES
from toolc.emit.tidy import names_in


class Statements(Places):
    """The control flow of a body."""

    def let(self, node: core.Let) -> None:
        if len(node.targets) > 1:
            (value,) = self.exprs(node.value)
            names = tuple(py.Name(self.bind_symbol(symbol)) for symbol in node.targets)
            self.out.append(py.Assign(names, value))
            return
        symbol = node.targets[0]
        call = unnarrowed(node.value)
        if id(symbol) not in self.used and isinstance(call, core.CallFunction):
            self.write(self.expr(call))
            return
        built = symbol.mutable and grows(symbol.type)
        if built or (self.is_built(node.value) and grows(symbol.type)):
            self.built.add(id(symbol))
        name = self.bind_symbol(symbol)
        if id(symbol) in self.owned:
            self.set_(name, self.own(node.value))
        else:
            self.into(name, node.value)
        made = self.out[-1]
        if symbol.mutable and isinstance(made, py.Assign) and is_empty(made.value):
            kind = data.annotation(symbol.type, self.globals.types)
            self.imported.update(n for n in names_in(kind) if n in MODULES)
            self.out[-1] = py.Assign(made.targets, made.value, kind)

    def if_(self, node: core.If) -> None:
        self._branches(list(node.branches), node.otherwise)

    def _branches(
        self, branches: list[tuple[core.Expr, core.Block]], otherwise: core.Block | None
    ) -> None:
        condition, body = branches[0]
        first, *others = conjuncts(condition)
        if others and len(branches) == 1 and not otherwise:
            given = self.scope.given()
            before, _ = self.captured(condition)
            self.scope.forget(given)
            if before:
                inner = others[0] if len(others) == 1 else condition.replace(operands=tuple(others))
                nested = core.If(condition.span, ((inner, body),), None)
                self._branches([(first, (nested,))], None)
                return
        made: list[tuple[py.Expr, py.Block]] = []
        rest: py.Block | None = None
        for index, (condition, body) in enumerate(branches):
            before, value = self.capture(lambda condition=condition: self.expr(condition))  # type: ignore[misc]
            if before and index:
                rest = self.block(lambda index=index: self._branches(branches[index:], otherwise))  # type: ignore[misc]
                break
            self.out.extend(before)
            made.append((value, self.statements(body)))
        if rest is None:
            rest = self.statements(otherwise) if otherwise else ()
        self.out.append(py.If(tuple(made), rest))

    def for_(self, node: core.For) -> None:
        source = self.source(node)
        self.scope.push()
        targets = self.bind(node, statement=True)

        def write() -> None:
            if node.condition is not None:
                condition = self.expr(node.condition)
                if len(node.body) == 1 and not self.out:
                    self.out.append(py.If(((condition, self.statements(node.body)),)))
                    return
                self.out.append(py.If(((py.negate(condition), (py.Continue(),)),)))
            for statement in node.body:
                self.statement_rules[type(statement)](self, statement)

        body = self.block(write)
        self.scope.pop()
        self.out.append(py.ForLoop(targets, source, body))

    def match(self, node: core.Match) -> None:
        subject = self.borrow(node.subject)
        if node.tag is not None:
            subject = py.Subscript(self.simple(subject, hint(node.subject)), (py.Str(node.tag),))
        branches = []
        if len(node.cases) > 1:
            subject = self.simple(subject, node.tag or hint(node.subject))
        for values, body in node.cases:
            if len(values) == 1:
                condition = py.Compare((subject, py.Str(values[0])), ("==",))
            else:
                condition = py.Compare(
                    (subject, py.TupleDisplay(tuple(map(py.Str, values)))), ("in",)
                )
            branches.append((condition, self.statements(body)))
        otherwise = self.statements(node.otherwise) if node.otherwise else ()
        if node.otherwise is None and branches:
            otherwise = branches.pop()[1]
            while branches and not branches[-1][1] and not otherwise:
                branches.pop()
        if not branches:
            self.out.extend(otherwise)
        else:
            self.out.append(py.If(tuple(branches), otherwise))

    def require(self, node: core.Require) -> None:
        (condition,) = self.exprs(node.condition)
        self.out.append(py.If(((py.negate(condition), self.block(lambda: self.fail(node.error))),)))

    def fail_with(self, node: core.FailWith) -> None:
        self.fail(node.error)

    def return_(self, node: core.Return) -> None:
        self.returning = True  # a mutable local may leave the body as it is
        self.out.append(py.Return(self.borrow(node.value)))
        self.returning = False

    def evaluate(self, node: core.Evaluate) -> None:
        self.write(self.expr(node.call))

    def advance(self, node: core.Advance) -> None:
        self.write(self.call("advance", py.Name("state"), self.expr(node.by)))

    def expect(self, node: core.Expect) -> None:
        """`expect(index, holds, actual)`, which whoever runs tests provides."""
        index = py.number(self.expectations)
        self.expectations += 1
        failure = py.Attribute(py.Name("failure"), "value")

        def judge(holds: py.Expr, actual: py.Expr) -> None:
            self.write(py.call("expect", index, holds, actual))

        def succeed() -> None:
            if node.fails:
                judge(py.FALSE, self.expr(node.value))
                return
            match node.value:
                case core.Comparison(operands=(left, right), operators=(operator,)):
                    a, b = self.operands(lambda: self.expr(left), lambda: self.expr(right))
                    a = self.simple(a, "actual")
                    judge(compare(operator, left, right, a, b), a)
                case _:
                    judge(self.simple(self.expr(node.value), "actual"), py.NONE)

        def refuse() -> None:
            if not node.fails:
                judge(py.FALSE, failure)
            elif node.error is None:
                judge(py.TRUE, failure)
            else:
                judge(py.Compare((failure, self.expr(node.error)), ("==",)), failure)

        self.imported.add("Fail")
        self.out.append(py.Try(self.block(succeed), (("Fail as failure", self.block(refuse)),)))
