"""Function schemas, as they are published, to declared tools and the types that they need.

What emission would write of the types means what was published, but where a note says otherwise:
a constraint that the language cannot say is left out, a type that it cannot say becomes `json`.
Little comes out narrower than JSON Schema has it: a tool takes the parameters that it names and
no others, `properties` without a `type` are those of an object, formats that the language has
types for are held to, and the cases of a union have no further fields (which a note tells).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.importing import spec
from toolc.importing.names import identifier, is_name, one_of, pascal, unique
from toolc.importing.spec import (
    JSON,
    KEYWORDS,
    NULL,
    Imported,
    Misfit,
    Note,
    Types,
    Unreadable,
    scalar,
)
from toolc.node import NOWHERE, same
from toolc.syntax import tree
from toolc_runtime.errors import SchemaError
from toolc_runtime.patterns import Pattern

MAX_DEPTH = 32
"""Deepest nesting of types; a chain of references counts like a nesting."""

Schema = Mapping[str, Any]
Facets = dict[str, Any]


class _At(NamedTuple):
    """A place in a schema: its path for messages, and names for a type that stands there."""

    path: str
    hints: tuple[str, ...]
    depth: int = 0
    named: bool = False  # the original has a name for it

    def below(self, part: str, hint: str = "") -> _At:
        """A part of this place; with a hint, a place that is named after it."""
        hints = self.hints
        if hint:
            hints = (pascal(hint), *(pascal(f"{above} {hint}") for above in hints[:1]))
        return _At(f"{self.path}.{part}" if self.path else part, hints, self.depth + 1)


class _Body(NamedTuple):
    """A type that may be declared: its declaration under a name, and how it stands inline."""

    make: Callable[[tree.Name], tree.Item]
    inline: tree.TypeExpr | None


def import_tools(document: Any) -> Imported:
    """The tools of a list of function schemas, bare or as `{"type": "function", …}`, or of an
    object that has one. Raises `Unreadable`."""
    types = Types()
    tools: list[tree.Item] = []
    notes: list[Note] = []
    names: list[str] = []
    for number, function in enumerate(_functions(document), 1):
        published = function.get("name")
        if not isinstance(published, str) or not published:
            raise Unreadable(f"tool {number} has no name")
        name = unique(identifier(published, "tool"), names)
        names.append(name)
        if name != published:
            notes.append(Note(published, "name", f"the tool is called `{name}` here"))
        converter = _Converter(name, types, notes)
        tools.append(converter.tool(function))
    if not tools:
        raise Unreadable("the list of tools is empty")
    items = _finite(types.items, notes)
    return Imported((*items, *tools), tuple(notes))


def _functions(document: Any) -> Iterator[Schema]:
    if isinstance(document, dict):
        listed = next(
            (document[key] for key in ("tools", "functions") if key in document), [document]
        )
    else:
        listed = document
    if not isinstance(listed, list):
        raise Unreadable("expected a list of function schemas, or an object with `tools`")
    for number, entry in enumerate(listed, 1):
        inner = entry.get("function", entry) if isinstance(entry, dict) else entry
        if not isinstance(inner, dict):
            raise Unreadable(f"tool {number} is no object")
        yield inner


_PARAMETERS = ("parameters", "input_schema", "inputSchema")
_RESULTS = ("output_schema", "outputSchema", "returns", "response")
_ANNOTATIONS = frozenset(
    (
        "$anchor",
        "$comment",
        "$defs",
        "$id",
        "$schema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "discriminator",
        "example",
        "examples",
        "nullable",
        "readOnly",
        "title",
        "writeOnly",
    )
)
_SYNONYMS = {"dict": "object", "float": "number", "tuple": "array"}
"""Names of types that published schemas use beside those of JSON Schema."""
_FORMATS = {
    "date": "date",
    "time-local": "time",
    "date-time-local": "datetime",
    "duration": "duration",
    "decimal": "decimal",
}
_FACETS = {
    kind: {word: name for name, word in KEYWORDS.items() if word in listed}
    for kind, listed in {
        "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        "string": ("minLength", "maxLength", "pattern"),
        "array": ("minItems", "maxItems", "uniqueItems"),
        "object": ("minProperties", "maxProperties"),
    }.items()
}
_FACETS["integer"] = _FACETS["number"]


class _Converter:
    """The schemas of one tool; declares types among those of its spec."""

    def __init__(self, tool: str, types: Types, notes: list[Note]) -> None:
        self.subject = tool
        self.types = types
        self.notes = notes
        self.root: Schema = {}
        self.known: dict[str, tree.TypeExpr | None] = {}
        self.opened: dict[str, tuple[str, ...]] = {}
        self.following: list[str] = []

    def note(self, at: _At, reason: str) -> None:
        self.notes.append(Note(self.subject, at.path, reason))

    # ------------------------------------------------------------ tools

    def tool(self, function: Schema) -> tree.Item:
        given = next((key for key in _PARAMETERS if function.get(key) is not None), "parameters")
        parameters = self._parameters(function.get(given, {}), _At(given, ()))
        result = JSON
        for key in _RESULTS:
            if isinstance(function.get(key), dict):
                self.root = function[key]
                self.known = {}
                result = self.type(self.root, _At(key, (pascal(self.subject + " result"),)))
                break
        text = spec.described(function.get("description"))
        name = spec.label(self.subject)
        return tree.Tool(NOWHERE, name, text, parameters, result, False, None)

    def _parameters(self, schema: Any, at: _At) -> tuple[tree.Field, ...]:
        self.root = schema if isinstance(schema, dict) else {}
        schema = self._resolved(self.root)
        known = {"type", "properties", "required", "additionalProperties"}
        if schema.get("additionalProperties", False) is not False:
            self.note(at, "a tool takes no further parameters: `additionalProperties` is left out")
        self._leave_out(schema, known, at)
        if schema.get("type", "object") not in ("object", "dict"):
            self.note(at, "parameters are an object: the schema is left out")
            return ()
        fields: list[tree.Field] = []
        for label, member, required in self._properties(schema, at):
            taken = [field.name.text for field in fields]
            name = unique(identifier(label, "argument"), taken)
            if name != label:
                self.note(at.below(label), f"the parameter is called `{name}` here")
            below = at.below(label, one_of(label))
            fields.append(self._field(name, member, required, below, parameter=True))
        return tuple(fields)

    def _properties(self, schema: Schema, at: _At) -> Iterator[tuple[str, Any, bool]]:
        properties = schema.get("properties", {})
        if not isinstance(properties, dict):
            self.note(at, "`properties` is no object and is left out")
            properties = {}
        listed = schema.get("required", [])
        required = (
            [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
        )
        for label, member in properties.items():
            yield label, member, label in required
        for label in dict.fromkeys(required):
            if label not in properties:
                yield label, {}, True

    def _field(
        self, name: str, schema: Any, required: bool, at: _At, *, parameter: bool = False
    ) -> tree.Field:
        kind = self.type(schema, at)
        about = schema.get("description") if isinstance(schema, dict) else None
        default: tree.Expr | None = None
        if isinstance(schema, dict) and "default" in schema:
            value = schema["default"]
            absent = value is None and (
                not spec.can_be_null(kind) or (parameter and spec.is_json(kind))
            )
            if required and not absent:
                self.note(at, "it is required: its default is left out")
            elif not absent:
                default = self._default(kind, value, at)
        left_out = not required and default is None
        return spec.field(name, kind, optional=left_out, default=default, description=about)

    def _default(self, kind: tree.TypeExpr, value: Any, at: _At) -> tree.Expr | None:
        try:
            return spec.literal(kind, value, self.types.items)
        except Misfit:
            self.note(at, f"the default {_shown(value)} does not fit the type and is left out")
            return None

    # ------------------------------------------------------------ types

    def type(self, schema: Any, at: _At) -> tree.TypeExpr:
        """The type of the values that a schema accepts, or of more with a note."""
        if schema is True or schema == {}:
            return JSON
        if not isinstance(schema, dict):
            return self._json(at, "no value fits" if schema is False else "this is no schema")
        if at.depth > MAX_DEPTH:
            return self._json(at, f"types nest deeper than {MAX_DEPTH}")
        alone = self._alone(schema)
        if alone is not schema:
            return self.type(alone, at)
        kind = self._non_null(schema, at)
        return spec.optional(kind) if schema.get("nullable") is True else kind

    def _alone(self, schema: Schema) -> Schema:
        """The schema itself, or what it says by a list of one."""
        for keyword in ("allOf", "anyOf", "oneOf"):
            listed = schema.get(keyword)
            if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], dict):
                rest = {key: value for key, value in schema.items() if key != keyword}
                if rest.keys() - _ANNOTATIONS and rest.keys() & listed[0].keys() - _ANNOTATIONS:
                    return schema
                return {**listed[0], **rest}
        return schema

    def _non_null(self, schema: Schema, at: _At) -> tree.TypeExpr:
        if "$ref" in schema:
            self._leave_out(schema, {"$ref"}, at)
            return self._reference(schema["$ref"], at)
        if "allOf" in schema:
            return self._json(at, "a conjunction (`allOf`) cannot be said")
        if "const" in schema or "enum" in schema:
            return self._values(schema, at)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema and not schema.keys() & {"type", "properties"}:
                self._leave_out(schema, {keyword}, at)
                return self._alternatives(schema, keyword, at)
        return self._typed(schema, at)

    def _typed(self, schema: Schema, at: _At) -> tree.TypeExpr:
        given = schema.get("type")
        if given is None:
            given = next((kind for word, kind in _IMPLIED.items() if word in schema), "any")
        kinds = [given] if isinstance(given, str) else given
        if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
            return self._json(at, f"{_shown(given)} is no type")
        kinds = [_SYNONYMS.get(kind, kind) for kind in dict.fromkeys(kinds)]
        rest = [kind for kind in kinds if kind != "null"]
        if set(rest) == {"integer", "number"}:
            rest = ["number"]
        if kinds == ["null"]:
            self._leave_out(schema, {"type"}, at)
            return NULL
        if len(rest) != 1:
            return self._json(at, "values of several types cannot be said")
        make = _TYPES.get(rest[0])
        if make is None:
            return self._json(at, f"{_shown(rest[0])} is no type")
        kind = make(self, schema, at)
        return spec.optional(kind) if "null" in kinds else kind

    def _json(self, at: _At, reason: str) -> tree.TypeExpr:
        self.note(at, f"{reason}: it is `json`")
        return JSON

    def _leave_out(self, schema: Schema, known: Iterable[str], at: _At) -> None:
        left = [key for key in schema if key not in _ANNOTATIONS and key not in known]
        if left:
            words = ", ".join(f"`{key}`" for key in left)
            verb = "is" if len(left) == 1 else "are"
            self.note(at, f"{words} cannot be said and {verb} left out")

    # ------------------------------------------------------------ scalars and lists

    def _any(self, schema: Schema, at: _At) -> tree.TypeExpr:
        self._leave_out(schema, {"type"}, at)
        return JSON

    def _bool(self, schema: Schema, at: _At) -> tree.TypeExpr:
        self._leave_out(schema, {"type"}, at)
        return scalar("bool")

    def _string(self, schema: Schema, at: _At) -> tree.TypeExpr:
        self._leave_out(schema, {"type", "format", *_FACETS["string"]}, at)
        facets = self._facets(schema, "string", at)
        given = schema.get("format")
        if isinstance(given, str) and given in _FORMATS:
            for name in facets:
                self.note(at, f"`{KEYWORDS[name]}` beside `format` cannot be said and is left out")
            return scalar(_FORMATS[given])
        if isinstance(given, str):
            facets["format"] = given
        return spec.refined(scalar("str"), facets)

    def _integer(self, schema: Schema, at: _At) -> tree.TypeExpr:
        self._leave_out(schema, {"type", "format", *_FACETS["number"]}, at)
        return spec.refined(scalar("int"), self._facets(schema, "number", at))

    def _float(self, schema: Schema, at: _At) -> tree.TypeExpr:
        self._leave_out(schema, {"type", "format", *_FACETS["number"]}, at)
        return spec.refined(scalar("float"), self._facets(schema, "number", at))

    def _list(self, schema: Schema, at: _At) -> tree.TypeExpr:
        self._leave_out(schema, {"type", "items", *_FACETS["array"]}, at)
        items = schema.get("items", {})
        if isinstance(items, list):
            item = self._json(at.below("items"), "items of several types cannot be said")
        else:
            item = self.type(items, at.below("items"))
        return spec.refined(spec.list_of(item), self._facets(schema, "array", at))

    def _facets(self, schema: Schema, kind: str, at: _At) -> Facets:
        """The facets that the language can say; notes of the others."""
        found: Facets = {}
        for word, name in _FACETS[kind].items():
            if word not in schema:
                continue
            value = schema[word]
            if word.startswith("exclusive") and isinstance(value, bool):  # as in draft 4
                bound = word.removeprefix("exclusive").lower()
                if value and bound in found:
                    found[name] = found.pop(bound)
                continue
            if not _CHECKS[word](value):
                self.note(at, f"`{word}` {_shown(value)} cannot be said and is left out")
            elif value is not False:
                found[name] = int(value) if word in _COUNTS else value
        if found.get("minimum", 0) > found.get("maximum", found.get("minimum", 0)):
            self.note(at, "no number is in these bounds: they are left out")
            del found["minimum"], found["maximum"]
        return found

    def _values(self, schema: Schema, at: _At) -> tree.TypeExpr:
        """The type of listed values: texts, or what all of them are."""
        listed = schema.get("enum", [schema.get("const")])
        if not isinstance(listed, list):
            return self._json(at, "`enum` is no list")
        if "const" in schema:
            listed = [value for value in listed if _same(value, schema["const"])]
        rest = {key: value for key, value in schema.items() if key not in ("enum", "const")}
        facets = {
            name: rest[word]
            for words in _FACETS.values()
            for word, name in words.items()
            if word in rest and _CHECKS[word](rest[word])
        }
        listed = [
            value
            for value in listed
            if _is_of(value, rest.get("type")) and spec.meets(value, facets)
        ]
        self._leave_out(rest, {"type", "format", *(KEYWORDS[name] for name in facets)}, at)
        values = [value for value in listed if value is not None]
        if not listed:
            return self._json(at, "no value fits")
        if not values:
            return NULL
        kind = self._listed(values, at)
        return spec.optional(kind) if len(values) < len(listed) else kind

    def _listed(self, values: list[Any], at: _At) -> tree.TypeExpr:
        kinds = {type(value) for value in values}
        if kinds == {str}:
            return self.types.enumeration(at.hints, list(dict.fromkeys(values)))
        if kinds == {bool} and len(set(values)) == 2:
            return scalar("bool")
        if kinds == {int} and max(values) - min(values) == len(set(values)) - 1:
            bounds = {"minimum": min(values), "maximum": max(values)}
            if all(map(_is_bound, bounds.values())):
                return spec.refined(scalar("int"), bounds)
        reason = "only texts can be listed"
        if kinds <= {int, float}:
            self.note(at, f"{reason}: it is any number")
            return scalar("int" if kinds == {int} else "float")
        if kinds == {bool}:
            self.note(at, f"{reason}: it is any `bool`")
            return scalar("bool")
        return self._json(at, reason)

    # ------------------------------------------------------------ objects

    def _object(self, schema: Schema, at: _At) -> tree.TypeExpr:
        extra = schema.get("additionalProperties", True)
        if not schema.get("properties") and not schema.get("required") and extra is not False:
            return self._dict(schema, extra, at)
        self._leave_out(schema, {"type", "properties", "required", "additionalProperties"}, at)
        if not isinstance(extra, bool):
            below = at.below("additionalProperties")
            if extra != {}:
                self.note(below, "further keys of a record are of any type")
        reserved = [label for label, _, _ in self._properties(schema, at) if label.startswith("__")]
        for label in reserved:
            self.note(at.below(label), "toolc keeps the name for itself: the field is left out")

        if not any(label not in reserved for label, _, _ in self._properties(schema, at)):
            return spec.dict_of(JSON) if reserved else tree.RecordType(NOWHERE, (), False)
        open = extra is not False or bool(reserved)

        def record() -> _Body:
            members = self._members(schema, at, ())
            about = spec.described(schema.get("description")) if at.named else None
            return _Body(
                lambda name: tree.Record(NOWHERE, name, about, members, open),
                None if at.named else spec.inline(members, open),
            )

        return self._once(schema, at, record)

    def _members(self, schema: Schema, at: _At, without: Sequence[str]) -> tuple[tree.Field, ...]:
        return tuple(
            self._field(label, member, required, at.below(label, one_of(label)))
            for label, member, required in self._properties(schema, at)
            if not label.startswith("__") and label not in without
        )

    def _dict(self, schema: Schema, extra: Any, at: _At) -> tree.TypeExpr:
        known = {"type", "properties", "required", "additionalProperties", "propertyNames"}
        self._leave_out(schema, known | _FACETS["object"].keys(), at)
        value = self.type(extra, at.below("additionalProperties"))
        key = None
        names = schema.get("propertyNames", {})
        if names not in ({}, True):
            below = at.below("propertyNames")
            wanted = {"type": "string", **names} if isinstance(names, dict) else names
            if wanted == {"type": "string", "format": "integer"}:
                key = scalar("int")
            else:
                key = self.type(wanted, below)
            if not _is_key(key):
                self.note(below, "keys of other types cannot be said: they are any text")
                key = None
        return spec.refined(spec.dict_of(value, key), self._facets(schema, "object", at))

    # ------------------------------------------------------------ references and unions

    def _once(self, schema: Any, at: _At, build: Callable[[], _Body]) -> tree.TypeExpr:
        """The type of an object or a union; where it is met within itself, it gets a name."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self.known:
            self.known[key] = None
            self.opened[key] = at.hints
            following, self.following = self.following, []
            body = build()
            self.following = following
            name = self.known[key]
            if isinstance(name, tree.NamedType):
                self.types.items[name.name] = body.make(spec.label(name.name))
            self.known[key] = name or body.inline or self.types.declare(at.hints, body.make)
        known = self.known[key]
        if known is None:
            known = self.known[key] = scalar(self.types.reserve(self.opened[key]))
        return known

    def _reference(self, target: Any, at: _At) -> tree.TypeExpr:
        if not isinstance(target, str) or not target.startswith("#"):
            return self._json(at, f"{_shown(target)} is not in this schema")
        found = self._lookup(target)
        if found is None:
            return self._json(at, f"{_shown(target)} refers to nothing")
        if target in self.following:
            return self._json(at, f"{_shown(target)} holds itself and no object in between")
        last = target.rpartition("/")[2] or self.subject
        self.following.append(target)
        below = _At(
            target.removeprefix("#/").replace("/", ".") or at.path,
            (pascal(last),),
            at.depth + 1,
            True,
        )
        made = self.type(found, below)
        self.following.pop()
        return made

    def _lookup(self, target: str) -> Any:
        found: Any = self.root
        for part in target.removeprefix("#").split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        return found

    def _resolved(self, schema: Schema) -> Schema:
        """A schema, or the one that it refers to."""
        for _ in range(MAX_DEPTH):
            schema = self._alone(schema)
            found = self._lookup(schema["$ref"]) if isinstance(schema.get("$ref"), str) else None
            if not isinstance(found, dict):
                break
            schema = found
        return schema

    def _alternatives(self, schema: Schema, keyword: str, at: _At) -> tree.TypeExpr:
        branches = schema[keyword]
        readable = isinstance(branches, list) and all(isinstance(one, dict) for one in branches)
        if not readable or not branches:
            return self._json(at, f"`{keyword}` is no list of schemas")
        rest = [one for one in branches if not _is_null(one)]
        if len(rest) < len(branches):
            if not rest:
                return NULL
            about = {key: value for key, value in schema.items() if key != keyword}
            return spec.optional(self.type({**about, keyword: rest}, at))
        cases = [self._resolved(one) for one in rest]
        if keyword == "anyOf" and sorted(map(_shown, cases)) == _NUMBERS:
            return scalar("float")
        listed = _listed_texts(cases)
        if listed is not None and (keyword == "anyOf" or len(listed) == len(set(listed))):
            return self.types.enumeration(at.hints, list(dict.fromkeys(listed)))
        tag = self._tag(schema, cases, at)
        if tag is None:
            return self._json(at, "alternatives that no field tells apart cannot be said")
        return self._once([keyword, rest], at, lambda: self._union(schema, tag, cases, at))

    def _tag(self, schema: Schema, cases: Sequence[Schema], at: _At) -> str | None:
        """The field whose one value tells the cases apart."""
        given = schema.get("discriminator")
        named = given.get("propertyName") if isinstance(given, dict) else None
        for label in [named, *_labels(cases[0])]:
            values = [_tag_value(case, label) for case in cases]
            if None not in values and len(set(values)) == len(values):
                return str(label)
        return None

    def _union(self, schema: Schema, tag: str, cases: Sequence[Schema], at: _At) -> _Body:
        made: list[tuple[str, tuple[tree.Field, ...]]] = []
        for case in cases:
            value = _tag_value(case, tag)
            assert value is not None
            below = at.below(value, value)
            if case.get("additionalProperties", True) is not False:
                self.note(below, "a case has no further fields")
            self._leave_out(case, {"type", "properties", "required", "additionalProperties"}, below)
            made.append((value, self._members(case, below, (tag,))))
        first, *others = (members for _, members in made)
        shared = tuple(
            member
            for member in first
            if all(any(same(member, each) for each in other) for other in others)
        )
        names = {member.name.text for member in shared}
        own = tuple(
            tree.UnionCase(
                NOWHERE,
                tree.Text(NOWHERE, value),
                tuple(member for member in members if member.name.text not in names),
            )
            for value, members in made
        )
        about = spec.described(schema.get("description"))
        return _Body(
            lambda name: tree.Union(NOWHERE, name, about, spec.label(tag), shared, own), None
        )


