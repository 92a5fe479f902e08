"""Other values that an argument could have had, to see whether a step's result tells them apart.

A result that is the same for another value says nothing of this argument, so a call must give
this very value to match the step: the argument is *pinned*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, islice, zip_longest
from typing import Any

from toolc.analysis import types as t
from toolc.analysis.types import FieldType, Type
from toolc_runtime.values import plain

MOST = 12
"""How many other values of an argument are tried."""

UNRELATED = "something else"
"""A text that no tool takes for another one; not a variant of the value, which a tool may well
take for the same."""

Keys = Mapping[str, Sequence[Any]]
"""The keys of each table, as JSON."""


def alternatives(
    parameter: FieldType, value: Any, keys: Keys, used: Sequence[Any] = ()
) -> list[Any]:
    """At most `MOST` JSON values of a parameter's type other than `value`, the likeliest first.

    `used` are values that the parameter takes elsewhere. Facets are not looked at: a call that
    breaks one is refused, and shows nothing.
    """
    found: list[Any] = []
    offered = [plain(parameter.default)] if parameter.has_default else []
    turns = zip_longest(used[:MOST], _of(parameter.type, value, keys), fillvalue=value)
    for other in chain(offered, chain.from_iterable(turns)):
        if not any(_same(other, seen) for seen in (value, *found)):
            found.append(other)
        if len(found) == MOST:
            break
    return found


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _of(kind: Type, value: Any, keys: Keys) -> Iterator[Any]:
    if isinstance(kind, t.Refined):
        return _of(kind.inner, value, keys)
    if isinstance(kind, t.Ref):
        return islice(_beside(keys.get(kind.table, ()), value), MOST)
    if isinstance(kind, t.Scalar):
        return _SCALARS[kind.name](value, keys)
    return _BY_TYPE[type(kind)](kind, value, keys)


def _beside(keys: Sequence[Any], value: Any) -> Iterator[Any]:
    """The other keys of a table, those that follow first: rows of one sort often stand together."""
    at = keys.index(value) + 1 if value in keys else 0
    return (key for key in chain(keys[at:], keys[:at]) if key != value)


# ---------------------------------------------------------------- scalars


def _bool(value: Any, keys: Keys) -> Iterator[Any]:
    yield not value


def _number(value: Any, keys: Keys) -> Iterator[Any]:
    for table in keys.values():
        if value in table:
            yield from islice(_beside(table, value), 4)
    yield from (value + 1, value - 1, value * 2, 0, value + 10, value + 1000, -value)


def _decimal(value: Any, keys: Keys) -> Iterator[Any]:
    number = Decimal(value)
    for other in (number + 1, number - 1, number * 2, Decimal(0), -number):
        yield format(other, "f")


def _text(value: Any, keys: Keys) -> Iterator[Any]:
    for table in keys.values():
        if value in table:
            yield from islice(_beside(table, value), MOST // 2)
    yield UNRELATED
    for shift in (_date, _datetime):  # published schemas often have dates as plain text
        with suppress(ValueError):
            yield from shift(value, keys)


def _date(value: Any, keys: Keys) -> Iterator[Any]:
    day = date.fromisoformat(value)
    for days in (1, -1, 30, -365):
        try:
            yield (day + timedelta(days)).isoformat()
        except OverflowError:
            continue


def _datetime(value: Any, keys: Keys) -> Iterator[Any]:
    moment = datetime.fromisoformat(value)
    for step in (timedelta(hours=1), timedelta(-1), timedelta(30)):
        try:
            yield (moment + step).isoformat()
        except OverflowError:
            continue


def _time(value: Any, keys: Keys) -> Iterator[Any]:
    moment = time.fromisoformat(value)
    yield moment.replace(hour=(moment.hour + 1) % 24).isoformat()
    yield moment.replace(minute=(moment.minute + 1) % 60).isoformat()


def _duration(value: Any, keys: Keys) -> Iterator[Any]:
    yield from ("PT1H", "P1D", "P7D", "P30D")


def _json(value: Any, keys: Keys) -> Iterator[Any]:
    yield from (None, UNRELATED, 0, [], {})


def _null(value: Any, keys: Keys) -> Iterator[Any]:
    return iter(())


_SCALARS: dict[str, Callable[[Any, Keys], Iterator[Any]]] = {
    "bool": _bool,
    "int": _number,
    "float": _number,
    "decimal": _decimal,
    "str": _text,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "duration": _duration,
    "json": _json,
    "null": _null,
}


# ---------------------------------------------------------------- other types


def _words(kind: t.Literals | t.Enum, value: Any, keys: Keys) -> Iterator[Any]:
    return (word for word in kind.values if word != value)


def _optional(kind: t.Optional, value: Any, keys: Keys) -> Iterator[Any]:
    if value is None:
        return
    yield None
    yield from _of(kind.inner, value, keys)


def _list(kind: t.List, value: Any, keys: Keys) -> Iterator[Any]:
    if not value:
        return
    yield value[:-1]
    yield value[::-1]
    for other in islice(_of(kind.item, value[0], keys), 4):
        yield [other, *value[1:]]
    yield []


def _dict(kind: t.Dict, value: Any, keys: Keys) -> Iterator[Any]:
    for name, inner in value.items():
        yield {key: kept for key, kept in value.items() if key != name}
        for other in islice(_of(kind.value, inner, keys), 2):
            yield {**value, name: other}


def _record(kind: t.Record | t.Case, value: Any, keys: Keys) -> Iterator[Any]:
    """One member changed; the members take turns."""
    varied = [_member(each, value, keys) for each in kind.members if each.name in value]
    for several in zip_longest(*varied):
        yield from (other for other in several if other is not None)


def _member(member: FieldType, value: Any, keys: Keys) -> Iterator[Any]:
    for other in _of(member.type, value[member.name], keys):
        yield {**value, member.name: other}


def _union(kind: t.Union, value: Any, keys: Keys) -> Iterator[Any]:
    return _record(kind.cases[value[kind.tag]], value, keys)


_BY_TYPE: dict[type[Type], Callable[[Any, Any, Keys], Iterator[Any]]] = {
    t.Literals: _words,
    t.Enum: _words,
    t.Optional: _optional,
    t.List: _list,
    t.Dict: _dict,
    t.Record: _record,
    t.Case: _record,
    t.Union: _union,
}
