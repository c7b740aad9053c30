"""Pictures inside the terminal, for the terminals that can show them.

Sources: the kitty graphics protocol (transmission of PNG data in chunks), and iTerm2's inline
images protocol, which WezTerm, mintty and others speak too. Not here: sixels, and terminals inside
tmux or screen, which swallow either sequence.
"""

import base64
from collections.abc import Iterator, Mapping

CHUNK = 4096  # most bytes of base64 that one kitty sequence may carry
KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
ITERM_PROGRAMS = ("iTerm.app", "WezTerm", "mintty")


def draw_inline(png: bytes, environ: Mapping[str, str]) -> str:
    """Write a picture as the control sequences that make this terminal show it.

    Args:
        png: A PNG file.
        environ: Of the process: terminals tell by it what they are.

    Returns:
        Sequences and a line end; empty where the terminal is not known to show pictures.
    """
    if environ.get("TMUX") or environ.get("TERM", "").startswith(("screen", "tmux")):
        return ""
    if environ.get("KITTY_WINDOW_ID") or environ.get("TERM") in KITTY_TERMS:
        return "".join(_for_kitty(png)) + "\n"
    if environ.get("TERM_PROGRAM") in ITERM_PROGRAMS:
        data = base64.b64encode(png).decode()
        return f"\x1b]1337;File=inline=1;size={len(png)};preserveAspectRatio=1:{data}\x07\n"
    return ""


def _for_kitty(png: bytes) -> Iterator[str]:
    data = base64.b64encode(png).decode()
    pieces = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
    for number, piece in enumerate(pieces):
        what = "a=T,f=100," if number == 0 else ""
        yield f"\x1b_G{what}m={int(number + 1 < len(pieces))};{piece}\x1b\\"