_TYPES: dict[str, Callable[[_Converter, Schema, _At], tree.TypeExpr]] = {
    "any": _Converter._any,
    "array": _Converter._list,
    "boolean": _Converter._bool,
    "integer": _Converter._integer,
    "number": _Converter._float,
    "object": _Converter._object,
    "string": _Converter._string,
}
_NUMBERS = ['`{"type": "integer"}`', '`{"type": "number"}`']
"""Alternatives that are any number."""
_IMPLIED = {"properties": "object", "items": "array"}
"""Keywords that publishers write without the type which they are about."""
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")


def _is_count(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0 and int(value) == value


def _is_bound(value: Any) -> bool:
    return type(value) in (int, float) and value != spec.LEAST_INT


def _is_pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and Pattern(value) is not None
    except SchemaError:
        return False


_CHECKS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_COUNTS, _is_count),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_bound),
    "multipleOf": lambda value: _is_bound(value) and value > 0,
    "pattern": _is_pattern,
    "uniqueItems": lambda value: isinstance(value, bool),
}
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


def _is_of(value: Any, kinds: Any) -> bool:
    """Whether a listed value is of the types that stand beside the list."""
    if kinds is None:
        return True
    names = kinds if isinstance(kinds, list) else [kinds]
    return any(
        type(value) in _KINDS.get(_SYNONYMS.get(name, name), ())
        for name in names
        if isinstance(name, str)
    )


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _is_null(schema: Schema) -> bool:
    return schema.get("type") == "null" or ("const" in schema and schema["const"] is None)


