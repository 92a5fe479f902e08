"""Checks compiled from JSON Schema (a subset of 2020-12) that also convert to runtime values.

`compile_schema(schema)` gives a checker: `check(value, path, problems)` gives the converted value
and appends a `Problem` for each thing that is wrong. It accepts exactly what a 2020-12 validator
accepts that asserts the formats `date`, `time-local`, `date-time-local`, `duration` and `decimal`,
with three differences: `pattern` is matched as `toolc_runtime.patterns` says, an integral float
beyond 64 bits is no integer, and `minimum` and its kin hold for the number that a text of the
format `decimal` stands for.

Conversions: `2.0` becomes `2` where an integer is expected and `2` becomes `2.0` where a number is;
texts of the formats above become dates, times, durations and decimals, also in the keys of a
dict by `propertyNames`, where the format `integer` gives integers; absent properties that have
a `default` are filled in. A value that needs no conversion is given back as it is.

Keywords: type, enum, const, properties, required, additionalProperties, propertyNames, items,
minItems, maxItems, uniqueItems, minLength, maxLength, pattern, format, minimum, maximum,
exclusiveMinimum, exclusiveMaximum, multipleOf, minProperties, maxProperties, anyOf, oneOf,
$ref to `#` and `#/$defs/…`, $defs, default; annotations are ignored, others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from toolc_runtime.budget import MAX_INT, MIN_INT
from toolc_runtime.errors import Malformed, SchemaError
from toolc_runtime.patterns import compile_pattern
from toolc_runtime.values import FORMATS, equal, frozen, quote

Path = tuple[Any, ...]
"""`()` or `(parent path, key)`: linked, so that a member's path costs one small tuple."""


class Problem(NamedTuple):
    """What is wrong at a place of a value; `path` is a JSON pointer, empty for the whole."""

    path: str
    message: str


Problems = list[Problem]
Check = Callable[[Any, Path, Problems], Any]
Schema = Mapping[str, Any] | bool

_MAX_PROBLEMS = 20
_ANNOTATIONS = frozenset(
    (
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "title",
        "description",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "default",
    )
)
_NAMES = {
    "null": "null",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "string": "a text",
    "array": "a list",
    "object": "an object",
}
_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
MISSING: Any = type("Missing", (), {"__slots__": (), "__repr__": lambda self: "MISSING"})()


def pointer(path: Path) -> str:
    """The JSON pointer of a linked path."""
    parts: list[str] = []
    while path:
        path, key = path
        parts.append(str(key).replace("~", "~0").replace("/", "~1"))
    return "".join("/" + part for part in reversed(parts))


def report(problems: Problems, path: Path, message: str) -> None:
    """Append a problem, unless there are enough already."""
    if len(problems) < _MAX_PROBLEMS:
        problems.append(Problem(pointer(path), message))


def summary(problems: Problems, whole: str) -> str:
    """The first problem and how many more there are; `whole` names the value itself."""
    path, message = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"`{path[1:] or whole}` {message}{more}"


def compile_schema(schema: Schema, definitions: Mapping[str, Schema] | None = None) -> Check:
    """The checker of a schema; `definitions` serve `$ref` beside the schema's own `$defs`.

    SchemaError where the schema is outside the subset, refers to nothing or to itself alone, or
    has a default that it does not accept.
    """
    return Compiler(definitions or {}).root(schema)


class Parameters(NamedTuple):
    """The compiled check of a tool's arguments."""

    names: tuple[str, ...]
    check: Callable[[dict[str, Any], Problems], list[Any]]
    """Appends problems and fills in defaults; the values in schema order, None for absent ones."""


