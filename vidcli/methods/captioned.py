"""What is to be told of segments that were captioned: what gave way, and what it took."""

from collections.abc import Sequence

from vidcli.core.results import CacheUse, FinishReason, Usage
from vidcli.core.summary import Segment
from vidcli.core.time import format_time
from vidcli.methods.captioning import Captioner


def list_notes(captioner: Captioner, segments: Sequence[Segment]) -> list[str]:
    """What a reader of the captions must know, one sentence each.

    Args:
        captioner: That made them.
        segments: All of them, in order.
    """
    total = len(segments)
    notes = [text if n == 1 else f"{text} ({n} times)" for text, n in captioner.gave_way.items()]
    if repeats := captioner.n_repeats:
        planned = sum(len(segment.frames) for segment in segments) + repeats
        notes.append(f"{repeats} of {planned} frames look like the one before: left out")
    lost = [segment for segment in segments if not segment.frames]
    if lost:
        where = format_time(lost[0].span.start)
        notes.append(f"{len(lost)} of {total} segments could not be decoded, first at {where}")
    cut = sum(1 for s in segments if s.finish in (FinishReason.LENGTH, FinishReason.CONTEXT))
    if cut:
        notes.append(
            f"{cut} of {total} captions were cut at {captioner.caption_tokens} tokens; "
            "--max-tokens allows more"
        )
    left = sum(segment.words_left_out for segment in segments)
    if left:
        words = sum(segment.words for segment in segments)
        notes.append(f"{left} of {words} words said did not fit the prompts of their segments")
    return notes


def count_usage(captioner: Captioner, segments: Sequence[Segment]) -> Usage:
    """Tokens spent, and whether the captions are of earlier runs."""
    writer = captioner.writer
    kept = sum(segment.is_kept for segment in segments)
    use = CacheUse.OFF
    if writer.pieces is not None:
        use = CacheUse.PARTIAL if kept else CacheUse.MISS
        use = CacheUse.HIT if segments and kept == len(segments) else use
    return Usage(
        writer.visual_tokens, writer.prompt_tokens, writer.written_tokens, visual_cache=use
    )
