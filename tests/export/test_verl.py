"""What is written for verl works with verl, and without it with what `verl_facts` says of it."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT, Toolc
from tests.export import verl_facts
from toolc.export import verl
from toolc.scenarios.player import Player
from toolc.train.rows import Row
from toolc_runtime import Environment, Task
from toolc_runtime import verl as runtime
from toolc_runtime.verl import final_text

INSTALLED = importlib.util.find_spec("verl") is not None
WITHOUT = "verl is not installed: only what the table says of it was checked"


@pytest.fixture(scope="session")
def folder(town_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town, exported."""
    made = tmp_path_factory.mktemp("verl") / "town"
    command = [sys.executable, "-m", "toolc", "export", "verl", str(town_build), "-o", str(made)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return made


@pytest.fixture
def module(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The emitted `toolc_verl.py`, on verl where it is installed."""
    if not INSTALLED:
        verl_facts.stand_in(monkeypatch)
    spec = importlib.util.spec_from_file_location("toolc_verl", folder / "toolc_verl.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "toolc_verl", made)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def tools(folder: Path, module: ModuleType) -> dict[str, Any]:
    """The tools of `tools.yaml`, by verl's own loader where it is installed."""
    if INSTALLED:
        from verl.tools.tool_registry import initialize_tools_from_config

        return {tool.name: tool for tool in initialize_tools_from_config(folder / "tools.yaml")}
    from verl.tools.schemas import OpenAIFunctionToolSchema

    made = {}
    for entry in json.loads((folder / "tools.yaml").read_text())["tools"]:
        assert entry["class_name"] == "toolc_verl.EpisodeTool"
        assert entry["config"]["type"] == "native"
        schema = OpenAIFunctionToolSchema.model_validate(entry["tool_schema"])
        tool = module.EpisodeTool(config=entry["config"], tool_schema=schema)
        made[tool.name] = tool
    return made


class Trajectory:
    """What verl tells a tool of the trajectory that a call belongs to."""

    def __init__(self, row: Row) -> None:
        self.tools_kwargs = row["extra_info"]["tools_kwargs"]
        self.extra_fields: dict[str, Any] = {}
        self.assistant_turns = 0

    def call(self, tools: dict[str, Any], name: str, arguments: Any) -> str:
        """A call as verl's agent loop makes it: an instance for it alone."""

        async def made() -> str:
            tool = tools[name]
            kwargs = self.tools_kwargs.get(name, {})
            instance, _ = await tool.create(create_kwargs=kwargs.get("create_kwargs", {}))
            response, reward, _ = await tool.execute(instance, arguments, agent_data=self)
            await tool.release(instance)
            assert reward == 0.0
            return str(response.text)

        return asyncio.run(made())


def rows_of(folder: Path) -> list[Row]:
    """All rows."""
    lines = [
        line
        for split in ("train", "validation", "test")
        for line in (folder / f"{split}.jsonl").read_text().splitlines()
    ]
    return list(map(json.loads, lines))


def score(module: ModuleType, row: Row, said: str, trajectory: Trajectory) -> dict[str, float]:
    """The reward, as verl's reward manager asks for it, of a trajectory that came as a message."""
    fields = json.loads(json.dumps(trajectory.extra_fields))
    values = (row["data_source"], said, row["reward_model"]["ground_truth"])
    extra = {**row["extra_info"], **fields, "num_turns": 2}
    made: dict[str, float] = module.compute_score(
        **dict(zip(verl_facts.SCORE, (*values, extra), strict=True))
    )
    return made


def plan(environment: Environment, row: Row) -> tuple[Task, int, Player]:
    """The task of a row, its turn, and a player that stands at its beginning."""
    given = row["extra_info"]["tools_kwargs"]["toolc"]["create_kwargs"]
    _, _, number = row["extra_info"]["id"].partition("@")
    task = environment.tasks[given["task"]]
    episode = environment.episode(task)
    player = Player(episode, task)
    for turn in range(int(number or 0)):
        for step in task.turns[turn]["steps"]:
            player.do(step)
        player.end(turn)
    return task, int(number or 0), player


def says(text: str, result: str) -> str:
    """What a template makes of a call and its result."""
    return f"<tool_call>\n{text}\n</tool_call>\nuser\n<tool_response>\n{result}\n</tool_response>"


def test_plans_earn_everything_and_less_earns_less(
    folder: Path, town: Environment, module: ModuleType, tools: dict[str, Any]
) -> None:
    for row in rows_of(folder):
        task, number, player = plan(town, row)
        steps = task.turns[number]["steps"]
        trajectory, said = Trajectory(row), ""
        selection = row["extra_info"]["tool_selection"]
        for step in steps:
            trajectory.assistant_turns += 1
            arguments = player.arguments(step)
            assert step["tool"] in selection
            text = trajectory.call(tools, step["tool"], arguments)
            assert text == player.do(step)
            said += says(json.dumps(arguments), text) + "\nassistant\n"
        answer = player.text(task.turns[number])
        marks = score(module, row, f"{said}<think>\n\n</think>\n\n{answer}", trajectory)
        assert marks["score"] == marks["success"] == 1.0, row["extra_info"]["id"]
        later = sum(len(turn["steps"]) for turn in task.turns[: number + 1])
        assert marks["calls"] >= later
        if steps:
            idle = score(module, row, answer, Trajectory(row))
            assert idle["score"] < 1 and idle["success"] == 0


def test_state_is_a_trajectorys_own(folder: Path, tools: dict[str, Any]) -> None:
    row = next(row for row in rows_of(folder) if "one_more" in row["extra_info"]["id"])
    one, other = Trajectory(row), Trajectory(row)
    assert one.call(tools, "copies_of", {"title": "Amber"}) == "3"
    assert one.call(tools, "reset", {"title": "Amber", "copies": 9}) == "9"
    assert one.call(tools, "copies_of", {"title": "Amber"}) == "9"
    assert other.call(tools, "copies_of", {"title": "Amber"}) == "3"
    assert "invalid_arguments" in one.call(tools, "copies_of", {"name": 1})
    assert "malformed_json" in one.call(tools, "copies_of", ["Amber"])


def test_calls_of_one_message_are_parallel(
    folder: Path, module: ModuleType, tools: dict[str, Any]
) -> None:
    row = next(row for row in rows_of(folder) if "both" in row["extra_info"]["id"])
    trajectory = Trajectory(row)
    for tool in ("shelf_of", "copies_of"):
        trajectory.call(tools, tool, {"title": "Amber"})
    row_given = json.loads(row["reward_model"]["ground_truth"])
    noted = trajectory.extra_fields[verl_facts.STABLE_FIELD]["toolc"]
    assert [call[2] for call in noted["calls"]] == [0, 0]
    messages: list[bool] = []
    episode = module.ROLLOUTS.begin(row_given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.ROLLOUTS, "begin", lambda row: episode)
        module.ROLLOUTS.score(row_given, "", trajectory.extra_fields)
    messages = [call.message == episode.trace[0].message for call in episode.trace]
    assert messages == [True, True]


def test_an_instance_is_a_trajectory_where_verl_names_none(
    folder: Path, tools: dict[str, Any]
) -> None:
    row = next(row for row in rows_of(folder) if "one_more" in row["extra_info"]["id"])
    given = row["extra_info"]["tools_kwargs"]["toolc"]["create_kwargs"]

    async def played() -> tuple[list[str], float]:
        tool = tools["reset"]
        first, _ = await tool.create(create_kwargs=given)
        second, _ = await tool.create("second", create_kwargs=given)
        assert second == "second" != first
        texts = []
        for instance in (first, second):
            response, _, _ = await tool.execute(instance, {"title": "Amber", "copies": 4})
            texts.append(response.text)
        reward = await tool.calc_reward(first)
        for instance in (first, second):
            await tool.release(instance)
        return texts, reward

    texts, reward = asyncio.run(played())
    assert texts == ["4", "4"]
    assert 0 <= reward <= 1


def test_models_are_shown_the_exact_schemas(town: Environment, tools: dict[str, Any]) -> None:
    shown = {
        name: tool.tool_schema.model_dump(exclude_unset=True, exclude_none=True)
        for name, tool in tools.items()
    }
    assert shown == {schema["function"]["name"]: schema for schema in town.schemas}
    assert shown["reset"]["function"]["parameters"]["properties"]["copies"]["minimum"] == 0
    for name, tool in tools.items():
        assert tool.tool_schema.function.name == tool.name == name


def test_the_folder_stands_alone(folder: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import toolc_runtime.verl as it\n"
        "from pathlib import Path\n"
        "row = {'environment': 'town', 'task': 'shelf:Amber'}\n"
        "print(it.__file__, it.Rollouts(Path(sys.argv[1], 'build')).score(row, 'A1', {}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(folder / "toolc_runtime"))
    assert "'success': 0.0" in done.stdout


SHARED = {"type": "object", "properties": {"a": {"type": "string"}}}


def schema(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "$defs": {"Shared": SHARED}}
    return {
        "type": "function",
        "function": {"name": name, "description": "Cost ${price}.", "parameters": parameters},
    }


def test_schemas_that_verl_cannot_take_are_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    if not INSTALLED:
        verl_facts.stand_in(monkeypatch)
    from verl.tools.schemas import OpenAIFunctionToolSchema

    given = schema(
        "f",
        shared={"$ref": "#/$defs/Shared", "description": "Shared."},
        either={"anyOf": [{"type": "integer"}, {"type": "null"}, {"type": "integer"}]},
        many={"type": ["string", "null"], "enum": ["a", None]},
        whatever={},
    )
    text = verl.tool_config((verl.Tool("f", "f", given),))
    assert "\\\\${price}" in text
    (entry,) = json.loads(text.replace("\\\\${", "${"))["tools"]
    assert json.loads(entry["config"]["schema"]) == given
    found = OpenAIFunctionToolSchema.model_validate(entry["tool_schema"])
    types = {name: each.type for name, each in found.function.parameters.properties.items()}
    assert types["shared"] == "object"
    assert types["either"] == ["integer", "null"]
    assert types["many"] == ["string", "null"]
    assert "string" in types["whatever"]
    if INSTALLED:
        from omegaconf import OmegaConf

        read = OmegaConf.to_container(OmegaConf.create(text), resolve=True)
        assert read == {"tools": [entry]}


class Named:
    """As much of an environment as names depend on."""

    def __init__(self, name: str, *schemas: dict[str, Any]) -> None:
        self.environment = self
        self.name = name
        self.schemas = schemas
        self.guests: dict[str, Any] = {}


def test_tools_of_one_name_and_different_schemas_are_told_apart() -> None:
    names = verl._Names()
    same, text, number = schema("g"), schema("f", a={"type": "string"}), schema("f")
    assert names.of(Named("one", same, text)) == {"g": "g", "f": "f"}  # type: ignore[arg-type]
    assert names.of(Named("two", same, number)) == {"g": "g", "f": "f_two"}  # type: ignore[arg-type]
    assert [(tool.name, tool.tool) for tool in names.tools] == [
        ("g", "g"),
        ("f", "f"),
        ("f_two", "f"),
    ]


@pytest.mark.parametrize(
    ("said", "shown", "text"),
    [
        ("It is 3.", "", "It is 3."),
        ("It is 3.<|im_end|>\n", "", "It is 3."),
        ("<think>\nhm\n</think>\n\nIt is 3.", "", "It is 3."),
        ("<think>\nhm", "", ""),
        (says("x", "3") + "\nassistant\nIt is 3.", "3", "It is 3."),
        (
            says("x", "3") + "<|im_end|>\n<|im_start|>assistant\nassistants help",
            "3",
            "assistants help",
        ),
        ('{"a":3}assistant\n\nIt is 3.', '{"a":3}', "It is 3."),
        ('{"a":3}<end>It is 3.', '{"a":3}<end>', "It is 3."),
        (says("x", "3") + "\nassistant\n", "3", ""),
        (says("x", "3") + "\nassistant\n<tool_call>\n{}", "3", ""),
        (says("x", "cut (trunc") + "\nassistant\nIt is 3.", "not to be found", "It is 3."),
        ("", "", ""),
    ],
)
def test_the_final_text_is_what_stands_after_the_last_result(
    said: str, shown: str, text: str
) -> None:
    assert final_text(said, shown) == text


def overrides(folder: Path) -> list[str]:
    """The options that the script gives verl."""
    done = subprocess.run(
        ["bash", str(folder / "run.sh"), "data.train_batch_size=8"],
        env={"PATH": os.defpath, "PYTHON": "echo", "MODEL": "model", "NODES": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    module, name, *given = done.stdout.split()
    assert [module, name] == ["-m", "verl.trainer.main_ppo"]
    return given


def test_the_script_gives_options_that_verl_has(folder: Path) -> None:
    given = overrides(folder)
    names = [each.lstrip("+").partition("=")[0] for each in given]
    assert len(names) > 20
    for name in names:
        assert name.removesuffix(".env_vars.PYTHONPATH") in verl_facts.OPTIONS, name
    assert f"actor_rollout_ref.rollout.multi_turn.tool_config_path={folder}/tools.yaml" in given
    assert "trainer.nnodes=2" in given


def test_the_script_validates_on_what_there_is(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "run.sh", tmp_path)
    assert f"data.val_files={folder}/validation.parquet" in overrides(folder)
    assert f"data.val_files={tmp_path}/train.parquet" in overrides(tmp_path)


def test_the_command_says_what_it_has_written(toolc: Toolc, town_build: Path) -> None:
    done = toolc("export", "verl", str(town_build / "town"), "-o", "town", "--format", "json")
    about = json.loads(done.stdout)
    assert about["tools"] == 3
    assert {"tools.yaml", "toolc_verl.py", "run.sh", "train.parquet"} <= about["files"].keys()
    assert runtime.FIELD == verl_facts.STABLE_FIELD


# ---------------------------------------------------------------- with verl itself


@pytest.mark.skipif(not INSTALLED, reason=WITHOUT)
def test_the_table_is_true() -> None:
    import verl as installed
    from verl.experimental.agent_loop import agent_loop
    from verl.tools import base_tool, schemas

    assert installed.__version__ == verl_facts.VERSION == verl.VERSION
    for name, parameters in verl_facts.METHODS.items():
        signature = inspect.signature(getattr(base_tool.BaseTool, name))
        assert list(signature.parameters) == parameters
    for name, fields in verl_facts.FIELDS.items():
        known = getattr(schemas, name).model_fields
        assert {field: each.is_required() for field, each in known.items()} == fields
    assert f'"{verl_facts.STABLE_FIELD}"' in inspect.getsource(agent_loop)


@pytest.mark.skipif(not INSTALLED, reason=WITHOUT)
def test_verl_composes_its_configuration_from_the_script(folder: Path) -> None:
    whole = composed(overrides(folder))
    for name in verl_facts.OPTIONS:
        at = whole
        for part in name.split("."):
            assert part in at, name
            at = at[part]
    assert whole.data.train_batch_size == 8
    assert str(folder) in whole.ray_kwargs.ray_init.runtime_env.env_vars.PYTHONPATH


def composed(given: Sequence[str]) -> Any:
    """verl's configuration with these options."""
    import hydra
    from verl import trainer

    config = str(Path(str(trainer.__file__)).parent / "config")
    with hydra.initialize_config_dir(config, version_base=None):
        return hydra.compose("ppo_trainer", overrides=list(given))


@pytest.mark.skipif(not INSTALLED, reason=WITHOUT)
def test_verls_agent_loop_calls_the_tools(folder: Path, tools: dict[str, Any]) -> None:
    from verl.experimental.agent_loop.tool_agent_loop import AgentData, ToolAgentLoop
    from verl.experimental.agent_loop.tool_parser import FunctionCall

    row = next(row for row in rows_of(folder) if "one_more" in row["extra_info"]["id"])
    loop = ToolAgentLoop.__new__(ToolAgentLoop)
    loop.tools = tools
    loop.max_tool_response_length = 256
    loop.tool_response_truncate_side = "middle"
    given = row["extra_info"]["tools_kwargs"]
    trajectory = AgentData([], None, None, None, None, {}, "id", given)
    call = FunctionCall(name="copies_of", arguments='{"title": "Amber"}')
    response, reward, _ = asyncio.run(loop._call_tool(call, given, trajectory))
    assert (response.text, reward) == ("3", 0.0)
    assert trajectory.extra_fields["extras"]["toolc"]["calls"][0][0] == "copies_of"


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason=WITHOUT)
def test_rollouts_run_on_ray(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/export/ray_rollout.py"), str(folder), "8"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    marks = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [each["score"] for each in marks] == [1.0] * 8
    assert {each["calls"] for each in marks} > {1.0, 2.0}
