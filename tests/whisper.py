"""A Whisper model small enough to build in a test, and voices that it can tell apart.

Its shape is Whisper's; its weights are set by hand so that what it writes follows from what it
hears, one word for half a minute of speech: "low" in English for a voice whose power lies below
1 kHz, "high" in German for one whose power lies above 2 kHz. `speak` makes such voices, which voice
activity detection takes for speech.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidcli.core.sound import RATE

WIDTH = 64
MELS = 80
FRAMES = 1500  # of 20 ms that the encoder sees at once
POSITIONS = 448
LOW, HIGH = range(18), range(45, 75)  # mel bands: below 0.8 kHz, 1.9 to 6 kHz
END, START, FIRST_LANGUAGE = 50_257, 50_258, 50_259
N_LANGUAGES, N_TIMES = 99, 1501
TRANSLATE = FIRST_LANGUAGE + N_LANGUAGES
SPECIAL = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
FIRST_TIME = TRANSLATE + len(SPECIAL)
WORDS = {"low": 1000, "high": 1001}
SOUND = 0  # the dimension that tells high from low; those from STEPS on tell positions
PLACE = 2  # the dimension that tells when in the sound a frame is
STEPS = 8
CERTAIN = 30.0

Floats = NDArray[np.float32]


def build_whisper(folder: Path) -> Path:
    """Write the model into a folder, as `vidcli models pull whisper-…` would leave it."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    tokens = _tokens()
    spec = WhisperSpec(1, 1, 1, 1)
    _fill_encoder(spec.encoder)
    _fill_decoder(spec.decoder, len(tokens))
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = list(range(FIRST_LANGUAGE, FIRST_LANGUAGE + N_LANGUAGES))
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.optimize()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    _write_tokenizer(folder / "tokenizer.json", tokens)
    return folder


def _languages() -> list[str]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    return [f"<|{code}|>" for code in _LANGUAGE_CODES[:N_LANGUAGES]]


def _tokens() -> list[str]:
    text = [f"w{number}" for number in range(END)]
    for word, number in WORDS.items():
        text[number] = word
    text[END - 1] = ""  # by which CTranslate2 knows models of many languages
    special = ["<|endoftext|>", "<|startoftranscript|>", *_languages()]
    special += [f"<|{name}|>" for name in SPECIAL]
    return [*text, *special, *(f"<|{0.02 * number:.2f}|>" for number in range(N_TIMES))]


def _write_tokenizer(path: Path, tokens: list[str]) -> None:
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, token in enumerate(tokens)
            if END <= number < FIRST_TIME
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {token: number for number, token in enumerate(tokens)},
            "unk_token": "w0",
        },
    }
    path.write_text(json.dumps(content))


def _zeros(*shape: int) -> Floats:
    return np.zeros(shape, np.float32)


def _fill_norm(norm: object) -> None:
    norm.gamma, norm.beta = np.ones(WIDTH, np.float32), _zeros(WIDTH)  # type: ignore[attr-defined]


def _fill_silent(layer: object, *, crosses: bool) -> None:
    """A layer whose branches add nothing."""
    attentions = [layer.self_attention, *([layer.attention] if crosses else [])]  # type: ignore[attr-defined]
    for attention in attentions:
        _fill_norm(attention.layer_norm)
        sizes = [3, 1] if len(attention.linear) == 2 else [1, 2, 1]
        for linear, size in zip(attention.linear, sizes, strict=True):
            linear.weight, linear.bias = _zeros(size * WIDTH, WIDTH), _zeros(size * WIDTH)
    ffn = layer.ffn  # type: ignore[attr-defined]
    _fill_norm(ffn.layer_norm)
    ffn.linear_0.weight, ffn.linear_0.bias = _zeros(4 * WIDTH, WIDTH), _zeros(4 * WIDTH)
    ffn.linear_1.weight, ffn.linear_1.bias = _zeros(WIDTH, 4 * WIDTH), _zeros(WIDTH)


def _fill_encoder(encoder: object) -> None:
    """Dimension 0 carries the power of low bands, 1 that of high ones."""
    first, second = encoder.conv1, encoder.conv2  # type: ignore[attr-defined]
    first.weight, first.bias = _zeros(WIDTH, MELS, 3), _zeros(WIDTH)
    for dimension, bands in enumerate((LOW, HIGH)):
        first.weight[dimension, bands.start : bands.stop, 1] = 4 / len(bands)
    second.weight, second.bias = _zeros(WIDTH, WIDTH, 3), _zeros(WIDTH)
    second.weight[[0, 1], [0, 1], 1] = 1
    places = _zeros(FRAMES, WIDTH)
    places[:, PLACE] = np.clip(np.arange(FRAMES) / 50 - 1, -1, 1)
    encoder.position_encodings.encodings = places  # type: ignore[attr-defined]
    _fill_norm(encoder.layer_norm)  # type: ignore[attr-defined]
    _fill_silent(encoder.layer[0], crosses=False)  # type: ignore[attr-defined]


