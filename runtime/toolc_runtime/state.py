"""The state of an episode: copy-on-write views of tables that all episodes share.

A `Base` holds the rows and scalars that an environment starts from; nothing ever writes to it.
A `State` makes a `Table` view of a base table when it is first asked for, and the view holds only
what was written: `_changed` (keys of the base that were replaced or deleted) and `_added` (new
keys in order, also keys of the base that were deleted and inserted again). Iteration is in the
order that a dict would have.

Every write logs what it replaced in the `Context`, so that a rollback costs what was written.
`settle` ends a call and keeps its writes, `rollback` takes them back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, Generic, NamedTuple, TypeVar, cast

from toolc_runtime.arithmetic import add, divide, floor_divide, modulo, multiply, power, subtract
from toolc_runtime.budget import (
    FREE,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_OUTPUT,
    TOO_DEEP,
    TOO_LONG,
    Meter,
    grow,
)
from toolc_runtime.draws import Draws
from toolc_runtime.errors import BudgetExceeded, Fail
from toolc_runtime.values import key_text, plain, quote

__all__ = [
    "Base",
    "Context",
    "Source",
    "State",
    "Table",
    "Write",
    "add",
    "advance",
    "append",
    "apply",
    "assign",
    "at",
    "changes",
    "derive",
    "differences",
    "divide",
    "each",
    "erase",
    "floor_divide",
    "fork",
    "grow",
    "item",
    "modulo",
    "multiply",
    "now",
    "peek",
    "power",
    "present",
    "remove",
    "rollback",
    "scalars_of",
    "settle",
    "subtract",
    "with_appended",
    "with_path",
    "with_removed",
    "without",
]

K = TypeVar("K")
R = TypeVar("R")
T = TypeVar("T")

_STABLE = frozenset(map(type, ((), "", range(0), {}, {}.keys(), {}.values(), {}.items())))
"""The types that a loop may run over as they are: nothing changes them meanwhile."""
_MISSING: Any = object()
_DELETED: Any = object()
_WRITE_COST = 20  # loop steps, for a write and what it leaves in the undo log
_CHANGED, _ADDED, _ORDER = range(3)


class Source(NamedTuple):
    """A table as an episode finds it: shared rows, and what `given` changed of them."""

    rows: Mapping[Any, Any]
    changed: Mapping[Any, Any] = {}
    added: Mapping[Any, Any] = {}


class Base(NamedTuple):
    """Where an episode starts: tables and scalars by name, and the clock."""

    tables: Mapping[str, Source]
    scalars: Mapping[str, Any]
    clock: datetime


class Write(NamedTuple):
    """What became of a row (or of a scalar, with `key` None), None for a row that is not there."""

    name: str
    key: Any
    before: Any
    after: Any


class Context(Meter):
    """What is one episode's and no table: budget, clock, draws, undo log."""

    __slots__ = ("base", "clock", "draws", "undo")

    def __init__(self, base: Base, draws: Draws) -> None:
        super().__init__()
        self.base = base
        self.clock = base.clock
        self.draws = draws
        self.undo: list[tuple[Table[Any, Any], Any, Any, int, Any]] = []


class State:
    """Tables and scalars as attributes; made on first use, so that a fresh state costs nothing.

    Fail is never raised here: emitted code asks only for what its spec declares.
    """

    _toolc: Context

    def __init__(self, context: Context) -> None:
        self._toolc = context

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            base: Base | None = self.__dict__["_toolc"].base if "_toolc" in self.__dict__ else None
        else:
            base = self._toolc.base
        value: Any
        if base is not None and name in base.tables:
            value = Table(name, base.tables[name], self._toolc)
        elif base is not None and name in base.scalars:
            value = base.scalars[name]
        else:
            raise AttributeError(f"the state has no `{name}`")
        self.__dict__[name] = value
        return value


