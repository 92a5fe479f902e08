"""From syntax trees to one checked environment: the pipeline of the analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeVar

from toolc.analysis import core, effects
from toolc.analysis import types as t
from toolc.analysis.declare import Declarations, File
from toolc.analysis.futile import idle_tools, long_loops
from toolc.analysis.idle import idle_checks, without_check
from toolc.analysis.scenarios import Scenarios
from toolc.analysis.scope import Context, Scope
from toolc.analysis.types import FieldType, Type
from toolc.analysis.unused import unused_declarations, unused_locals
from toolc.diagnostics.diagnostic import Diagnostic, Edit, Fix
from toolc.node import Span
from toolc.syntax import tree
from toolc_runtime.budget import MAX_STEPS
from toolc_runtime.values import parse_datetime

T = TypeVar("T")
DEFAULT_CLOCK = "2024-01-01T00:00:00"


class Checked(NamedTuple):
    """`environment` is None when there were errors, or when no file declares one."""

    environment: core.EnvironmentDef | None
    diagnostics: tuple[Diagnostic, ...]


def check(modules: Mapping[str, tree.Module]) -> Checked:
    """Check one environment: the file that declares it, and the files that it uses.

    `modules` maps each file's path to its tree. Files without an `environment` are there to be
    used; a second `environment` is an error.
    """
    files = {path: File(path, module) for path, module in modules.items()}
    declaring = [
        (file, item)
        for file in files.values()
        for item in file.module.items
        if isinstance(item, tree.Environment)
    ]
    for file, item in declaring[1:]:
        file.reporter.report("TC0223", item.name.span, name=item.name.text)
    main = declaring[0][0] if declaring else next(iter(files.values()))
    declarations = Declarations(files, main)
    checker = EnvironmentChecker(declarations, main)
    environment = checker.environment(declaring[0][1] if declaring else None)
    for file in files.values():
        if file not in (main, *(other for other, _ in declaring)):
            checker.used_file(file)
    if declaring and not any(file.reporter.failed for file in files.values()):
        checker.lint(environment)
    found = tuple(
        sorted(
            (diagnostic for file in files.values() for diagnostic in file.reporter.diagnostics),
            key=lambda diagnostic: (diagnostic.path, diagnostic.span, diagnostic.code),
        )
    )
    failed = not declaring or any(diagnostic.severity == "error" for diagnostic in found)
    return Checked(None if failed else environment, found)


class EnvironmentChecker(Scenarios):
    """Checks the items of an environment's file in the order that their types need."""

    def __init__(self, declarations: Declarations, file: File) -> None:
        super().__init__(declarations, file)
        declarations.evaluate = self._evaluate
        self._resolved: dict[int, tuple[FieldType, ...]] = {}
        self._constant_spans: dict[str, Span] = {}

    def _evaluate(
        self, file: File, node: tree.Expr, expected: Type | None
    ) -> tuple[Type, Any] | None:
        return self.elsewhere(file, lambda: self.constant(node, expected))

    def elsewhere(self, file: File, action: Callable[[], T]) -> T:
        """Run an action in a fresh scope of a file."""
        saved = self.file, self.scope, self.facts
        self.file, self.scope, self.facts = file, Scope(), {}
        try:
            return action()
        finally:
            self.file, self.scope, self.facts = saved

    def used_file(self, file: File) -> None:
        """Everything in a file that is only used: its types, constants and functions."""

        def all_of_it() -> None:
            for item in file.module.items:
                if isinstance(item, (tree.Alias, tree.Enum, tree.Record, tree.Union)):
                    self._force(file, item)
                elif isinstance(item, (tree.Const, tree.Function, tree.Use)):
                    continue
                else:
                    self.report("TC0224", item.span)

        self.elsewhere(file, all_of_it)

    def environment(self, header: tree.Environment | None) -> core.EnvironmentDef:
        """The typed environment of the main file."""
        items = self.file.module.items
        self._constants()
        for item in items:
            if isinstance(item, (tree.Alias, tree.Enum, tree.Record, tree.Union)):
                self._force(self.file, item)
        tables = tuple(
            self._table(item)
            for item in items
            if isinstance(item, tree.Table) and self._is_declared(item)
        )
        scalars = tuple(
            self._scalar(item)
            for item in items
            if isinstance(item, tree.State) and self._is_declared(item)
        )
        functions = self._functions()
        self._check_sizes(tables, scalars, functions)
        invariants = tuple(
            self._invariant(item) for item in items if isinstance(item, tree.Invariant)
        )
        scenarios = tuple(self.scenario(item) for item in items if isinstance(item, tree.Scenario))
        tests = tuple(self.test(item) for item in items if isinstance(item, tree.Test))
        if header is None:
            self.report("TC0225", Span(0, 0))
            header = tree.Environment(
                Span(0, 0), tree.Name(Span(0, 0), ""), tree.Text(Span(0, 0), ""), None, None, None
            )
        clock = header.clock.value if header.clock else DEFAULT_CLOCK
        try:
            parse_datetime(clock)
        except ValueError:
            self.report(
                "TC0310",
                header.clock.span if header.clock else header.span,
                reason=f"`{clock}` is no datetime",
                type="datetime",
            )
        seed = header.seed.value if header.seed else 0
        if not isinstance(seed, int):
            self.report("TC0654", header.seed.span if header.seed else header.span)
        return core.EnvironmentDef(
            header.name.span,
            header.name.text,
            header.description.value,
            header.version.value if header.version else "0",
            clock,
            seed if isinstance(seed, int) else 0,
            tuple(self.declarations.files),
            tuple(self.declarations.named.items()),
            tuple(
                core.ConstantDef(span, name, *self.declarations.constants[name])
                for name, span in self._constant_spans.items()
                if name in self.declarations.constants
            ),
            tables,
            scalars,
            invariants,
            functions,
            scenarios,
            tests,
        )

    def lint(self, environment: core.EnvironmentDef) -> None:
        """Warn of what is in order and yet does nothing."""
        idle = unused_locals(environment)
        parameters = {
            id(each.symbol) for function in environment.functions for each in function.parameters
        }
        for symbol, span, file in self.bound:
            if id(symbol) in idle:
                what = "parameter" if id(symbol) in parameters else "local"
                file.reporter.report("TC0227", span, name=symbol.name, what=what)
        for item, kind in unused_declarations(self.file):
            self.report("TC0228", item.name.span, name=item.name.text, what=kind)
        for check, why in idle_checks(environment):
            fix = without_check(self.file.module, check.span)
            self.report("TC0666", check.span, why=why, fix=fix)
        declared = (tree.Function, tree.Tool)
        own = {item.name.text for item in self.file.module.items if isinstance(item, declared)}
        functions = [each for each in environment.functions if each.name in own]
        for tool in idle_tools(functions):
            self.report("TC0515", tool.span, name=tool.name)
        for function in functions:
            for span, steps in long_loops(function.body):
                self.report("TC0516", span, steps=steps, limit=MAX_STEPS)

    # ------------------------------------------------------------ declarations

    def _check_sizes(
        self,
        tables: Iterable[core.TableDef],
        scalars: Iterable[core.ScalarDef],
        functions: Iterable[core.Function],
    ) -> None:
        """Reports where what is written out in schemas becomes too much."""
        tools = [each for each in functions if each.kind == "tool"]
        parts: list[tuple[Span, str, list[t.Type]]] = [
            *((each.span, each.name, [each.row]) for each in tables),
            *((each.span, each.name, [each.type]) for each in scalars),
            *(
                (
                    tool.span,
                    tool.name,
                    [tool.result, *(each.field.type for each in tool.parameters)],
                )
                for tool in tools
            ),
        ]
        total = 0
        for span, name, kinds in parts:
            total += self.declarations.size(kinds)
            if total > t.MAX_WRITTEN:
                self.report("TC0345", span, name=name, limit=t.MAX_WRITTEN)
                return

    def _is_declared(self, item: Any) -> bool:
        """Whether this is the item that its name stands for, and not a duplicate."""
        return self.file.values.get(item.name.text, (None, None))[1] is item

    def _constants(self) -> None:
        declared = {
            name: found
            for file in self.declarations.files.values()
            for name, found in file.values.items()
        }
        for name, (file, item) in declared.items():
            if not isinstance(item, tree.Const):
                continue
            self._constant_spans[name] = item.span
            self.declarations.constant(file, item)

    def _force(self, file: File, item: tree.NamedItem) -> None:
        """Resolve what is lazy in a named type, so that its mistakes are reported."""
        kind = self.declarations.declared(file, item)
        if isinstance(kind, (t.Record, t.Union)):
            kind.lazy()
        if isinstance(item, tree.Record):
            self.declarations.check_end(file, item)
        if self.declarations.size([kind]) > t.MAX_WRITTEN:
            span, name = item.name.span, item.name.text
            self.report("TC0345", span, name=name, limit=t.MAX_WRITTEN)

    def _table(self, item: tree.Table) -> core.TableDef:
        kind = self.declarations.tables[item.name.text]
        outside = [key.type is not None for key in item.keys]
        if any(outside) and not all(outside):
            self.report("TC0457", item.keys[0].span)
        bare = t.strip(kind.row)
        if not isinstance(bare, (t.Record, t.Union)) and bare != t.NEVER:
            self.report("TC0458", item.row.span, type=t.show(kind.row))
        for key, key_type in zip(item.keys, kind.keys, strict=True):
            if not t.is_key(key_type):
                self.report("TC0459", key.span, type=t.show(key_type))
        file: str | None = None
        file_span = item.rows.span
        rows: list[tuple[Span, Any]] = []
        match item.rows:
            case tree.Call(
                base=tree.Ref(name="file"),
                arguments=(tree.Argument(name=None, value=tree.String() as path),),
            ):
                file, file_span = path.value, path.span
                self._data_file(path)
            case tree.ListLiteral() if not any(outside) or not item.rows.items:
                for row in item.rows.items:
                    found = self._evaluate(self.file, row, kind.row)
                    if found is not None:
                        rows.append((row.span, found[1]))
            case tree.Object() if all(outside) and len(item.keys) == 1:
                for entry in item.rows.entries:
                    if isinstance(entry, tree.Spread):
                        self.report("TC0312", entry.span)
                        continue
                    found = self._evaluate(self.file, entry.value, kind.row)
                    if found is not None:
                        rows.append((entry.span, (entry.label.text, found[1])))
            case tree.String():
                start, end = item.rows.span
                edits = (Edit(Span(start, start), "file("), Edit(Span(end, end), ")"))
                fix = Fix("write `file(…)`", edits)
                self.report("TC0462", item.rows.span, fix=fix)
            case _:
                self.report("TC0462", item.rows.span)
        return core.TableDef(
            item.name.span,
            item.name.text,
            tuple(
                (key.name.text, key_type)
                for key, key_type in zip(item.keys, kind.keys, strict=True)
            ),
            any(outside),
            kind.row,
            file,
            file_span,
            tuple(rows),
        )

    def _data_file(self, path: tree.String) -> None:
        file = path.value
        leads_out = file.startswith("/") or ".." in file.replace("\\", "/").split("/")
        if leads_out or ":" in file or "\0" in file:
            self.report("TC0402", path.span, file=file)
        elif not file.endswith((".csv", ".json", ".jsonl")):
            self.report("TC0403", path.span, file=file)

    def _scalar(self, item: tree.State) -> core.ScalarDef:
        kind = self.declarations.scalars[item.name.text]
        found = self.elsewhere(self.file, lambda: self.constant(item.value, kind))
        return core.ScalarDef(item.span, item.name.text, kind, found[1] if found else None)

    def _invariant(self, item: tree.Invariant) -> core.InvariantDef:
        self.scope, self.facts, self.context = Scope(), {}, Context("invariant")
        description = item.description.value if item.description else ""
        return core.InvariantDef(
            item.span, item.name.text, description, self.condition(item.condition)
        )

    # ------------------------------------------------------------ functions

    def parameters(self, item: tree.Function | tree.Tool, file: File) -> tuple[FieldType, ...]:
        """The parameters, resolved once; a scenario's partial call may override them."""
        known = self.overrides.get(id(item)) or self._resolved.get(id(item))
        if known is None:
            known = self._resolved[id(item)] = self.declarations.fields(file, item.parameters)
        return known

    def _functions(self) -> tuple[core.Function, ...]:
        found: dict[str, core.Function] = {}
        for file in self.declarations.files.values():
            for item in file.module.items:
                if (
                    not isinstance(item, (tree.Function, tree.Tool))
                    or file.values.get(item.name.text, (0, 0))[1] is not item
                ):
                    continue
                if file is not self.file and isinstance(item, tree.Tool):
                    continue
                found[item.name.text] = self.elsewhere(file, partial(self._function, item, file))
        for function, call in effects.recursive(found):
            self.report("TC0511", call.span, name=function.name)
        if self.file.reporter.failed:
            return tuple(found.values())
        counts = effects.call_counts(found)
        for name, function in found.items():
            if counts[name] > effects.MAX_CALLS:
                self.report(
                    "TC0512", function.span, name=name, count=counts[name], limit=effects.MAX_CALLS
                )
        total = effects.with_callees(found)
        return tuple(function.replace(effects=total[name]) for name, function in found.items())

    def _function(self, item: tree.Function | tree.Tool, file: File) -> core.Function:
        kind = "tool" if isinstance(item, tree.Tool) else "proc" if item.writes else "fn"
        if kind == "fn" and item.name.text in _RESERVED_FUNCTIONS:
            self.report("TC0206", item.name.span, name=item.name.text)
        result = self.declarations.type(file, item.result)
        fields = self.parameters(item, file)
        self.context = Context(kind, result)
        parameters = []
        for member, field in zip(item.parameters, fields, strict=False):
            local = field.type
            if field.optional and not field.has_default:
                local = t.optional(field.type)
            parameters.append(core.Parameter(self.bind(member.name, local), field))
        seen_optional = False
        for member, field in zip(item.parameters, fields, strict=False):
            optional = field.optional or field.has_default
            if seen_optional and not optional and kind != "tool":
                self.report("TC0226", member.name.span, name=field.name)
            seen_optional = seen_optional or optional
        body: core.Block | None = None
        if item.body is not None:
            before = len(file.reporter.diagnostics)
            body, falls = self.statements(item.body)
            sound = len(file.reporter.diagnostics) == before
            if falls and sound and t.strip(result) not in (t.NULL, t.NEVER):
                self.report("TC0513", item.name.span, name=item.name.text, type=t.show(result))
        return core.Function(
            item.name.span,
            kind,
            item.name.text,
            item.description.value if item.description else "",
            tuple(parameters),
            result,
            body,
            isinstance(item, tree.Tool) and item.keeps_effects,
            effects.own_effects(body or ()),
        )


_RESERVED_FUNCTIONS = frozenset({"absent", "walk", "file", "values"})