def _is_key(kind: tree.TypeExpr) -> bool:
    inner = kind.inner if isinstance(kind, tree.RefinedType) else kind
    if isinstance(inner, tree.LiteralType):
        return None not in inner.values
    return isinstance(inner, tree.NamedType) and inner.name not in _NO_KEYS


_NO_KEYS = frozenset(("bool", "float", "json", "date", "time", "datetime", "duration", "decimal"))


def _listed_texts(schemas: Sequence[Schema]) -> list[str] | None:
    """The texts that schemas list, where they do nothing else."""
    found: list[str] = []
    for schema in schemas:
        listed = schema.get("enum", [schema["const"]] if "const" in schema else None)
        known = {"type", "enum", "const"} | _ANNOTATIONS
        plain = isinstance(listed, list) and all(isinstance(value, str) for value in listed)
        if not plain or not known.issuperset(schema) or {"enum", "const"} <= schema.keys():
            return None
        if schema.get("type", "string") != "string":
            return None
        found += listed or ()
    return found or None


def _labels(schema: Schema) -> list[str]:
    properties = schema.get("properties")
    return list(properties) if isinstance(properties, dict) else []


def _tag_value(case: Schema, label: Any) -> str | None:
    """The one text that a required field of an object may have."""
    properties = case.get("properties")
    if (
        case.get("type", "object") not in ("object", "dict")
        or not isinstance(label, str)
        or not is_name(label)
        or not isinstance(properties, dict)
        or not isinstance(properties.get(label), dict)
        or not isinstance(case.get("required"), list)
        or label not in case["required"]
    ):
        return None
    listed = _listed_texts([properties[label]])
    return listed[0] if listed is not None and len(listed) == 1 else None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


