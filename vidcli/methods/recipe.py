"""What a method does between planning and prompting: which instants, which tokens of them.

`Recipe` is frames one by one; methods that show something else override a step or two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vidcli.core.media import FramePlan, VideoInfo
from vidcli.core.profile import FamilyProfile
from vidcli.core.protocols import Encoder, FrameSource, Progress, Session, TokenStore
from vidcli.core.results import Timings
from vidcli.core.time import Span
from vidcli.methods.arrange import Arranger
from vidcli.methods.registry import UNIFORM
from vidcli.methods.watch import Fit, Watched, fit_plan, watch

Options = Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Room:
    """What a video has to fit.

    Attributes:
        display_size: (width, height) of the video as shown.
        question_cells: Cells of everything but the frames.
        reserve: Cells kept for the answer.
    """

    display_size: tuple[int, int]
    question_cells: int
    reserve: int


class Recipe:
    """Frames one by one, as the model's family wants them: what `uniform` does.

    Attributes:
        name: Of the method.
        store_name: Tells apart, in the cache of visual tokens, pictures that are not frames.
        intro: Opens the video in place of the family's own words; None leaves those.
        one_by_one: Whether each frame is shown by itself, so that it can be cited.
    """

    name = UNIFORM
    store_name = ""
    intro: str | None = None
    one_by_one = True

    def plan(self, info: VideoInfo, span: Span) -> FramePlan | None:
        """The instants to look at; None leaves them to `--frames`, `--fps` and `--select`.

        Args:
            info: Probe result.
            span: Half-open, inside the video.
        """
        return None

    def profile(self, profile: FamilyProfile) -> FamilyProfile:
        """How the video is written."""
        return profile if self.intro is None else replace(profile, intro=self.intro)

    def fit(self, plan: FramePlan, session: Session, room: Room) -> Fit:
        """How much of a plan the context holds.

        Raises:
            ModelError: The model cannot be shown a video this way.
            ResourceError: Not even one frame fits.
        """
        return fit_plan(
            plan,
            session,
            display_size=room.display_size,
            question_cells=room.question_cells,
            reserve=room.reserve,
        )

    def encoder(self, session: Session, fit: Fit) -> Encoder:
        """What makes visual tokens of the frames."""
        return session

    def watch(
        self,
        source: FrameSource,
        session: Session,
        fit: Fit,
        *,
        store: TokenStore | None,
        timings: Timings,
        progress: Progress | None = None,
    ) -> Watched:
        """Turn the instants that fit into visual tokens; see `methods.watch.watch`."""
        watched = watch(
            source,
            self.encoder(session, fit),
            fit.plan,
            size=fit.size,
            store=store,
            timings=timings,
            progress=progress,
        )
        return replace(watched, arranger=self.arranger(fit))

    def arranger(self, fit: Fit) -> Arranger | None:
        """What is made of all frames together; None shows them one by one."""
        return None


def make_uniform(_options: Options) -> Recipe:
    """Frames one by one."""
    return Recipe()