class Table(Generic[K, R]):
    """One table as one episode sees it; iterates over its rows."""

    __slots__ = ("_added", "_changed", "_context", "_name", "_reordered", "_rows")

    def __init__(self, name: str, source: Source, context: Context) -> None:
        self._name = name
        self._rows: Mapping[K, R] = source.rows
        self._context = context
        self._changed: dict[K, R] | None = dict(source.changed) if source.changed else None
        self._added: dict[K, R] | None = dict(source.added) if source.added else None
        self._reordered = False  # whether the log holds a copy of `_added`

    def get(self, key: K) -> R | None:
        """The row, or None."""
        row: Any
        if self._changed is not None:
            row = self._changed.get(key, _MISSING)
            if row is not _MISSING and row is not _DELETED:
                return cast(R, row)
            if row is _MISSING and key in self._rows:
                return self._rows[key]
        elif key in self._rows:
            return self._rows[key]
        return None if self._added is None else self._added.get(key)

    def __getitem__(self, key: K) -> R:
        row = self._rows.get(key) if self._changed is None else self.get(key)
        if row is None and (self._added is None or (row := self.get(key)) is None):
            raise Fail(f"{self._name} has no {_shown(key)}")
        return row

    def __contains__(self, key: object) -> bool:
        return self.get(cast(K, key)) is not None

    def __iter__(self) -> Iterator[R]:
        return iter(self.values())

    def __len__(self) -> int:
        if self._changed is None and self._added is None:
            return len(self._rows)
        deleted = sum(row is _DELETED for row in (self._changed or {}).values())
        return len(self._rows) - deleted + len(self._added or ())

    def items(self) -> Collection[tuple[K, R]]:
        """Keys and rows, in order, as they are now."""
        if self._changed is None and self._added is None:
            return self._rows.items()
        changed = self._changed or {}
        pairs = [(key, changed.get(key, row)) for key, row in self._rows.items()]
        live = [pair for pair in pairs if pair[1] is not _DELETED]
        live.extend((self._added or {}).items())
        return live

    def keys(self) -> Collection[K]:
        """Keys, in order, as they are now."""
        if self._changed is None and self._added is None:
            return self._rows.keys()
        return [key for key, _ in self.items()]

    def values(self) -> Collection[R]:
        """Rows, in order, as they are now."""
        if self._changed is None and self._added is None:
            return self._rows.values()
        return [row for _, row in self.items()]

    def put(self, key: K, row: R) -> None:
        """Replace a row in its place, or add one at the end; BudgetExceeded beyond the cap."""
        self._replace(key, self.get(key), row)

    def _replace(self, key: K, before: R | None, row: R) -> None:
        """`put` where the present row is known."""
        log = self._log()
        added = self._added
        if before is not None and (added is None or key not in added):
            changed = self._changed
            if changed is None:
                changed = self._changed = {}
            log.append((self, key, before, _CHANGED, changed.get(key, _MISSING)))
            changed[key] = row
            return
        if added is None:
            added = self._added = {}
        if before is None and len(added) >= MAX_ITEMS:
            raise BudgetExceeded(f"at most {MAX_ITEMS:,} rows may be added to a table")
        log.append((self, key, before, _ADDED, _MISSING if before is None else before))
        added[key] = row

    def insert(self, key: K, row: R) -> None:
        """Add a row; Fail where the key exists."""
        if self.get(key) is not None:
            raise Fail(f"{self._name} already has {_shown(key)}")
        self.put(key, row)

    def delete(self, key: K) -> None:
        """Remove a row; Fail where there is none."""
        before = self[key]
        log = self._log()
        added = self._added
        if added is not None and key in added:
            # Removal loses the key's place, so the first one of a call logs the whole order.
            log.append((self, key, before, _ORDER, None if self._reordered else dict(added)))
            self._reordered = True
            del added[key]
            return
        if self._changed is None:
            self._changed = {}
        log.append((self, key, before, _CHANGED, self._changed.get(key, _MISSING)))
        self._changed[key] = _DELETED

    def _log(self) -> list[tuple[Table[Any, Any], Any, Any, int, Any]]:
        context = self._context
        context.steps -= _WRITE_COST + (len(self._added) >> 8 if self._added else 0)
        if context.steps < 0:
            context.charge(0)
        return context.undo

    def _restore(self, key: K, place: int, prior: Any) -> None:
        if place == _ORDER:
            if prior is not None:
                self._added = prior
            self._reordered = False
            return
        holder = self._changed if place == _CHANGED else self._added
        if holder is not None:
            if prior is _MISSING:
                holder.pop(key, None)
            else:
                holder[key] = prior

    def _fork(self, context: Context) -> Table[K, R]:
        return Table(
            self._name, Source(self._rows, self._changed or {}, self._added or {}), context
        )


