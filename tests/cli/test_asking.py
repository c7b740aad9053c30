"""An answer is written as it comes, and comes out whole, clean and on lines of its own."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.cli.asking import streamed_answer


def stream(pieces: list[str], prefix: str = "") -> str:
    with pytest.MonkeyPatch.context() as patch:
        screen = io.StringIO()
        patch.setattr("sys.stdout", screen)
        with streamed_answer(silent=False, prefix=prefix) as write:
            for piece in pieces:
                write(piece)
        return screen.getvalue()


@given(st.lists(st.text(alphabet="ab \n\t")))
def test_pieces_come_out_as_the_stripped_answer_and_a_line_end(pieces: list[str]):
    assert stream(pieces) == "".join(pieces).strip() + "\n"


def test_text_is_written_as_soon_as_it_is_there(monkeypatch: pytest.MonkeyPatch):
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)
    with streamed_answer(silent=False, prefix="x: ") as write:
        assert screen.getvalue() == ""
        write(" A")
        assert screen.getvalue() == "x: A"
        write(" dog ")
        assert screen.getvalue() == "x: A dog"


def test_what_the_model_writes_cannot_move_the_cursor():
    assert stream(["a\x1b[2J\rb\n", "c"]) == "a\\x1b[2J\\rb\nc\n"


def test_a_prefix_stands_before_an_empty_answer_too():
    assert stream([], "x: ") == "x: \n"


@pytest.mark.parametrize(("pieces", "left"), [([], ""), (["so far"], "x: so far\n")])
def test_a_failure_leaves_whole_lines(
    pieces: list[str], left: str, monkeypatch: pytest.MonkeyPatch
):
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)

    def fail() -> None:
        with streamed_answer(silent=False, prefix="x: ") as write:
            for piece in pieces:
                write(piece)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert screen.getvalue() == left


def test_silence_is_silent(monkeypatch: pytest.MonkeyPatch):
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)
    with streamed_answer(silent=True) as write:
        write("text")
    assert screen.getvalue() == ""
