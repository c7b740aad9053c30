"""What a model is shown in training, for a person to check: every token, and which are learnt."""

from typing import TYPE_CHECKING

from vidcli.media.worker import DecoderWorker
from vidcli.train.corpus import draw, make_item
from vidcli.train.frames import watch_video
from vidcli.train.prompts import IGNORED, VISUAL, Row, write_row

if TYPE_CHECKING:
    from vidcli.engine.scribe import Scribe
    from vidcli.train.run import Stage


def describe_samples(stage: "Stage", n: int) -> str:
    """The first samples as tokens; learnt ones in `[brackets]`, runs of visual tokens counted."""
    scribe, frames = stage.scribe, stage.config.frames
    parts = []
    with DecoderWorker() as worker:
        for sample in stage.dataset.train[:n]:
            clip = watch_video(sample.video, scribe, worker, frames=frames, span=sample.span)
            item = make_item(sample, clip, objective=stage.config.objective)
            item = draw(item, seed=stage.config.seed, step=0, crop=stage.config.crop)
            row = write_row(
                scribe,
                item.clip,
                item.said,
                system=item.system,
                arrangement=stage.config.arrangement,
            )
            parts.append(
                f"{sample.origin}: {row.n_cells} cells, {row.n_labels} learnt\n"
                f"{describe_row(scribe, row)}\n"
            )
    return "\n".join(parts)


def describe_row(scribe: "Scribe", row: Row) -> str:
    """A row as text: what is learnt in brackets, visual tokens as `<N visual>`."""
    written, visual, inside = [], 0, False
    for token, label in zip(row.ids.tolist(), row.labels.tolist(), strict=True):
        if token == VISUAL:
            visual += 1
            continue
        if visual:
            written.append(f"<{visual} visual>")
            visual = 0
        learnt = label != IGNORED
        if learnt != inside:
            written.append("[" if learnt else "]")
            inside = learnt
        written.append(("|" if learnt and written[-1] != "[" else "") + scribe.text_of(token))
    return "".join(written) + ("]" if inside else "")
