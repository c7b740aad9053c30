"""The toy world with voices: what is said stands in subtitles, how the light changes is seen.

A question about both has an answer of two words. Every clip is there with either word, so whoever
lacks one of the two facts gets half of the answers right, by guessing it.
"""

import json
import random
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests.train.toy import COLOURS, WAYS, Toy, write_captions, write_videos
from vidcli.core.prompt import SeenFrame
from vidcli.core.time import Span, Timestamp
from vidcli.core.tool_text import ToolLine, ToolSection
from vidcli.methods.assemble import say_sampling, write_sections

SAID = ("dawn", "dusk")
WORD = "Which word is said?"
BOTH = "Which word is said, and does it get brighter or darker?"
NAME = "toy"  # of the model, which tools are named by
TAUGHT, HELD_OUT = 36, 12  # clips
SHADES = 6
REPEATS = 16  # of the word


@dataclass(frozen=True)
class Spoken:
    """Files of the world.

    Attributes:
        folder: Videos without voices, and data files about them.
        voices: By the word that is said: the same videos, each with its subtitles.
    """

    folder: Path
    voices: dict[str, Path]

    def video(self, number: int, word: str) -> Path:
        return self.voices[word] / f"t{number:02d}.mp4"


def list_clips() -> list[Toy]:
    """Every clip there is, in a fixed shuffled order; those held out last, as many of each way."""
    toys = [Toy(c, way, shade) for c in COLOURS for way in WAYS for shade in range(SHADES)]
    shuffled = [toys[i] for i in np.random.default_rng(0).permutation(len(toys))]
    of_way = [[toy for toy in shuffled if toy.way == way] for way in WAYS]
    held_out = {toy for toys in of_way for toy in toys[-HELD_OUT // len(WAYS) :]}
    return sorted(shuffled, key=lambda toy: toy in held_out)


def write_spoken(folder: Path) -> Spoken:
    """Render the clips, what is said beside them, and the rows that are learnt from."""
    toys = list_clips()
    assert len(toys) == TAUGHT + HELD_OUT
    videos = write_videos(folder / "silent", toys)
    voices = {word: folder / word for word in SAID}
    for word, place in voices.items():
        place.mkdir()
        for video in videos:
            shutil.copy(video, place)
            (place / video.name).with_suffix(".srt").write_text(write_subtitles(word))
    spoken = Spoken(folder / "silent", voices)
    taught = toys[:TAUGHT]
    write_captions(spoken.folder / "captions.jsonl", taught)
    write_captions(spoken.folder / "val_captions.jsonl", toys[TAUGHT:], first=TAUGHT)
    write_rows(spoken.folder / "words.json", list_rows(taught, WORD, copies=1, seed=1))
    write_rows(spoken.folder / "both.json", list_rows(taught, BOTH, copies=10, seed=2))
    write_rows(spoken.folder / "tool.json", list_captions(taught, copies=2))
    held_out = list_rows(toys[TAUGHT:], BOTH, first=TAUGHT, copies=1, seed=3)
    write_rows(spoken.folder / "val_both.json", held_out)
    return spoken


def write_subtitles(word: str) -> str:
    """SRT in which one word is said all the time."""
    return f"1\n00:00:00,000 --> 00:00:02,000\n{say(word)}\n"


def say(word: str) -> str:
    return " ".join([word] * REPEATS)


def list_rows(
    toys: Sequence[Toy], question: str, *, copies: int, seed: int, first: int = 0
) -> list[dict[str, object]]:
    """Questions behind what tools tell, in LLaVA's shape: each clip with either word."""
    rng = random.Random(seed)
    rows = []
    for number, toy in enumerate(toys, first):
        for copy in range(copies):
            for word in SAID:
                answer = {WORD: word, BOTH: f"{word} {toy.way}"}[question]
                told = tell(rng, word, file=f"t{number:02d}.srt")
                rows.append(
                    {
                        "id": f"{number}-{copy}-{word}",
                        "video": f"t{number:02d}.mp4",
                        "conversations": [
                            {"from": "human", "value": f"{told}\n\n{question}"},
                            {"from": "gpt", "value": answer},
                        ],
                    }
                )
    return rows


def tell(rng: random.Random, word: str, *, file: str) -> str:
    """What `hybrid` tells besides the frames; what the captions say is drawn, and means nothing."""
    captions = [f"{rng.choice(list(COLOURS))} light" for _ in range(3)]
    tags = Counter(" ".join(captions[:2]).split())
    halves = [ToolLine(text, between(n, n + 1)) for n, text in enumerate(captions[:2])]
    sections = (
        ToolSection("caption", f"{NAME}, a frame at a time", tuple(halves)),
        ToolSection(
            "tags",
            "words of the captions, and in how many",
            (ToolLine(", ".join(f"{tag} {count}" for tag, count in tags.most_common())),),
        ),
        ToolSection(
            "dense", f"{NAME}, up to 2 frames at a time", (ToolLine(captions[2], between(0, 2)),)
        ),
        ToolSection(
            "speech",
            f"subtitles beside the video: {file}",
            (ToolLine(say(word), between(0, 2)),),
        ),
    )
    frames = [
        SeenFrame(n + 1, Timestamp(2 * n + 1, Fraction(1, 2)), Fraction(2 * n + 1, 2), "uniform")
        for n in range(2)
    ]
    return f"{say_sampling(frames)}\n\n{write_sections(sections)}"


def between(start: int, end: int) -> Span:
    return Span(Fraction(start), Fraction(end))


def list_captions(toys: Sequence[Toy], *, copies: int) -> list[dict[str, object]]:
    """Captions as a tool is to write them: what is there, not what becomes of it."""
    return [
        {
            "id": f"caption {number}-{copy}-{start}-{end}",
            "video": f"t{number:02d}.mp4",
            "start": start,
            "end": end,
            "conversations": [
                {
                    "from": "human",
                    "value": f"This is the part of a longer video from 0:0{start} to 0:0{end}. "
                    "Describe in one or two sentences what happens in it.",
                },
                {"from": "gpt", "value": f"{toy.colour} light"},
            ],
        }
        for number, toy in enumerate(toys)
        for copy in range(copies)
        for start, end in ((0, 1), (1, 2), (0, 2))
    ]


def write_rows(path: Path, rows: Sequence[dict[str, object]]) -> None:
    path.write_text(json.dumps(rows), "utf-8")
