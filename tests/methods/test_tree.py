"""VideoTree: clusters that double, relevance that decides, depth where it matters."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import ScriptedSession
from tests.sources import PictureSource, make_plan
from vidcli.core.results import FinishReason, Timings, VideoReport
from vidcli.core.route import Reading
from vidcli.core.sampling import Sampling
from vidcli.core.summary import Segment
from vidcli.core.time import Span
from vidcli.methods.ask import Question
from vidcli.methods.captions import Reader
from vidcli.methods.clusters import SAME, to_unit
from vidcli.methods.through_text import Parts, ThroughText
from vidcli.methods.tree import Branch, Tree, expand, find_branches, read_relevance
from vidcli.methods.writing import Writer

Script = Callable[[str, Sampling], str]


def relevance(numbers: Callable[[int], Sequence[int]]) -> Script:
    """Replies to the question of relevance; `numbers` is asked how relevant so many lines are."""

    def script(prompt: str, sampling: Sampling) -> str:
        if "How much does each of these" not in prompt:
            return "A ball."
        count = int(prompt.split("each of these ")[1].split()[0])
        return str(list(numbers(count)))

    return script


def caption(number: int) -> Segment:
    span = Span(Fraction(number), Fraction(number + 1))
    return Segment(number, span, (), (), f"frame {number}", FinishReason.STOP)


def make_tree(unit: np.ndarray, script: Script, *, budget: int = 200) -> Tree:
    writer = Writer(ScriptedSession(script), Sampling(), "reader", None, Timings())
    return Tree(unit, caption, Reader(writer, Question("What?")), budget)


def frames(n: int, seed: int = 0) -> np.ndarray:
    return to_unit(np.random.default_rng(seed).normal(size=(n, 12)))


def first(n: int) -> Callable[[int], list[int]]:
    """The first n lines are very relevant, the others not."""
    return lambda count: [3] * min(n, count) + [1] * max(0, count - n)


def test_clusters_double_until_the_last_where_nothing_is_relevant():
    """VideoTree: k doubles 8→16→32 and stops at the most."""
    tree = make_tree(frames(100), relevance(first(0)))
    lines = tree.grow()
    assert [look.clusters for look in tree.rounds] == [8, 16, 32]
    assert len(lines) == 32


@pytest.mark.parametrize(("relevant", "rounds"), [(4, [8]), (3, [8, 16, 32])])
def test_four_relevant_clusters_are_enough(relevant: int, rounds: list[int]):
    """VideoTree: stops on ≥4 relevant or max."""
    tree = make_tree(frames(100), relevance(first(relevant)))
    tree.grow()
    assert [look.clusters for look in tree.rounds] == rounds
    assert sum(number == 3 for number in tree.rounds[-1].relevance) == relevant


def test_a_branch_grows_by_1_4_and_16():
    """VideoTree: depth expansion 1/4/16."""
    unit = frames(40)
    for value, count in ((1, 1), (2, 4), (3, 16)):
        branch = Branch(tuple(range(40)), 7, value)
        chosen = expand(unit, [branch])
        parts = [frame for frame in chosen if frame != 7]
        assert chosen[0] == 7
        assert len(set(chosen)) == len(chosen)
        assert len(parts) in ({0} if count == 1 else range(count - 1, count + 5))


def test_depth_takes_the_middles_of_the_parts():
    """Two tight groups in one cluster, grown by 4, are each represented."""
    base = to_unit(np.array([[1.0, 0.2, 0], [1.0, -0.2, 0]]))
    unit = to_unit(np.repeat(base, 4, axis=0) + 0.001 * frames(8)[:, :3])
    assert 1 - unit[0] @ unit[7] > SAME
    chosen = expand(unit, [Branch(tuple(range(8)), 0, 2)])
    assert {frame // 4 for frame in chosen} == {0, 1}


@given(budget=st.integers(1, 60), n=st.integers(1, 60), relevant=st.integers(0, 8))
def test_the_budget_of_captions_holds_and_what_it_costs_is_told(budget: int, n: int, relevant: int):
    """VideoTree: frame budget respected, number of captions made is reported."""
    tree = make_tree(frames(n), relevance(first(relevant)), budget=budget)
    lines = tree.grow()
    assert 1 <= len(tree.captioned) <= budget
    assert len(lines) <= len(tree.captioned)
    if not tree.left_out:
        unbounded = make_tree(frames(n), relevance(first(relevant)), budget=10_000)
        if [r.clusters for r in unbounded.rounds] == [r.clusters for r in tree.rounds]:
            assert tree.captioned.keys() >= unbounded.captioned.keys()


@given(n=st.integers(1, 50), relevant=st.integers(0, 9))
def test_lines_come_out_in_order_of_time(n: int, relevant: int):
    """VideoTree: output sorted by time."""
    lines = make_tree(frames(n), relevance(first(relevant))).grow()
    starts = [line.span.start for line in lines]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize("relevant", [0, 1])
def test_a_constant_clip_stops_early(relevant: int):
    """VideoTree: cost is adaptive: one caption, one look, however much it matters."""
    tree = make_tree(to_unit(np.ones((64, 8))), relevance(first(relevant)))
    assert len(tree.grow()) == 1
    assert ([look.clusters for look in tree.rounds], len(tree.captioned)) == ([1], 1)


def test_as_many_scenes_as_there_are_and_no_more():
    unit = np.repeat(np.eye(5), 12, axis=0)
    tree = make_tree(unit, relevance(first(0)))
    lines = tree.grow()
    assert [look.clusters for look in tree.rounds] == [5]
    assert [int(line.span.start) // 12 for line in lines] == [0, 1, 2, 3, 4]


def test_branches_part_the_frames():
    unit = frames(30)
    branches = find_branches(unit, 8)
    assert sorted(n for branch in branches for n in branch.members) == list(range(30))
    assert all(branch.middle in branch.members for branch in branches)


@pytest.mark.parametrize(
    ("reply", "read"),
    [("[1, 2, 3]", (1, 2, 3)), ("[3, 2", (3, 2, 1)), ("", (1, 1, 1)), ("[3, 3, 3, 3]", (3, 3, 3))],
)
def test_a_reply_that_was_cut_is_not_relevant(reply: str, read: tuple[int, ...]):
    assert read_relevance(reply, 3) == read


def test_an_answer_is_read_from_the_tree_and_says_what_it_took():
    class Picturesque(ScriptedSession):
        """Tokens that depend on the picture."""

        def encode(self, images):  # type: ignore[no-untyped-def]
            made = super().encode(images)
            rng = np.random.default_rng(int(np.asarray(images[0], np.int64).sum()) % 2**32)
            made.data[:] = rng.normal(size=made.data.shape)
            return made

    session = Picturesque(relevance(first(2)), n_ctx=100_000)
    through = ThroughText(
        Parts(
            session=session,
            planner=None,
            identities=("seer", "reader"),
            source=PictureSource(),
            plan=make_plan(40),
            question=Question("What rolls?", sampling=Sampling(max_tokens=8)),
            video=VideoReport("clip.mp4", "f" * 32, Fraction(10)),
            reading=Reading.QA,
            open_store=lambda _size: nullcontext(None),
            pieces=None,
            timings=Timings(),
        )
    )
    list(through.read_tree(method="tree", budget=24))
    made = through.answer
    assert made is not None
    assert made.route is not None
    assert made.route.frames_encoded == 40
    assert made.route.captions_made == len(made.frames) <= 24
    assert [call.name for call in made.route.calls][-1] == "answer"
    assert [look.clusters for look in made.route.rounds] == [8, 16]
    times = [frame.time.seconds for frame in made.frames]
    assert times == sorted(times)
    assert [frame.id for frame in made.frames] == list(range(1, len(times) + 1))
