"""Asking without showing anything: what a model says blind is no evidence that it can see."""

from vidcli.core.prompt import Prompt
from vidcli.core.protocols import Session
from vidcli.core.results import Generation
from vidcli.methods.ask import Question, question_parts


def ask_blind(session: Session, question: Question) -> Generation:
    """The reply to a question in the model's own chat template, with no frame and no word of any.

    Raises:
        ResourceError: The question does not fit the context.
    """
    rendered = session.render_chat([("user", question_parts(question))])
    prefix = session.prefill(Prompt(tuple(rendered)))
    for _ in session.generate(prefix, question.sampling):
        pass
    return session.last_generation
