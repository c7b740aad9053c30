"""The pages in a folder, found by what their heads say, and the list of them.

The heads are read and not the memory of one run, so that runs that were interrupted, shared among
machines or made on another day all count.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

from vidcli.output.plain import count
from vidcli.output.report.render import render_index

NAME = "index.html"
HEAD_BYTES = 512 * 1024  # style and icon included; a page's head is far shorter
MARK = "vidcli "


@dataclass(frozen=True, slots=True)
class Entry:
    """What the list says of a page.

    Attributes:
        address: URL of the page, relative to the list.
        source: URL of its video, relative to the page.
        title: Of the page.
        description: The start of the answer.
        video: Name of the video.
        length: Of the timeline.
        command: That made it.
        icon: A picture, as a data URL; empty where there is none.
    """

    address: str
    source: str
    title: str
    description: str
    video: str
    length: str
    command: str
    icon: str


class _Head(HTMLParser):
    """Collects what the head of a page says."""

    def __init__(self) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.icon = self.title = ""
        self._is_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        found = {name: value or "" for name, value in attrs}
        self._is_title = tag == "title"
        if tag == "meta" and "name" in found:
            self.meta.setdefault(found["name"], found.get("content", ""))
        if tag == "link" and found.get("rel") == "icon":
            self.icon = found.get("href", "")

    def handle_endtag(self, tag: str) -> None:
        """Take note of an end tag."""
        self._is_title = False

    def handle_data(self, data: str) -> None:
        """Take note of text."""
        if self._is_title:
            self.title += data


def read_entry(path: Path, *, folder: Path | None = None) -> Entry | None:
    """What the head of a file says; None where it is no page of a video made by vidcli.

    Args:
        path: Any file.
        folder: That the address is relative to; the file's own otherwise.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        text = file.read(HEAD_BYTES).decode("utf-8", "replace")
    if not text.startswith("<!doctype html>") or f'content="{MARK}' not in text[:2000]:
        return None
    head = _Head()
    head.feed(text.partition("<style>")[0])
    meta = head.meta
    if not meta.get("generator", "").startswith(MARK) or "vidcli-video" not in meta:
        return None
    below = os.path.relpath(path, folder or path.parent)
    return Entry(
        address="/".join(quote(os.fsencode(part), safe="") for part in below.split(os.sep)),
        source=meta["vidcli-video"],
        title=head.title,
        description=meta.get("description", ""),
        video=meta.get("vidcli-file", ""),
        length=meta.get("vidcli-length", ""),
        command=meta.get("vidcli-command", ""),
        icon=head.icon if head.icon.startswith("data:image/webp;") else "",
    )


def is_index(path: Path) -> bool:
    """Whether a file is a list of pages that vidcli made.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(2000).decode("utf-8", "replace")
    return start.startswith("<!doctype html>") and ' index">' in start


def find_entries(folder: Path) -> Iterator[Entry]:
    """The pages in a folder and below it, by name."""
    for path in sorted(folder.rglob("*.html")):
        if path == folder / NAME or not path.is_file():
            continue
        try:
            entry = read_entry(path, folder=folder)
        except OSError:  # not ours to read
            continue
        if entry is not None:
            yield entry


def make_index(folder: Path) -> bytes:
    """The list of all pages in a folder, as an HTML file."""
    entries = list(find_entries(folder))
    return render_index(entries, count=count(len(entries), "video report"))
