"""The picture of find's curve: what its head names is drawn there as it is below."""

import cv2
import numpy as np

from vidcli.media.curve import DASH, LEFT, LIMIT, Drawing, draw_curve

HEAD = slice(30, 52)  # rows that name what is drawn


def test_the_head_draws_looks_as_rings_and_the_threshold_as_dashes():
    drawing = Drawing("a cat", 0.0, 4.0, [(1.0, 0.9), (3.0, 0.2)], [(2.0, 0.5)], [], 0.6)
    image = cv2.imdecode(np.frombuffer(draw_curve(drawing), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    head = image[HEAD, LEFT:]

    dashes = np.flatnonzero((head[11] == LIMIT).all(axis=1))
    assert np.diff(dashes).max() >= DASH - 1  # a gap, not one line

    blue, green, red = np.moveaxis(head.astype(int), 2, 0)
    columns = np.flatnonzero((green > np.maximum(blue, red) + 30).any(axis=0))
    assert 3 <= np.ptp(columns) < 10  # as wide as a mark, not as a line
