"""The types of JSON values that stand at the same place.

`Inference.type` takes all values of a place at once and looks for the narrowest type that a
person would write: a guess that fits every value. Each value is looked at once a level.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.importing import spec
from toolc.importing.names import is_name, one_of, pascal, singular, words
from toolc.importing.spec import JSON, Types, scalar
from toolc.node import NOWHERE
from toolc.syntax import tree
from toolc_runtime.errors import Malformed
from toolc_runtime.values import FORMATS, plain

MAX_VALUES = 12
"""Most texts of an enumeration."""
REPEATS = 3
"""How often each text of an enumeration occurs, on average, at the least."""
MAX_FIELDS = 200
"""Most fields of a record; objects with more are dicts."""
MAX_CASES = 20
EXACT = 2**53
"""Ints up to here are floats without a loss."""

Objects = Sequence[Mapping[str, Any]]


class Target(NamedTuple):
    """A table that values may refer to."""

    table: str
    field: str
    """The field that holds the key, or `""` where it stands outside."""
    keys: Collection[Any]


class Place(NamedTuple):
    """Where values stand: the label they have, names for a type, and whether it is in a table,
    whose rows alone refer to others."""

    label: str
    hints: tuple[str, ...]
    refers: bool = False

    def below(self, label: str) -> Place:
        name = pascal(one_of(label))
        return self._replace(
            label=label, hints=(name, *(f"{above}{name}" for above in self.hints[:1]))
        )


class Inference:
    """Infers types, and declares those of records and unions."""

    def __init__(self, types: Types, targets: Sequence[Target] = ()) -> None:
        self.types = types
        self.targets = targets

    def type(self, values: Sequence[Any], at: Place) -> tree.TypeExpr:
        """A type that each of the values has; `json` of none."""
        present = [value for value in values if value is not None]
        kinds = {type(value) for value in present}
        if kinds == {int, float}:
            kinds = {float}
        infer = _KINDS.get(next(iter(kinds))) if len(kinds) == 1 else None
        kind = infer(self, present, at) if infer else JSON
        return spec.optional(kind) if len(present) < len(values) else kind

    # ------------------------------------------------------------ scalars and lists

    def _int(self, values: Sequence[Any], at: Place) -> tree.TypeExpr:
        return self._reference(values, at) or scalar("int")

    def _float(self, values: Sequence[Any], at: Place) -> tree.TypeExpr:
        exact = all(type(value) is float or abs(value) <= EXACT for value in values)
        return scalar("float") if exact else JSON

    def _text(self, values: Sequence[Any], at: Place) -> tree.TypeExpr:
        found = self._reference(values, at)
        if found is not None:
            return found
        for format, name in _FORMATS.items():
            if all(_is_written(value, format) for value in values):
                return scalar(name)
        listed = Counter(values) if len(values) >= 2 * REPEATS else Counter()
        if (
            2 <= len(listed) <= MAX_VALUES
            and len(listed) * REPEATS <= len(values)
            and not _FREE.intersection(words(at.label))
            and all(_SHORT.fullmatch(value) for value in listed)
        ):
            return self.types.enumeration(at.hints, list(listed))
        return scalar("str")

    def _list(self, values: Sequence[Any], at: Place) -> tree.TypeExpr:
        return spec.list_of(self.type([item for value in values for item in value], at))

    def _reference(self, values: Sequence[Any], at: Place) -> tree.TypeExpr | None:
        for target in self.targets if at.refers else ():
            if _suggests(at, target) and all(value in target.keys for value in values):
                return tree.RefType(NOWHERE, spec.label(target.table))
        return None

    # ------------------------------------------------------------ objects

    def _object(self, values: Objects, at: Place) -> tree.TypeExpr:
        if _is_dict(values):
            members = [member for value in values for member in value.values()]
            return spec.dict_of(self.type(members, at))
        tag = _tag(values)
        if tag:
            return self._union(values, tag, at)
        return self.types.record(at.hints, self._fields(values, _labels(values), at))

    def row(self, values: Objects, at: Place, key: str | None = None) -> tree.TypeExpr:
        """The record or union of a table's rows; `key` is the field that holds the key."""
        tag = _tag(values)
        if tag and tag != key:
            return self._union(values, tag, at, key)
        fields = self._fields(values, _labels(values), at, key)
        if not fields:
            return tree.RecordType(NOWHERE, (), False)
        return self.types.declare(
            at.hints, lambda name: tree.Record(NOWHERE, name, None, fields, False)
        )

    def _fields(
        self, values: Objects, labels: Iterable[str], at: Place, key: str | None = None
    ) -> tuple[tree.Field, ...]:
        fields = []
        for label in labels:
            members = [value[label] for value in values if label in value]
            if label == key:
                kind = scalar("int" if type(members[0]) is int else "str")
            else:
                kind = self.type(members, at.below(label))
            fields.append(spec.field(label, kind, optional=len(members) < len(values)))
        return tuple(fields)

    def _union(self, values: Objects, tag: str, at: Place, key: str | None = None) -> tree.TypeExpr:
        cases: dict[str, list[Mapping[str, Any]]] = {}
        for value in values:
            cases.setdefault(value[tag], []).append(value)
        common = set.intersection(*(set(case[0]) for case in cases.values())) - {tag}
        shared = self._fields(values, [name for name in values[0] if name in common], at, key)
        own = []
        for text, members in cases.items():
            labels = [label for label in members[0] if label not in common and label != tag]
            fields = self._fields(members, labels, at)
            own.append(tree.UnionCase(NOWHERE, tree.Text(NOWHERE, text), fields))
        return self.types.declare(
            at.hints,
            lambda name: tree.Union(NOWHERE, name, None, spec.label(tag), shared, tuple(own)),
        )


