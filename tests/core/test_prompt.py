"""Equal content, equal digest; anything the model would notice makes another one."""

from dataclasses import replace

import numpy as np
import pytest

from vidcli.core.prompt import ImagePart, TextPart, VisualTokens, digest_parts

TOKENS = VisualTokens(
    np.arange(12, dtype=np.float16).reshape(4, 3),
    n_pos=4,
    positions=np.zeros((4, 4), np.int32),
    opening=(1,),
    closing=(2,),
    splits=((2, (7,)),),
)


@pytest.mark.parametrize(
    "other",
    [
        {"data": TOKENS.data + np.float16(1)},
        {"data": TOKENS.data.astype(np.float32)},
        {"n_pos": 3},
        {"positions": np.ones((4, 4), np.int32)},
        {"positions": None},
        {"causal": False},
        {"opening": (3,)},
        {"closing": ()},
        {"splits": ()},
        {"splits": ((2, (8,)),)},
        {"splits": ((3, (7,)),)},
    ],
)
def test_whatever_the_model_would_notice_changes_the_digest(other: dict[str, object]):
    changed = replace(TOKENS, **other)
    assert changed.digest != TOKENS.digest
    assert digest_parts([ImagePart((), changed)]) != digest_parts([ImagePart((), TOKENS)])


def test_a_copy_has_the_same_digest():
    assert replace(TOKENS, data=TOKENS.data.copy()).digest == TOKENS.digest


def test_text_cut_elsewhere_or_made_special_is_another_prompt():
    digests = {
        digest_parts([TextPart("ab"), TextPart("c")]),
        digest_parts([TextPart("a"), TextPart("bc")]),
        digest_parts([TextPart("abc")]),
        digest_parts([TextPart("abc", special=True)]),
    }
    assert len(digests) == 4
