"""Python text from the emitter's nodes, such that Black changes nothing.

Expressions become tokens (`emit.layout` breaks them into lines), statements become lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from toolc.emit import layout, py
from toolc.emit.layout import Token

# Python's precedence, from loosest to tightest.
LAMBDA, TEST, OR, AND, NOT, COMPARE, BIT_OR, SUM, TERM, FACTOR, PRIMARY = range(11)
_BINARY = {"|": BIT_OR, "+": SUM, "-": SUM, "*": TERM, "/": TERM, "//": TERM, "%": TERM}
_LOGIC = {"or": OR, "and": AND}


def print_module(module: py.Module) -> str:
    """The source of a module, with one newline at its end."""
    lines = [f"# {line}" if line else "#" for line in module.banner]
    if module.docstring:
        lines += _docstring(module.docstring, 0)
    imports = [s for s in module.body if isinstance(s, (py.Import, py.ImportFrom))]
    rest = [s for s in module.body if not isinstance(s, (py.Import, py.ImportFrom))]
    if imports:
        lines += ["", *_imports(imports)]
    previous: py.Statement | None = None
    for statement in rest:
        big = isinstance(statement, (py.Function, py.Class))
        after_big = isinstance(previous, (py.Function, py.Class))
        if not isinstance(statement, py.Docstring):
            lines += ["", ""] if (big or after_big) and lines else [""]
        lines += print_statement(statement, 0)
        previous = statement
    return "\n".join(lines).strip("\n") + "\n"


def print_statement(statement: py.Statement, depth: int) -> list[str]:
    """The lines of one statement, `depth` levels in."""
    return _STATEMENTS[type(statement)](statement, depth)


def print_expression(value: py.Expr) -> str:
    """An expression on one line."""
    return "".join(map(str, _tokens(value))).strip()


def _tokens(value: py.Expr) -> list[Token]:
    writer = Writer()
    writer.expression(value)
    return writer.tokens


# ---------------------------------------------------------------- strings

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(text: str, quote: str) -> str:
    pieces = []
    for char in text:
        if char == quote:
            pieces.append("\\" + char)
        elif char in _ESCAPES:
            pieces.append(_ESCAPES[char])
        elif char.isprintable():
            pieces.append(char)
        else:
            code = ord(char)
            pieces.append(
                f"\\x{code:02x}"
                if code < 256
                else f"\\u{code:04x}"
                if code < 65536
                else f"\\U{code:08x}"
            )
    return "".join(pieces)


def string(text: str) -> str:
    """A literal in double quotes, or in single ones where that saves escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + _escape(text, quote) + quote


_LAMBDA = re.compile(r"\blambda\b")


def fits_in_hole(value: py.Expr) -> bool:
    """Whether Python 3.11 takes the expression between an f-string's braces, and a reader too."""
    text = _hole(value)
    return text is not None and len(text) <= 60


def _hole(value: py.Expr) -> str | None:
    text = print_expression(value)
    if "\\" in text or "'" in text or "#" in text:
        return None
    text = text.replace('"', "'")
    return None if "{" in text or _LAMBDA.search(text) else text


def _fstring(node: py.FString) -> str:
    plain = "".join(part for part in node.parts if isinstance(part, str))
    holes = "".join(_hole(part.value) or "" for part in node.parts if isinstance(part, py.Hole))
    quote = "'" if plain.count('"') > plain.count("'") and "'" not in holes else '"'
    pieces = []
    for part in node.parts:
        if isinstance(part, str):
            pieces.append(_escape(part, quote).replace("{", "{{").replace("}", "}}"))
        else:
            inner = _hole(part.value)
            assert inner is not None, "the lowering keeps such expressions out of holes"
            pieces.append("{" + inner + (f":{part.format}" if part.format else "") + "}")
    return "f" + quote + "".join(pieces) + quote


# ---------------------------------------------------------------- expressions


