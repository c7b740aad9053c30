"""Planned instants become visual tokens: fitted, cached, each distinct picture once."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.pairs import PairCache, load
from tests.sources import PictureSource, make_plan
from vidcli.core.model import Detail
from vidcli.core.results import CacheUse, Timings
from vidcli.engine.token_cache import TokenCache
from vidcli.errors import MediaError, ResourceError
from vidcli.methods.watch import fit_plan, watch

WIDE = (640, 360)


def _watch(session, source, n=6, store=None):  # type: ignore[no-untyped-def]
    size = session.frame_size(WIDE)
    return watch(source, session, make_plan(n), size=size, store=store, timings=Timings())


def test_frames_are_numbered_in_time_order_with_the_pts_they_have(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        watched = _watch(session, PictureSource(), n=4)
    assert [frame.id for frame in watched.frames] == [1, 2, 3, 4]
    assert [float(frame.time.seconds) for frame in watched.frames] == [1.2, 3.7, 6.2, 8.7]
    assert watched.frame_tokens == (16, 16, 16, 16)
    assert watched.coverage.frames == 4
    assert watched.cache is CacheUse.OFF


def test_a_second_run_decodes_nothing_and_has_the_same_tokens(
    pairs: PairCache, tmp_path: Path
) -> None:
    cache = TokenCache(tmp_path, 1 << 30)
    digests, uses = [], []
    for run in range(2):
        source = PictureSource()
        with (
            load(pairs.get("tiny-qwen2vl")) as session,
            cache.open("print", session.token_settings, "clip") as store,
        ):
            watched = _watch(session, source, store=store)
        digests.append([image.tokens.digest for image in watched.images])
        uses.append(watched.cache)
        assert bool(source.decoded) == (run == 0)
    assert digests[0] == digests[1]
    assert uses == [CacheUse.MISS, CacheUse.HIT]


def test_only_what_is_missing_is_decoded(pairs: PairCache, tmp_path: Path) -> None:
    cache = TokenCache(tmp_path, 1 << 30)
    with load(pairs.get("tiny-idefics3")) as session:
        with cache.open("print", session.token_settings, "clip") as store:
            _watch(session, PictureSource(end=Fraction(5)), store=store)
        source = PictureSource()
        with cache.open("print", session.token_settings, "clip") as store:
            watched = _watch(session, source, store=store)
    assert watched.cache is CacheUse.PARTIAL
    assert source.decoded == [frame.time for frame in make_plan(6).frames if frame.time >= 5]


def test_a_still_video_is_one_frame_not_six(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3")) as session:
        watched = _watch(session, PictureSource(still=True))
    assert [frame.id for frame in watched.frames] == [1]
    assert watched.coverage.frames == 1


def test_a_damaged_tail_is_reported_and_the_rest_seen(pairs: PairCache) -> None:
    with load(pairs.get("tiny-qwen2vl")) as session:
        watched = _watch(session, PictureSource(end=Fraction(5)))
    assert len(watched.frames) == 3  # the second group lost one of its two frames
    assert watched.warnings == ("file ends at 5.0 s",)
    assert float(watched.coverage.largest_gap.end) == 10.0


def test_no_frame_at_all_is_a_media_error(pairs: PairCache) -> None:
    with (
        load(pairs.get("tiny-idefics3")) as session,
        pytest.raises(MediaError, match=r"clip\.mp4"),
    ):
        _watch(session, PictureSource(end=Fraction(0)))


def test_what_does_not_fit_is_thinned_and_said(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3"), n_ctx=512) as session:
        fit = fit_plan(make_plan(40), session, display_size=WIDE, question_cells=60, reserve=64)
    assert len(fit.plan.frames) == fit.n_groups < 40
    assert fit.n_groups * fit.group_cells + 60 + 64 < 512
    assert any("40 frames were planned" in warning for warning in fit.warnings)
    assert fit.free_cells >= 0


def test_detail_gives_way_before_frames_where_the_size_is_free(pairs: PairCache) -> None:
    with load(pairs.get("tiny-qwen2vl"), n_ctx=1024) as session:
        fit = fit_plan(make_plan(16), session, display_size=WIDE, question_cells=60, reserve=64)
        full = session.frame_size(WIDE)
    assert fit.size < full
    assert len(fit.plan.frames) == 16
    assert any("to fit the context" in warning for warning in fit.warnings)


def test_tiles_give_way_before_frames(pairs: PairCache) -> None:
    with load(pairs.get("tiny-idefics3"), n_ctx=1024, detail=Detail.HIGH) as session:
        fit = fit_plan(make_plan(16), session, display_size=WIDE, question_cells=60, reserve=64)
        tiled = session.frame_cells(WIDE)
        few = fit_plan(make_plan(1), session, display_size=WIDE, question_cells=60, reserve=64)
    with load(pairs.get("tiny-idefics3")) as session:
        one = session.frame_size(WIDE)
        whole = session.frame_cells(one)
    assert len(fit.plan.frames) == 16
    assert fit.size == one
    assert fit.group_cells < tiled
    assert fit.group_cells - whole < 20  # a label, and no second tile
    assert any("to fit the context" in warning for warning in fit.warnings)
    assert few.size == WIDE
    assert few.warnings == ()


def test_a_lowered_frame_looks_as_in_normal_detail(pairs: PairCache) -> None:
    ramp = np.linspace(0, 255, 128, dtype=np.uint8)
    picture = np.stack(
        [np.tile(ramp, (128, 1)), np.tile(ramp[:, None], 128), ramp * np.eye(128, dtype=np.uint8)],
        -1,
    )
    with load(pairs.get("tiny-idefics3"), n_ctx=4096, detail=Detail.HIGH) as session:
        assert session.frame_size(WIDE, halvings=1) == (128, 128)
        lowered = session.encode([picture])
    with load(pairs.get("tiny-idefics3")) as session:
        normal = session.encode([picture])
    # mtmd enlarges a picture before it makes the overview: the same but for that resampling
    a, b = lowered.data.astype(np.float64).ravel(), normal.data.astype(np.float64).ravel()
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.98
    assert lowered.n_cells == normal.n_cells


def test_a_context_too_small_for_one_frame_is_a_resource_error(pairs: PairCache) -> None:
    with (
        load(pairs.get("tiny-idefics3"), n_ctx=256) as session,
        pytest.raises(ResourceError, match="holds no frame") as caught,
    ):
        fit_plan(make_plan(4), session, display_size=WIDE, question_cells=100, reserve=150)
    assert "--max-tokens" in str(caught.value.hint)  # the answer takes most of it
