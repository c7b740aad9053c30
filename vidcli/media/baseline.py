"""The frame loop most video tools use, as a baseline: OpenCV reads every frame, keeps a few.

Never used to look at a video: OpenCV's own decoding loses frames, times and rotation. Used by
`vidcli bench` alone, in a process of its own: `python -m vidcli.media.baseline VIDEO N` prints one
JSON object.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from vidcli.errors import MediaError


def read_every_frame(path: Path, n: int, *, size: tuple[int, int] = (512, 512)) -> int:
    """Decode a whole file and keep `n` evenly spread frames, resized and converted to RGB.

    Args:
        path: A video OpenCV can read.
        n: Frames to keep.
        size: (width, height) of each kept frame.

    Returns:
        Frames kept.

    Raises:
        MediaError: OpenCV cannot open the file.
    """
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise MediaError(f"OpenCV cannot open {path}")
    total = max(1, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    wanted = set(np.linspace(0, total - 1, n).astype(int).tolist())
    kept, index = [], 0
    while True:
        found, image = capture.read()
        if not found:
            break
        if index in wanted:
            kept.append(cv2.cvtColor(cv2.resize(image, size), cv2.COLOR_BGR2RGB))
        index += 1
    capture.release()
    return len(kept)


def main() -> None:
    """Run once with the path and count on the command line and print CPU seconds as JSON."""
    started = time.process_time()
    kept = read_every_frame(Path(sys.argv[1]), int(sys.argv[2]))
    json.dump({"frames": kept, "cpu_s": time.process_time() - started}, sys.stdout)


if __name__ == "__main__":
    main()
