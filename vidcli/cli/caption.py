"""`vidcli caption`: what a video shows, in one paragraph."""

from vidcli.cli.ask import answer_each
from vidcli.cli.groups import Loading, Looking, Rehearsing, Telling, Writing, takes_groups
from vidcli.cli.inputs import Choosing, gather
from vidcli.cli.options import VideosArgument


@takes_groups
def caption(
    videos: VideosArgument,
    choosing: Choosing,
    looking: Looking,
    loading: Loading,
    writing: Writing,
    telling: Telling,
    rehearsing: Rehearsing,
) -> None:
    """Describe each video in one paragraph."""
    from vidcli.methods.ask import CAPTION_QUESTION, Question
    from vidcli.output.documents import caption_document

    question = Question(CAPTION_QUESTION, sampling=writing.sampling())
    answer_each(
        gather(videos, choosing),
        question,
        looking,
        loading,
        telling,
        rehearsing,
        to_document=caption_document,
    )
