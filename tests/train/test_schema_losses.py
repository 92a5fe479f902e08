"""What TRL's derived schemas lose is known, and told by the emitted descriptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Toolc
from tests.scenarios.specs import compile_text, load_built
from toolc.train.schema_losses import Loss, counted, losses, lost
from toolc_runtime.environment import Environment
from toolc_runtime.trl import emitted

pytest.importorskip("transformers")

SPEC = """
toolc 1
environment kinds "Every kind of parameter." version "1.0"
enum Size { "small", "large" }
record Item { name: str(min_length: 2) "What it is called.", count: int = 1 }
union Way by kind {
  case "walk" { steps: int(minimum: 1) },
  case "ride" { line: str }
}
tool plain "Nothing is lost." (
  a: str "A.", b: int "B.", c: bool "C.", d: Size "D.", e: list[str] "E.", f: dict[str, float] "F.",
  g: str? = null "G.",
) -> int { return 1 }
tool bounds "Returns: a number, so it says. Args: many." (
  least: int(minimum: 1, maximum: 9) "Least (choices: 1)",
  more: float(exclusive_minimum: 0, exclusive_maximum: 5, multiple_of: 0.5) "More.",
  text: str(min_length: 1, max_length: 8, pattern: "^[a-z]+$") "A text. Raises: nothing.",
  day: date "A day.",
  days: list[str](min_items: 1, max_items: 3, unique_items: true) = ["Args: x"] "Days.",
  empty: str = "" "Empty.",
  sort: str = "by name" "How.",
) -> int { return 1 }
tool shapes "Objects." (
  item: Item "An item.",
  items: list[Item](min_items: 1) "Items.",
  way: Way? = null "A way.",
  dates: list[date] = [] "Dates.",
  sizes: dict[str, int(minimum: 3)] = {} "Sizes.",
) -> int { return 1 }
tool words "Names that Python keeps." (from: int "From.", class: str "Class.") -> int { return 1 }
scenario none_of "Nothing" { user "Hello" plan none }
"""


WORDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matching {}",
    "format": "a {}, as in ",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "uniqueItems": "all different",
    "default": "default {}.",
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return load_built(compile_text(SPEC), tmp_path_factory.mktemp("kinds"), "kinds")


def derived(environment: Environment, method: str) -> Any:
    from transformers.utils.chat_template_utils import get_json_schema

    return get_json_schema(getattr(emitted(environment)(), method))["function"]


def told(loss: Loss, description: str) -> bool:
    """Whether a description says a keyword's value, in words or by the schema itself."""
    if "As JSON Schema {" in description:
        schema, _ = json.JSONDecoder().raw_decode(description[description.index("{") :])
        inner = schema
        for _ in range(loss.path.count("/*")):
            inner = inner["items"] if "items" in inner else inner["additionalProperties"]
        if loss.keyword == "default":
            return "default" in description
        shown = inner.get(loss.keyword)
        return bool((sorted(shown) if loss.keyword == "properties" else shown) == loss.value)
    shown = loss.value if isinstance(loss.value, str) and loss.value else json.dumps(loss.value)
    words = WORDS[loss.keyword].format(shown.replace("Args:", "Args\\u003a"))
    return words.lower() in description.lower()


def test_what_is_lost_is_known_by_tool(kinds: Environment) -> None:
    found = lost(kinds)
    assert "plain" not in found
    keywords = {(loss.path, loss.keyword) for loss in found["bounds"]}
    assert keywords == {
        *(("/least", each) for each in ("minimum", "maximum")),
        *(("/more", each) for each in ("exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
        *(("/text", each) for each in ("minLength", "maxLength", "pattern")),
        ("/day", "format"),
        *(("/days", each) for each in ("minItems", "maxItems", "uniqueItems", "default")),
        ("/empty", "default"),
        ("/sort", "default"),
    }
    assert {(loss.path, loss.keyword) for loss in found["shapes"]} == {
        ("/item", "properties"),
        ("/items", "minItems"),
        ("/items/*", "properties"),
        ("/way", "anyOf"),
        ("/dates", "default"),
        ("/dates/*", "format"),
        ("/sizes", "default"),
        ("/sizes/*", "minimum"),
    }
    assert found["words"] == [Loss("/from", "name", "from"), Loss("/class", "name", "class")]
    assert counted({"kinds": found})["properties"] == 2


def test_descriptions_tell_what_is_lost(kinds: Environment) -> None:
    for tool, found in lost(kinds).items():
        properties = derived(kinds, tool)["parameters"]["properties"]
        for loss in found:
            if loss.keyword != "name":
                description = properties[loss.path.split("/")[1]]["description"]
                assert told(loss, description), (tool, loss, description)


def test_objects_are_told_as_the_exact_schema(kinds: Environment) -> None:
    properties = derived(kinds, "shapes")["parameters"]["properties"]
    (schema,) = [each for each in kinds.schemas if each["function"]["name"] == "shapes"]
    exact = schema["function"]["parameters"]["properties"]
    for name in ("item", "items", "way"):
        text = properties[name]["description"]
        shown, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
        assert shown == {key: exact[name][key] for key in exact[name] if key != "description"}


def test_no_text_is_taken_for_a_part_of_the_docstring(kinds: Environment) -> None:
    found = derived(kinds, "bounds")
    assert found["description"] == "Returns : a number, so it says. Args : many."
    properties = found["parameters"]["properties"]
    assert len(properties) == 7
    assert properties["text"]["description"].startswith("A text. Raises : nothing. At least 1")
    assert "enum" not in properties["least"]


def test_names_and_nullable_types_are_compared_as_what_they_mean() -> None:
    exact = {
        "properties": {"a": {"type": ["string", "null"], "enum": ["x", None]}, "b": {}},
        "required": ["a"],
    }
    given = {"a": {"type": "string", "enum": ["x"], "nullable": True}, "b": {}}
    assert list(losses(exact, {"properties": given, "required": ["a"]})) == []
    assert list(losses(exact, {"properties": given})) == [Loss("", "required", ["a"])]
    given["a"] = {"type": "integer", "enum": ["x"]}
    assert list(losses(exact, {"properties": given, "required": ["a"]})) == [
        Loss("/a", "type", ["string", "null"])
    ]


def test_a_data_set_tells_them(toolc: Toolc, town_build: Path, tmp_path: Path) -> None:
    ended = toolc("dataset", str(town_build), "-o", "data")
    assert ended.returncode == 0, ended.stderr
    assert "lose something of 1 tool, told in descriptions (1 minimum)" in ended.stderr
    about = json.loads((tmp_path / "data" / "dataset.json").read_text(encoding="utf-8"))
    assert about["schema_losses"] == {
        "town": {"reset": [{"path": "/copies", "keyword": "minimum", "value": 0}]}
    }
