"""The base of every tree in the compiler: immutable nodes with a source span.

`dataclasses` builds each class with `exec`, which costs a third of a millisecond a class at
import; the compiler has over a hundred node classes and starts for every `toolc check`. This
base gives the same to a type checker (PEP 681) and reads the annotations instead.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, dataclass_transform


class Span(NamedTuple):
    """Half-open range of character offsets into one source text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of the other."""
        return Span(self.start, other.end)


NOWHERE = Span(0, 0)


@dataclass_transform(frozen_default=True, eq_default=False)
class Node:
    """An immutable record whose fields are its annotations, in order, inherited ones first."""

    __slots__ = ()
    fields: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = tuple(
            name
            for name, annotation in cls.__annotations__.items()
            if not str(annotation).startswith("ClassVar")
        )
        cls.defaults = cls.defaults | {
            name: cls.__dict__[name] for name in own if name in cls.__dict__
        }
        cls.fields = (*cls.fields, *own)

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self.fields
        state = self.__dict__
        if len(values) == len(fields):
            state.update(zip(fields, values, strict=True))
            return
        state.update(zip(fields, values, strict=False))
        state.update(named)
        for name in fields:
            if name not in state:
                if name not in self.defaults:
                    raise TypeError(f"{type(self).__name__} needs {name!r}")
                state[name] = self.defaults[name]
        if len(state) != len(fields) or len(values) > len(fields):
            raise TypeError(f"{type(self).__name__} takes {fields}, not {sorted(state)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __repr__(self) -> str:
        inner = ", ".join(
            f"{name}={self.__dict__[name]!r}" for name in self.fields if name != "span"
        )
        return f"{type(self).__name__}({inner})"

    def replace(self, **changes: Any) -> Any:
        """A copy with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})


def same(left: object, right: object) -> bool:
    """Whether two trees are equal but for their spans."""
    if isinstance(left, Node):
        return type(left) is type(right) and all(
            same(getattr(left, name), getattr(right, name))
            for name in left.fields
            if name != "span"
        )
    if isinstance(left, tuple):
        return (
            isinstance(right, tuple)
            and len(left) == len(right)
            and all(same(a, b) for a, b in zip(left, right, strict=True))
        )
    return type(left) is type(right) and left == right
