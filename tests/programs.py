"""Random well-typed programs: specs with one tool `run(key, n, xs)` over a small state."""

from __future__ import annotations

from random import Random

HEAD = """toolc 1
environment sample "Random programs."
record Row { name: str, n: int, tags: list[str] = [], counts: dict[str, int] = {}, note?: str }
table rows[name]: Row = [
  {name: "a", n: 3, tags: ["x"], counts: {"a": 1, "c": 5}, note: "first"},
  {name: "b", n: -2, tags: [], counts: {}},
  {name: "c", n: 3, tags: ["y", "x"], counts: {"b": 2}},
]
state total: int = 0
state scores: dict[str, int] = {"a": 1, "b": 7}
state log: list[int] = [4]
state held: Row? = null
state kept: Row? = {name: "k", n: 5, counts: {"a": 2}}
const weights = {"a": 1, "b": 2, "c": 3}
fn twice(x: int) -> int { return x * 2 }
fn label(row: Row, suffix: str = "!") -> str { return row.name + suffix }
fn row_of(key: str) -> Row? { return rows[key] ?? null }
fn bounded(x: int) -> int {
  require x < 40 else fail {error: "too large", x: x}
  return x
}
proc bump(by: int) -> int {
  total += by
  return total
}
"""


class Program:
    """The text of one spec, made from random choices."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.count = 0
        self.names: dict[str, list[str]] = {
            "int": ["n", "total"],
            "str": ["key"],
            "list": ["xs", "log"],
            "row": [],
        }
        self.variables: dict[str, list[str]] = {"int": [], "list": [], "dict": [], "str": []}
        self.loops = 0
        body = self.block(random.randint(2, 6), 2)
        shown = ", ".join(f"{name}: {name}" for name in self.outer)
        self.text = (
            HEAD
            + "tool run(key: str, n: int, xs: list[int]) -> json {\n"
            + body
            + f"  return {{n: n, {shown}}}\n}}\n".replace(", }", "}")
        )

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    # ------------------------------------------------------------ expressions

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def number(self, depth: int) -> str:
        r = self.random
        if depth <= 0 or r.random() < 0.25:
            known = r.choice(self.names["int"] + self.variables["int"])
            return r.choice([str(r.randint(-3, 9)), known, known])
        d = depth - 1
        kind = r.randrange(27)
        match kind:
            case 0:
                return f"({self.number(d)} {self.pick('+', '-', '*')} {self.number(d)})"
            case 1:
                return f"({self.number(d)} {self.pick('//', '%')} (n + {self.number(d)}))"
            case 2:
                return f"{self.pick('twice', 'bounded')}({self.number(d)})"
            case 3:
                return f"bump({self.number(d)})"
            case 4:
                return f"(if {self.truth(d)} then {self.number(d)} else {self.number(d)})"
            case 5:
                return f"(rows[{self.word(d)}].n ?? {self.number(d)})"
            case 6:
                return f"rows[{self.word(d)}].n"
            case 7:
                return f"(xs[{self.number(d)}] ?? {self.number(d)})"
            case 8:
                return f"{self.pick('xs', 'log')}[{self.number(d)}]"
            case 9:
                return f"(scores[{self.word(d)}] ?? {self.number(d)})"
            case 10:
                return f"weights[{self.word(d)}]"
            case 11:
                path = f"rows[{self.word(d)}].counts[{self.word(d)}]"
                return f"({path} ?? scores[{self.word(d)}] ?? {self.number(d)})"
            case 12:
                return f"(rows[{self.word(d)}].n else fail {self.word(d)})"
            case 13:
                return (
                    f"(rows[{self.word(d)}].n ?? scores[{self.word(d)}] else fail {self.word(d)})"
                )
            case 14:
                return f"(first({self.members(d)}) else fail {self.word(d)})"
            case 15:
                return f"sum({self.over(d, self.number)})"
            case 16:
                return f"len({self.members(d)})"
            case 17:
                return f"abs({self.number(d)})"
            case 18:
                return f"last({self.members(d)})"
            case 19:
                ending = self.pick("", " else fail key")
                return (
                    f"({self.pick('first', 'last')}({self.members(d)}) ?? {self.number(d)}{ending})"
                )
            case 20:
                path = f"first(r for r in rows if r.n > {self.number(d)})"
                link = self.pick(".n", f".counts[{self.word(d)}]")
                return f"({path}{link} ?? {self.number(d)})"
            case 21:
                return f"({self.pick('first', 'last')}(log) ?? scores[{self.word(d)}] ?? n)"
            case 22:
                text = self.pick('"7"', '"true"', '"[7"', "key", self.word(d))
                return f"(parse_json({text}, int) ?? {self.number(d)})"
            case 23:
                more = self.pick("", r", \"counts\": {{\"a\": 3}}", r", \"x\": 1")
                row = r'parse_json("{{\"name\": \"a\", \"n\": 4' + more + '}}", Row)'
                return f"({row}{self.pick('.n', '.counts[key]')} ?? {self.number(d)})"
            case 24:
                base = self.pick("held", "kept", f"row_of({self.word(d)})")
                path = base + self.pick(".n", f".counts[{self.word(d)}]")
                return self.pick(f"({path} ?? {self.number(d)})", f"({path} else fail key)")
            case 25:
                either = f"rows[{self.word(d)}] ?? {self.pick('held', 'kept', 'rows[key]')}"
                return f"(({either}).n ?? {self.number(d)})"
            case _:
                return f"(-{self.number(d)})"

    def truth(self, depth: int) -> str:
        r = self.random
        d = depth - 1
        if depth <= 0:
            return f"{self.number(0)} {self.pick('<', '<=', '==', '!=', '>')} {self.number(0)}"
        match r.randrange(9):
            case 0:
                return f"({self.truth(d)} {self.pick('and', 'or')} {self.truth(d)})"
            case 1:
                return f"(not {self.truth(d)})"
            case 2:
                return f"({self.word(d)} {self.pick('in', 'not in')} {self.pick('rows', 'scores')})"
            case 3:
                return f"({self.number(d)} {self.pick('in', 'not in')} {self.members(d)})"
            case 4:
                return f"({self.word(d)} == {self.word(d)})"
            case 5:
                return f"{self.pick('any', 'all')}({self.over(d, self.truth)})"
            case 6:
                return f"({self.number(d)} <= {self.number(d)} < {self.number(d)})"
            case 7:
                return f"absent(rows[{self.word(d)}].note)"
            case _:
                return f"({self.number(d)} {self.pick('<', '==', '>=')} {self.number(d)})"

    def word(self, depth: int) -> str:
        r = self.random
        if depth <= 0 or r.random() < 0.4:
            return r.choice(
                ['"a"', '"b"', '"c"', '"zz"', *self.names["str"], *self.variables["str"]]
            )
        d = depth - 1
        match r.randrange(7):
            case 0:
                return f'"<{{{self.single(self.number(d))}}}>"'
            case 1:
                return f'"{{{self.single(self.truth(0))}}} {{{self.single(self.word(0))}}}"'
            case 2:
                return f"({self.word(d)} + {self.word(d)})"
            case 3:
                return f"{self.pick('lower', 'upper')}({self.word(d)})"
            case 4:
                return f"(rows[{self.word(d)}].note ?? {self.word(d)})"
            case 5:
                return f"label(rows[{self.word(d)}])"
            case _:
                return f"(rows[{self.word(d)}].note else fail {self.word(d)})"

    def single(self, text: str) -> str:
        """An expression fit for a hole: strings in single quotes, none nested."""
        return "n" if "{" in text else text.replace('"', "'")

    def members(self, depth: int) -> str:
        r = self.random
        if depth <= 0 or r.random() < 0.3:
            return r.choice([*self.names["list"], *self.variables["list"]])
        d = depth - 1
        match r.randrange(8):
            case 0:
                return f"[{self.number(d)}, {self.number(d)}]"
            case 6:
                text = self.pick('"[1, 2]"', '"[1, true]"', '"[]"', "key")
                return f"(parse_json({text}, list[int]) ?? {self.members(d)})"
            case 1:
                return f"[{self.over(d, self.number)}]"
            case 2:
                over, name = self.named(d, self.number)
                return f"sorted({over} by {name}{self.pick(' desc', '')}, {self.number(0)})"
            case 3:
                return f"({self.members(d)} + {self.members(d)})"
            case 4:
                return f"{self.pick('xs', 'log')}[{self.number(0)}:{self.number(0)}]"
            case 5:
                return f"take({self.members(d)}, {self.number(0)})"
            case _:
                return f"[r.n for r in rows if r.n > {self.number(d)}]"

    def over(self, depth: int, element: object) -> str:
        return self.named(depth, element)[0]

    def named(self, depth: int, element: object) -> tuple[str, str]:
        """A comprehension's inside, and its variable."""
        name = self.fresh()
        source = self.members(depth - 1)
        self.names["int"].append(name)
        value = element(depth - 1)  # type: ignore[operator]
        condition = f" if {self.truth(depth - 1)}" if self.random.random() < 0.6 else ""
        self.names["int"].remove(name)
        return f"{value} for {name} in {source}{condition}", name

    # ------------------------------------------------------------ statements

    def block(self, size: int, depth: int) -> str:
        saved = {kind: list(names) for kind, names in self.names.items()}
        kept = {kind: list(names) for kind, names in self.variables.items()}
        lines = "".join(f"  {self.statement(depth)}\n" for _ in range(size))
        self.outer = [
            name
            for kinds, before in ((self.names, saved), (self.variables, kept))
            for kind, names in kinds.items()
            for name in names
            if name not in before[kind]
        ]
        self.names, self.variables = saved, kept
        return lines

    def statement(self, depth: int) -> str:
        r = self.random
        kind = r.randrange(22)
        name = self.fresh()
        match kind:
            case 0 | 1:
                text = f"let {name} = {self.number(3)}"
                self.names["int"].append(name)
            case 2:
                text = f"let {name} = {self.word(2)}"
                self.names["str"].append(name)
            case 3:
                text = f"let {name} = {self.members(2)}"
                self.names["list"].append(name)
            case 4:
                text = f"var {name}: int = {self.number(2)}"
                self.variables["int"].append(name)
            case 5:
                text = f"var {name}: list[int] = {self.pick('[]', self.members(1))}"
                self.variables["list"].append(name)
            case 6:
                text = f"var {name}: dict[str, int] = {self.pick('{}', 'scores')}"
                self.variables["dict"].append(name)
            case 7 | 8 if depth > 0:
                text = f"if {self.truth(2)} {{\n{self.block(r.randint(1, 3), depth - 1)}}}"
                if r.random() < 0.5:
                    text += f" else if {self.truth(2)} {{\n{self.block(1, depth - 1)}}}"
                if r.random() < 0.5:
                    text += f" else {{\n{self.block(1, depth - 1)}}}"
            case 9 | 10 if depth > 0:
                text = self.loop(name, depth)
            case 11 if self.variables["int"]:
                operator = self.pick("=", "+=", "-=", "*=")
                text = f"{r.choice(self.variables['int'])} {operator} {self.number(2)}"
            case 12 if self.variables["list"]:
                text = f"append {self.number(2)} to {r.choice(self.variables['list'])}"
            case 13 if self.variables["dict"]:
                text = f"{r.choice(self.variables['dict'])}[{self.word(2)}] = {self.number(2)}"
            case 14 if self.variables["list"]:
                text = f"{r.choice(self.variables['list'])}[{self.number(1)}] = {self.number(2)}"
            case 15:
                text = f"rows[{self.word(1)}].n {self.pick('=', '+=')} {self.number(2)}"
            case 16:
                text = f"append {self.word(2)} to rows[{self.word(1)}].tags"
            case 17:
                text = f"rows[{self.word(1)}].counts[{self.word(1)}] = {self.number(2)}"
            case 18:
                text = f"scores[{self.word(1)}] = {self.number(2)}"
            case 19:
                text = f"append {self.number(1)} to log"
            case 20:
                new = f"{{name: {self.word(1)}, n: {self.number(2)}, tags: [], counts: {{}}}}"
                text = self.pick(
                    f"insert {new} into rows",
                    f"delete rows[{self.word(1)}]",
                    f"delete rows[{self.word(1)}].note",
                )
            case 21:
                error = self.pick(self.word(1), f"{{code: {self.number(1)}}}")
                text = f"require {self.truth(2)} else fail {error}"
            case _:
                text = f"total += {self.number(2)}"
        return text

    def loop(self, name: str, depth: int) -> str:
        r = self.random
        kind = r.randrange(3)
        condition = f" if {self.truth(1)}" if r.random() < 0.4 else ""
        if kind == 0:
            head = f"for {name} in {self.members(1)}"
            self.names["int"].append(name)
        elif kind == 1:
            head = f"for {name} in rows"
            self.names["int"].append(f"{name}.n")
        else:
            other = self.fresh()
            head = f"for {name}, {other} in scores"
            self.names["str"].append(name)
            self.names["int"].append(other)
        self.loops += 1
        body = self.block(r.randint(1, 3), depth - 1)
        if r.random() < 0.3:
            body += f"  if {self.truth(1)} {{ {self.pick('continue', 'break')} }}\n"
        self.loops -= 1
        for kinds in self.names.values():
            for known in (name, f"{name}.n"):
                if known in kinds:
                    kinds.remove(known)
        if kind == 2:
            self.names["int"].remove(other)
        return f"{head}{condition} {{\n{body}}}"
