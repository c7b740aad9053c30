"""How a model family wants a video written: the text around frames, and the tiles of one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FamilyProfile:
    """One family's own video recipe.

    Text fields are `str.format` templates; fields they may use are named below. Text of a profile
    is parsed with control tokens, since families write theirs in it.

    Attributes:
        name: `idefics3`, `llava`, `internvl`, `qwen2vl`, `qwen25vl`, `qwen3vl`, `gemma3`…
        version: Rises when anything here changes the tokens made: part of every cache key.
        intro: Opens the video; `{frames}` (a count), `{frames_words}` (the count in words),
            `{duration}` (`H:MM:SS`) and `{times}` (`0.5s, 1.5s`) may be used.
        label: Before each frame or group; `{time}` (`MM:SS`), `{seconds}` (one decimal), `{id}`.
        outro: Between the last frame and the question.
        frame_opening: Control-token text before the tokens of a frame; None takes what mtmd writes.
        frame_closing: Control-token text after them; None takes what mtmd writes.
        overview_last: Among several tiles of one picture the overview is the last chunk, not the
            first.
        square: A frame is stretched to the encoder's own square, so that it is exactly one tile.
        group: Neighbouring frames the vision encoder merges into one run of tokens.
        required_tokens: Vocabulary entries without which the projector cannot work.
        note: What a reader of `-v` should know, such as an untested family.
    """

    name: str
    version: int
    intro: str = ""
    label: str = "\n[{time}] "
    outro: str = "\n\n"
    frame_opening: str | None = None
    frame_closing: str | None = None
    overview_last: bool = False
    square: bool = False
    group: int = 1
    required_tokens: tuple[str, ...] = ()
    note: str = ""
