"""Text that comes out of a video, fenced: a JSON string that it cannot end, on a line of its own.

A prompt says beside it that it is data. Control tokens in it are none: prompts are made of
`TextPart`s that are not special.
"""

import json
import re
from typing import Any

_LINE_ENDS = re.compile("[\u0085\u2028\u2029]")  # which JSON leaves as they are


def fence(value: Any) -> str:
    """A value as JSON on one line, letters of every script as they are."""
    return _LINE_ENDS.sub(" ", json.dumps(value, ensure_ascii=False))