class Writer:
    """Collects the tokens of one logical line."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self._space = False
        self._annotation = False

    def word(self, text: str, *, before: int = 0, role: str = "name") -> Writer:
        """A keyword or operator with a space on both sides."""
        self.tokens.append(Token(text, space=bool(self.tokens), before=before, role=role))
        self._space = True
        return self

    def put(self, text: str, *, role: str = "", before: int = 0, after: int = 0) -> Writer:
        self.tokens.append(Token(text, space=self._space, role=role, before=before, after=after))
        self._space = False
        return self

    def space(self) -> Writer:
        self._space = True
        return self

    def open(self, text: str, parent: str) -> Token:
        token = Token(text, space=self._space, role="open", parent=parent)
        self.tokens.append(token)
        self._space = False
        return token

    def close(self, text: str, opening: Token) -> None:
        self._space = False
        self.tokens.append(Token(text, role="close", opening=opening))

    def comma(self) -> None:
        role = "annotation" if self._annotation else "comma"
        self._space = False
        self.tokens.append(Token(",", after=layout.COMMA, role=role))
        self._space = True

    def optional(self, value: py.Expr) -> Writer:
        """A value within parentheses that Black may make visible."""
        if isinstance(value, py.TupleDisplay):
            return self.expression(value)
        opening = self.open("", "atom")
        self.expression(value, bare=True)
        self.close("", opening)
        return self

    def annotation(self, value: py.Expr) -> None:
        self._annotation = True
        if isinstance(value, py.Binary):
            self.optional(value)
        else:
            self.expression(value)
        self._annotation = False

    def expression(self, value: py.Expr, level: int = LAMBDA, *, bare: bool = False) -> Writer:
        """`level`: the loosest precedence that needs no parentheses here. `bare`: an opening
        parenthesis, real or optional, stands right before."""
        own = _precedence(value)
        if own < level:
            opening = self.open("(", "atom")
            _EXPRESSIONS[type(value)](self, value, True)
            self.close(")", opening)
        else:
            _EXPRESSIONS[type(value)](self, value, bare)
        return self

    def members(self, values: Sequence[py.Expr], *, bare: bool = False) -> None:
        for index, value in enumerate(values):
            if index:
                self.comma()
            self.expression(value, bare=bare and len(values) == 1)


def _precedence(value: py.Expr) -> int:
    if isinstance(value, py.Binary):
        return _BINARY[value.operator]
    if isinstance(value, py.Logic):
        return _LOGIC[value.operator]
    if isinstance(value, py.Unary):
        return NOT if value.operator == "not" else FACTOR
    return {py.Lambda: LAMBDA, py.IfElse: TEST, py.Compare: COMPARE}.get(type(value), PRIMARY)


def _name(w: Writer, node: py.Name, bare: bool) -> None:
    w.put(node.id, role="name")


def _literal(w: Writer, node: py.Literal, bare: bool) -> None:
    w.put(node.text)


def _str(w: Writer, node: py.Str, bare: bool) -> None:
    w.put(string(node.value), role="string")


def _interpolated(w: Writer, node: py.FString, bare: bool) -> None:
    w.put(_fstring(node), role="string")


def _attribute(w: Writer, node: py.Attribute, bare: bool) -> None:
    w.expression(node.base, PRIMARY)
    w.put(".", before=layout.DOT if w.tokens[-1].role == "close" else 0)
    w.put(node.name, role="name")


def _subscript(w: Writer, node: py.Subscript, bare: bool) -> None:
    w.expression(node.base, PRIMARY)
    opening = w.open("[", "trailer")
    w.members(node.indexes)
    w.close("]", opening)


def _slice(w: Writer, node: py.Slice, bare: bool) -> None:
    parts = [part for part in (node.start, node.stop) if part is not None]
    wide = any(not _simple_bound(part) for part in parts)
    if node.start is not None:
        w.expression(node.start, TEST)
        if wide:
            w.space()
    w.put(":")
    if node.stop is not None:
        if wide:
            w.space()
        w.expression(node.stop, TEST)


def _simple_bound(value: py.Expr) -> bool:
    if isinstance(value, py.Unary):
        return value.operator == "-" and _simple_bound(value.operand)
    return isinstance(value, (py.Name, py.Literal, py.Str, py.FString))


def _call(w: Writer, node: py.Call, bare: bool) -> None:
    w.expression(node.function, PRIMARY)
    opening = w.open("(", "trailer")
    alone = len(node.arguments) == 1 and not node.keywords
    for index, value in enumerate(node.arguments):
        if index:
            w.comma()
        if alone and isinstance(value, py.Comprehension) and value.kind == "generator":
            _clauses(w, value)
        else:
            w.expression(value, bare=alone)
    for index, (name, value) in enumerate(node.keywords):
        if index or node.arguments:
            w.comma()
        w.put(name, role="name").put("=").expression(value)
    w.close(")", opening)


def _binary(w: Writer, node: py.Binary, bare: bool) -> None:
    level = _BINARY[node.operator]
    w.expression(node.left, level)
    w.word(node.operator, before=layout.ARITHMETIC[node.operator], role="operator")
    w.expression(node.right, level + 1)


def _unary(w: Writer, node: py.Unary, bare: bool) -> None:
    if node.operator == "not":
        w.put("not", role="name").space().expression(node.operand, NOT)
    else:
        w.put("-", role="operator").expression(node.operand, FACTOR)


def _logic(w: Writer, node: py.Logic, bare: bool) -> None:
    for index, operand in enumerate(node.operands):
        if index:
            w.word(node.operator, before=layout.LOGIC)
        # Python needs no parentheses for `and` within `or`; a reader does.
        w.expression(operand, NOT)


def _compare(w: Writer, node: py.Compare, bare: bool) -> None:
    w.expression(node.operands[0], BIT_OR)
    for operator, operand in zip(node.operators, node.operands[1:], strict=True):
        first, *rest = operator.split()
        w.word(first, before=layout.COMPARATOR)
        for word in rest:
            w.word(word)
        w.expression(operand, BIT_OR)


def _if_else(w: Writer, node: py.IfElse, bare: bool) -> None:
    opening = None if bare else w.open("", "atom")
    w.expression(node.then, OR)
    w.word("if", before=layout.TERNARY).expression(node.condition, OR)
    w.word("else", before=layout.TERNARY).expression(node.otherwise, TEST)
    if opening is not None:
        w.close("", opening)


def _list(w: Writer, node: py.ListDisplay, bare: bool) -> None:
    opening = w.open("[", "atom")
    w.members(node.items)
    w.close("]", opening)


def _tuple(w: Writer, node: py.TupleDisplay, bare: bool) -> None:
    opening = w.open("(", "atom")
    w.members(node.items)
    if len(node.items) == 1:
        w.put(",")
    w.close(")", opening)


def _dict(w: Writer, node: py.DictDisplay, bare: bool) -> None:
    opening = w.open("{", "atom")
    for index, (key, value) in enumerate(node.entries):
        if index:
            w.comma()
        if key is None:
            w.put("**").expression(value, BIT_OR)
        else:
            w.expression(key, TEST).put(":").space().expression(value, TEST)
    w.close("}", opening)


def _star(w: Writer, node: py.Star, bare: bool) -> None:
    w.put("*").expression(node.value, BIT_OR)


_KINDS = {"list": "[]", "generator": "()", "dict": "{}"}


def _comprehension(w: Writer, node: py.Comprehension, bare: bool) -> None:
    brackets = _KINDS[node.kind]
    left, right = brackets[0], brackets[1]
    opening = w.open(left, "atom")
    _clauses(w, node)
    w.close(right, opening)


def _clauses(w: Writer, node: py.Comprehension) -> None:
    if node.key is not None:
        w.expression(node.key, TEST).put(":").space()
    w.expression(node.element, TEST)
    for clause in node.clauses:
        if isinstance(clause, py.For):
            w.word("for", before=layout.COMPREHENSION, role="for")
            _targets(w, clause.targets)
            w.word("in").expression(clause.source, OR)
        else:
            w.word("if", before=layout.COMPREHENSION).expression(clause, OR)


def _targets(w: Writer, names: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if index:
            w.put(",").space()
        w.put(name, role="name")


def _lambda(w: Writer, node: py.Lambda, bare: bool) -> None:
    w.put("lambda", role="lambda").space()
    for index, name in enumerate(node.parameters):
        if index:
            w.comma()
        w.put(name, role="name")
    w._space = False
    w.put(":").space().expression(node.body, TEST)


_EXPRESSIONS: dict[type[py.Expr], Callable[..., None]] = {
    py.Name: _name,
    py.Literal: _literal,
    py.Str: _str,
    py.FString: _interpolated,
    py.Attribute: _attribute,
    py.Subscript: _subscript,
    py.Slice: _slice,
    py.Call: _call,
    py.Binary: _binary,
    py.Unary: _unary,
    py.Logic: _logic,
    py.Compare: _compare,
    py.IfElse: _if_else,
    py.ListDisplay: _list,
    py.TupleDisplay: _tuple,
    py.DictDisplay: _dict,
    py.Star: _star,
    py.Comprehension: _comprehension,
    py.Lambda: _lambda,
}


# ---------------------------------------------------------------- statements


def _assign(node: py.Assign, depth: int) -> list[str]:
    w = Writer()
    if len(node.targets) > 1:
        opening = w.open("", "atom")
        w.members(node.targets)
        w.close("", opening)
    else:
        w.expression(node.targets[0])
    if node.annotation is not None:
        w.put(":").space()
        if isinstance(node.annotation, py.TupleDisplay):
            w.expression(node.annotation)
        else:
            w.optional(node.annotation)
    if node.value is not None:
        w.word("=").optional(node.value)
    return layout.lay_out(w.tokens, depth)


def _augmented(node: py.AugmentedAssign, depth: int) -> list[str]:
    w = Writer().expression(node.target)
    return layout.lay_out(w.word(node.operator).optional(node.value).tokens, depth)


def _expr(node: py.ExprStatement, depth: int) -> list[str]:
    return layout.lay_out(_tokens(node.value), depth)


def _if(node: py.If, depth: int) -> list[str]:
    lines: list[str] = []
    for index, (condition, body) in enumerate(node.branches):
        w = Writer().word("elif" if index else "if").optional(condition)
        lines += [*layout.lay_out(w.put(":").tokens, depth), *_body(body, depth + 1)]
    if node.otherwise:
        lines += ["    " * depth + "else:", *_body(node.otherwise, depth + 1)]
    return lines


def _for(node: py.ForLoop, depth: int) -> list[str]:
    w = Writer().word("for", role="for")
    opening = w.open("", "atom")
    _targets(w, node.targets)
    w.close("", opening)
    w.word("in").optional(node.source).put(":")
    return [*layout.lay_out(w.tokens, depth), *_body(node.body, depth + 1)]


def _try(node: py.Try, depth: int) -> list[str]:
    indent = "    " * depth
    lines = [indent + "try:", *_body(node.body, depth + 1)]
    for name, body in node.handlers:
        lines += [f"{indent}except {name}:", *_body(body, depth + 1)]
    return lines


def _raise(node: py.Raise, depth: int) -> list[str]:
    w = Writer().word("raise")
    if node.value is not None:
        w.expression(node.value)
    if node.from_none:
        w.word("from").put("None")
    return layout.lay_out(w.tokens, depth)


def _return(node: py.Return, depth: int) -> list[str]:
    w = Writer().word("return")
    if node.value is not None:
        w.optional(node.value)
    return layout.lay_out(w.tokens, depth)


def _word(text: str) -> Callable[[py.Statement, int], list[str]]:
    return lambda node, depth: ["    " * depth + text]


def _comment(node: py.Comment, depth: int) -> list[str]:
    return ["    " * depth + f"# {line}".rstrip() for line in node.lines]


def _docstring(text: str, depth: int) -> list[str]:
    """In triple double quotes; several lines end with the quotes on a line of their own."""
    lines = [_doc_line(line) for line in text.strip().expandtabs(4).split("\n")]
    indent = "    " * depth
    if len(lines) == 1:
        line = lines[0]
        if line.startswith('"'):
            line = " " + line
        if line.endswith('"'):
            line += " "
        return [f'{indent}"""{line}"""']
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line), default=0)
    first = f" {lines[0]}" if lines[0].startswith('"') else lines[0]
    rest = [f"{indent}{line[margin:]}".rstrip() for line in lines[1:]]
    return [f'{indent}"""{first}', *rest, f'{indent}"""']


def _doc_line(line: str) -> str:
    escaped = "".join(
        "\\\\" if char == "\\" else char if char.isprintable() else _escape(char, '"')
        for char in line
    )
    return escaped.rstrip().replace('"""', '\\"\\"\\"')


