"""verl's own agent loop in a Ray worker, on a folder of `toolc export verl`, without a GPU: in the
place of the model stands a script that does what the plan does.

`python tests/export/ray_rollout.py FOLDER ROWS` prints a line of JSON for each row: its id and
marks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def options(folder: str) -> list[str]:
    """verl's options."""
    rollout = "actor_rollout_ref.rollout"
    return [
        f"{rollout}.name=vllm",
        f"{rollout}.multi_turn.max_parallel_calls=8",
        f"{rollout}.multi_turn.max_tool_response_length=16384",
        f"{rollout}.multi_turn.tool_config_path={folder}/tools.yaml",
        "data.max_response_length=4096",
        "data.max_prompt_length=8192",
    ]


class Server:
    """In the place of the server of a model: says the texts of a script, one a message."""

    def __init__(self, tokenizer: Any, script: list[str]) -> None:
        self._tokenizer = tokenizer
        self._script = script

    async def generate(self, **asked: Any) -> Any:
        """The next text."""
        from verl.workers.rollout.replica import TokenOutput

        return TokenOutput(token_ids=self._tokenizer(self._script.pop(0) + "<|im_end|>").input_ids)


class Worker:
    """Plays rows of a folder through verl's agent loop."""

    def __init__(self, folder: str) -> None:
        import datasets
        import hydra
        from verl import trainer
        from verl.tools.tool_registry import initialize_tools_from_config

        with hydra.initialize_config_dir(
            str(Path(str(trainer.__file__)).parent / "config"), version_base=None
        ):
            self._config = hydra.compose("ppo_trainer", overrides=options(folder))
        files = f"{folder}/train.parquet"
        self._rows = datasets.load_dataset("parquet", data_files=files)["train"]
        self._tools = initialize_tools_from_config(f"{folder}/tools.yaml")
        self._tokenizer = _tokenizer(list(map(json.dumps, self._rows)))

    async def play(self, index: int) -> dict[str, Any]:
        """The id and the marks of a row."""
        import toolc_verl  # type: ignore[import-not-found]
        from verl.experimental.agent_loop.agent_loop import DictConfigWrap, ToolListWrap
        from verl.experimental.agent_loop.tool_agent_loop import ToolAgentLoop

        row = self._rows[index]
        extra, truth = row["extra_info"], row["reward_model"]["ground_truth"]
        loop = ToolAgentLoop(
            trainer_config=DictConfigWrap(self._config),
            server_manager=Server(
                self._tokenizer, script(toolc_verl.ROLLOUTS.begin(json.loads(truth)))
            ),
            tokenizer=self._tokenizer,
            processor=None,
            dataset_cls=None,
            data_config=DictConfigWrap(self._config.data),
            hf_model_type="qwen3",
            tools=ToolListWrap(self._tools),
        )
        prompt = [
            {name: value for name, value in message.items() if value is not None}
            for message in row["prompt"]
        ]
        output = await loop.run(
            {}, raw_prompt=prompt, tools_kwargs=extra["tools_kwargs"], extra_info=extra
        )
        said = self._tokenizer.decode(output.response_ids, skip_special_tokens=True)
        fields = {**extra, **output.extra_fields}
        marks = toolc_verl.compute_score(row["data_source"], said, truth, fields)
        return {"id": extra["id"], **marks}


def script(episode: Any) -> list[str]:
    """What a model says that does the turn at which an episode stands as the plan does it."""
    from toolc.scenarios.player import Player

    turn = episode.task.turns[len(episode.texts)]
    player = Player(episode, episode.task)
    said = []
    for step in turn["steps"]:
        call = {"name": step["tool"], "arguments": player.arguments(step)}
        said.append(f"<tool_call>\n{json.dumps(call)}\n</tool_call>")
        player.do(step)
    return [*said, player.text(turn)]


def _tokenizer(texts: Sequence[str]) -> Any:
    """A tokenizer made in place, with the template of Qwen3."""
    import trl

    from toolc.train.config import TinyModel
    from toolc.train.tiny import make_tokenizer

    made = make_tokenizer(texts, TinyModel())
    template = Path(str(trl.__file__)).parent / "chat_templates" / "qwen3_training.jinja"
    made.chat_template = template.read_text(encoding="utf-8")
    marks = ["<|im_start|>", "<|im_end|>", "<tool_response>", "</tool_response>", "<think>"]
    made.add_tokens([*marks, "</think>"])
    return made


def main(folder: str, rows: str) -> None:
    """Plays the first rows, in one worker of a Ray instance of its own."""
    import ray

    path = ":".join([folder, *filter(None, sys.path)])
    environment = {"env_vars": {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}}
    ray.init(num_cpus=1, include_dashboard=False, runtime_env=environment)
    worker = ray.remote(num_cpus=0)(Worker).remote(folder)
    for index in range(int(rows)):
        print(json.dumps(ray.get(worker.play.remote(index))), flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
