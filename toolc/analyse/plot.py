"""The change of parameters as a picture: a cell a layer and module, darker where it is greater."""

from __future__ import annotations

from html import escape

from toolc.analyse.change import Changes, Layer

CELL, ROW, LEFT, TOP = 84, 22, 120, 64
_BLUE = (37, 99, 235)


def plot(changes: Changes, title: str) -> str:
    """An SVG of relative changes by layer (downwards) and module."""
    layers, modules = changes.layers(), changes.modules()
    figures = {
        (layer, module): change.relative
        for layer in layers
        for module in modules
        for change in (changes.total(layer, module),)
        if change.parameters
    }
    most = max((value for value in figures.values() if value), default=0.0) or 1.0
    drawn = [_text(8, 24, title, 14)]
    for column, module in enumerate(modules):
        drawn.append(_text(LEFT + CELL * column + CELL // 2, TOP - 8, module, 12, "middle"))
    for row, layer in enumerate(layers):
        y = TOP + ROW * row
        drawn.append(_text(LEFT - 8, y + 15, name_of(layer, layers), 12, "end"))
        for column, module in enumerate(modules):
            if (layer, module) in figures:
                drawn.append(_cell(LEFT + CELL * column, y, figures[layer, module], most))
    width, height = LEFT + CELL * len(modules) + 8, TOP + ROW * len(layers) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(drawn)}</svg>\n"
    )


def name_of(layer: Layer, layers: list[Layer]) -> str:
    """What a layer is called: its number, after the name of its stack where there are several."""
    stack, number = layer
    if number is None:
        return "elsewhere"
    several = len({each[0] for each in layers if each[1] is not None}) > 1
    return f"{stack}.{number}" if several else str(number)


def shown(value: float | None) -> str:
    """A relative change as a cell of a table."""
    if value is None:
        return "?"
    return "0" if value == 0 else f"{value:.4f}" if value >= 0.001 else f"{value:.1e}"


def _cell(x: int, y: int, value: float | None, most: float) -> str:
    share = (value or 0.0) / most
    red, green, blue = (round(255 + (each - 255) * share) for each in _BLUE)
    ink = "white" if share > 0.5 else "black"
    return (
        f'<rect x="{x}" y="{y}" width="{CELL - 2}" height="{ROW - 2}" '
        f'fill="rgb({red},{green},{blue})"/>'
        f"{_text(x + CELL // 2, y + 15, shown(value), 11, 'middle', ink)}"
    )


def _text(x: int, y: int, text: str, size: int, anchor: str = "start", ink: str = "black") -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{ink}">'
        f"{escape(text)}</text>"
    )
