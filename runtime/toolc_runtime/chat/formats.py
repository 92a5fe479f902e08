"""The formats in which models speak, by name, and which of them a text is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from toolc_runtime.chat import thinking
from toolc_runtime.chat.families import llama, mistral, openai, tagged
from toolc_runtime.chat.message import Reply

Tools = Sequence[Mapping[str, Any]]
"""Function schemas, as OpenAI's chat format has them."""


class Parse(Protocol):
    def __call__(self, text: str, tools: Tools = (), first: int = 0) -> Reply:
        """The reply that a text is, of a model that made `first` calls before. Never raises.

        A call that cannot be read has the text of all of it as its arguments, so that an episode
        answers it as malformed.
        """
        ...


class Format(NamedTuple):
    """How models of a family write what they say and what they call."""

    name: str
    families: str
    """Whose models speak it."""
    parse: Parse
    render: Callable[[Reply], str]
    """The text of a reply; parsed, it gives the same calls."""
    spoken: Callable[[str], bool]
    """Whether a text has calls in this format."""
    how: str
    """How calls are written, for a model that is told of the tools in its prompt."""
    answer: Callable[[str, str], str] = tagged.answer
    """A tool's name and its result, as such a model is told of it."""


FORMATS: Mapping[str, Format] = {
    format.name: format
    for format in (
        Format(
            "hermes",
            "Hermes, Qwen 2.5, Qwen 3, and many that were trained after them",
            tagged.parse_json,
            tagged.render_json,
            tagged.spoken_json,
            tagged.HOW,
        ),
        Format(
            "qwen3_coder",
            "Qwen3-Coder, Qwen 3.5",
            tagged.parse_nested,
            tagged.render_nested,
            tagged.spoken_nested,
            tagged.HOW_NESTED,
        ),
        Format(
            "mistral",
            "Mistral, Ministral, Devstral",
            mistral.parse,
            mistral.render,
            mistral.spoken,
            mistral.HOW,
            mistral.answer,
        ),
        Format(
            "openai",
            "messages as OpenAI's chat format has them, as JSON text",
            openai.parse,
            openai.render,
            openai.spoken,
            openai.HOW,
        ),
        Format(
            "llama3",
            "Llama 3.1, 3.2 and 3.3",
            llama.parse,
            llama.render,
            llama.spoken,
            llama.HOW,
            llama.answer,
        ),
    )
}
"""Every format; the order is that in which a text is tried."""


def detect(text: str) -> Format | None:
    """The format of the calls in a model's text; None where it has none."""
    _, spoken = thinking.apart(text)
    return next((format for format in FORMATS.values() if format.spoken(spoken)), None)
