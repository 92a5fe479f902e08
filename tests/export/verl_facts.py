"""What `toolc export verl` rests on in verl 0.9.1, as a table, for machines without verl.

`stand_in` makes modules of it that take what verl's take; `tests/export/test_verl.py` compares the
table with verl itself where that is installed.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, Field, create_model

VERSION = "0.9.1"

BASE_TOOL = "verl.tools.base_tool"
SCHEMAS = "verl.tools.schemas"

METHODS = {
    "__init__": ["self", "config", "tool_schema"],
    "create": ["self", "instance_id", "kwargs"],
    "execute": ["self", "instance_id", "parameters", "kwargs"],
    "calc_reward": ["self", "instance_id", "kwargs"],
    "release": ["self", "instance_id", "kwargs"],
}
"""Of `BaseTool`, with their parameters."""

FIELDS = {
    "OpenAIFunctionPropertySchema": {"type": True, "description": False, "enum": False},
    "OpenAIFunctionParametersSchema": {"type": True, "properties": True, "required": False},
    "OpenAIFunctionSchema": {
        "name": True,
        "description": True,
        "parameters": False,
        "strict": False,
    },
    "OpenAIFunctionToolSchema": {"type": True, "function": True},
    "ToolResponse": {"text": False, "image": False, "video": False},
}
"""Of the classes of schemas: whether each is required."""

SCORE = ["data_source", "solution_str", "ground_truth", "extra_info"]
"""How the reward function is called, by name."""

STABLE_FIELD = "extras"
"""Of a trajectory's fields, one that every batch has."""

OPTIONS = {
    "algorithm.adv_estimator",
    "data.train_files",
    "data.val_files",
    "data.train_batch_size",
    "data.max_prompt_length",
    "data.max_response_length",
    "data.filter_overlong_prompts",
    "actor_rollout_ref.model.path",
    "actor_rollout_ref.model.use_remove_padding",
    "actor_rollout_ref.model.lora_rank",
    "actor_rollout_ref.actor.optim.lr",
    "actor_rollout_ref.actor.ppo_mini_batch_size",
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu",
    "actor_rollout_ref.actor.use_kl_loss",
    "actor_rollout_ref.rollout.name",
    "actor_rollout_ref.rollout.n",
    "actor_rollout_ref.rollout.tensor_model_parallel_size",
    "actor_rollout_ref.rollout.gpu_memory_utilization",
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu",
    "actor_rollout_ref.rollout.multi_turn.enable",
    "actor_rollout_ref.rollout.multi_turn.format",
    "actor_rollout_ref.rollout.multi_turn.tool_config_path",
    "actor_rollout_ref.rollout.multi_turn.max_assistant_turns",
    "actor_rollout_ref.rollout.multi_turn.max_parallel_calls",
    "actor_rollout_ref.rollout.multi_turn.max_tool_response_length",
    "actor_rollout_ref.rollout.agent.default_agent_loop",
    "reward.custom_reward_function.path",
    "reward.custom_reward_function.name",
    "trainer.n_gpus_per_node",
    "trainer.nnodes",
    "trainer.logger",
    "trainer.project_name",
    "trainer.experiment_name",
    "ray_kwargs.ray_init.runtime_env",
}
"""Options of its trainer."""


def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts modules made of the table in the place of verl's."""

    async def nothing(self: Any, *arguments: Any, **named: Any) -> None:
        raise NotImplementedError

    members: dict[str, Any] = dict.fromkeys(METHODS, nothing)
    for name, made in {
        "verl": {},
        "verl.tools": {},
        BASE_TOOL: {"BaseTool": type("BaseTool", (), members)},
        SCHEMAS: _models(),
    }.items():
        module = ModuleType(name)
        vars(module).update(made)
        monkeypatch.setitem(sys.modules, name, module)


def _models() -> dict[str, type[BaseModel]]:
    property_ = create_model(
        "OpenAIFunctionPropertySchema",
        type=(str | list[str], ...),
        description=(str | None, None),
        enum=(list[Any] | None, None),
    )
    parameters = create_model(
        "OpenAIFunctionParametersSchema",
        type=(str, ...),
        properties=(dict[str, property_], ...),  # type: ignore[valid-type]
        required=(list[str], Field(default_factory=list)),
    )
    function = create_model(
        "OpenAIFunctionSchema",
        name=(str, ...),
        description=(str, ...),
        parameters=(parameters, None),
        strict=(bool, False),
    )
    tool = create_model("OpenAIFunctionToolSchema", type=(str, ...), function=(function, ...))
    response = create_model(
        "ToolResponse",
        text=(str | None, None),
        image=(list[Any] | None, None),
        video=(list[Any] | None, None),
    )
    return {each.__name__: each for each in (property_, parameters, function, tool, response)}