def compile_parameters(
    schema: Mapping[str, Any], definitions: Mapping[str, Schema] | None = None
) -> Parameters:
    """The check of a `parameters` schema, for positional calls; SchemaError as `compile_schema`."""
    compiler = Compiler({**(definitions or {}), **schema.get("$defs", {})})
    properties: Mapping[str, Schema] = schema.get("properties", {})
    required = frozenset(schema.get("required", ()))
    allowed = _ANNOTATIONS.union(("type", "properties", "required", "additionalProperties"))
    if (
        schema.get("type") != "object"
        or not allowed.issuperset(schema)
        or required - properties.keys()
    ):
        raise SchemaError("parameters must be an object schema with named properties")
    extra = schema.get("additionalProperties", True)
    members = [
        (
            name,
            _exact(item),
            compiler.compile(item),
            ((), name),
            name in required,
            _default_of(item),
        )
        for name, item in properties.items()
    ]
    compiler.finish()
    members = [
        (
            name,
            exact,
            check,
            path,
            needed,
            MISSING if default is MISSING else _converted(check, default),
        )
        for name, exact, check, path, needed, default in members
    ]

    def check_all(arguments: dict[str, Any], problems: Problems) -> list[Any]:
        values: list[Any] = []
        found = 0
        for name, exact, check, path, needed, default in members:
            value = arguments.get(name, MISSING)
            if value is MISSING:
                if needed:
                    report(problems, path, "is required")
                    values.append(None)
                elif default is MISSING:
                    values.append(None)
                else:
                    values.append(default)
            else:
                found += 1
                if type(value) is not exact:
                    value = arguments[name] = check(value, path, problems)
                values.append(value)
        if found != len(arguments) and extra is not True:
            _report_extra(arguments, properties, problems)
        for name, _, _, _, _, default in defaulted:
            arguments.setdefault(name, default)
        return values

    def _report_extra(
        given: dict[str, Any], known: Mapping[str, Schema], problems: Problems
    ) -> None:
        for name in given:
            if name not in known:
                report(problems, ((), name), _unexpected(known))

    if extra not in (True, False):
        raise SchemaError("parameters take no further properties")
    defaulted = [member for member in members if member[5] is not MISSING]
    return Parameters(tuple(properties), check_all)


def _exact(schema: Schema) -> type | None:
    """The type that alone makes a value right and in need of no conversion, where there is one."""
    if isinstance(schema, bool) or not _ANNOTATIONS.union(("type",)).issuperset(schema):
        return None
    plain: dict[Any, type] = {"string": str, "integer": int, "number": float, "boolean": bool}
    kind = schema.get("type")
    return plain.get(kind) if isinstance(kind, str) else None


def _default_of(schema: Schema) -> Any:
    return MISSING if isinstance(schema, bool) else schema.get("default", MISSING)


def _converted(check: Check, default: Any) -> Any:
    problems: Problems = []
    value = check(default, (), problems)
    if problems:
        raise SchemaError(f"the default {quote(default)} is not accepted: {problems[0].message}")
    return value


def _unexpected(known: Mapping[str, Any]) -> str:
    return (
        f"is not expected, the names are {', '.join(known)}"
        if known
        else "is not expected, there are no names"
    )


def _kinds(schema: Mapping[str, Any]) -> frozenset[str] | None:
    given = schema.get("type")
    if given is None:
        return None
    kinds = frozenset([given] if isinstance(given, str) else given)
    if not kinds or not kinds <= _NAMES.keys():
        raise SchemaError(f"unknown type {quote(given)}")
    return kinds


