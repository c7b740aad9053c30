"""Writing a set of clips of the small world: video files, and the truth about them beside.

    videos/000000.mp4 …   the clips        speech/000000.srt …   what is said in them
    captions.jsonl        clip and caption, once a wording
    instruct.json         conversations (LLaVA, ShareGPT)
    questions.jsonl       questions with answers and options, to evaluate with
    dense.json, moments.jsonl, tracks.jsonl   events, queries with their spans, boxes
    manifest.json         what made the set, and the digests of its files; written last

Videos are written one by one under names that are given when they are whole, so a killed run is
taken up again by the same command, and several runs may write one set at once.
"""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vidcli import __version__
from vidcli.core.files import atomic_write
from vidcli.core.protocols import Progress
from vidcli.errors import UsageError
from vidcli.media.encode import ClipFormat, Tone, encode_clip, remove_parts
from vidcli.media.ffmpeg import read_version
from vidcli.world import rows
from vidcli.world.compose import make_scene
from vidcli.world.groups import list_groups
from vidcli.world.render import Frames, render
from vidcli.world.scene import Scene
from vidcli.world.vocabulary import COLOURS, Split

WORLD = 1  # raised whenever the same seed no longer gives the same clips
MANIFEST = "manifest.json"
CHUNK = 32  # frames rendered at a time
LOWEST_TONE = 220.0  # hertz, of the first colour
TONE_STEP = 2 ** (1 / 3)  # from one colour to the next


@dataclass(frozen=True, slots=True)
class Settings:
    """What shapes the clips of a set; a set is of one such value throughout.

    Attributes:
        seed: Of the set.
        split: Which combinations, wordings and drawings it shows.
        size: Pixels a side; even.
        fps: Frames a second.
        seconds: Shortest and longest clip.
        genres: Only these compositions; all where empty.
        sound: Whether each object on the screen sounds a tone that its colour has.
    """

    seed: int
    split: Split
    size: int
    fps: int
    seconds: tuple[float, float]
    genres: tuple[str, ...] = ()
    sound: bool = True

    def scene(self, index: int) -> Scene:
        """The scene of one clip."""
        return make_scene(
            self.seed, index, self.split, genres=self.genres or None, seconds=self.seconds
        )


@dataclass(frozen=True, slots=True)
class Written:
    """What a run did: clips in the set, those of them it made itself, questions by kind."""

    clips: int
    made: int
    questions: dict[str, int]


def write_set(
    folder: Path, settings: Settings, clips: int, *, jobs: int, progress: Progress
) -> Written:
    """Write a set, or what is missing of it.

    Args:
        folder: Made if need be.
        settings: Must be those of the set that lies in the folder, if one does.
        clips: How many; may be more than an earlier run made.
        jobs: Clips in work at once.
        progress: Told of each clip, then of its truth.

    Raises:
        UsageError: The folder holds a set of other settings, or more clips than asked for.
        SetupError: There is no ffmpeg program.
        MediaError: ffmpeg failed.
        OSError: The folder cannot be written.
    """
    _claim(folder, settings, clips)
    videos = folder / "videos"
    for made in (videos, folder / "speech"):
        made.mkdir(exist_ok=True)
    remove_parts(videos)
    missing = [i for i in range(clips) if not (folder / rows.video_path(i)).exists()]
    _write_videos(folder, settings, missing, jobs=jobs, progress=progress)
    return _write_truth(folder, settings, clips, made=len(missing), progress=progress)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What made the set in a folder; None where there is none.

    Raises:
        UsageError: It is no manifest.
    """
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not (isinstance(found, dict) and isinstance(found.get("settings"), dict)):
        raise UsageError(f"{path} is no manifest of a synthetic set")
    return found


def _claim(folder: Path, settings: Settings, clips: int) -> None:
    """Note in the folder what is made there, before the first clip; refuse another set's folder."""
    wanted = _describe(settings)
    found = read_manifest(folder)
    if found is None:
        if folder.is_dir() and any(folder.iterdir()):
            raise UsageError(f"{folder} holds other files", hint="choose a new folder with --out")
        _write_json(folder / MANIFEST, {"settings": wanted, "clips": clips, "complete": False})
        return
    other = [name for name, value in wanted.items() if found["settings"].get(name) != value]
    if other:
        raise UsageError(
            f"{folder} holds a set with another {', '.join(other)}",
            hint="choose a new folder with --out, or the same options to take it up again",
        )
    there = max((int(path.stem) + 1 for path in (folder / "videos").glob("[0-9]*.mp4")), default=0)
    if there > clips:
        raise UsageError(
            f"{folder} holds {there} clips, more than {clips}",
            hint=f"--clips {there}, or a new folder with --out",
        )


def _describe(settings: Settings) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(json.dumps(asdict(settings)))
    return {"world": WORLD, **described}


