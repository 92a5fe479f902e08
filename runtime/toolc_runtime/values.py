"""JSON text and runtime values: strict reading, canonical writing, and the ISO 8601 formats.

Runtime values are JSON's own, and `Decimal`, `date`, `time`, `datetime` and `timedelta`, which
are text in JSON. Canonical text keeps the order of keys, has no white space, writes non-ASCII
characters as they are, and never holds NaN or an infinity.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from json import encoder as _encoder
from json import scanner as _scanner
from typing import Any

from toolc_runtime.budget import MAX_DEPTH, MAX_INPUT, MAX_INT, MIN_INT
from toolc_runtime.errors import Malformed

# ---------------------------------------------------------------- formats

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")
_DATETIME = re.compile(_DATE.pattern + "T" + _TIME.pattern)
_DECIMAL = re.compile(r"-?[0-9]{1,34}(\.[0-9]{1,34})?")
_DURATION = re.compile(
    r"(?P<sign>-?)P(?=[0-9T])(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?"
    r"(?:(?P<seconds>[0-9]{1,9})(?:\.(?P<fraction>[0-9]{1,6}))?S)?)?"
)


def parse_date(text: str) -> date:
    """`2024-05-15`; Malformed otherwise."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise Malformed(f"{quote(text)} is not a date such as 2024-05-15")


def parse_time(text: str) -> time:
    """`15:00:00`, with a fraction of up to six digits; Malformed otherwise."""
    if _TIME.fullmatch(text):
        try:
            return time.fromisoformat(_six_digits(text))
        except ValueError:
            pass
    raise Malformed(f"{quote(text)} is not a time such as 15:00:00")


def parse_datetime(text: str) -> datetime:
    """`2024-05-15T15:00:00`, without an offset; Malformed otherwise."""
    if _DATETIME.fullmatch(text):
        try:
            return datetime.fromisoformat(_six_digits(text))
        except ValueError:
            pass
    raise Malformed(f"{quote(text)} is not a date and time such as 2024-05-15T15:00:00")


def parse_duration(text: str) -> timedelta:
    """`P28D`, `PT45M`, `-P1DT2H`, `P2W`: ISO 8601 without years and months; Malformed otherwise."""
    found = _DURATION.fullmatch(text)
    if found is not None:
        units = {
            name: int(found[name] or 0) for name in ("weeks", "days", "hours", "minutes", "seconds")
        }
        micro = int((found["fraction"] or "").ljust(6, "0"))
        try:
            length = timedelta(**units, microseconds=micro)
        except OverflowError:
            pass
        else:
            return -length if found["sign"] else length
    raise Malformed(f"{quote(text)} is not a duration such as P28D or PT45M")


def parse_decimal(text: str) -> Decimal:
    """`-12.50`: up to 34 digits on either side of the point, no exponent; Malformed otherwise."""
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    raise Malformed(f"{quote(text)} is not a decimal number such as 12.50")


def _six_digits(text: str) -> str:
    head, point, fraction = text.partition(".")
    return head + point + fraction.ljust(6, "0") if point else text


FORMATS: dict[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time-local": parse_time,
    "date-time-local": parse_datetime,
    "duration": parse_duration,
    "decimal": parse_decimal,
}
"""Format in a schema to the function that reads its text; each raises Malformed."""


def duration_text(length: timedelta) -> str:
    """The ISO 8601 form in days, hours, minutes and seconds; `PT0S` for none."""
    sign = "-" if length.days < 0 else ""
    length = abs(length)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    clock = "".join(
        (
            f"{hours}H" if hours else "",
            f"{minutes}M" if minutes else "",
            f"{seconds}{fraction}S" if seconds or fraction else "",
        )
    )
    days = f"{length.days}D" if length.days else ""
    return f"{sign}P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"


def decimal_text(value: Decimal) -> str:
    """Digits and point, without an exponent."""
    return format(value, "f")


_TO_TEXT: dict[type, Callable[[Any], str]] = {
    date: date.isoformat,
    time: time.isoformat,
    datetime: datetime.isoformat,
    timedelta: duration_text,
    Decimal: decimal_text,
}

# ---------------------------------------------------------------- writing


def _default(value: Any) -> Any:
    writer = _TO_TEXT.get(type(value))
    if writer is None:
        raise TypeError(f"{type(value).__name__} is not a runtime value")
    return writer(value)


_FALLBACK = json.JSONEncoder(
    ensure_ascii=False,
    separators=(",", ":"),
    allow_nan=False,
    check_circular=False,
    default=_default,
)
encode_text: Callable[[str], str] = _encoder.encode_basestring
"""A text as canonical JSON has it."""
_make: Any = getattr(_encoder, "c_make_encoder", None)
# Made once: `JSONEncoder.encode` makes one at every call, most of the cost of a small value.
_encode: Callable[[Any, int], Any] = (
    _make(None, _default, encode_text, None, ":", ",", False, False, False)
    if _make is not None
    else lambda value, _: _FALLBACK.iterencode(value)
)


def canonical(value: Any) -> str:
    """The canonical JSON text of a runtime value.

    ValueError for NaN and infinities, TypeError for what is no runtime value, RecursionError
    for nesting beyond the interpreter's limit.
    """
    if type(value) is str:
        return encode_text(value)
    try:
        return "".join(_encode(value, 0))
    except TypeError:
        return "".join(_encode(plain(value), 0))