# ---------------------------------------------------------------- endless records


def _finite(types: Mapping[str, tree.Item], notes: list[Note]) -> list[tree.Item]:
    """The types, so that none needs another value of itself: where one does, no value fits the
    original, and the field becomes `json`."""
    finite: set[str] = set()

    def ends(member: tree.Field) -> bool:
        kind = member.type
        needed = not member.optional and member.default is None
        return not (needed and isinstance(kind, tree.NamedType) and kind.name in waiting)

    waiting = set(types)
    while True:
        finite = {name for name in waiting if _ends(types[name], ends)}
        if not finite:
            break
        waiting -= finite
    return [_mended(item, ends, notes) if name in waiting else item for name, item in types.items()]


def _ends(item: tree.Item, ends: Callable[[tree.Field], bool]) -> bool:
    if isinstance(item, tree.Record):
        return all(map(ends, item.members))
    if isinstance(item, tree.Union):
        cases = [all(map(ends, case.members)) for case in item.cases]
        return all(map(ends, item.shared)) and any(cases)
    return True


def _mended(item: tree.Item, ends: Callable[[tree.Field], bool], notes: list[Note]) -> tree.Item:
    def mend(members: tuple[tree.Field, ...]) -> tuple[tree.Field, ...]:
        return tuple(member if ends(member) else member.replace(type=JSON) for member in members)

    if isinstance(item, tree.Record):
        notes.append(Note(item.name.text, "", "it would hold itself without an end: it is `json`"))
        return item.replace(members=mend(item.members))  # type: ignore[no-any-return]
    if isinstance(item, tree.Union):
        notes.append(Note(item.name.text, "", "it would hold itself without an end: it is `json`"))
        cases = tuple(case.replace(members=mend(case.members)) for case in item.cases)
        return item.replace(shared=mend(item.shared), cases=cases)  # type: ignore[no-any-return]
    return item