def _shown(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) else key_text(key)


# ---------------------------------------------------------------- calls


def scalars_of(state: State, names: Sequence[str]) -> tuple[Any, ...]:
    """The present values of some scalars."""
    return tuple(getattr(state, name) for name in names)


def rollback(state: State, names: Sequence[str] = (), values: Sequence[Any] = ()) -> None:
    """Take back what was written since the last `settle`, and give these scalars these values."""
    log = state._toolc.undo
    while log:
        table, key, _, place, prior = log.pop()
        table._restore(key, place, prior)
    for name, value in zip(names, values, strict=True):
        setattr(state, name, value)


def settle(
    state: State, names: Sequence[str] = (), values: Sequence[Any] = ()
) -> tuple[Write, ...]:
    """Keep what was written since the last `settle`; what differs from before, in order of writing.

    `names` and `values` are scalars as they were before. With nothing settled, Fail where a float
    that was written is infinite or NaN, BudgetExceeded where a value is too large or too deep.
    """
    log = state._toolc.undo
    writes: list[Write] = []
    if log:
        first: dict[tuple[str, Any], tuple[Table[Any, Any], Any]] = {}
        for table, key, before, _, _ in log:
            first.setdefault((table._name, key), (table, before))
        for (name, key), (table, before) in first.items():
            after = table.get(key)
            if after is not before:
                _examine(name, before, after)
                if after != before:
                    writes.append(Write(name, key, before, after))
    for name, before in zip(names, values, strict=True):
        after = getattr(state, name)
        if after is not before:
            _examine(name, before, after)
            if after != before:
                writes.append(Write(name, None, before, after))
    for table, *_ in log:
        table._reordered = False
    log.clear()
    return tuple(writes)


def _examine(name: str, before: Any, after: Any, left: int = MAX_OUTPUT, depth: int = 0) -> int:
    """Looks at what a value holds that stood nowhere near before; parts that are still the same
    objects are skipped. Gives what is left of `left`, in characters.

    Fail for a float that is infinite or NaN, BudgetExceeded where the value is too large or too
    deep: values share their parts, so that a small one can stand for one without bounds.
    """
    kind = type(after)
    olds: Iterable[Any]
    items: Collection[Any]
    if kind is dict:
        items = after.values()
        olds = map(before.get, after) if type(before) is dict else repeat(None)
    elif kind is list:
        items = after
        olds = chain(before, repeat(None)) if type(before) is list else repeat(None)
    else:
        items, olds = (after,), (None,)
    if depth > MAX_DEPTH:
        raise BudgetExceeded(TOO_DEEP)
    left -= len(items)
    for old, item in zip(olds, items):  # noqa: B905 (what was there may be longer)
        if item is old:
            continue
        kind = type(item)
        if kind is str:
            left -= len(item)
        elif kind is dict or kind is list:
            left = _examine(name, old, item, left, depth + 1)
        elif kind is float and item - item != 0.0:
            raise Fail(f"a number in {name} is beyond the range of a float")
        if left < 0:
            raise BudgetExceeded(TOO_LONG)
    return left


def fork(state: State) -> State:
    """An independent copy: copies what was written, shares the rest; to be used between calls."""
    context = state._toolc
    copy = Context(context.base, context.draws.fork())
    copy.clock = context.clock
    made = type(state)(copy)
    for name, value in vars(state).items():
        if name != "_toolc":
            vars(made)[name] = value._fork(copy) if type(value) is Table else value
    return made


