"""Rows of different lengths as one batch."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vidcli.train.model import IGNORED, Batch
from vidcli.train.prompts import VISUAL, Row


def collate(
    rows: Sequence[Row], features: Sequence[Tensor | None], *, device: torch.device
) -> Batch:
    """Pad rows on the right to the longest.

    Args:
        rows: From `train.prompts.write_row`.
        features: Of each row's frames, before the connector; None where it shows none.
        device: Where the batch is to be.
    """
    length = max(row.n_cells for row in rows)
    ids = np.zeros((len(rows), length), np.int64)
    labels = np.full((len(rows), length), IGNORED, np.int64)
    filled = np.zeros((len(rows), length), bool)
    visual = np.zeros((len(rows), length), bool)
    for n, row in enumerate(rows):
        ids[n, : row.n_cells] = np.maximum(row.ids, 0)
        labels[n, : row.n_cells] = row.labels
        filled[n, : row.n_cells] = True
        visual[n, : row.n_cells] = row.ids == VISUAL
    return Batch(
        ids=torch.from_numpy(ids).to(device),
        labels=torch.from_numpy(labels).to(device),
        filled=torch.from_numpy(filled).to(device),
        visual=torch.from_numpy(visual).to(device),
        positions=_positions(rows, length, device),
        features=list(features),
    )


def _positions(rows: Sequence[Row], length: int, device: torch.device) -> Tensor | None:
    if rows[0].positions is None:
        return None
    out = np.zeros((3, len(rows), length), np.int64)
    for n, row in enumerate(rows):
        assert row.positions is not None, "rows of one model have positions, or none has"
        out[:, n, : row.n_cells] = row.positions
    return torch.from_numpy(out).to(device)
