"""Three rows of every file shape that training reads, written by us in the makers' layout."""

import json
from pathlib import Path
from typing import Any

LLAVA = [
    {
        "id": "1",
        "video": "a.mp4",
        "conversations": [
            {"from": "human", "value": "<video>\nWhat is it?"},
            {"from": "gpt", "value": "A ball."},
            {"from": "human", "value": "Its colour?"},
            {"from": "gpt", "value": "Red."},
        ],
    },
    {
        "id": "2",
        "image": "b.png",
        "conversations": [
            {"from": "human", "value": "What is it?\n<image>"},
            {"from": "gpt", "value": "A cube."},
        ],
    },
    {
        "id": "3",
        "video": "c.mp4",
        "conversations": [
            {"from": "system", "value": "Be brief."},
            {"from": "human", "value": "<video>Which way?"},
            {"from": "gpt", "value": "Left."},
        ],
    },
]
MESSAGES = [
    {
        "messages": [
            {"role": "user", "content": "<video>What is it?"},
            {"role": "assistant", "content": "A ball."},
        ],
        "videos": [f"{name}.mp4"],
    }
    for name in "abc"
]
VIDEOCHAT2 = [
    {"video": "a.mp4", "QA": [{"i": "", "q": "What?", "a": "A ball."}]},
    {"video": "b.mp4", "QA": [{"i": "Describe it.", "q": "", "a": "It rolls."}]},
    {
        "video": "c.mp4",
        "QA": [{"i": "Answer.", "q": "Who?", "a": "A dog."}, {"i": "", "q": "Why?", "a": "Fun."}],
        "start": 1.5,
        "end": 3,
    },
]
VIDEOINSTRUCT = [{"q": "What?", "a": "A ball.", "video_id": f"v_{name}"} for name in "abc"]
CAPTIONS = [
    {"video": "a.mp4", "caption": "A ball rolls."},
    {"video": "b.mp4", "text": "A dog runs."},
    {"video": "c.mp4", "caption": "A cat.", "start": 0, "end": 2},
]
WEBVID = [
    {"videoid": 1066674784 + n, "name": "A boat.", "page_dir": "100_150", "duration": "PT00H00M13S"}
    for n in range(3)
]
NARRATIONS = [
    {"video": "a.mp4", "start": n, "end": n + 2, "texts": ["runs", "walks"], "scores": [-2.0, -1.0]}
    for n in range(3)
]
DENSE = {
    f"v_{name}": {
        "duration": 10.0,
        "timestamps": [[4, 10], [0, 4.5]],
        "sentences": ["It ends.", "It begins."],
    }
    for name in "abc"
}
SPEECH = {"start": [0.0, 2.0, 4.0], "end": [1.5, 3.5, 5.0], "text": ["one", "two", "three"]}
SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i> there

2
00:00:03,000 --> 00:00:04,000
again

3
00:00:05,000 --> 00:00:06,000
and again
"""
VTT = """WEBVTT

NOTE a comment

00:01.000 --> 00:02.500 align:start
Hello there

00:03.000 --> 00:04.000
again

00:05.000 --> 00:06.000
and again
"""


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), "utf-8")
    return path


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
