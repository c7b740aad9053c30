"""Tokenizers: a new one learnt from the training texts, or that of a transformers checkpoint."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vidcli.errors import ModelError
from vidcli.models.vocabulary import WORDS, Vocabulary, build_vocabulary

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5  # token types of GGUF
BYTES = 256
TEMPLATES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
MERGE_OF_LINES = "Ċ Ċ"  # the projector needs a blank line as one token


def learn_vocabulary(texts: Iterable[str], *, size: int, family: str = "smolvlm") -> Vocabulary:
    """Learn a byte-level BPE of a family from texts; digits stay single.

    Args:
        texts: What the model will read and say.
        size: Tokens in all, control tokens included; filled up where the texts hold fewer.
        family: Of `shapes/vocabularies.json`.

    Raises:
        ModelError: `size` does not hold the bytes and control tokens.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    smallest = build_vocabulary(family, 1 << 20, merges=(MERGE_OF_LINES,))
    control = sum(kind == CONTROL for kind in smallest.types)
    room = size - BYTES - control - 1
    if room < 0:
        raise ModelError(f"a {family} vocabulary needs at least {size - room} tokens, not {size}")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=BYTES + room,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((*texts, " " + " ".join(WORDS.split())), trainer)
    found = json.loads(tokenizer.to_str())["model"]["merges"]
    merges = dict.fromkeys([MERGE_OF_LINES, *(" ".join(merge) for merge in found)])
    return build_vocabulary(family, size, merges=tuple(merges)[: room + 1])


def read_tokenizer(folder: Path, *, pre: str, n_vocab: int) -> dict[str, Any]:
    """The GGUF keys of a checkpoint's byte-level BPE tokenizer and chat template.

    Args:
        folder: With `tokenizer.json`.
        pre: How text is split before merging: llama.cpp's name.
        n_vocab: Rows of the embedding table; the rest of the ids is unused.

    Raises:
        ModelError: There is no tokenizer, or it is of another kind.
    """
    try:
        document = json.loads((folder / "tokenizer.json").read_text("utf-8"))
        config = _read_json(folder / "tokenizer_config.json")
        model = document["model"]
        if model.get("type", "BPE") != "BPE":
            raise ModelError(f"{folder} has a {model['type']} tokenizer; only BPE can be converted")
        merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
        tokens = [f"[PAD{n}]" for n in range(n_vocab)]
        types = [UNUSED] * n_vocab
        for text, index in model["vocab"].items():
            tokens[index], types[index] = text, NORMAL
        for token in document.get("added_tokens", []):
            kind = CONTROL if token["special"] else USER_DEFINED
            tokens[token["id"]], types[token["id"]] = token["content"], kind
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelError(f"the tokenizer of {folder} cannot be read: {error}") from error
    keys: dict[str, Any] = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.add_bos_token": bool(config.get("add_bos_token", False)),
    }
    ids = {text: n for n, text in enumerate(tokens)}
    for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding")):
        text = _token_text(config.get(f"{name}_token"))
        if text in ids:
            keys[f"tokenizer.ggml.{key}_token_id"] = ids[text]
    template = _read_template(folder)
    if template:
        keys["tokenizer.chat_template"] = template
    return keys


def _token_text(value: Any) -> str:
    return str(value.get("content", "")) if isinstance(value, dict) else str(value or "")


def _read_json(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found if isinstance(found, dict) else {}


def _read_template(folder: Path) -> str:
    for name in TEMPLATES:
        path = folder / name
        if path.suffix == ".jinja" and path.exists():
            return path.read_text("utf-8")
        found = _read_json(path).get("chat_template")
        if isinstance(found, str):
            return found
    return ""
