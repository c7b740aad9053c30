import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vidcli.engine.text_stream import CYCLE_CHARS, STRIDE, LoopGuard, Utf8Stream


def cut_up(content: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(content)) for cut in cuts} | {0, len(content)})
    return [content[a:b] for a, b in itertools.pairwise(places)]


def stream(pieces: list[bytes], stop: tuple[str, ...] = ()) -> tuple[str, bool]:
    reader = Utf8Stream(stop=stop)
    text = "".join(reader.feed(piece) for piece in pieces)
    return text + reader.flush(), reader.stopped


CUTS = st.lists(st.integers(0, 40), max_size=12)


@given(content=st.binary(max_size=40) | st.text(max_size=20).map(str.encode), cuts=CUTS)
def test_any_split_of_any_bytes_gives_the_same_text(content: bytes, cuts: list[int]) -> None:
    assert stream(cut_up(content, cuts)) == (content.decode("utf-8", "replace"), False)


@given(
    text=st.text("abé", max_size=20),
    stop=st.lists(st.text("abé", min_size=1, max_size=4), max_size=3).map(tuple),
    cuts=CUTS,
)
@example(text="abc", stop=("abc", "b"), cuts=[1, 2])
def test_any_split_ends_at_the_same_stop_text(
    text: str, stop: tuple[str, ...], cuts: list[int]
) -> None:
    first = min(
        (end for end in range(len(text) + 1) if text[:end].endswith(stop)) if stop else [],
        default=None,
    )
    whole, stopped = stream(cut_up(text.encode(), cuts), stop)
    assert stopped == (first is not None)
    if first is None:
        assert whole == text
    else:
        longest = max((s for s in stop if text[:first].endswith(s)), key=len)
        assert whole == text[: first - len(longest)]


@given(text=st.text(min_size=1, max_size=10))
def test_every_piece_is_whole_characters(text: str) -> None:
    reader = Utf8Stream()
    pieces = [reader.feed(bytes([byte])) for byte in text.encode()]
    assert [piece for piece in pieces if piece] == list(text)
    assert reader.flush() == ""


def test_text_is_given_out_as_soon_as_it_cannot_begin_a_stop_text() -> None:
    reader = Utf8Stream(stop=("\nUser:",))
    assert reader.feed(b"Yes.\nU") == "Yes."
    assert reader.feed(b"s") == ""
    assert reader.feed(b"ually.") == "\nUsually."
    assert reader.feed(b"\nUser: and") == ""
    assert reader.stopped
    assert reader.feed(b"more") == ""
    assert reader.flush() == ""


def test_a_held_beginning_comes_out_at_the_end() -> None:
    reader = Utf8Stream(stop=("###",))
    assert reader.feed(b"a##") == "a"
    assert reader.flush() == "##"


def test_half_a_character_at_the_end_is_shown_as_unreadable() -> None:
    assert stream([b"caf\xc3"]) == ("caf\N{REPLACEMENT CHARACTER}", False)


def guard(text: str) -> tuple[str | None, str]:
    """The note, and what is kept of the text."""
    watcher = LoopGuard()
    note = watcher.feed(text)
    return note, text[: watcher.cut]


def test_the_same_line_three_times_is_a_loop() -> None:
    note, kept = guard("A dog.\nA cat runs.\nA cat runs.\nA cat runs.\nA cat")
    assert note is not None
    assert "A cat runs." in note
    assert kept == "A dog.\nA cat runs."


def test_blank_lines_do_not_hide_a_loop() -> None:
    assert guard("Yes.\n\nYes.\n\n\nYes.\n")[1] == "Yes."


@pytest.mark.parametrize(
    "text",
    [
        "Yes.\nYes.\nNo.\nYes.\nYes.\n",
        "      }\n    }\n  }\n}\n",
        "}\n}\n}\n}\n",
        "---\n---\n---\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "ha ha ha ha ha ha ha ha",
        "\n\n\n\n\n\n",
        "Row, row,\nrow your boat\n" * 3,
    ],
)
def test_honest_repetition_is_no_loop(text: str) -> None:
    assert guard(text) == (None, text)


@pytest.mark.parametrize(
    "cycle",
    ["ha ", "a man walks, ", "The dog runs.\nThe cat sleeps.\n", "x", "word " * 50 + "end. "],
)
def test_a_stretch_that_comes_back_and_back_is_a_loop(cycle: str) -> None:
    start = "The video shows 1 thing: "
    note, kept = guard(start + cycle * ((CYCLE_CHARS + STRIDE) // len(cycle) + 9))
    assert note is not None
    assert kept.startswith(start.rstrip())
    assert len(start) < len(kept) <= len(start) + len(cycle)


def test_a_stretch_shorter_than_the_bound_is_none() -> None:
    assert guard("a man walks, " * 10)[0] is None


def test_counting_is_no_loop() -> None:
    text = "".join(f"[{second // 60}:{second % 60:02d}] A frame.\n" for second in range(300))
    assert guard(text)[0] is None


@given(
    text=st.lists(st.sampled_from(["a\n", "b\n", "ha ", "x", "\n", "The end. "]), max_size=60).map(
        "".join
    ),
    repeat=st.integers(1, 12),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_any_split_gives_the_same_verdict(text: str, repeat: int, cuts: list[int]) -> None:
    whole = text * repeat
    watcher = LoopGuard()
    notes = [watcher.feed(piece.decode()) for piece in cut_up(whole.encode(), cuts)]
    assert (notes[-1] if notes else None, whole[: watcher.cut]) == guard(whole)


@given(text=st.text(max_size=CYCLE_CHARS - 1).filter(lambda text: text.count("\n") < 3))
def test_short_answers_are_never_cut(text: str) -> None:
    assert guard(text) == (None, text)
