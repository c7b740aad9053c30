"""Where a page finds its video: a relative URL, whatever bytes the name is made of."""

import os
from pathlib import Path
from urllib.parse import quote


def address_of(video: str, page: Path) -> str:
    """The URL of a video as a page has to write it.

    Relative, so that a folder of videos and pages can be moved or copied as a whole. Links in the
    path are not followed: a browser does not follow them either.

    Args:
        video: As the user gave it.
        page: The HTML file.
    """
    folder = os.path.dirname(os.path.abspath(page))
    relative = os.path.relpath(os.path.abspath(video), folder)
    return "/".join(quote(os.fsencode(part), safe="") for part in relative.split(os.sep))
