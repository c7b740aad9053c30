"""A picture goes to the terminals that show pictures, and to no other."""

import base64
import re

import pytest

from vidcli.output.inline import CHUNK, draw_inline

PNG = bytes(range(256)) * 40


def test_kitty_gets_the_whole_file_in_chunks_of_the_size_it_takes():
    text = draw_inline(PNG, {"TERM": "xterm-kitty"})
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in pieces) + "\n" == text
    assert base64.b64decode("".join(data for _, data in pieces)) == PNG
    assert max(len(data) for _, data in pieces) == CHUNK
    assert pieces[0][0] == "a=T,f=100,m=1"
    assert [keys for keys, _ in pieces[1:]] == ["m=1"] * (len(pieces) - 2) + ["m=0"]


def test_a_small_picture_is_one_chunk():
    assert draw_inline(b"png", {"KITTY_WINDOW_ID": "1"}) == "\x1b_Ga=T,f=100,m=0;cG5n\x1b\\\n"


def test_iterm_gets_the_whole_file_at_once():
    text = draw_inline(PNG, {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"})
    head, data = text.removesuffix("\x07\n").split(":", 1)
    assert head == f"\x1b]1337;File=inline=1;size={len(PNG)};preserveAspectRatio=1"
    assert base64.b64decode(data) == PNG


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"TERM": "xterm-256color"},
        {"TERM": "dumb"},
        {"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"},
        {"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"},
        {"TERM_PROGRAM": "Apple_Terminal"},
    ],
)
def test_other_terminals_get_nothing(environ: dict[str, str]):
    assert draw_inline(PNG, environ) == ""