def apply(state: State, writes: Iterable[Write]) -> None:
    """Make these writes."""
    for name, key, _, after in writes:
        if key is None:
            setattr(state, name, after)
        elif after is not None:
            getattr(state, name).put(key, after)
        elif key in getattr(state, name):
            getattr(state, name).delete(key)


def differences(state: State) -> dict[str, Any]:
    """What differs from the base: `{table: {key: (before, after)}, scalar: (before, after)}`.

    Keys and values are the runtime's own; None stands for a row that is not there.
    """
    base = state._toolc.base
    found: dict[str, Any] = {}
    for name, value in vars(state).items():
        if type(value) is Table:
            source = base.tables[name]
            start = Table[Any, Any](name, source, state._toolc)
            rows = {}
            for holder in (source.changed, source.added, value._changed, value._added):
                for key in holder or ():
                    before, after = start.get(key), value.get(key)
                    if before is not after and before != after:
                        rows[key] = (before, after)
            if rows:
                found[name] = rows
        elif name in base.scalars:
            before = base.scalars[name]
            if before is not value and before != value:
                found[name] = (before, value)
    return found


def changes(state: State) -> dict[str, Any]:
    """What differs from the base, as JSON: `{table: {key: row or None}, scalar: value}`."""
    tables = state._toolc.base.tables
    return {
        name: {key_text(key): plain(after) for key, (_, after) in found.items()}
        if name in tables
        else plain(found[1])
        for name, found in differences(state).items()
    }


def derive(state: State) -> Base:
    """A base that starts where this state is."""
    base = state._toolc.base
    tables = dict(base.tables)
    scalars = dict(base.scalars)
    for name, value in vars(state).items():
        if type(value) is Table:
            tables[name] = Source(value._rows, dict(value._changed or {}), dict(value._added or {}))
        elif name in scalars:
            scalars[name] = value
    return Base(tables, scalars, state._toolc.clock)


# ---------------------------------------------------------------- what emitted code calls


def each(state: State, items: Iterable[T]) -> Collection[T]:
    """The items as they are now, for a loop; charges their number to the call's budget."""
    stable: Collection[Any]
    kind: type = type(items)
    if kind is list:
        stable = tuple(items)
    elif kind in _STABLE:
        stable = items  # type: ignore[assignment]
    elif kind is Table:
        stable = items.values()  # type: ignore[attr-defined]
    else:
        stable = items if isinstance(items, Collection) else list(items)
    context = state._toolc
    context.steps -= len(stable) + 1
    if context.steps < 0:
        context.charge(0)
    return stable


def now(state: State) -> datetime:
    """The episode's clock."""
    return state._toolc.clock


def advance(state: State, by: timedelta) -> None:
    """Move the clock; Fail where it would leave the calendar."""
    try:
        state._toolc.clock += by
    except OverflowError:
        raise Fail("the clock is beyond the calendar") from None


def peek(root: Any, *path: Any) -> Any | None:
    """What the keys, labels and indexes lead to; None as soon as one is missing, null or absent."""
    for step in path:
        if type(root) is dict or isinstance(root, Table):
            root = root.get(step)
        elif isinstance(root, (list, tuple, str)):
            root = root[step] if type(step) is int and -len(root) <= step < len(root) else None
        if root is None:
            return None
    return root


def item(mapping: Mapping[K, T], key: K) -> T:
    """A dict's or record's value; Fail where the key is missing."""
    value = mapping.get(key, _MISSING)
    if value is _MISSING:
        raise Fail(f"there is no {_shown(key)}")
    return cast(T, value)


def at(sequence: Sequence[T], index: int) -> T:
    """A list's item or a text's character, from the end where negative; Fail out of range."""
    if -len(sequence) <= index < len(sequence):
        return sequence[index]
    raise Fail(f"index {index} is out of range, the length is {len(sequence)}")


def present(value: T | None, name: str = "the value") -> T:
    """The value; Fail where it is null."""
    if value is None:
        raise Fail(f"{name} is null")
    return value