def _write_videos(
    folder: Path, settings: Settings, missing: list[int], *, jobs: int, progress: Progress
) -> None:
    cv2.setNumThreads(1)  # the clips are what runs side by side

    def write(index: int) -> None:
        target = folder / rows.video_path(index)
        if not target.exists():  # another run may have made it by now
            _write_video(settings.scene(index), target, settings)

    progress("clips", 0, len(missing))
    pool = ThreadPoolExecutor(jobs)
    try:
        for done, _ in enumerate(pool.map(write, missing), 1):
            progress("clips", done, len(missing))
    finally:
        pool.shutdown(cancel_futures=True)


def _write_video(scene: Scene, target: Path, settings: Settings) -> None:
    count = rows.count_frames(scene, settings.fps)
    form = ClipFormat(settings.size, settings.size, settings.fps, scene.look.crf)
    chunks = _render_chunks(scene, np.arange(count) / settings.fps, settings.size)
    tones = list_tones(scene, count / settings.fps) if settings.sound else []
    encode_clip(target, chunks, form, n_frames=count, tones=tones)


def _render_chunks(scene: Scene, times: np.ndarray[Any, Any], size: int) -> Iterator[Frames]:
    for start in range(0, len(times), CHUNK):
        yield render(scene, times[start : start + CHUNK], size)


def list_tones(scene: Scene, duration: float) -> list[Tone]:
    """A tone for each group while it is on the stage, its pitch given by its colour."""
    return [
        Tone(
            LOWEST_TONE * TONE_STEP ** list(COLOURS).index(group.first.colour),
            group.first.appears,
            min(group.first.vanishes, duration),
        )
        for group in list_groups(scene)
    ]


def _write_truth(
    folder: Path, settings: Settings, clips: int, *, made: int, progress: Progress
) -> Written:
    """Write all that is not pictures, from the scenes alone, and last the manifest."""
    fps, kinds, genres = settings.fps, Counter[str](), Counter[str]()
    with ExitStack() as stack:
        line = {
            name: _LineFile(folder / name, stack)
            for name in ("captions.jsonl", "questions.jsonl", "moments.jsonl", "tracks.jsonl")
        }
        instruct = _ArrayFile(folder / "instruct.json", stack, brackets="[]")
        dense = _ArrayFile(folder / "dense.json", stack, brackets="{}")
        for index in range(clips):
            scene = settings.scene(index)
            questions = rows.question_rows(scene)
            genres[scene.genre] += 1
            kinds.update(row["kind"] for row in questions)
            line["captions.jsonl"].write(*rows.caption_rows(scene))
            line["questions.jsonl"].write(*questions)
            line["moments.jsonl"].write(*rows.moment_rows(scene, fps))
            line["tracks.jsonl"].write(rows.track_row(scene, fps))
            instruct.write(json.dumps(rows.conversation_row(scene)))
            entry = json.dumps(rows.dense_entry(scene, fps))
            dense.write(f'"{rows.name_clip(index)}": {entry}')
            with atomic_write(folder / "speech" / f"{rows.name_clip(index)}.srt") as file:
                file.write(rows.speech_track(scene, fps).encode())
            progress("truth", index + 1, clips)
    _write_json(
        folder / MANIFEST,
        {
            "settings": _describe(settings),
            "clips": clips,
            "complete": True,
            "made_with": {
                "vidcli": __version__,
                "python": platform.python_version(),
                "numpy": np.__version__,
                "opencv": cv2.__version__,
                "ffmpeg": read_version(),
            },
            "genres": dict(sorted(genres.items())),
            "questions": dict(sorted(kinds.items())),
            "sha256": _digest_all(folder, clips, progress),
        },
    )
    return Written(clips, made, dict(kinds))


def _digest_all(folder: Path, clips: int, progress: Progress) -> dict[str, str]:
    names = ["captions.jsonl", "questions.jsonl", "moments.jsonl", "tracks.jsonl", "instruct.json",
             "dense.json"]  # fmt: skip
    names += [rows.video_path(index) for index in range(clips)]
    names += [f"speech/{rows.name_clip(index)}.srt" for index in range(clips)]
    digests = {}
    for done, name in enumerate(names, 1):
        digests[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        progress("checksums", done, len(names))
    return digests


class _LineFile:
    """A JSON Lines file that gets its name when the stack is left without an error."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._file = stack.enter_context(atomic_write(path))

    def write(self, *found: rows.Row) -> None:
        """Add rows."""
        self._file.writelines(json.dumps(row).encode() + b"\n" for row in found)


class _ArrayFile:
    """A JSON array or object, one entry a line, that gets its name like a `_LineFile`."""

    def __init__(self, path: Path, stack: ExitStack, *, brackets: str) -> None:
        self._file = stack.enter_context(atomic_write(path))
        self._file.write(brackets[0].encode())
        self._between = b"\n"
        stack.push(self._close(brackets[1]))

    def write(self, entry: str) -> None:
        """Add an entry."""
        self._file.write(self._between + entry.encode())
        self._between = b",\n"

    def _close(self, bracket: str) -> Callable[..., None]:
        def end(*_: object) -> None:
            self._file.write(f"\n{bracket}\n".encode())

        return end


def _write_json(path: Path, document: dict[str, Any]) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(document, indent=1).encode() + b"\n")
