"""Writing down what is said in a video, block by block.

A block is five minutes or less: its end is moved to where nobody speaks, so that no word is torn.
What was heard of a block is kept as soon as it is there. Not here: the listener
(`core.protocols.Transcriber`), and words that somebody wrote down already (`cli.speech`).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from vidcli.core.protocols import PieceStore, Progress, SoundSource, Transcriber
from vidcli.core.sound import RATE
from vidcli.core.speech import Cue, HeardBlock, Listening, Transcript, Word
from vidcli.core.time import Span

BLOCK_S = Fraction(300)
VERSION = 2  # of what is kept of a block; raised when it holds something else


def listen(
    sound: SoundSource,
    transcriber: Transcriber,
    span: Span,
    listening: Listening,
    *,
    pieces: PieceStore | None = None,
    progress: Progress | None = None,
) -> Transcript:
    """Write down what is said in a span of a video.

    The language of the first block in which somebody speaks is that of the others.

    Args:
        sound: Of the video.
        transcriber: Listens.
        span: On the video's clock.
        listening: How to hear.
        pieces: Where what was heard is kept; None keeps nothing.
        progress: Told the seconds heard.

    Raises:
        MediaError: The sound cannot be decoded.
        EngineError: The listener failed.
    """
    cues: list[Cue] = []
    notes: dict[str, None] = {}
    at, language, likely = span.start, listening.language, None
    while round((span.end - at) * RATE) > 0:  # a recording's end lies between two samples
        block = Span(at, min(at + BLOCK_S, span.end))
        asked = replace(listening, language=language)
        heard = _hear(
            sound, transcriber, block, asked, is_last=block.end == span.end, pieces=pieces
        )
        cues += (_moved(cue, at) for cue in heard.cues)
        notes |= dict.fromkeys(heard.notes)
        if language is None and heard.language is not None:
            language, likely = heard.language, heard.language_probability
        at += heard.length
        if progress is not None:
            progress("listen", int(at - span.start), int(span.length))
    return Transcript(
        transcriber.kind,
        transcriber.name,
        language,
        tuple(cues),
        tuple(notes),
        language_probability=likely,
    )


def count_kept(
    transcriber: Transcriber, span: Span, listening: Listening, *, pieces: PieceStore
) -> Fraction:
    """Seconds from the start of a span that earlier runs have heard; nothing is heard for it."""
    at, language = span.start, listening.language
    while round((span.end - at) * RATE) > 0:
        block = Span(at, min(at + BLOCK_S, span.end))
        asked = replace(listening, language=language)
        key = _name_block(transcriber, block, asked, is_last=block.end == span.end)
        kept = pieces.get(key)
        if kept is None:
            break
        heard = _unpack(kept)
        language = language or heard.language
        at += heard.length
    is_all = round((span.end - at) * RATE) <= 0
    return (span.end if is_all else at) - span.start


def _name_block(
    transcriber: Transcriber, block: Span, listening: Listening, *, is_last: bool
) -> str:
    told = [str(block.start), str(block.end), listening.language, listening.words, is_last]
    return f"heard {VERSION} {transcriber.identity} {json.dumps(told)}"


def _hear(
    sound: SoundSource,
    transcriber: Transcriber,
    block: Span,
    listening: Listening,
    *,
    is_last: bool,
    pieces: PieceStore | None,
) -> HeardBlock:
    """What is said in a block, heard now or by an earlier run."""
    key = _name_block(transcriber, block, listening, is_last=is_last)
    kept = pieces.get(key) if pieces is not None else None
    if kept is not None:
        return _unpack(kept)
    heard = transcriber.hear(sound.read(block), listening, is_last=is_last)
    assert heard.length > 0, "a block accounts for some of its sound"
    if pieces is not None:
        pieces.put(key, _pack(heard))
    return heard


def _moved(cue: Cue, by: Fraction) -> Cue:
    words = tuple(replace(word, span=_later(word.span, by)) for word in cue.words)
    return Cue(_later(cue.span, by), cue.text, words)


def _later(span: Span, by: Fraction) -> Span:
    return Span(span.start + by, span.end + by)


def _pack(heard: HeardBlock) -> dict[str, Any]:
    return {
        "length": str(heard.length),
        "voice": str(heard.voice),
        "language": heard.language,
        "language_probability": heard.language_probability,
        "notes": list(heard.notes),
        "cues": [
            [
                *_pack_span(cue.span),
                cue.text,
                [[*_pack_span(word.span), word.text, word.probability] for word in cue.words],
            ]
            for cue in heard.cues
        ],
    }


def _unpack(kept: Mapping[str, Any]) -> HeardBlock:
    cues = tuple(
        Cue(
            _unpack_span(start, end),
            text,
            tuple(Word(_unpack_span(a, b), word, sure) for a, b, word, sure in words),
        )
        for start, end, text, words in kept["cues"]
    )
    return HeardBlock(
        cues,
        Fraction(kept["length"]),
        Fraction(kept["voice"]),
        kept["language"],
        kept["language_probability"],
        tuple(kept["notes"]),
    )


def _pack_span(span: Span) -> tuple[str, str]:
    return str(span.start), str(span.end)


def _unpack_span(start: str, end: str) -> Span:
    return Span(Fraction(start), Fraction(end))