Change = Callable[[Any], Any]


def _changed(root: Any, path: tuple[Any, ...], last: Callable[[Any, Any], Any]) -> Any:
    """`root` with the holder of the last step replaced by `last(holder, step)`; copies the path."""
    step = path[0]
    if len(path) == 1:
        return last(root, step)
    return _with_item(root, step, _changed(_follow(root, step), path[1:], last))


def _follow(holder: Any, step: Any) -> Any:
    value = peek(holder, step)
    if value is None:
        raise Fail(f"there is no {_shown(step)}")
    return value


def _with_item(holder: Any, step: Any, value: Any) -> Any:
    if type(holder) is dict:
        made = {**holder, step: value}
        return made if len(made) <= FREE else grow(made)
    if type(holder) is list and type(step) is int:
        if not -len(holder) <= step < len(holder):
            raise Fail(f"index {step} is out of range, the length is {len(holder)}")
        copy = grow(holder[:])
        copy[step] = value
        return copy
    raise Fail(f"there is no {_shown(step)}")


def _without_item(holder: Any, step: Any) -> Any:
    if type(holder) is dict and step in holder:
        return {key: value for key, value in grow(holder).items() if key != step}
    if type(holder) is list and type(step) is int and -len(holder) <= step < len(holder):
        copy = grow(holder[:])
        del copy[step]
        return copy
    raise Fail(f"there is no {_shown(step)}")


def _on_list(change: Change) -> Callable[[Any, Any], Any]:
    return lambda holder, step: _with_item(holder, step, change(_follow(holder, step)))


def _appended(value: Any) -> Change:
    def change(items: Any) -> Any:
        if type(items) is not list:
            raise Fail(f"{quote(items)} is not a list")
        return grow([*items, value])

    return change


def _removed(value: Any) -> Change:
    def change(items: Any) -> Any:
        if type(items) is not list or value not in items:
            raise Fail(f"{quote(plain(value))} is not in the list")
        index = items.index(value)
        return grow(items[:index] + items[index + 1 :])

    return change


def with_path(root: Any, /, *path: Any, to: Any) -> Any:
    """A copy of a plain value with the place at `path` set; Fail where a link is missing."""
    return _changed(root, path, lambda holder, step: _with_item(holder, step, to)) if path else to


def with_appended(root: Any, /, *path: Any, value: Any) -> Any:
    """A copy with a value appended to the list at `path`; Fail where there is no list."""
    change = _appended(value)
    return _changed(root, path, _on_list(change)) if path else change(root)


def with_removed(root: Any, /, *path: Any, value: Any) -> Any:
    """A copy without the first equal item of the list at `path`; Fail where there is none."""
    change = _removed(value)
    return _changed(root, path, _on_list(change)) if path else change(root)


def without(root: Any, /, *path: Any) -> Any:
    """A copy without the key, label or index that `path` ends in; Fail where it is missing."""
    return _changed(root, path, _without_item)


def assign(root: Table[Any, Any], key: Any, /, *path: Any, value: Any) -> None:
    """Set a row, or a place in one; copies the path; Fail where a link is missing."""
    if not path:
        root.put(key, value)
        return
    row = root[key]
    if len(path) == 1:
        root._replace(key, row, _with_item(row, path[0], value))
    else:
        root._replace(key, row, with_path(row, *path, to=value))


def append(root: Table[Any, Any], key: Any, /, *path: Any, value: Any) -> None:
    """Append to a list in a row; Fail where there is no list."""
    row = root[key]
    root._replace(key, row, with_appended(row, *path, value=value))


def remove(root: Table[Any, Any], key: Any, /, *path: Any, value: Any) -> None:
    """Remove the first equal item of a list in a row; Fail where there is none."""
    root.put(key, with_removed(root[key], *path, value=value))


def erase(root: Table[Any, Any], key: Any, /, *path: Any) -> None:
    """Delete a row, or a dict's key, a label or an index in one; Fail where it is missing."""
    if path:
        root.put(key, without(root[key], *path))
    else:
        root.delete(key)
