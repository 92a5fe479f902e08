#!/usr/bin/env bash
# Trains a model on this folder with verl. MODEL, GPUS (of a node), NODES and LOGGER (a list) come
# from the environment; further options of verl are given as arguments and win over these.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# A small build may keep no task for validation.
held=$here/validation.parquet
[ -e "$held" ] || held=$here/train.parquet
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" -m verl.trainer.main_ppo \
  algorithm.adv_estimator=grpo \
  data.train_files="$here/train.parquet" \
  data.val_files="$held" \
  data.train_batch_size=64 \
  data.max_prompt_length=8192 \
  data.max_response_length=4096 \
  data.filter_overlong_prompts=True \
  actor_rollout_ref.model.path="${MODEL:-Qwen/Qwen3-4B}" \
  actor_rollout_ref.model.use_remove_padding=True \
  actor_rollout_ref.actor.optim.lr=1e-6 \
  actor_rollout_ref.actor.ppo_mini_batch_size=32 \
  actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=1 \
  actor_rollout_ref.actor.use_kl_loss=False \
  actor_rollout_ref.rollout.name=vllm \
  actor_rollout_ref.rollout.n=8 \
  actor_rollout_ref.rollout.tensor_model_parallel_size=1 \
  actor_rollout_ref.rollout.gpu_memory_utilization=0.6 \
  actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=1 \
  actor_rollout_ref.rollout.multi_turn.enable=True \
  actor_rollout_ref.rollout.multi_turn.format=hermes \
  actor_rollout_ref.rollout.multi_turn.tool_config_path="$here/tools.yaml" \
  actor_rollout_ref.rollout.multi_turn.max_assistant_turns=16 \
  actor_rollout_ref.rollout.multi_turn.max_parallel_calls=16 \
  actor_rollout_ref.rollout.multi_turn.max_tool_response_length=16384 \
  actor_rollout_ref.rollout.agent.default_agent_loop=tool_agent \
  reward.custom_reward_function.path="$here/toolc_verl.py" \
  reward.custom_reward_function.name=compute_score \
  trainer.n_gpus_per_node="${GPUS:-8}" \
  trainer.nnodes="${NODES:-1}" \
  trainer.logger="${LOGGER:-[console]}" \
  trainer.project_name=toolc \
  trainer.experiment_name="$(basename "$here")" \
  +ray_kwargs.ray_init.runtime_env.env_vars.PYTHONPATH="$PYTHONPATH" \
  "$@"
