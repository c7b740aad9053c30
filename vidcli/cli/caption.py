"""`vidcli caption`: what a video shows, in one paragraph."""

from vidcli.cli.ask import answer_each
from vidcli.cli.groups import Loading, Rehearsing, Telling, Watching, Writing, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.keeping import Keeping
from vidcli.cli.options import VideosArgument
from vidcli.cli.questions import caption_task


@takes_groups
def caption(
    videos: VideosArgument,
    choosing: Choosing,
    looking: Watching,
    loading: Loading,
    writing: Writing,
    telling: Telling,
    rehearsing: Rehearsing,
    keeping: Keeping,
) -> None:
    """Describe each video in one paragraph."""
    from vidcli.methods.ask import CAPTION_QUESTION, Question

    question = Question(CAPTION_QUESTION, sampling=writing.sampling())
    answer_each(
        gather(videos, choosing),
        question,
        looking,
        loading,
        telling,
        rehearsing,
        keeping,
        task=caption_task(question, looking),
    )
