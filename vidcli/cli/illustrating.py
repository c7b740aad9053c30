"""What only the video itself can tell a page: pictures, shots, what is said and written in it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from vidcli.cli.asking import describe
from vidcli.cli.footage import Footage
from vidcli.cli.speech import find_speech
from vidcli.core.protocols import Progress, TextReader
from vidcli.core.time import Span
from vidcli.errors import VidcliError
from vidcli.output.plain import count
from vidcli.output.report.found import spread
from vidcli.output.report.page import Mark, Page, Still, Track, TrackKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_STILLS = 96
OWN_STILLS = 12  # of a result for which no frame was looked at
LONGEST_SIDES = ((12, 480), (36, 320), (MOST_STILLS, 240))  # (pictures, pixels of the longer side)
QUALITY = 72  # of WebP
SHOTS_LONGEST_S = 20 * 60  # shots of more are not looked for: every frame would be decoded
LOOK_S = Fraction(1)  # from one look for text to the next
TICK_S = Fraction(1, 1_000_000)  # documents round times to it


def load_reader() -> TextReader:
    """What reads text on the screen.

    Raises:
        SetupError: The extra 'ocr' is not installed.
    """
    from vidcli.models.hardware import count_free_cores
    from vidcli.tools.ocr import RapidTextReader

    return RapidTextReader(threads=count_free_cores())


@dataclass(frozen=True, slots=True)
class Illustrator:
    """Looks at one video for a page.

    Attributes:
        source: The opened video.
        speech: Where words are looked for, as `find_speech` takes it.
        open_reader: Loads what reads the text on the screen; None leaves that unread.
        progress: Of the work.
    """

    source: Footage
    speech: str
    open_reader: Callable[[], TextReader] | None
    progress: Progress

    def illustrate(self, page: Page) -> Page:
        """A page with its pictures, and with the rows of its timeline that it lacked.

        Raises:
            MediaError: No picture can be decoded.
        """
        stills, note = self.take_stills(page)
        kinds = {track.kind for track in page.tracks}
        found = tuple(
            self._look_for(kind, name, look, page)
            for kind, name, look in (
                (TrackKind.SHOTS, "Shots", self._find_shots),
                (TrackKind.SPEECH, "Speech", self._find_speech),
                (TrackKind.SCREEN, "On-screen text", self._find_text),
            )
            if kind not in kinds
        )
        frames = tuple(track for track in page.tracks if track.kind is TrackKind.FRAMES)
        others = tuple(track for track in page.tracks if track.kind is not TrackKind.FRAMES)
        return replace(page, stills=stills, stills_note=note, tracks=(*others, *found, *frames))

    def take_stills(self, page: Page) -> tuple[tuple[Still, ...], str]:
        """Decode the pictures of a storyboard, small, and at most `MOST_STILLS`.

        Returns:
            The stills that are shown, and what of them was left out or added.

        Raises:
            MediaError: None can be decoded.
        """
        from vidcli.cli.frames import fit_size
        from vidcli.core.media import FramePlan, PlannedFrame
        from vidcli.media.sheet import encode_image
        from vidcli.tools.overlay import draw_boxes

        stills, note = choose_stills(page)
        longest = next(side for most, side in LONGEST_SIDES if len(stills) <= most)
        size = fit_size(self.source.info.video.display_size, longest)
        # A time that was rounded down would show the frame before.
        wanted = {Fraction(s.time_s).limit_denominator(10**9) + TICK_S: s for s in stills}
        times = sorted(wanted)
        span = Span(Fraction(0), times[-1] + 1)
        plan = FramePlan(span, tuple(PlannedFrame(time, "seen") for time in times), "seen")
        pictures: dict[Fraction, NDArray[np.uint8]] = {}
        for number, frame in enumerate(self.source.frames(plan, size=size), start=1):
            self.progress("report", number, len(times))
            pictures[frame.wanted] = frame.image
        shown = []
        for time in times:
            still, image = wanted[time], pictures.get(time)
            if image is not None:
                height, width = image.shape[:2]
                data = encode_image(draw_boxes(image, still.boxes), "webp", QUALITY)
                still = replace(still, image=data, size=(width, height))
            shown.append(still)
        return tuple(shown), note

    def _look_for(
        self, kind: TrackKind, name: str, look: Callable[[Page], Track], page: Page
    ) -> Track:
        """A row, or an empty one that says why."""
        try:
            return look(page)
        except VidcliError as error:
            return Track(kind, name, (), f"not found: {error}")

    def _find_shots(self, page: Page) -> Track:
        if page.end_s - page.start_s > SHOTS_LONGEST_S:
            note = f"not looked for in more than {SHOTS_LONGEST_S // 60} minutes"
            return Track(TrackKind.SHOTS, "Shots", (), note)
        if self.source.info.video.is_still:
            return Track(TrackKind.SHOTS, "Shots", (), "a picture has none")
        shots = self.source.find_shots(self.progress, span=_span(page))
        marks = tuple(Mark(float(shot.span.start), float(shot.span.end)) for shot in shots)
        return Track(TrackKind.SHOTS, "Shots", marks, count(len(marks), "shot"))

    def _find_speech(self, page: Page) -> Track:
        transcript = find_speech(self.source, self.speech, progress=self.progress).transcript
        if transcript is None:
            note = "no subtitles beside the video or in it"
            return Track(TrackKind.SPEECH, "Speech", (), note)
        marks = tuple(
            Mark(float(cue.span.start), float(cue.span.end), cue.text) for cue in transcript.cues
        )
        language = transcript.language or ""
        return Track(TrackKind.SPEECH, "Speech", marks, f"from {transcript.name}", language)

    def _find_text(self, page: Page) -> Track:
        if self.open_reader is None:
            note = "not read; --report-text reads it"
            return Track(TrackKind.SCREEN, "On-screen text", (), note)
        from vidcli.methods.screen_text import Reading, read_screen

        reader = self.open_reader()
        video = describe(self.source)
        options = Reading(_span(page), LOOK_S)
        report = read_screen(self.source, video, reader, options, progress=self.progress)
        marks = tuple(
            Mark(float(text.span.start), float(text.span.end), text.text) for text in report.texts
        )
        note = f"read by {report.reader}" if marks else "none was found"
        return Track(TrackKind.SCREEN, "On-screen text", marks, note)


def choose_stills(page: Page) -> tuple[tuple[Still, ...], str]:
    """Which pictures a page shows: those that were looked at, else some spread over the video."""
    stills, total = page.stills, len(page.stills)
    if not total:
        step = (page.end_s - page.start_s) / OWN_STILLS
        times = (page.start_s + step * (n + 0.5) for n in range(OWN_STILLS))
        return tuple(Still(time) for time in times), "No frame was looked at for this result."
    if total <= MOST_STILLS:
        return stills, page.stills_note
    kept = tuple(spread(stills, MOST_STILLS))
    return kept, f"{len(kept)} of {total} frames are shown, evenly chosen."


def _span(page: Page) -> Span:
    return Span(Fraction(page.start_s), Fraction(page.end_s))
