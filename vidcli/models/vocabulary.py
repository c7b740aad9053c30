"""A small byte-level BPE vocabulary, made by rule, for models that have learnt nothing.

It reads and writes any text: 256 byte tokens, merges for some English words and for line breaks,
the control tokens of a model family, and pronounceable filler up to the size wanted, so that what
a random model babbles is readable. Not here: real tokenizers, which come with their models.
"""

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

NORMAL, CONTROL, WHOLE = 1, 3, 4  # token types of GGUF

WORDS = """
the a of and to in is it that was for on are with as at be this from have or by one had not but
what all were when we there can an your which their said if do will each about how up out them
then she many some so these would other into has more her two like him see time could no make
than first been its who now people my made over did down only way find use may water long little
very after words called just where most know yes video frame frames shows show person man woman
dog cat car door opens walks scene camera second seconds question answer User Assistant You
provided following series Frame What happens
"""  # frequent ones, and those of the prompts that vidcli writes


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens of a byte-level BPE tokenizer, as GGUF stores them.

    Attributes:
        tokens: Token texts in the printable spelling of bytes; the index is the id.
        types: GGUF token type of each.
        merges: Pairs to merge, best first, written `left right`.
        pre: How text is split before merging: llama.cpp's name (`smollm`, `qwen2`…).
        bos: Text of the token that begins a text.
        eos: Text of the token that ends a turn.
        pad: Text of the padding token.
        add_bos: Whether the tokenizer puts `bos` in front of every text.
        chat_template: Jinja source.
    """

    tokens: tuple[str, ...]
    types: tuple[int, ...]
    merges: tuple[str, ...]
    pre: str
    bos: str
    eos: str
    pad: str
    add_bos: bool
    chat_template: str

    def id_of(self, token: str) -> int:
        """Id of a token by its text.

        Raises:
            ValueError: There is no such token.
        """
        return self.tokens.index(token)

    @property
    def keys(self) -> dict[str, Any]:
        """The GGUF keys of this tokenizer; lists where GGUF has arrays."""
        return {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": self.pre,
            "tokenizer.ggml.tokens": list(self.tokens),
            "tokenizer.ggml.token_type": list(self.types),
            "tokenizer.ggml.merges": list(self.merges),
            "tokenizer.ggml.bos_token_id": self.id_of(self.bos),
            "tokenizer.ggml.eos_token_id": self.id_of(self.eos),
            "tokenizer.ggml.padding_token_id": self.id_of(self.pad),
            "tokenizer.ggml.add_bos_token": self.add_bos,
            "tokenizer.chat_template": self.chat_template,
        }


def build_vocabulary(
    family: str, size: int, *, merges: Sequence[str] | None = None, whole: Sequence[str] = ()
) -> Vocabulary:
    """Make the vocabulary of a family (`smolvlm`, `qwen`, `internvl`, `llava`, `gemma`).

    Args:
        family: A key of `shapes/vocabularies.json`, which lists its control tokens.
        size: Tokens in all; the rest is filled with made-up words.
        merges: Learnt from texts, best first; None makes those of some English words.
        whole: Texts that are one token wherever they occur.

    Raises:
        ValueError: `size` does not hold the bytes, merges and control tokens.
    """
    folder = files("vidcli.models") / "shapes"
    spec = json.loads((folder / "vocabularies.json").read_text("utf-8"))[family]
    bytes_ = list(_byte_spelling().values())
    merges = _merges() if merges is None else merges
    learnt = [*bytes_, *(merge.replace(" ", "") for merge in merges)]
    room = size - len(learnt) - len(whole) - len(spec["control"])
    if room < 0:
        raise ValueError(f"a {family} vocabulary needs {size - room} tokens, not {size}")
    taken = set(learnt)
    filler = itertools.islice((word for word in _babble() if word not in taken), room)
    normal = [*learnt, *filler]
    return Vocabulary(
        tokens=(*normal, *whole, *spec["control"]),
        types=(NORMAL,) * len(normal) + (WHOLE,) * len(whole) + (CONTROL,) * len(spec["control"]),
        merges=tuple(merges),
        pre=spec["pre"],
        bos=spec["bos"],
        eos=spec["eos"],
        pad=spec["pad"],
        add_bos=spec["add_bos"],
        chat_template=(folder / spec["template"]).read_text("utf-8").removesuffix("\n"),
    )


def _byte_spelling() -> dict[int, str]:
    """How byte-level BPE writes each byte: printable Latin-1 as itself, the rest from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {
        byte: chr(256 + index) for index, byte in enumerate(hidden)
    }


def _merges() -> list[str]:
    """Merges of the words, with and without a space."""
    return merge_words([*(f" {word}" for word in WORDS.split()), "yes", "no"])


def merge_words(words: Iterable[str]) -> list[str]:
    """Merges that spell line breaks and words, each from the left; earlier words go first.

    Args:
        words: In ASCII; with the space before them where they have one.
    """
    spelling = _byte_spelling()
    newline = spelling[0x0A]
    merges = {f"{newline} {newline}": None}
    for word in words:
        text = "".join(spelling[byte] for byte in word.encode("ascii"))
        for end in range(1, len(text)):
            merges.setdefault(f"{text[:end]} {text[end]}")
    return list(merges)


def _babble() -> Iterable[str]:
    """Made-up words of two and more syllables, each with a space before it."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    space = _byte_spelling()[0x20]
    for length in itertools.count(2):
        for parts in itertools.product(syllables, repeat=length):
            yield space + "".join(parts)