def _fill_decoder(decoder: object, n_tokens: int) -> None:
    """The position says what kind of token comes next, the sound which word and language."""
    decoder.embeddings.weight = _zeros(n_tokens, WIDTH)  # type: ignore[attr-defined]
    places = _zeros(POSITIONS, WIDTH)
    for position in range(POSITIONS):
        places[position, STEPS + min(position, 7)] = 4
    decoder.position_encodings.encodings = places  # type: ignore[attr-defined]
    layer = decoder.layer[0]  # type: ignore[attr-defined]
    _fill_silent(layer, crosses=True)
    queries, values, out = layer.attention.linear
    for position in range(3, 8):  # earlier tokens of a text look at earlier frames
        queries.weight[PLACE, STEPS + position] = (position - 4) / 2
    values.weight[PLACE, PLACE] = 1  # the keys are the first half of these rows
    values.weight[WIDTH + SOUND, 1], values.weight[WIDTH + SOUND, 0] = 1, -1  # high less low
    out.weight[SOUND, SOUND] = 1
    _fill_norm(decoder.layer_norm)  # type: ignore[attr-defined]
    rows = _zeros(n_tokens, WIDTH)
    english = FIRST_LANGUAGE + _languages().index("<|en|>")
    german = FIRST_LANGUAGE + _languages().index("<|de|>")
    for token, step, pitch in (
        (english, 0, -1.0),
        (german, 0, 1.0),
        (FIRST_TIME, 2, 0.0),  # a segment begins at 0:00
        (WORDS["low"], 3, -1.0),
        (WORDS["high"], 3, 1.0),
        (FIRST_TIME + 50, 4, 0.0),  # and ends a second later
        (END, 5, 0.0),
        (END, 6, 0.0),
        (END, 7, 0.0),
    ):
        rows[token, STEPS + step] += CERTAIN
        rows[token, SOUND] = CERTAIN / 4 * pitch
    decoder.projection.weight, decoder.projection.bias = rows, _zeros(n_tokens)  # type: ignore[attr-defined]


VOICES = {  # formants of vowels, how strong each is, and the range of the pitch, in Hz
    "low": (((300, 870, 2240), (400, 800, 2200), (350, 700, 2300)), (1, 0.5, 0.02), (90, 120)),
    "high": (((270, 2290, 3010), (300, 2500, 3300), (350, 2400, 3100)), (0.2, 1, 1), (190, 240)),
}


def speak(seconds: float, *, voice: str = "low", seed: int = 0) -> Floats:
    """Syllables of a made-up voice: float32 (n,), 16 kHz, between -1 and 1."""
    rng = np.random.default_rng(seed)
    vowels, strengths, (lowest, highest) = VOICES[voice]
    parts: list[Floats] = []
    while sum(map(len, parts)) < seconds * RATE:
        hiss = rng.standard_normal(int(RATE * rng.uniform(0.03, 0.06))) * 0.01
        formants = zip(vowels[rng.integers(len(vowels))], strengths, strict=True)
        syllable = _syllable(rng, list(formants), rng.uniform(lowest, highest))
        parts += [hiss.astype(np.float32), syllable]
    return np.concatenate(parts)[: int(seconds * RATE)]


def _syllable(rng: np.random.Generator, formants: list[tuple[int, float]], pitch: float) -> Floats:
    count = int(RATE * rng.uniform(0.12, 0.2))
    times = np.arange(count) / RATE
    phase = np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 3 * times)) / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.01 * rng.standard_normal(count)
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    throat = sum(strength / (1 + ((hertz - at) / 100) ** 2) for at, strength in formants)
    sound = np.fft.irfft(np.fft.rfft(pulses) * throat, count) * np.sqrt(np.hanning(count))
    return (0.4 * sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def silence(seconds: float) -> Floats:
    """float32 (n,), all zero."""
    return np.zeros(int(seconds * RATE), np.float32)


def tone(seconds: float, *, hertz: float = 440) -> Floats:
    """A steady tone: float32 (n,)."""
    times = np.arange(int(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)