_KINDS: dict[type, Callable[[Inference, Any, Place], tree.TypeExpr]] = {
    bool: lambda inference, values, at: scalar("bool"),
    int: Inference._int,
    float: Inference._float,
    str: Inference._text,
    list: Inference._list,
    dict: Inference._object,
}


# ---------------------------------------------------------------- texts

_FORMATS = {"date": "date", "date-time-local": "datetime", "time-local": "time"}
_SHORT = re.compile(r"[^\W\d_][\w &/+.-]{0,31}")
_FREE = frozenset(
    (
        "address",
        "body",
        "city",
        "comment",
        "content",
        "country",
        "description",
        "email",
        "first",
        "id",
        "ids",
        "key",
        "last",
        "message",
        "name",
        "names",
        "note",
        "notes",
        "password",
        "phone",
        "state",
        "text",
        "title",
        "token",
        "url",
        "username",
        "zip",
    )
)
"""Words of labels whose texts are free, however few there are."""


def _is_written(text: str, format: str) -> bool:
    """Whether a text is a date (or the like) in the form that the language writes."""
    if not text[:2].isdigit():
        return False
    try:
        return bool(plain(FORMATS[format](text)) == text)
    except Malformed:
        return False


def _suggests(at: Place, target: Target) -> bool:
    """Whether a label, such as `user_id`, `from_user` or `users`, names a table, as `users`."""
    found = words(at.label)
    if target.field and at.label == target.field and found[-1:] not in _GENERIC_KEYS:
        return True
    if found[-1:] and found[-1] in _KEY_WORDS:
        found = found[:-1]
    if not found:
        return False
    named = words(one_of(target.table))
    return bool(named) and (*found[:-1], singular(found[-1]))[-len(named) :] == named


_KEY_WORDS = frozenset(("id", "ids", "key", "keys", "name", "names", "code", "codes", "no"))
_GENERIC_KEYS = [(word,) for word in ("name", "key", "code", "title", "type", "no")]


# ---------------------------------------------------------------- dicts, records and unions


def _labels(values: Objects) -> list[str]:
    """The labels of objects, in the order in which they are met."""
    return list(dict.fromkeys(label for value in values for label in value))


def _is_wordlike(label: str) -> bool:
    return _WORDLIKE.fullmatch(label) is not None


_WORDLIKE = re.compile(r"(?!.*[0-9]{3})[^\W\d][\w $().%-]{0,39}")


def _is_dict(values: Objects) -> bool:
    """Whether the keys of objects vary as data does, while their values are alike."""
    labels = Counter(label for value in values for label in value)
    if not labels or len(labels) > MAX_FIELDS or any(label.startswith("__") for label in labels):
        return True
    if not _are_alike([member for value in values for member in value.values()]):
        return False
    if sum(map(_is_wordlike, labels)) * 2 < len(labels):
        return True
    coverage = labels.total() / (len(values) * len(labels))
    if len(values) > 1:
        return coverage < 0.5 and len(labels) > 8
    objects = [value for value in values[0].values() if isinstance(value, dict)]
    return len(objects) == len(labels) >= 3 and share_labels(objects)


def share_labels(objects: Objects) -> bool:
    """Whether objects look like rows: most have most of the labels."""
    labels = Counter(label for value in objects for label in value)
    return bool(labels) and labels.total() >= 0.6 * len(labels) * len(objects)


def _are_alike(members: Sequence[Any]) -> bool:
    kinds = {type(member) for member in members} - {type(None)}
    return len(kinds) <= 1 or kinds == {int, float}


def _tag(values: Objects) -> str | None:
    """The field whose texts tell the shapes of objects apart, where there are several shapes."""
    shapes = {frozenset(value) for value in values}
    if not 2 <= len(shapes) <= MAX_CASES:
        return None
    found = []
    for label in frozenset.intersection(*shapes):
        by_text: dict[str, frozenset[str]] = {}
        fits = is_name(label) and all(
            type(value[label]) is str
            and len(by_text) <= MAX_CASES
            and by_text.setdefault(value[label], frozenset(value)) == frozenset(value)
            for value in values
        )
        if fits and 2 * len(by_text) <= len(values):
            named = any(word in _TAGS for word in words(label))
            if named or (
                len(by_text) * REPEATS <= len(values) and all(map(_SHORT.fullmatch, by_text))
            ):
                found.append((not named, len(by_text), label))
    return min(found)[2] if found else None


_TAGS = frozenset(("type", "kind", "source", "tag", "event", "action", "category", "method"))
