"""Samples ready to be learnt: each video looked at once, each conversation written as ids."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from vidcli.core.protocols import Progress
from vidcli.engine.scribe import Scribe
from vidcli.errors import MediaError, ResourceError
from vidcli.media.video import open_video
from vidcli.media.worker import DecoderWorker
from vidcli.train.batches import collate
from vidcli.train.crop import Timeline, choose_part, crop_clip, crop_events
from vidcli.train.data.sample import Sample
from vidcli.train.data.videos import video_id
from vidcli.train.features import FeatureStore, Kept, Level
from vidcli.train.frames import Clip, watch_video
from vidcli.train.model import Batch, VideoModel
from vidcli.train.objectives import (
    Objective,
    check_objective,
    fill_sequence,
    read_timeline,
    say_sequence,
    write_sequence,
)
from vidcli.train.prompts import Row, Said, write_row

if TYPE_CHECKING:
    from numpy.typing import NDArray


DENOISED = 0.5  # of the steps
HELD_BYTES = 512 * 1024**2  # of features kept in memory; the rest is read at each step


@dataclass(frozen=True, eq=False)
class Item:
    """One sample with its frames.

    Attributes:
        said: The conversation to be learnt.
        system: What a system turn says; empty for none.
        clip: Of its video; pixels left out where features are kept on disk.
        video: Id of the video, for splits and shuffles.
        path: File of its features; None where `data` has them.
        data: Features or pixels in memory.
        others: For each exchange answers as good as its own.
        timeline: Its events, where it has some.
        part: Of the groups of frames those that are shown, half-open; None for all of them.
        origin: File and row, for messages.
        fingerprint: Of the video's content; empty where it is no file.
    """

    said: tuple[Said, ...]
    system: str
    clip: Clip
    video: str
    path: Path | None = None
    data: Tensor | None = None
    others: tuple[tuple[str, ...], ...] = ()
    timeline: Timeline | None = None
    part: tuple[int, int] | None = None
    origin: str = ""
    fingerprint: str = ""


class Corpus:
    """Items of one model.

    Args:
        items: In a fixed order.
        scribe: Writes their prompts.
        model: Encodes what is not kept encoded.
        level: What `data` and the files hold.
        store: Reads the files; None where everything is in memory.
    """

    def __init__(
        self,
        items: Sequence[Item],
        scribe: Scribe,
        model: VideoModel,
        *,
        level: Level,
        store: FeatureStore | None = None,
    ) -> None:
        self.items = list(items)
        self.scribe = scribe
        self._model = model
        self._level = level
        self._store = store
        self._rows: dict[Item, Row | None] = dict.fromkeys(self.items)
        self._held: dict[Path | None, Tensor] = {}
        self._held_bytes = 0

    def __len__(self) -> int:
        return len(self.items)

    def row(self, item: Item, *, clip: Clip | None = None, blind: bool = False) -> Row:
        """The item's prompt: with its own frames, with those of another clip, or with none.

        Raises:
            ResourceError: It is longer than the context the model was trained with.
        """
        shown = None if blind else (clip or item.clip)
        kept = self._rows.get(item) if shown is item.clip else None
        if kept is not None:
            return kept
        row = write_row(
            self.scribe,
            shown,
            item.said,
            system=item.system,
            arrangement=self._model.arrangement,
        )
        if row.n_cells > self.scribe.n_ctx_train:
            raise ResourceError(
                f"{item.origin or item.video}: it takes {row.n_cells} cells, and the model's"
                f" context is {self.scribe.n_ctx_train}",
                hint="give fewer --frames, or cut the conversation",
            )
        if shown is item.clip and item in self._rows:  # drawn ones are new at every step
            self._rows[item] = row
        return row

    def features(self, item: Item) -> Tensor:
        """Features of its frames, as `Batch.features` wants them.

        Raises:
            ResourceError: They were kept on disk and are gone.
        """
        data = item.data if item.data is not None else self._held.get(item.path)
        if data is None:
            assert item.path is not None, "an item has its features in memory or on disk"
            kept = self._store.load(item.path) if self._store else None
            if kept is None:
                raise ResourceError(
                    f"the features of {item.video} are gone from {item.path.parent}",
                    hint="start the same command again: it makes them anew and goes on",
                )
            data = torch.from_numpy(kept.data)
            if self._held_bytes + data.nbytes <= HELD_BYTES:
                self._held[item.path] = data
                self._held_bytes += data.nbytes
        if item.part is not None:
            data = data[slice(*item.part)]
        if self._level is Level.PIXELS:
            return self._model.encode(data)
        return data.float()

    def batch(self, items: Sequence[Item]) -> Batch:
        """Items with their own frames."""
        rows = [self.row(item) for item in items]
        return self.collate(rows, [self.features(item) for item in items])

    def collate(self, rows: Sequence[Row], features: Sequence[Tensor | None]) -> Batch:
        """Rows and the features they show as one batch on the model's device."""
        batch = collate(rows, features, device=self._model.device)
        return replace(batch, connected=self._level is Level.TOKENS)


