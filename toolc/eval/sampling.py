"""How a model is sampled and read, wherever it runs: the options that its policies share."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

from toolc.cli.terminal import positive
from toolc_runtime.chat.formats import FORMATS

AUTO = "auto"


class Sampling(NamedTuple):
    """How the next message is drawn. None leaves a choice to the server or the model."""

    temperature: float | None = None
    """0 takes the likeliest token each time."""
    top_p: float | None = None
    max_tokens: int | None = None
    """Of one message."""
    format: str = AUTO
    """The format of calls, of `FORMATS`."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `Sampling`, unless the parser has them."""
    if parser.get_default("chat_format") is not None:
        return
    group = add_drawing(parser, "how a model is sampled and read")
    group.add_argument(
        "--chat-format",
        choices=(AUTO, *FORMATS),
        default=AUTO,
        help="how the model writes calls (default: %(default)s, found out)",
    )


def add_drawing(parser: argparse.ArgumentParser, title: str) -> argparse._ArgumentGroup:
    """The options of how tokens are drawn, in a group that has a title."""
    group = parser.add_argument_group(title)
    group.add_argument(
        "--temperature", type=_within(100), metavar="T", help="0 is greedy (default: the model's)"
    )
    group.add_argument("--top-p", type=_within(1), metavar="P", help="of nucleus sampling")
    group.add_argument(
        "--max-tokens", type=positive, metavar="N", help="tokens of a message (see docs/models.md)"
    )
    return group


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """The options as a run keeps them."""
    return Sampling(args.temperature, args.top_p, args.max_tokens, args.chat_format)._asdict()


def from_settings(settings: Mapping[str, Any]) -> Sampling:
    """The same back."""
    return Sampling(**{name: settings[name] for name in Sampling._fields})


def _within(most: float) -> Any:
    def number(text: str) -> float:
        """An option's number from 0."""
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0.0 <= value <= most:
            raise argparse.ArgumentTypeError(f"`{text}` is not a number from 0 to {most:g}")
        return value

    return number


def seconds(text: str) -> float:
    """An option's time, of at least a tenth of a second."""
    value: float = _within(86_400)(text)
    return max(0.1, value)