def _doc(node: py.Docstring, depth: int) -> list[str]:
    return _docstring(node.text, depth)


def _function(node: py.Function, depth: int) -> list[str]:
    lines: list[str] = []
    for decorator in node.decorators:
        lines += layout.lay_out(Writer().put("@").expression(decorator).tokens, depth)
    w = Writer().word("def").put(node.name, role="name")
    opening = w.open("(", "parameters")
    for index, parameter in enumerate(node.parameters):
        if index:
            w.comma()
        if parameter.prefix:
            w.put(parameter.prefix)
        if parameter.name:
            w.put(parameter.name, role="name")
        if parameter.annotation is not None:
            w.put(":").space().annotation(parameter.annotation)
        if parameter.default is not None:
            if parameter.annotation is not None:
                w.word("=").expression(parameter.default)
            else:
                w.put("=").expression(parameter.default)
    w.close(")", opening)
    if node.result is not None:
        w.word("->").optional(node.result)
    return [
        *lines,
        *layout.lay_out(w.put(":").tokens, depth),
        *_body(node.body, depth + 1, in_def=True),
    ]


def _class(node: py.Class, depth: int) -> list[str]:
    w = Writer().word("class").put(node.name, role="name")
    if node.bases or node.keywords:
        opening = w.open("(", "trailer")
        for index, base in enumerate(node.bases):
            if index:
                w.comma()
            w.expression(base)
        for index, (name, value) in enumerate(node.keywords):
            if index or node.bases:
                w.comma()
            w.put(name, role="name").put("=").expression(value)
        w.close(")", opening)
    lines = layout.lay_out(w.put(":").tokens, depth)
    previous: py.Statement | None = None
    for statement in node.body or (py.Pass(),):
        big = isinstance(statement, py.Function)
        if previous is not None and (big or isinstance(previous, (py.Docstring, py.Function))):
            lines.append("")
        lines += print_statement(statement, depth + 1)
        previous = statement
    return lines