def plain(value: Any) -> Any:
    """The value as JSON has it: dates, durations and decimals as text, keys as text.

    What needs no change is given back as it is, not copied.
    """
    kind = type(value)
    if kind is dict:
        changed = {key_text(key): plain(item) for key, item in value.items()}
        same = all(old is new for old, new in zip(value.values(), changed.values(), strict=True))
        return value if same and all(type(key) is str for key in value) else changed
    if kind is list or kind is tuple:
        items = [plain(item) for item in value]
        same = kind is list and all(old is new for old, new in zip(value, items, strict=True))
        return value if same else items
    return _default(value) if kind in _TO_TEXT else value


def key_text(key: Any) -> str:
    """The text that a key of a table or dict has in JSON; a composite key is a JSON list's text."""
    if type(key) is str:
        return key
    text = canonical(key)
    return text[1:-1] if text.startswith('"') else text


def quote(value: Any, limit: int = 60) -> str:
    """A JSON value for a message: its canonical text in backticks, cut where it is long."""
    kind = type(value)
    if kind is dict or kind is list:
        return f"{'an object' if kind is dict else 'a list'} of {len(value)}"
    text = canonical(value[: limit + 1] if kind is str else value)
    return f"`{text if len(text) <= limit else text[: limit - 1] + '…'}`"


# ---------------------------------------------------------------- reading


def _int(text: str) -> int:
    if len(text) <= 20:
        value = int(text)
        if MIN_INT <= value <= MAX_INT:
            return value
    raise Malformed(f"the integer {text[:24]} is beyond 64 bits")


def _float(text: str) -> float:
    value = float(text)
    if value - value != 0.0:
        raise Malformed(f"the number {text[:24]} is beyond the range of a float")
    return value


def _constant(text: str) -> Any:
    raise Malformed(f"{text} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Malformed(f"the key {quote(key)} occurs twice in one object")
            seen.add(key)
    return made


_STRICT = json.JSONDecoder(
    parse_int=_int, parse_float=_float, parse_constant=_constant, object_pairs_hook=_object
)
_FAST = json.JSONDecoder(parse_constant=_constant, object_pairs_hook=_object)
_SUSPECT = re.compile(r"[0-9]{19}|[0-9][eE]")  # only such numbers can be beyond 64 bits or infinite
_SHORT = 200  # a text with few numbers: looking at each costs less than a search for suspect ones
_make_scanner: Any = _scanner.make_scanner
_scan: Callable[[str, int], tuple[Any, int]] = _make_scanner(_FAST)
_scan_numbers: Callable[[str, int], tuple[Any, int]] = _make_scanner(
    json.JSONDecoder(parse_int=_int, parse_float=_float, parse_constant=_constant)
)


def parse(text: str, limit: int = MAX_INPUT) -> Any:
    """The value of a strict JSON text of at most `limit` characters.

    Malformed, with a readable message, for syntax errors, NaN and infinities, duplicate keys,
    integers beyond 64 bits, lone surrogates, and nesting deeper than 64.
    """
    if len(text) > limit:
        raise Malformed(f"the text has {len(text):,} characters, more than {limit:,}")
    try:
        if len(text) <= _SHORT:
            value, end = _scan_numbers(text, 0)
            # Each member of an object has a colon, so as many colons as keys leave none twice.
            flat = type(value) is dict and text.count(":") == len(value)
            suspect = not flat or text.count("{") > 1
        else:
            value, end = _scan(text, 0)
            suspect = _SUSPECT.search(text) is not None
        if end != len(text) or suspect:
            value = _decode(text)
    except (StopIteration, ValueError):
        value = _decode(text)
    except RecursionError:
        raise Malformed(f"nested more than {MAX_DEPTH} deep") from None
    if (not text.isascii() or "\\u" in text) and _has_surrogate(value):
        raise Malformed("the text has a lone surrogate")
    if text.count("[") + text.count("{") > MAX_DEPTH and _deeper(value, MAX_DEPTH):
        raise Malformed(f"nested more than {MAX_DEPTH} deep")
    return value


def _decode(text: str) -> Any:
    try:
        return _STRICT.decode(text)
    except json.JSONDecodeError as error:
        raise Malformed(
            f"{_lower(error.msg)} at line {error.lineno} column {error.colno}"
        ) from None
    except RecursionError:
        raise Malformed(f"nested more than {MAX_DEPTH} deep") from None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _has_surrogate(value: Any) -> bool:
    try:
        canonical(value).encode()
    except UnicodeEncodeError:
        return True
    except RecursionError:
        raise Malformed(f"nested more than {MAX_DEPTH} deep") from None
    return False


def _deeper(value: Any, depth: int) -> bool:
    """Whether more than `depth` lists and objects are nested."""
    level = [value]
    for _ in range(depth + 1):
        holders = [item for item in level if type(item) is dict or type(item) is list]
        if not holders:
            return False
        level = [
            item
            for holder in holders
            for item in (holder.values() if type(holder) is dict else holder)
        ]
    return True


def frozen(value: Any) -> Any:
    """A hashable stand-in, equal where the values are in JSON (`1`, `1.0`; not `1`, `true`)."""
    kind = type(value)
    if kind is bool:
        return (bool, value)
    if kind is dict:
        return (dict, frozenset((key, frozen(item)) for key, item in value.items()))
    if kind is list or kind is tuple:
        return (list, tuple(frozen(item) for item in value))
    return value


def equal(left: Any, right: Any) -> bool:
    """Equality in JSON Schema's sense: numbers by value, `true` is not `1`, deep."""
    return bool(frozen(left) == frozen(right))
