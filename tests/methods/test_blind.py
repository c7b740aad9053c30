"""Asked blind, a model is shown the question and nothing of any video."""

from tests.pairs import PairCache, load
from vidcli.core.sampling import Sampling
from vidcli.methods.ask import Question, question_parts
from vidcli.methods.blind import ask_blind


def test_a_blind_reply_is_that_to_the_bare_question(pairs: PairCache):
    question = Question("Which way does the red ball move?", sampling=Sampling(max_tokens=8))
    with load(pairs.get("tiny-idefics3")) as session:
        made = ask_blind(session, question)
        again = ask_blind(session, question)
        cells = session.count_cells(session.render_chat([("user", question_parts(question))]))
        other = ask_blind(session, Question("Is there a cat?", sampling=Sampling(max_tokens=8)))
    assert made == again
    assert made.completion_tokens == 8
    assert made.text != other.text
    assert cells < 60, "no frame takes so little room"
