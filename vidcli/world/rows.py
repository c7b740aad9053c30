"""The truth about one clip as rows of files, in shapes that training and evaluation read.

Times are seconds, cut at the clip's end, to the millisecond; boxes are left, top, right, bottom in
shares of the frame's side.
"""

import random
from collections import Counter
from typing import Any

import numpy as np

from vidcli.world.captions import (
    HELD_OUT_PROMPTS,
    PROMPTS,
    Event,
    list_events,
    list_facts,
    list_phrases,
    write_captions,
)
from vidcli.world.labels import track_objects
from vidcli.world.questions import ask_questions
from vidcli.world.scene import Scene

IN_ORDER = ("order", "turns", "cut")  # genres whose captions must tell first things first
SPOKEN_S = 1.5  # at most so long is an event spoken of

Row = dict[str, Any]


def name_clip(index: int) -> str:
    """What a clip is called in its set."""
    return f"{index:06d}"


def video_path(index: int) -> str:
    """Where a clip lies in its set."""
    return f"videos/{name_clip(index)}.mp4"


def count_frames(scene: Scene, fps: int) -> int:
    """Frames of a scene's file."""
    return max(1, round(scene.duration * fps))


def caption_rows(scene: Scene) -> list[Row]:
    """Caption pairs: the clip, and a caption, once for each wording."""
    video = video_path(scene.index)
    return [{"video": video, "caption": caption} for caption in write_captions(scene)]


def question_rows(scene: Scene) -> list[Row]:
    """Questions to put to a model, with their answers; the last one asks for a caption."""
    clip, seen = name_clip(scene.index), Counter[str]()
    rows: list[Row] = []
    for question in ask_questions(scene):
        seen[question.kind] += 1
        rows.append(
            {
                "id": f"{clip}-{question.kind}-{seen[question.kind]}",
                "video": video_path(scene.index),
                "kind": question.kind,
                "question": question.text,
                "answer": question.answer,
                "options": list(question.options),
                "reversed": question.reversed_answer,
                "wording": "held out" if question.is_held_out else "trained",
            }
        )
    return [*rows, _caption_question(scene)]


def _caption_question(scene: Scene) -> Row:
    rng = random.Random(f"prompt/{scene.seed}/{scene.index}/{scene.split}")
    is_kept = scene.split != "train" and rng.random() < 1 / 3
    facts, word = list_facts(scene)
    return {
        "id": f"{name_clip(scene.index)}-caption-1",
        "video": video_path(scene.index),
        "kind": "caption",
        "question": rng.choice(HELD_OUT_PROMPTS if is_kept else PROMPTS),
        "answer": write_captions(scene)[0],
        "facts": [
            {
                "count": fact.count,
                "colour": fact.colour,
                "object": fact.kind,
                "motion": fact.motion,
            }
            for fact in facts
        ],
        "word": word,
        "ordered": scene.genre in IN_ORDER,
        "phrases": list_phrases(scene),
        "wording": "held out" if is_kept else "trained",
    }


def conversation_row(scene: Scene) -> Row:
    """The clip's captions and questions as one conversation, as LLaVA and ShareGPT write them."""
    turns: list[Row] = []
    rows = question_rows(scene)
    rng = random.Random(f"turns/{scene.seed}/{scene.index}/{scene.split}")
    for row in [rows[-1], *rng.sample(rows[:-1], len(rows) - 1)]:
        opening = "" if turns else "<video>\n"
        turns.append({"from": "human", "value": opening + row["question"]})
        turns.append({"from": "gpt", "value": row["answer"]})
    return {
        "id": name_clip(scene.index),
        "video": video_path(scene.index),
        "conversations": turns,
    }


def dense_entry(scene: Scene, fps: int) -> Row:
    """Timed events, as dense captioning sets write them."""
    events = _events(scene, fps)
    return {
        "duration": _end(scene, fps),
        "timestamps": [[_time(event.start), _time(event.end)] for event in events],
        "sentences": [_sentence(event) for event in events],
    }


def moment_rows(scene: Scene, fps: int) -> list[Row]:
    """Queries for those events that do not last the whole clip, with the spans that they name."""
    duration = _end(scene, fps)
    return [
        {
            "qid": f"{name_clip(scene.index)}-{number}",
            "query": event.text,
            "vid": name_clip(scene.index),
            "video": video_path(scene.index),
            "duration": duration,
            "relevant_windows": [[_time(event.start), _time(event.end)]],
        }
        for number, event in enumerate(_events(scene, fps), 1)
        if event.end - event.start < 0.95 * duration
    ]


def track_row(scene: Scene, fps: int) -> Row:
    """The boxes of every object in every frame of the file; null where it is not in the frame."""
    times = np.arange(count_frames(scene, fps)) / fps
    return {
        "video": video_path(scene.index),
        "fps": fps,
        "objects": [
            {
                "object": track.actor.kind,
                "colour": track.actor.colour,
                "motion": track.actor.motion,
                "group": track.actor.group,
                "boxes": [
                    None if np.isnan(box[0]) else [round(float(side), 4) for side in box]
                    for box in track.boxes
                ],
            }
            for track in track_objects(scene, times)
        ],
    }


def speech_track(scene: Scene, fps: int) -> str:
    """Somebody tells what happens, as it happens: an SRT file."""
    cues, free = [], 0.0
    for event in _events(scene, fps):
        start = max(event.start, free)
        free = min(max(event.end, start + 0.3), start + SPOKEN_S, _end(scene, fps))
        if free > start:
            cues.append(f"{_clock(start)} --> {_clock(free)}\n{_sentence(event)}\n")
    return "\n".join(f"{number}\n{cue}" for number, cue in enumerate(cues, 1))


def _end(scene: Scene, fps: int) -> float:
    return _time(count_frames(scene, fps) / fps)


def _events(scene: Scene, fps: int) -> list[Event]:
    end = _end(scene, fps)
    cut = [Event(event.start, min(event.end, end), event.text) for event in list_events(scene)]
    return sorted(cut, key=lambda event: event.start)


def _time(seconds: float) -> float:
    return round(seconds, 3)


def _clock(seconds: float) -> str:
    minutes, thousandths = divmod(round(seconds * 1000), 60_000)
    return f"00:{minutes:02d}:{thousandths // 1000:02d},{thousandths % 1000:03d}"


def _sentence(event: Event) -> str:
    return f"{event.text[0].upper()}{event.text[1:]}."