def draw(item: Item, *, seed: int, step: int, crop: float = 0.0) -> Item:
    """The item with one of its answers, drawn anew at each step (LaViLa).

    Of timed events some steps, at random, show a part of the video, and every other one masks some
    and asks for those (Vid2Seq).

    Args:
        item: With all its answers.
        seed: Of the run.
        step: Of the update.
        crop: Share of the steps that show a part.
    """
    choice = random.Random(f"{seed} {step} {item.video}")
    if item.timeline is not None:
        return _draw_timed(item, item.timeline, choice, crop)
    if not any(item.others):
        return item
    said = tuple(
        Said(own.question, choice.choice([own.answer, *others]))
        for own, others in zip(item.said, item.others, strict=True)
    )
    return replace(item, said=said)


def _draw_timed(item: Item, timeline: Timeline, choice: random.Random, crop: float) -> Item:
    is_masked = timeline.is_masked and choice.random() < DENOISED
    if crop and choice.random() < crop:
        part = choose_part(item.clip.n_groups, choice)
        clip, span = crop_clip(item.clip, part, timeline.duration)
        events = crop_events(timeline.events, span)
        if events:  # else there would be nothing to say
            timeline = replace(timeline, events=events, duration=span.end - span.start)
            item = replace(item, clip=clip, part=part)
    elif not is_masked:
        return item
    sequence = write_sequence(timeline)
    said = fill_sequence(sequence, choice) if is_masked else say_sequence(sequence)
    return replace(item, said=(said,), timeline=None)


def order_items(n: int, *, seed: int, start: int, count: int) -> list[int]:
    """Which items are learnt from at positions `start` on: each once an epoch, shuffled anew."""
    chosen = []
    for position in range(start, start + count):
        epoch, place = divmod(position, n)
        chosen.append(_order(n, seed, epoch)[place])
    return chosen


@lru_cache(maxsize=2)
def _order(n: int, seed: int, epoch: int) -> list[int]:
    order = list(range(n))
    random.Random(f"{seed} {epoch}").shuffle(order)
    return order


def watch_samples(
    samples: Sequence[Sample],
    scribe: Scribe,
    model: VideoModel,
    store: FeatureStore,
    *,
    frames: int,
    objective: Objective = Objective.CAPTION,
    progress: Progress | None = None,
) -> list[Item]:
    """Look at every video once and keep what is needed of it; earlier runs' features are reused.

    Args:
        samples: With paths.
        scribe: Of the model.
        model: Encodes.
        store: Where features are kept.
        frames: As in `ask --frames`; 0 is auto.
        objective: What is to be said about them.
        progress: Told after every sample.

    Raises:
        MediaError: A video cannot be used: its file and row are named.
        ResourceError: The disk is full.
    """
    items: list[Item] = []
    with DecoderWorker() as worker:
        for done, sample in enumerate(samples, start=1):
            try:
                clip, path, content = _keep(sample, scribe, model, store, worker, frames)
            except MediaError as error:
                raise MediaError(f"{sample.origin}: {error}", hint=error.hint) from error
            except OSError as error:
                raise ResourceError(
                    f"features cannot be kept: {error.strerror or error}",
                    hint="free some space, or set VIDCLI_CACHE_DIR to a folder with more",
                ) from error
            item = make_item(sample, clip, path=path, objective=objective)
            items.append(replace(item, fingerprint=content))
            if progress:
                progress("encode", done, len(samples))
    return items


def make_item(
    sample: Sample,
    clip: Clip,
    *,
    path: Path | None = None,
    data: Tensor | None = None,
    objective: Objective = Objective.CAPTION,
) -> Item:
    """An item of a sample whose frames are at hand.

    Raises:
        UsageError: The sample has nothing for this objective.
    """
    check_objective([sample], objective)
    made = Item((), sample.system, clip, video_id(sample), path, data, origin=sample.origin)
    if objective in (Objective.CAPTION, Objective.CONTRAST):
        said = tuple(Said(e.question, e.answer) for e in sample.exchanges)
        return replace(made, said=said, others=tuple(e.others for e in sample.exchanges))
    last = clip.shown[-1][-1].time.seconds
    is_masked = objective is Objective.DENOISE
    timeline = read_timeline(sample, clip.duration or last, is_masked=is_masked)
    return replace(made, said=(say_sequence(write_sequence(timeline)),), timeline=timeline)


def _keep(
    sample: Sample,
    scribe: Scribe,
    model: VideoModel,
    store: FeatureStore,
    worker: DecoderWorker,
    frames: int,
) -> tuple[Clip, Path, str]:
    video = open_video(sample.video, worker)
    size = scribe.frame_size(video.info.video.display_size)
    span = (str(sample.span.start), str(sample.span.end)) if sample.span else None
    path = store.path_of(f"{video.fingerprint} {size} {frames} {span} {scribe.profile.group}")
    kept = store.load(path)
    if kept is None:
        clip = watch_video(sample.video, scribe, worker, frames=frames, span=sample.span)
        kept = Kept(replace(clip, pixels=None), encode_clip(clip, model, store.level))
        store.save(path, kept)
    return kept.clip, path, video.fingerprint


def encode_clip(clip: Clip, model: VideoModel, level: Level) -> "NDArray[Any]":
    """What a level keeps of a clip: pixels, or float16 features."""
    assert clip.pixels is not None, "a clip that is to be encoded has its pixels"
    if level is Level.PIXELS:
        return clip.pixels
    with torch.no_grad():
        made = model.encode(torch.from_numpy(clip.pixels))
        if level is Level.TOKENS:
            made = model.connect(made)
    features: NDArray[Any] = made.cpu().numpy().astype(np.float16)
    return features