def _body(body: py.Block, depth: int, *, in_def: bool = False) -> list[str]:
    """The statements of a block; a function stands apart, but not from a `def` before it."""
    lines: list[str] = []
    previous: py.Statement | None = None
    for statement in body or (py.Pass(),):
        apart = py.Function in (type(statement), type(previous))
        if apart and not (in_def and previous is None):
            lines.append("")
        lines += print_statement(statement, depth)
        previous = statement
    return lines


def _import(node: py.Import, depth: int) -> list[str]:
    return [f"import {node.module}"]


def _import_from(node: py.ImportFrom, depth: int) -> list[str]:
    w = Writer().word("from").put(node.module, role="name").word("import")
    opening = w.open("", "import")
    for index, (name, alias) in enumerate(node.names):
        if index:
            w.comma()
        w.put(name, role="name")
        if alias is not None:
            w.word("as").put(alias, role="name")
    w.close("", opening)
    return layout.lay_out(w.tokens, depth)


def _imports(imports: Sequence[py.Import | py.ImportFrom]) -> list[str]:
    """Sorted as isort sorts: the future, the standard library, the runtime, one's own."""
    lines: list[str] = []
    section = -1
    for node in sorted(imports, key=_import_order):
        if section not in (-1, _section(node.module)):
            lines.append("")
        section = _section(node.module)
        lines += print_statement(node, 0)
    return lines


def _section(module: str) -> int:
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 3
    return 2 if module.split(".", maxsplit=1)[0] == "toolc_runtime" else 1


def _import_order(node: py.Import | py.ImportFrom) -> tuple[int, bool, str, bool, str]:
    plain = isinstance(node, py.Import)
    first = "" if isinstance(node, py.Import) else node.names[0][0]
    aliased = isinstance(node, py.ImportFrom) and node.names[0][1] is not None
    return (_section(node.module), not plain, node.module, not aliased, first)


_STATEMENTS: dict[type[py.Statement], Callable[..., list[str]]] = {
    py.Assign: _assign,
    py.AugmentedAssign: _augmented,
    py.ExprStatement: _expr,
    py.If: _if,
    py.ForLoop: _for,
    py.Try: _try,
    py.Raise: _raise,
    py.Return: _return,
    py.Continue: _word("continue"),
    py.Break: _word("break"),
    py.Pass: _word("pass"),
    py.Blank: lambda node, depth: [""],
    py.Comment: _comment,
    py.Docstring: _doc,
    py.Function: _function,
    py.Class: _class,
    py.Import: _import,
    py.ImportFrom: _import_from,
}
