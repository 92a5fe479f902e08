"""What a run measured: lines of JSON, events for TensorBoard, and a plot.

`metrics.jsonl` has an object a line with `stage`, `step` and the figures of that step. A line is
appended whole. What lies beyond the checkpoint that a run goes on from is dropped.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolc.output import write_file

METRICS = "metrics.jsonl"
PLOT = "plot.svg"
EVENTS = "tensorboard"

Line = dict[str, Any]


def append(folder: str, stage: str, step: int, figures: Mapping[str, Any]) -> None:
    """Adds a line with the figures that are numbers."""
    numbers = {
        name: value
        for name, value in figures.items()
        if isinstance(value, (int, float)) and math.isfinite(value)
    }
    line = json.dumps({"stage": stage, "step": step, **numbers}) + "\n"
    with open(os.path.join(folder, METRICS), "a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read(folder: str) -> list[Line]:
    """The lines, without one that was torn."""
    try:
        with open(os.path.join(folder, METRICS), encoding="utf-8") as file:
            return list(_lines(file))
    except FileNotFoundError:
        return []


def _lines(file: Iterator[str]) -> Iterator[Line]:
    for text in file:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def rewind(folder: str, stage: str, step: int, later: Sequence[str]) -> None:
    """Drops what a stage measured beyond a step, and all of the stages after it."""
    kept = [
        line
        for line in read(folder)
        if line["stage"] not in later and (line["stage"] != stage or line["step"] <= step)
    ]
    text = "".join(json.dumps(line) + "\n" for line in kept)
    write_file(os.path.join(folder, METRICS), text.encode())


# ---------------------------------------------------------------- TensorBoard


def write_events(folder: str, stages: Sequence[str]) -> None:
    """Writes the figures as TensorBoard reads them, a folder of events a stage."""
    lines = read(folder)
    for stage in stages:
        mine = [line for line in lines if line["stage"] == stage]
        if mine:
            place = os.path.join(folder, EVENTS, stage)
            os.makedirs(place, exist_ok=True)
            records = [_record(_event(0, b"\x1a" + _text(b"brain.Event:2")))]
            for line in mine:
                values = {n: v for n, v in line.items() if n not in ("stage", "step")}
                records.append(_record(_event(line["step"], _summary(values))))
            write_file(os.path.join(place, "events.out.tfevents.0.toolc"), b"".join(records))


def _event(step: int, what: bytes) -> bytes:
    """A protobuf `Event` of tensorflow: wall time, step, and version or summary."""
    return b"\x09" + struct.pack("<d", float(step)) + b"\x10" + _varint(step) + what


def _summary(values: Mapping[str, float]) -> bytes:
    made = b""
    for name, value in values.items():
        one = b"\x0a" + _text(name.encode()) + b"\x15" + struct.pack("<f", value)
        made += b"\x0a" + _text(one)
    return b"\x2a" + _text(made)


def _text(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def _record(content: bytes) -> bytes:
    """A record of a TFRecord file: length, its checksum, content, its checksum."""
    length = struct.pack("<Q", len(content))
    return length + _masked(length) + content + _masked(content)


def _masked(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _crc32c(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


_TABLE = tuple(map(_crc32c, range(256)))

# ---------------------------------------------------------------- the plot

WIDTH, HEIGHT, MARGIN = 640, 180, 44
_PLOTTED = {
    "loss": ("sft", "loss"),
    "reward": ("rl", "reward"),
    "Solve-F1, unseen tasks": ("rl", "eval/unseen_tasks/solve_f1"),
}


def write_plot(folder: str) -> None:
    """Draws the loss of SFT, and reward and held-out Solve-F1 of RL, one below the other."""
    lines = read(folder)
    drawn: list[str] = []
    for title, (stage, name) in _PLOTTED.items():
        points = [
            (line["step"], line[name]) for line in lines if line["stage"] == stage and name in line
        ]
        if points:
            drawn.append(_chart(title, stage, points, len(drawn) * HEIGHT))
    size = f'width="{WIDTH}" height="{HEIGHT * len(drawn)}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    text = f'{svg}<rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n'
    write_file(os.path.join(folder, PLOT), text.encode())


def _chart(title: str, stage: str, points: Sequence[tuple[int, float]], top: int) -> str:
    steps, values = [step for step, _ in points], [value for _, value in points]
    low, high = min(0.0, *values), max(values) if max(values) > 0 else 1.0
    first, last = min(steps), max(*steps, min(steps) + 1)
    across, down = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN

    def x(step: int) -> float:
        return MARGIN + across * (step - first) / (last - first)

    def y(value: float) -> float:
        return top + HEIGHT - MARGIN - down * (value - low) / ((high - low) or 1.0)

    path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
    words = [
        (MARGIN, top + MARGIN - 10, f"{title} ({stage})"),
        (4, y(high) + 4, f"{high:.3g}"),
        (4, y(low) + 4, f"{low:.3g}"),
        (MARGIN, top + HEIGHT - MARGIN + 16, f"step {first}"),
        (WIDTH - MARGIN - 40, top + HEIGHT - MARGIN + 16, str(last)),
    ]
    frame = (
        f'<rect x="{MARGIN}" y="{top + MARGIN}" width="{across}" height="{down}" '
        'fill="none" stroke="#ccc"/>'
    )
    texts = "".join(f'<text x="{a}" y="{b:.0f}" font-size="12">{t}</text>' for a, b, t in words)
    return (
        f'{frame}{texts}<polyline points="{path}" fill="none" stroke="#2563eb" stroke-width="1.5"/>'
    )
