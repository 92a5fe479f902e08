"""Units of measurement: their words, and how values of one become values of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit of a dimension: a value of it is `factor * value + offset` in the dimension's own."""

    name: str
    dimension: str
    factor: float
    offset: float = 0.0


def _units(dimension: str, **sizes: tuple[float, str]) -> dict[str, Unit]:
    made: dict[str, Unit] = {}
    for name, (factor, words) in sizes.items():
        unit = Unit(name, dimension, factor)
        made |= {word: unit for word in (name, *words.split())}
    return made


UNITS: Mapping[str, Unit] = {
    **_units(
        "length",
        metres=(1, "m metre meters meter"),
        kilometres=(1000, "km kms kilometre kilometers kilometer"),
        centimetres=(0.01, "cm centimetre centimeters centimeter"),
        millimetres=(0.001, "mm millimetre millimeters millimeter"),
        miles=(1609.344, "mi mile"),
        nautical_miles=(1852, "nautical nm nmi"),
        feet=(0.3048, "ft foot"),
        inches=(0.0254, "inch"),
        yards=(0.9144, "yd yard"),
    ),
    **_units(
        "mass",
        grams=(0.001, "g gram"),
        kilograms=(1, "kg kgs kilogram kilos"),
        tonnes=(1000, "tonne"),
        pounds=(0.45359237, "lb lbs pound"),
        ounces=(0.028349523125, "oz ounce"),
    ),
    **_units(
        "time",
        seconds=(1, "s sec second"),
        minutes=(60, "min mins minute"),
        hours=(3600, "h hrs hour"),
        days=(86_400, "day"),
        weeks=(604_800, "week"),
    ),
    **_units(
        "volume",
        litres=(1, "l litre liters liter"),
        millilitres=(0.001, "ml millilitre milliliters"),
        gallons=(3.785411784, "gallon"),
    ),
    **_units(
        "energy",
        joules=(1, "j joule"),
        kilojoules=(1000, "kj"),
        kilowatt_hours=(3_600_000, "kwh"),
        calories=(4.184, "cal calorie"),
        kilocalories=(4184, "kcal"),
    ),
    **_units(
        "speed",
        metres_per_second=(1, "mps"),
        kilometres_per_hour=(1 / 3.6, "kmh kph"),
        miles_per_hour=(0.44704, "mph"),
        knots=(1852 / 3600, "knot kn"),
    ),
    **dict.fromkeys(("kelvin", "kelvins"), Unit("kelvin", "temperature", 1)),
    **dict.fromkeys(("celsius", "centigrade"), Unit("celsius", "temperature", 1, 273.15)),
    "fahrenheit": Unit("fahrenheit", "temperature", 5 / 9, 459.67 * 5 / 9),
}
"""Units by the words that name them."""


def unit_of(*texts: Iterable[str]) -> Unit | None:
    """The one unit that words name, of the first texts that name any; None where they name several.
    `nautical miles` are no miles."""
    for words in texts:
        found = {UNITS[word] for word in words if word in UNITS}
        if len(found) > 1:
            found = {unit for unit in found if unit.name != "miles" or "nautical" not in words}
        if len(found) == 1:
            return found.pop()
        if found:
            return None
    return None


def converted(value: float, of: Unit, to: Unit) -> float:
    """A value of one unit in another of its dimension."""
    return (value * of.factor + of.offset - to.offset) / to.factor
