"""A span of a video as a file of its own, through the ffmpeg program.

The span is encoded anew, so that it begins and ends where it was asked to and not at the next
keyframe. The original is never touched.
"""

import os
from pathlib import Path

import ffmpeg

from vidcli.core.time import Span
from vidcli.errors import MediaError
from vidcli.media import ffmpeg as program
from vidcli.media.chapters import offset_of_pictures
from vidcli.media.drafts import draft_beside, publish
from vidcli.media.libav import translated
from vidcli.media.source import CONTAINERS, address_of, open_source
from vidcli.media.streams import choose_stream

SUFFIX = ".mp4"
CRF = 20
GRACE_S = 120.0
SECONDS_A_SECOND = 60  # that encoding may take for a second of video, on a slow machine
EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"  # what H.264 in 4:2:0 takes


def cut_span(source: str, target: Path, span: Span, *, overwrite: bool) -> None:
    """Write a span of a video as H.264 and AAC in MP4, upright, with the first of its sounds.

    Args:
        source: The video.
        target: A name that ends in `SUFFIX`, in a folder that exists.
        span: On the video's clock, inside it.
        overwrite: Replace a file that is there already.

    Raises:
        MediaError: ffmpeg failed; its last words are the reason.
        ResourceError: The file cannot be written, or is there already.
        SetupError: There is no ffmpeg program.
    """
    with open_source(source) as container, translated(source):
        start = span.start + offset_of_pictures(source, container)
        picture = choose_stream(source, container).index
        has_sound = bool(container.streams.audio)
    with draft_beside(target) as draft, address_of(source) as address:
        video = ffmpeg.input(
            address,
            ss=f"{float(start):.6f}",
            t=f"{float(span.length):.6f}",
            protocol_whitelist="file",
            format_whitelist=",".join(sorted(CONTAINERS)),
        )
        streams = [video[str(picture)]]
        streams += [video["a:0"]] if has_sound else []
        made = ffmpeg.output(
            *streams, f"file:{draft}", f="mp4", vcodec="libx264", preset="veryfast", crf=CRF,
            pix_fmt="yuv420p", vf=EVEN, acodec="aac", map_metadata=-1, map_chapters=-1,
            movflags="+faststart",
        )  # fmt: skip
        try:
            program.run(
                made.overwrite_output(),
                timeout_s=GRACE_S + float(span.length) * SECONDS_A_SECOND,
            )
        except MediaError as error:
            raise MediaError(f"{target} cannot be cut: {error}") from error
        if not os.path.getsize(draft):
            raise MediaError(f"{target} cannot be cut: nothing of {source} is there")
        publish(draft, target, overwrite=overwrite)
