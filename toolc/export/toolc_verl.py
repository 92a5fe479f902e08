"""verl's side of an export of toolc: the tool class that `tools.yaml` names, and the reward.

The folder that this file stands in must be in PYTHONPATH, wherever verl's workers run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from verl.tools.base_tool import BaseTool
from verl.tools.schemas import OpenAIFunctionToolSchema, ToolResponse

from toolc_runtime.verl import KEY, Rollouts

ROLLOUTS = Rollouts(Path(__file__).with_name("build"))


class ExactSchema(OpenAIFunctionToolSchema):  # type: ignore[misc]
    """A schema that is shown to models as it is: verl's own classes drop what they do not know,
    such as items of lists, fields of objects, bounds and defaults."""

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """The whole schema, whatever the options."""
        exact: dict[str, Any] = json.loads(self._exact)
        return exact

    _exact: str = "{}"


class Instance:
    """A trajectory of which verl tells nothing; its members are those of verl's `AgentData`."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.tools_kwargs = {KEY: {"create_kwargs": row}}
        self.extra_fields: dict[str, Any] = {}
        self.assistant_turns = 0


class EpisodeTool(BaseTool):  # type: ignore[misc]
    """One tool of the environments. `config` has `tool`, its name there, and `schema`, JSON text.

    Its state is the episode of the trajectory that a call belongs to. Where verl says nothing of
    the trajectory, an instance is one of its own, which `create_kwargs` of a row begin.
    """

    def __init__(self, config: dict[str, Any], tool_schema: Any) -> None:
        exact = ExactSchema.model_validate(tool_schema.model_dump())
        exact._exact = config["schema"]
        self.config = config
        self.tool_schema = exact
        self.name = exact.function.name
        self._instances: dict[str, Instance] = {}

    async def create(
        self, instance_id: str | None = None, **kwargs: Any
    ) -> tuple[str, ToolResponse]:
        """Begins an instance; `create_kwargs` are those of a row."""
        instance = instance_id or str(uuid4())
        self._instances[instance] = Instance(kwargs.get("create_kwargs") or {})
        return instance, ToolResponse()

    async def execute(
        self, instance_id: str, parameters: dict[str, Any], **kwargs: Any
    ) -> tuple[ToolResponse, float, dict[str, Any]]:
        """Calls the tool; the response is the environment's text."""
        trajectory = kwargs.get("agent_data")
        if trajectory is None:
            trajectory = self._instances[instance_id]
            trajectory.assistant_turns += 1
        text = ROLLOUTS.call(
            trajectory,
            _row(trajectory),
            trajectory.extra_fields,
            trajectory.assistant_turns,
            self.config["tool"],
            parameters,
        )
        return ToolResponse(text=text), 0.0, {}

    async def calc_reward(self, instance_id: str, **kwargs: Any) -> float:
        """The verifier's reward of what was called so far, without a final text."""
        trajectory = kwargs.get("agent_data") or self._instances[instance_id]
        return ROLLOUTS.score(_row(trajectory), "", trajectory.extra_fields)["score"]

    async def release(self, instance_id: str, **kwargs: Any) -> None:
        """Ends an instance. The episode lives as long as its trajectory."""
        self._instances.pop(instance_id, None)


def _row(trajectory: Any) -> Mapping[str, Any]:
    row: Mapping[str, Any] = trajectory.tools_kwargs[KEY]["create_kwargs"]
    return row


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> dict[str, float]:
    """The verifier's reward of a trajectory as `score`, and other marks beside it."""
    return ROLLOUTS.score(json.loads(ground_truth), solution_str, extra_info or {})
