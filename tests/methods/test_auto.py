"""What `--method auto` takes, row by row, and that the documentation shows the same rows."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcli.methods.auto import RULES, Situation, choose
from vidcli.methods.registry import METHODS

DOCS = Path(__file__).parents[2] / "docs" / "methods.md"
MINUTE = Fraction(60)


@pytest.mark.parametrize(
    ("now", "method", "why"),
    [
        (Situation(MINUTE, has_moment=True, has_frames=True), "memory", "--at"),
        (Situation(20 * MINUTE, has_frames=True, holds_all=False), "uniform", "chosen already"),
        (Situation(Fraction(30), holds_all=False), "uniform", "at most 30 s"),
        (Situation(MINUTE, cites=True, holds_all=False), "uniform", "cite"),
        (Situation(MINUTE, is_taught=True, holds_all=False), "uniform", "taught"),
        (Situation(MINUTE, is_fit=False, holds_all=False), "uniform", "but its own"),
        (Situation(20 * MINUTE), "uniform", "holds all"),
        (Situation(20 * MINUTE, describes=True, holds_all=False), "memory", "10 minutes"),
        (Situation(20 * MINUTE, holds_all=False), "slowfast", "does not hold"),
        (Situation(MINUTE, describes=True, holds_all=False), "slowfast", "does not hold"),
    ],
)
def test_the_first_row_that_holds_decides(now: Situation, method: str, why: str):
    rule = choose(now)
    assert rule.method == method
    assert why in rule.when


@given(
    st.builds(
        Situation,
        length=st.fractions(0, 10_000),
        has_moment=st.just(False),
        is_fit=st.just(False),
    )
)
def test_a_model_that_cannot_be_shown_other_tokens_never_gets_them(now: Situation):
    """A5.6: auto never takes a method that the model would be refused."""
    assert not METHODS[choose(now).method].arranges


def test_the_documentation_shows_the_table():
    rows = [f"| {rule.when} | `{rule.method}` |" for rule in RULES]
    written = DOCS.read_text().splitlines()
    assert [line for line in written if line in rows] == rows


def test_the_documentation_names_every_method_with_its_paper_and_difference():
    written = " ".join(DOCS.read_text().split())
    for method in METHODS.values():
        for text in (f"`{method.name}`", method.paper, method.differs):
            assert text in written
