"""Asking without showing anything: what a model says blind is no evidence that it can see."""

from vidcli.core.prompt import Prompt
from vidcli.core.protocols import Session
from vidcli.core.results import FinishReason, Generation
from vidcli.methods.ask import Question, score_choices, start_reply, write_turns


def ask_blind(session: Session, question: Question) -> Generation:
    """The reply to a question in the model's own chat template, with no frame and no word of any.

    Of a closed question, the likeliest option.

    Raises:
        ResourceError: The question does not fit the context.
    """
    rendered = session.render_chat(write_turns(question))
    prefix = session.prefill(Prompt((*rendered, *start_reply(question))))
    if question.choices:
        scored = score_choices(
            session, prefix, question.choices, spellings=question.wording.spellings
        )
        best = max(scored, key=lambda choice: choice.probability)
        return Generation(best.text, FinishReason.STOP, 0)
    for _ in session.generate(prefix, question.sampling):
        pass
    return session.last_generation
