"""The call path: bad calls, failures, rollback, limits, turns, forks."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.builds import write_build
from toolc_runtime import Environment, Episode, load
from toolc_runtime.values import canonical
from toolc_runtime.verify import Verdict

TASK = "cancel_twice:#W0000001"
CANCEL = {"order_id": "#W0000001", "reason": "ordered by mistake"}


def error(text: str) -> dict[str, Any]:
    found = json.loads(text)
    assert canonical(found) == text
    value: dict[str, Any] = found["error"]
    return value


def test_a_call_gives_canonical_text(episode: Episode) -> None:
    text = episode.call("get_order", '{"order_id": "#W0000001"}')
    assert text == episode.call("get_order", {"order_id": "#W0000001"})
    assert text == (
        '{"order_id":"#W0000001","user_id":"ann","status":"pending","placed":"2024-05-01",'
        '"payments":[{"type":"payment","amount":12.5,"method":"g1","at":"2024-05-01T09:00:00"}]}'
    )
    call, _ = episode.trace
    assert (call.tool, call.status, call.turn, call.message) == ("get_order", "ok", 0, 0)
    assert call.arguments == {"order_id": "#W0000001"}
    assert call.result["payments"][0]["at"] == datetime(2024, 5, 1, 9)


def test_writes_are_recorded_and_atomic(episode: Episode) -> None:
    result = json.loads(episode.call("cancel_order", CANCEL))
    assert result["status"] == "cancelled" and len(result["payments"]) == 2
    changes = episode.json_changes()
    assert changes["orders"]["#W0000001"] == result
    assert changes["users"]["ann"]["methods"]["g1"]["balance"] == 17.5
    assert changes["cancelled_today"] == 1
    writes = episode.trace[0].writes
    assert writes["cancelled_today"] == (0, 1)
    before, after = writes["orders"]["#W0000001"]
    assert (before["status"], after["status"]) == ("pending", "cancelled")
    assert writes == episode.changes()

    again = episode.call("cancel_order", CANCEL)
    assert again == '{"error":"only a pending order can be cancelled","status":"cancelled"}'
    assert episode.trace[1].status == "failed" and episode.trace[1].writes == {}
    assert episode.json_changes() == changes


def test_a_failure_takes_back_writes_and_draws(episode: Episode) -> None:
    refused = episode.call("place_order", {"user_id": "bob"})
    assert refused == '"unknown user: bob"'
    assert episode.changes() == {} and not episode.fresh and not episode.draws
    made = json.loads(episode.call("place_order", {"user_id": "ann", "amounts": [1, 2.5]}))
    assert made == {"order_id": episode.fresh[0], "total": 3.5, "note": None}
    assert episode.trace[1].arguments == {"user_id": "ann", "amounts": [1.0, 2.5]}
    assert list(episode.state.orders.keys())[-1] == episode.fresh[0]


def test_keeps_effects(episode: Episode) -> None:
    assert episode.call("half_way", {"order_id": "#W0000002"}) == '"refused half way"'
    assert episode.state.cancelled_today == 10
    assert set(episode.trace[0].writes) == {"orders", "cancelled_today"}


@pytest.mark.parametrize(
    ("name", "arguments", "code", "message"),
    [
        (
            "get_ordr",
            "{}",
            "unknown_tool",
            "there is no tool `get_ordr`; did you mean `get_order`?",
        ),
        ("zzz", "{}", "unknown_tool", "the tools are get_order, cancel_order"),
        ("", "<tool_call>{", "malformed_json", "the call cannot be read"),
        (None, "{}", "unknown_tool", "there is no tool `NoneType`"),
        (["roll"], "{}", "unknown_tool", "there is no tool `list`"),
        ("\ud800" * 999, "{}", "unknown_tool", "there is no tool"),
        ("roll", "{", "malformed_json", "the arguments are not JSON: expecting property name"),
        ("roll", "", "malformed_json", "expecting value"),
        ("roll", "[]", "malformed_json", "must be a JSON object, found a list of 0"),
        ("roll", "3", "malformed_json", "must be a JSON object, found `3`"),
        ("roll", 3, "malformed_json", "found int"),
        ("roll", None, "malformed_json", "found NoneType"),
        ("roll", {"sides": object()}, "malformed_json", "object is not a runtime value"),
        ("roll", {"sides": float("nan")}, "malformed_json", "not JSON"),
        ("roll", '{"sides": NaN}', "malformed_json", "NaN is not JSON"),
        ("roll", '{"sides": 6, "sides": 7}', "malformed_json", "occurs twice"),
        ("echo", '{"value": ' + "[" * 99 + "]" * 99 + "}", "malformed_json", "nested more than 64"),
        ("echo", "[" * 200_000, "malformed_json", "nested more than 64"),
        ("echo", '{"value":"' + "a" * 1_000_000 + '"}', "malformed_json", "more than 1,000,000"),
        ("roll", '{"sides": "6"}', "invalid_arguments", "roll: `sides` expected an integer"),
        ("roll", '{"sides": 0}', "invalid_arguments", "roll: `sides` `0` is less than 1"),
        ("roll", '{"side": 6}', "invalid_arguments", "roll: `side` is not expected"),
        ("get_order", "{}", "invalid_arguments", "get_order: `order_id` is required"),
        ("get_order", '{"order_id": "W1"}', "invalid_arguments", "does not match the pattern"),
    ],
)
def test_bad_calls_are_observations(
    episode: Episode, name: Any, arguments: Any, code: str, message: str
) -> None:
    found = error(episode.call(name, arguments))
    assert found["code"] == code and message in found["message"]
    assert ("problems" in found) == (code == "invalid_arguments")
    assert [call.status for call in episode.trace] == ["rejected"]
    assert episode.changes() == {}


def test_all_problems_are_told(episode: Episode) -> None:
    found = error(episode.call("place_order", {"amounts": [1, -1, "x"], "extra": None}))
    assert [problem["path"] for problem in found["problems"]] == [
        "/user_id",
        "/amounts/1",
        "/amounts/2",
        "/extra",
    ]


def test_a_result_that_is_no_number_is_a_failure(episode: Episode) -> None:
    text = episode.call("defect", {"kind": "nan"})
    assert text == '"a number in the result is beyond the range of a float"'
    assert episode.trace[0].status == "failed" and episode.changes() == {}


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("loop", "exhausted", "exhausted"),
        ("recursion", "exhausted", "exhausted"),
        ("zero", "fault", "fault"),
    ],
)
def test_defects_are_contained(episode: Episode, kind: str, code: str, status: str) -> None:
    assert error(episode.call("defect", {"kind": kind}))["code"] == code
    assert episode.trace[0].status == status
    assert episode.changes() == {} and episode.state.cancelled_today == 0
    assert episode.call("convert", {"base": "USD", "quote": "EUR"}) == '"0.92"'


def test_interrupts_pass(episode: Episode) -> None:
    with pytest.raises(KeyboardInterrupt):
        episode.call("defect", {"kind": "interrupt"})
    assert episode.changes() == {} and episode.trace == ()


def test_arguments_are_not_shared_with_the_caller(episode: Episode) -> None:
    value = {"a": [1]}
    episode.call("echo", {"value": value})
    value["a"].append(2)
    assert episode.trace[0].arguments == {"value": {"a": [1]}}


def test_standard_failures(episode: Episode) -> None:
    assert episode.call("get_order", {"order_id": "#W9999999"}) == '"orders has no \\"#W9999999\\""'
    assert (
        episode.call("convert", {"base": "A", "quote": "B"}) == '"rates has no [\\"A\\",\\"B\\"]"'
    )


def test_delete_and_order(episode: Episode) -> None:
    assert episode.call("drop_order", {"order_id": "#W0000000"}) == "null"
    assert episode.json_changes() == {"orders": {"#W0000000": None}}
    assert list(episode.state.orders.keys()) == ["#W0000001", "#W0000002", "#W0000003"]
    assert len(episode.state.orders) == 3


def test_a_task(shop: Environment) -> None:
    episode = shop.episode(TASK)
    assert [message["role"] for message in episode.messages] == ["system", "user"]
    assert error(episode.call("convert", {"base": "USD", "quote": "EUR"}))["code"] == "unknown_tool"
    assert episode.changes() == {}, "changes are relative to what `given` made"
    episode.call("cancel_order", CANCEL)
    assert episode.json_changes()["users"]["ann"]["methods"]["g1"]["balance"] == 19.5
    assert episode.reply("Done.") == "Once more, please."
    assert [message["role"] for message in episode.messages][2:] == ["assistant", "user"]
    assert episode.state.cancelled_today == 100
    assert episode.state._toolc.clock == datetime(2024, 5, 16, 15)
    episode.call("cancel_order", CANCEL)
    assert error(episode.call("roll", {}))["code"] == "exhausted"
    assert [call.turn for call in episode.trace] == [0, 0, 1, 1]
    assert [call.status for call in episode.trace] == ["rejected", "ok", "failed", "exhausted"]

    assert episode.state_after(1).cancelled_today == 0
    assert episode.state_after(2).cancelled_today == 1
    assert episode.state_after(2).orders["#W0000001"]["status"] == "cancelled"
    assert episode.state_after(3).cancelled_today == 100

    verdict = episode.reply("It is cancelled already.")
    assert isinstance(verdict, Verdict) and 0 <= verdict.reward <= 1
    assert episode.finish("more") is verdict is episode.reply("more")
    assert episode.texts == ("Done.", "It is cancelled already.")
    assert error(episode.call("roll", {}))["code"] == "finished"
    assert len(episode.trace) == 4


def test_without_a_task_nothing_is_judged(episode: Episode) -> None:
    verdict = episode.finish()
    assert not verdict.scored and verdict.reward == 0


def test_messages_and_parallel_calls(episode: Episode) -> None:
    episode.call("roll", {})
    episode.call("roll", {}, parallel=True)
    episode.call("roll", {})
    assert [call.message for call in episode.trace] == [0, 0, 1]


def test_seeds_and_tapes(shop: Environment) -> None:
    def rolls(episode: Episode) -> list[str]:
        return [episode.call("roll", {"sides": 1_000_000}) for _ in range(3)]

    first = shop.episode(seed=1)
    made = rolls(first)
    assert len(set(made)) == 3
    assert rolls(shop.episode(seed=1)) == made != rolls(shop.episode(seed=2))
    assert rolls(shop.episode(seed=2, draws=first.draws)) == made


def test_fork_is_independent(shop: Environment) -> None:
    first = shop.episode(TASK)
    first.call("roll", {})
    second = first.fork()
    first.call("cancel_order", CANCEL)
    assert second.changes() == {} and len(second.trace) == 1
    assert second.call("roll", {}) == first.fork().call("roll", {})
    second.reply("Next.")
    assert len(first.messages) == 2
    second.finish()
    assert first.verdict is None


def test_one_environment_serves_many(shop: Environment) -> None:
    def play(seed: int) -> tuple[Any, ...]:
        episode = shop.episode(seed=seed)
        for number in range(3):
            episode.call("cancel_order", {**CANCEL, "order_id": f"#W{number:07}"})
            episode.call("place_order", {"user_id": "ann", "amounts": [seed]})
            episode.call("defect", {"kind": "zero"})
        return episode.json_changes(), episode.draws

    async def together() -> list[tuple[Any, ...]]:
        return await asyncio.gather(*(asyncio.to_thread(play, seed) for seed in range(8)))

    expected = [play(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(play, range(8))) == expected
    assert asyncio.run(together()) == expected


@pytest.mark.parametrize("orders", [4, 5_000])
def test_memory(tmp_path: Path, orders: int) -> None:
    """Bytes of a live episode, whatever the size of the tables."""
    environment = load(write_build(tmp_path, orders))
    calls = [
        ("get_order", '{"order_id": "#W0000001"}'),
        ("convert", '{"base": "USD", "quote": "EUR"}'),
        ("get_order", '{"order_id": "#W0000002"}'),
        ("cancel_order", '{"order_id": "#W0000001", "reason": "no longer needed"}'),
        ("roll", "{}"),
        ("get_order", '{"order_id": "#W0000003"}'),
    ]
    warm = environment.episode()
    for call in calls:
        warm.call(*call)
    gc.collect()
    tracemalloc.start()
    try:
        episodes = [environment.episode() for _ in range(100)]
        fresh = tracemalloc.get_traced_memory()[0]
        for episode in episodes:
            for call in calls:
                episode.call(*call)
        played = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert fresh < 100 * 1_024
    assert played < 100 * 5 * 1_024
