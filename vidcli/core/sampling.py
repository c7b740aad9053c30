"""How the next token is chosen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampler settings; the default is greedy and so repeatable.

    Attributes:
        max_tokens: Longest answer, at least 1.
        temperature: 0 is greedy.
        top_p: Nucleus; 1 keeps all.
        min_p: Least probability relative to the likeliest; 0 keeps all.
        seed: Of the random numbers, used where the temperature is above 0.
        repeat_penalty: Above 1 discourages the last `repeat_window` tokens.
        frequency_penalty: Taken off a token's logit for every time it occurred.
        presence_penalty: Taken off a token's logit once it occurred.
        repeat_window: Tokens the penalties look back over.
        grammar: GBNF, empty for none.
        stop: Texts that end the answer; they are not part of it.
        scored: Add up the log-probabilities of the tokens drawn.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repeat_window: int = 64
    grammar: str = ""
    stop: tuple[str, ...] = ()
    scored: bool = False

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")
        if self.temperature < 0:
            raise ValueError(f"temperature must be at least 0, not {self.temperature}")
        for name in ("top_p", "min_p"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, not {getattr(self, name)}")
        if self.repeat_penalty <= 0:
            raise ValueError(f"repeat_penalty must be positive, not {self.repeat_penalty}")