class Compiler:
    """Compiles schemas that share definitions; `finish` once all are compiled."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions: dict[str, Schema] = dict(definitions)
        self.compiled: dict[str, Check] = {}
        self.pending: list[Callable[[], None]] = []

    def root(self, schema: Schema) -> Check:
        """Compile a whole schema, which `#` refers to."""
        if not isinstance(schema, bool):
            self.definitions = {**self.definitions, **schema.get("$defs", {})}
        self.definitions["#"] = schema
        check = self.compile({"$ref": "#"})
        self.finish()
        return check

    def finish(self) -> None:
        """Convert the defaults, which may be of types that were compiled after them."""
        while self.pending:
            self.pending.pop()()

    def compile(self, schema: Schema) -> Check:
        """The checker of a schema; usable after `finish`."""
        if schema is True:
            return _anything
        if schema is False:
            return _nothing
        if not isinstance(schema, Mapping):
            raise SchemaError(f"{quote(schema)} is not a schema")
        unknown = schema.keys() - _KEYWORDS - _ANNOTATIONS
        if unknown:
            raise SchemaError(f"unknown keyword `{min(unknown)}`")
        checks = [
            check
            for check in (
                self._members(schema),
                self._reference(schema),
                self._alternatives(schema, "anyOf"),
                self._alternatives(schema, "oneOf"),
            )
            if check is not None
        ]
        return checks[0] if len(checks) == 1 else _all_of(tuple(checks))

    # -- references and alternatives

    def _reference(self, schema: Mapping[str, Any]) -> Check | None:
        target = schema.get("$ref")
        if target is None:
            return None
        name = self._name(target)
        if name not in self.compiled:
            self._refuse_loop(name)
            self.compiled[name] = lambda value, path, problems: compiled[name](
                value, path, problems
            )
            compiled = self.compiled
            compiled[name] = self.compile(self.definitions[name])
        return self.compiled[name]

    def _name(self, target: Any) -> str:
        name = target.removeprefix("#/$defs/") if isinstance(target, str) else ""
        name = name.replace("~1", "/").replace("~0", "~")
        if name not in self.definitions:
            raise SchemaError(f"$ref {quote(target)} refers to nothing")
        return name

    def _refuse_loop(self, name: str) -> None:
        seen: set[str] = set()
        todo: list[Schema] = [self.definitions[name]]
        while todo:
            schema = todo.pop()
            if isinstance(schema, bool):
                continue
            todo.extend([*schema.get("anyOf", ()), *schema.get("oneOf", ())])
            if "$ref" in schema:
                target = self._name(schema["$ref"])
                if target == name:
                    raise SchemaError(f"`{name}` refers to itself alone")
                if target not in seen:
                    seen.add(target)
                    todo.append(self.definitions[target])

    def _resolved(self, schema: Schema) -> Schema:
        seen: set[str] = set()
        while not isinstance(schema, bool) and "$ref" in schema and schema["$ref"] not in seen:
            seen.add(schema["$ref"])
            schema = self.definitions[self._name(schema["$ref"])]
        return schema

    def _alternatives(self, schema: Mapping[str, Any], keyword: str) -> Check | None:
        branches = schema.get(keyword)
        if branches is None:
            return None
        if not isinstance(branches, list) or not branches:
            raise SchemaError(f"{keyword} must be a list of schemas")
        checks = tuple(self.compile(branch) for branch in branches)
        objects = [self._resolved(branch) for branch in branches]
        nullable = [
            check for check, item in zip(checks, objects, strict=True) if not _is_null(item)
        ]
        tag = _tag([item for item in objects if not _is_null(item)])
        if tag is not None:
            return _tagged(
                tag,
                dict(zip(_tags(objects, tag), nullable, strict=True)),
                len(nullable) < len(checks),
            )
        return _one_of(checks, nullable, exactly=keyword == "oneOf")

    # -- one schema's own keywords

    def _members(self, schema: Mapping[str, Any]) -> Check | None:
        kinds = _kinds(schema)
        if kinds is None and not schema.keys() - _ANNOTATIONS - {"$ref", "anyOf", "oneOf"}:
            return None if schema.keys() & {"$ref", "anyOf", "oneOf"} else _anything
        refinements = {
            kind: tuple(
                check
                for keyword, make in _REFINEMENTS[kind].items()
                if keyword in schema and (check := make(schema[keyword])) is not None
            )
            for kind in _REFINEMENTS
        }
        to_float = kinds is not None and "number" in kinds and "integer" not in kinds
        to_int = kinds is not None and "integer" in kinds and "number" not in kinds
        number = _number(refinements["number"], to_float, to_int)
        form = schema.get("format")
        bounds = _bounds(schema) if form == "decimal" else ()
        by_type: dict[type, Check] = {
            type(None): _anything,
            bool: _anything,
            int: number,
            float: number,
            str: _text(refinements["string"], form, bounds),
            list: self._list(schema, refinements["array"]),
            dict: self._object(schema, refinements["object"]),
        }
        if kinds is not None:
            wrong = _wrong_type(kinds)
            for kind, name in _TYPES.items():
                fits = name in kinds or (name == "integer" and "number" in kinds)
                if not fits and not (kind is float and "integer" in kinds):
                    by_type[kind] = wrong
            if "number" not in kinds and "integer" in kinds:
                by_type[float] = _integral(number, wrong)
        members = _members_of(schema)
        if members is not None:
            return _member(members, by_type)
        if kinds is not None and len(kinds) == 1:
            return _single(kinds, by_type)
        return lambda value, path, problems: by_type[type(value)](value, path, problems)

    def _list(self, schema: Mapping[str, Any], refinements: tuple[Refinement, ...]) -> Check:
        item = self.compile(schema.get("items", True))
        if item is _anything:
            return _refined(refinements) if refinements else _anything

        def check(value: list[Any], path: Path, problems: Problems) -> Any:
            made = [item(each, (path, index), problems) for index, each in enumerate(value)]
            for refine in refinements:
                refine(value, path, problems)
            return value if all(map(_is, value, made)) else made

        return check

    def _object(self, schema: Mapping[str, Any], refinements: tuple[Refinement, ...]) -> Check:
        properties = {
            name: self.compile(item) for name, item in schema.get("properties", {}).items()
        }
        required = tuple(schema.get("required", ()))
        extra = schema.get("additionalProperties", True)
        other = self.compile(extra)
        rename = (
            self.compile({"type": "string", **schema["propertyNames"]})
            if "propertyNames" in schema
            else None
        )
        if rename is not None and schema["propertyNames"].get("format") == "integer":
            rename = _integer_key
        defaults: dict[str, Any] = {}
        for name, item in schema.get("properties", {}).items():
            default = _default_of(item)
            if default is not MISSING and name not in required:
                defaults[name] = default
                self.pending.append(_later(defaults, name, properties[name]))
        if not (properties or required or refinements or rename) and other is _anything:
            return _anything

        def check(value: dict[str, Any], path: Path, problems: Problems) -> Any:
            changed = False
            made: dict[Any, Any] = {}
            for name, item in value.items():
                member = properties.get(name)
                if member is not None:
                    new = member(item, (path, name), problems)
                elif extra is False:
                    report(problems, (path, name), _unexpected(properties))
                    continue
                else:
                    new = other(item, (path, name), problems)
                key = name if rename is None else rename(name, (path, name), problems)
                if new is not item or key is not name:
                    changed = True
                made[key] = new
            for name in required:
                if name not in value:
                    report(problems, (path, name), "is required")
            for refine in refinements:
                refine(value, path, problems)
            for name, default in defaults.items():
                if name not in value:
                    made[name] = default
                    changed = True
            return made if changed else value

        return check


# ---------------------------------------------------------------- checkers


def _anything(value: Any, path: Path, problems: Problems) -> Any:
    return value


def _nothing(value: Any, path: Path, problems: Problems) -> Any:
    report(problems, path, "is not expected")
    return value


def _is(left: object, right: object) -> bool:
    return left is right


def _all_of(checks: tuple[Check, ...]) -> Check:
    def check(value: Any, path: Path, problems: Problems) -> Any:
        result = value
        for each in checks:
            converted = each(value, path, problems)
            if converted is not value:
                result = converted
        return result

    return check


def _wrong_type(kinds: frozenset[str]) -> Check:
    expected = " or ".join(name for kind, name in _NAMES.items() if kind in kinds)

    def check(value: Any, path: Path, problems: Problems) -> Any:
        report(problems, path, f"expected {expected}, found {quote(value)}")
        return value

    return check


def _single(kinds: frozenset[str], by_type: dict[type, Check]) -> Check:
    """One type: the common case is told without a lookup."""
    (name,) = kinds
    expected = next(kind for kind, known in _TYPES.items() if known == name)
    accept = by_type[expected]

    def check(value: Any, path: Path, problems: Problems) -> Any:
        if type(value) is expected:
            return accept(value, path, problems)
        return by_type[type(value)](value, path, problems)

    return check


def _member(members: dict[Any, Any], by_type: dict[type, Check]) -> Check:
    """An enum: the value becomes the member that it equals, then meets the other keywords."""

    def check(value: Any, path: Path, problems: Problems) -> Any:
        key = frozen(value)
        if key not in members:
            report(problems, path, _not_member(value, list(members.values())))
            return value
        value = members[key]
        return by_type[type(value)](value, path, problems)

    return check


def _integral(number: Check, wrong: Check) -> Check:
    def check(value: float, path: Path, problems: Problems) -> Any:
        return (number if value.is_integer() else wrong)(value, path, problems)

    return check


def _number(refinements: tuple[Refinement, ...], to_float: bool, to_int: bool) -> Check:
    if not refinements and not to_float and not to_int:
        return _anything

    def check(value: int | float, path: Path, problems: Problems) -> Any:
        for refine in refinements:
            refine(value, path, problems)
        if to_float:
            return value if type(value) is float else float(value)
        if to_int and type(value) is float:
            if not MIN_INT <= value <= MAX_INT:
                report(problems, path, "is an integer beyond 64 bits")
                return value
            return int(value)
        return value

    return check


def _bounds(schema: Mapping[str, Any]) -> tuple[Refinement, ...]:
    """What a schema asks of a number, for decimals, which floats do not compare with exactly."""
    made = (
        make(Decimal(str(schema[keyword])))
        for keyword, make in _REFINEMENTS["number"].items()
        if keyword in schema
    )
    return tuple(refine for refine in made if refine is not None)


def _text(refinements: tuple[Refinement, ...], form: Any, bounds: tuple[Refinement, ...]) -> Check:
    read = FORMATS.get(form) if isinstance(form, str) else None
    if read is None:
        return _refined(refinements) if refinements else _anything

    def check(value: str, path: Path, problems: Problems) -> Any:
        for refine in refinements:
            refine(value, path, problems)
        try:
            made = read(value)
        except Malformed as error:
            report(problems, path, str(error))
            return value
        for refine in bounds:
            refine(made, path, problems)
        return made

    return check


def _refined(refinements: tuple[Refinement, ...]) -> Check:
    def check(value: Any, path: Path, problems: Problems) -> Any:
        for refine in refinements:
            refine(value, path, problems)
        return value

    return check


_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")


def _integer_key(value: str, path: Path, problems: Problems) -> Any:
    if _INTEGER.fullmatch(value) and MIN_INT <= int(value) <= MAX_INT:
        return int(value)
    report(problems, path, f"the key {quote(value)} is not an integer")
    return value


def _members_of(schema: Mapping[str, Any]) -> dict[Any, Any] | None:
    values = schema.get("enum")
    if "const" in schema:
        const = schema["const"]
        values = [const] if values is None else [value for value in values if equal(value, const)]
    return None if values is None else {frozen(value): value for value in values}


def _not_member(value: Any, members: list[Any]) -> str:
    allowed = " or ".join(quote(member, 40) for member in members[:20])
    more = f" and {len(members) - 20} more" if len(members) > 20 else ""
    return f"expected {allowed or 'nothing'}{more}, found {quote(value)}"


def _later(defaults: dict[str, Any], name: str, check: Check) -> Callable[[], None]:
    def convert() -> None:
        defaults[name] = _converted(check, defaults[name])

    return convert


# ---------------------------------------------------------------- alternatives


def _is_null(schema: Schema) -> bool:
    return not isinstance(schema, bool) and schema.get("type") == "null" and len(schema) == 1


def _tag(objects: list[Schema]) -> str | None:
    """The property that tells the cases of a union apart, where there is one."""
    if len(objects) < 2 or not all(
        isinstance(item, Mapping) and item.get("type") == "object" for item in objects
    ):
        return None
    first = objects[0]
    for name in first.get("properties", {}) if isinstance(first, Mapping) else ():
        tags = _tags(objects, name)
        if all(isinstance(tag, str) for tag in tags) and len(set(tags)) == len(objects):
            return str(name)
    return None


def _tags(objects: list[Schema], name: str) -> list[Any]:
    tags = []
    for item in objects:
        if isinstance(item, bool) or _is_null(item):
            continue
        member = item.get("properties", {}).get(name)
        known = isinstance(member, Mapping) and name in item.get("required", ())
        tags.append(_only(member) if known and isinstance(member, Mapping) else None)
    return tags


def _only(schema: Mapping[str, Any]) -> Any:
    """The one value that a schema allows, where it says so."""
    values = schema.get("enum", ())
    return values[0] if len(values) == 1 else schema.get("const")


def _tagged(tag: str, cases: dict[Any, Check], nullable: bool) -> Check:
    names = " or ".join(quote(case) for case in cases)

    def check(value: Any, path: Path, problems: Problems) -> Any:
        if value is None and nullable:
            return value
        if type(value) is not dict:
            report(problems, path, f"expected an object, found {quote(value)}")
            return value
        name = value.get(tag, MISSING)
        case = cases.get(name) if type(name) is str else None
        if case is not None:
            return case(value, path, problems)
        found = "is required" if name is MISSING else f"expected {names}, found {quote(name)}"
        report(problems, (path, tag), found)
        return value

    return check


def _one_of(checks: tuple[Check, ...], shown: list[Check], exactly: bool) -> Check:
    def check(value: Any, path: Path, problems: Problems) -> Any:
        matches = 0
        result = value
        for each in checks:
            found: Problems = []
            converted = each(value, path, found)
            if not found:
                matches += 1
                if matches == 1:
                    result = converted
                if not exactly:
                    return result
        if matches == 1:
            return result
        if matches:
            report(problems, path, f"{quote(value)} matches {matches} of the alternatives, not one")
        elif len(shown) == 1:
            shown[0](value, path, problems)
        else:
            report(problems, path, f"{quote(value)} matches none of the {len(checks)} alternatives")
        return value

    return check


# ---------------------------------------------------------------- refinements

Refinement = Callable[[Any, Path, Problems], None]


def _refinement(accepts: Callable[[Any], bool], message: str) -> Refinement:
    def check(value: Any, path: Path, problems: Problems) -> None:
        if not accepts(value):
            report(problems, path, f"{quote(value)} {message}")

    return check


def _multiple(value: Any, of: int | float | Decimal) -> bool:
    if isinstance(of, Decimal):
        return Fraction(value) % Fraction(of) == 0
    if isinstance(of, float):
        quotient: float = value / of
        try:
            return int(quotient) == quotient
        except OverflowError:
            return Fraction(value) % Fraction(of) == 0
    return not value % of


def _distinct(values: list[Any]) -> bool:
    return len({frozen(value) for value in values}) == len(values)


_REFINEMENTS: dict[str, dict[str, Callable[[Any], Refinement | None]]] = {
    "number": {
        "minimum": lambda n: _refinement(lambda value: value >= n, f"is less than {n}"),
        "maximum": lambda n: _refinement(lambda value: value <= n, f"is more than {n}"),
        "exclusiveMinimum": lambda n: _refinement(lambda value: value > n, f"is not more than {n}"),
        "exclusiveMaximum": lambda n: _refinement(lambda value: value < n, f"is not less than {n}"),
        "multipleOf": lambda n: _refinement(
            lambda value: _multiple(value, n), f"is not a multiple of {n}"
        ),
    },
    "string": {
        "minLength": lambda n: _refinement(
            lambda value: len(value) >= n, f"has fewer than {n} characters"
        ),
        "maxLength": lambda n: _refinement(
            lambda value: len(value) <= n, f"has more than {n} characters"
        ),
        "pattern": lambda text: _refinement(
            compile_pattern(text).search, f"does not match the pattern `{text}`"
        ),
    },
    "array": {
        "minItems": lambda n: _refinement(
            lambda value: len(value) >= n, f"has fewer than {n} items"
        ),
        "maxItems": lambda n: _refinement(
            lambda value: len(value) <= n, f"has more than {n} items"
        ),
        "uniqueItems": lambda on: _refinement(_distinct, "has an item twice") if on else None,
    },
    "object": {
        "minProperties": lambda n: _refinement(
            lambda value: len(value) >= n, f"has fewer than {n} entries"
        ),
        "maxProperties": lambda n: _refinement(
            lambda value: len(value) <= n, f"has more than {n} entries"
        ),
    },
}
_KEYWORDS = frozenset(
    (
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "propertyNames",
        "items",
        "format",
        "anyOf",
        "oneOf",
        "$ref",
    )
).union(*_REFINEMENTS.values())
