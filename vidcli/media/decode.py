"""From planned instants to the frames on screen then: seeking, running on, keyframes only.

`decode_plan` is the whole of it. A seek costs the decoding from a keyframe on, so an instant in the
stretch being read already is reached by running on. Decoding happens in this process; `worker`
puts it where it can do no harm.
"""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import av.error
from av.video.frame import VideoFrame

from vidcli.core.media import Frame, FramePlan, VideoInfo
from vidcli.core.time import Timestamp
from vidcli.errors import MediaError
from vidcli.media.ends import counted_rate
from vidcli.media.libav import PacketReader, translated
from vidcli.media.pictures import Pictures, open_pictures, tick_of
from vidcli.media.pixels import to_picture
from vidcli.media.run import Run

RUN_ON_S = 3  # without an index, an instant this close is reached without a seek
SLACK_S = Fraction(1, 2)  # an instant this far past the last frame still shows it

Warn = Callable[[str], None]


class Picked(NamedTuple):
    """A frame and when it is shown, in ticks of its stream."""

    tick: int
    frame: VideoFrame


def decode_plan(
    info: VideoInfo, plan: FramePlan, *, size: tuple[int, int] | None, warn: Warn
) -> Iterator[Frame]:
    """Decode the frame on screen at each planned instant: the last with a PTS at or before it.

    Args:
        info: From `probe`; its path is opened.
        plan: Instants, and whether the keyframe at or before each will do.
        size: Exact (width, height) of the frames; None for the displayed size.
        warn: Called with a sentence about what is wrong with the file, once for each.

    Yields:
        Frames at strictly increasing times, at most one for each instant. Instants that show the
        same frame get it once; an instant past the end of the pictures gets none.

    Raises:
        MediaError: The file cannot be opened, or no planned frame can be decoded.
    """
    size = size or info.video.display_size
    with open_pictures(info.path) as pictures, translated(info.path):
        picker = _Picker(pictures, info, warn)
        last: int | None = None
        for planned in plan.frames:
            picked = picker.pick(planned.time, snap=plan.snap)
            if picked is None or (last is not None and picked.tick <= last):
                continue
            last = picked.tick
            yield Frame(
                image=to_picture(picked.frame, size=size, rotation=info.video.rotation),
                time=Timestamp(max(0, picked.tick - picker.origin), picker.time_base),
                wanted=planned.time,
                is_keyframe=picked.frame.key_frame,
            )
        picker.report_damage()
        if last is None:
            raise MediaError(f"no picture of {info.path} can be decoded at the planned times")


class _Picker:
    """Finds the frame on screen at one instant after another."""

    def __init__(self, pictures: Pictures, info: VideoInfo, warn: Warn) -> None:
        self._pictures = pictures
        self._info = info
        self._warn = warn
        self._stream = pictures.stream
        self._stream.codec_context.thread_count = 1  # threads only add start-up after each seek
        self._reader = PacketReader(pictures.container, self._stream)
        self._run: Run | None = None
        self._counted = pictures.origin is None
        self._can_seek = not self._counted and not pictures.piped
        self.origin = pictures.origin or 0
        self.time_base = 1 / counted_rate(pictures) if self._counted else pictures.time_base

    def pick(self, time: Fraction, *, snap: bool) -> Picked | None:
        """The frame on screen `time` seconds after the start; None past the end of the pictures."""
        wanted = self.origin + math.floor(time / self.time_base)
        if snap and self._can_seek:
            picked = self._keyframe_at(wanted)
            if picked is not None:
                return picked
        picked = self._exactly_at(wanted)
        return None if picked is None or self._is_past_the_end(time, picked) else picked

    def report_damage(self) -> None:
        """Warn once of the packets that could not be decoded."""
        if self._reader.damaged:
            places = "place is" if self._reader.damaged == 1 else "places are"
            self._warn(f"{self._reader.damaged} {places} damaged; what decodes was used")

    def _exactly_at(self, wanted: int) -> Picked | None:
        if self._must_seek(wanted):
            self._seek(wanted)
        assert self._run is not None
        found = self._run.at(wanted)
        if found is None:  # before the first frame, which is shown instead
            found = self._run.first(wanted)
        return Picked(*found) if found is not None else None

    def _is_past_the_end(self, time: Fraction, picked: Picked) -> bool:
        """Whether the last frame there is was over long before `time`."""
        assert self._run is not None
        if not self._run.ended or self._info.video.is_still:
            return False
        step = picked.frame.duration if not self._counted else 1
        over = (picked.tick - self.origin + (step or 0)) * self.time_base
        is_lost = self._info.duration is None or time >= self._info.duration or self._reader.damaged
        if not is_lost or time <= over + SLACK_S:
            return False
        self._warn(f"the pictures end at {float(over):.1f} s; later instants were not seen")
        return True

    def _must_seek(self, wanted: int) -> bool:
        if self._run is None:
            return True
        if not self._can_seek or self._run.ended or self._run.read_to is None:
            return False
        index = self._stream.index_entries
        place = index.search_timestamp(wanted, backward=True)
        if 0 <= place < len(index) - 1:
            return index[place].timestamp > self._run.read_to
        return (wanted - self._run.read_to) * self.time_base > RUN_ON_S

    def _seek(self, wanted: int) -> None:
        """Start a run whose first frame is at or before `wanted`, where the file has one."""
        for target in self._targets(wanted):
            self._run = self._new_run()
            first = self._run.first(wanted)
            if target is None or (first is not None and first[0] <= wanted):
                return

    def _targets(self, wanted: int) -> Iterator[int | None]:
        """Seek ever further back, then to the start; None where there is nothing further back."""
        back = Fraction(0)
        while self._can_seek:
            target = wanted - round(back / self.time_base)
            if target <= self.origin or not self._seeks_to(target):
                break
            yield target
            back = back * 4 or Fraction(1)
        if self._can_seek:  # MPEG-TS finds its first keyframe only from before it, MP4 only from it
            early = self.origin - round(1 / self.time_base)
            self._can_seek = self._seeks_to(early) or self._seeks_to(self.origin)
        yield None

    def _seeks_to(self, target: int) -> bool:
        try:
            self._pictures.container.seek(target, stream=self._stream)
        except av.error.FFmpegError:
            return False
        return True

    def _new_run(self) -> Run:
        return Run(
            self._reader,
            interlaced=bool(self._info.video.is_interlaced) and not self._pictures.piped,
            counted=self._counted,
        )

    def _keyframe_at(self, wanted: int) -> Picked | None:
        """The keyframe at or before `wanted`; None where it does not decode by itself."""
        self._run = None
        for target in self._targets(wanted):
            packet = next((p for p in self._reader.packets() if p.is_keyframe), None)
            if packet is None or (target is not None and (packet.pts or 0) > wanted):
                continue
            if self._info.video.is_interlaced and packet.pts is not None:
                return self._exactly_at(packet.pts)  # deinterlacing needs the frame after it
            frames = self._reader.decode(packet) or self._reader.decode(None)
            tick = tick_of(frames[0]) if frames else None
            return Picked(tick, frames[0]) if tick is not None else None
        return None
