"""Writing a conversation with the model's own chat template.

Text of users and videos never passes through the template: each turn's content is stood for by an
unguessable mark, and the marks are exchanged for the real parts afterwards. So nothing a user, a
subtitle or a model wrote can be run as a template or read as a control token.

Templates differ in what they take; a trial conversation tells. Content may have to be a string or a
list of parts, a system turn may be refused or ignored, roles may have to alternate.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidcli.core.prompt import Part, TextPart
from vidcli.engine.template_sandbox import FAULTS, TemplateLimitError, TemplateSandbox

Turn = tuple[str, Sequence[Part]]

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As LLaVA 1.5 was trained; the end token closes a reply.
PLAIN = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ message.content }} "
    "{% elif message.role == 'user' %}USER: {{ message.content }} "
    "{% else %}ASSISTANT: {{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
EXCHANGE = ("user", "assistant", "user")  # what every template must get through
SEPARATOR = TextPart("\n\n")  # between turns that had to be merged


class ChatTemplate:
    """Renders conversations with the model's own template, or with a stated fallback.

    The fallback is ChatML where the vocabulary has its tokens, else plain `USER: … ASSISTANT:`.

    Args:
        source: Jinja source from the GGUF; empty where it has none.
        bos: Spelling of the token that opens a sequence. A template may write it itself: who
            tokenises must not add a second one.
        eos: Spelling of the token that ends a reply.
        has_token: Whether the vocabulary has a token spelled like this.
    """

    def __init__(
        self, source: str | None, *, bos: str, eos: str, has_token: Callable[[str], bool]
    ) -> None:
        self._tokens = {"bos_token": bos, "eos_token": eos}
        is_chatml = has_token("<|im_start|>") and has_token("<|im_end|>")
        fallback = TemplateSandbox().prepare(CHATML if is_chatml else PLAIN)
        self._fallback = _Dialect(fallback, takes_system=True)
        self._fallback_name = "ChatML" if is_chatml else "plain USER: and ASSISTANT:"
        self._note = ""
        self._dialect = self._study(source or "")

    @property
    def note(self) -> str:
        """Why the model's own template is not used; empty where it is."""
        return self._note

    def render(
        self, turns: Sequence[Turn], *, add_generation_prompt: bool = True
    ) -> tuple[Part, ...]:
        """Write a conversation.

        Args:
            turns: (role, parts) with roles `system`, `user`, `assistant`, oldest first.
            add_generation_prompt: Open the next reply.

        Returns:
            The template's text as special text parts, and between them the parts given, untouched.
            A conversation that the model's template refuses is written by the fallback, and `note`
            says so.
        """
        try:
            return self._write(self._dialect, turns, add_generation_prompt)
        except FAULTS as error:
            self._note = self._explain(error)
            return self._write(self._fallback, turns, add_generation_prompt)

    def _study(self, source: str) -> "_Dialect":
        """Find out what the template takes; the fallback where it takes nothing."""
        if not source.strip():
            self._note = f"the model has no chat template: {self._fallback_name} is used"
            return self._fallback
        try:
            dialect = self._choose_content(TemplateSandbox().prepare(source))
        except FAULTS as error:
            self._note = self._explain(error)
            return self._fallback
        with_system = replace(dialect, takes_system=True)
        with_repeats = replace(dialect, takes_repeats=True)
        return replace(
            dialect,
            takes_system=self._takes(with_system, ("system", *EXCHANGE)),
            takes_repeats=self._takes(with_repeats, ("user", "user")),
        )

    def _choose_content(self, render: Callable[[Any], str]) -> "_Dialect":
        """String content, else lists of parts: whichever gets through a whole exchange.

        Raises:
            FAULTS: Neither does; the error is that of the more telling attempt.
        """
        dialects = [_Dialect(render, takes_lists=lists) for lists in (False, True)]
        trial = _trial(EXCHANGE)
        try:
            self._write(dialects[0], trial, True)
        except TemplateLimitError:
            raise
        except FAULTS as error:
            try:
                self._write(dialects[1], trial, True)
            except _LostContentError:
                raise error from None
            return dialects[1]
        return dialects[0]

    def _takes(self, dialect: "_Dialect", roles: Sequence[str]) -> bool:
        try:
            self._write(dialect, _trial(roles), True)
        except FAULTS:
            return False
        return True

    def _explain(self, error: BaseException) -> str:
        cause = " ".join(str(error).split())[:160] or type(error).__name__
        return f"the model's chat template cannot be used ({cause}): {self._fallback_name} is used"

    def _write(
        self, dialect: "_Dialect", turns: Sequence[Turn], add_generation_prompt: bool
    ) -> tuple[Part, ...]:
        """Render marks for the turns, then exchange them for the parts.

        Raises:
            FAULTS: The template fails, or drops, repeats or reorders content.
        """
        fitted = dialect.fit(turns)
        secret = f"m{secrets.token_hex(12)}"
        messages = [
            dialect.message(role, f"{secret}n{number}e") for number, (role, _) in enumerate(fitted)
        ]
        text = dialect.render(
            {
                "messages": messages,
                "add_generation_prompt": add_generation_prompt,
                "tools": None,
                "documents": None,
                **self._tokens,
            }
        )
        pieces = re.split(f"{secret}n([0-9]+)e", text)
        if [int(number) for number in pieces[1::2]] != list(range(len(fitted))):
            raise _LostContentError("it does not write every turn once and in order")
        parts: list[Part] = []
        for number, own in enumerate(pieces[::2]):
            role, content = fitted[number] if number < len(fitted) else ("", [])
            if role == "assistant":
                own, content = _lend_space(own, content)
            parts += [TextPart(own, special=True)] if own else []
            parts += content
        return tuple(parts)


def _lend_space(own: str, content: list[Part]) -> tuple[str, list[Part]]:
    """Let a reply begin with the spaces that the template writes before it.

    SmolVLM's template writes `Assistant: ` before a reply that stands in the conversation, and
    `Assistant:` where the model is to begin: there the space is the first thing the model writes,
    in one token with the word after it. So what was said reads as it was written.
    """
    bare = own.rstrip(" ")
    first = content[0] if content else None
    if bare == own or not isinstance(first, TextPart) or first.special:
        return own, content
    return bare, [replace(first, text=own[len(bare) :] + first.text), *content[1:]]


class _LostContentError(ValueError):
    """A template did not write what it was given."""


@dataclass(frozen=True)
class _Dialect:
    """A compiled template and what it takes.

    Attributes:
        render: From the template's variables to text.
        takes_lists: Content is a list of `{"type": "text"}` parts, not a string.
        takes_system: It knows a system turn; else that opens the first user turn.
        takes_repeats: Two turns in a row may have one role; else they are merged.
    """

    render: Callable[[Any], str]
    takes_lists: bool = False
    takes_system: bool = False
    takes_repeats: bool = False

    def message(self, role: str, mark: str) -> dict[str, Any]:
        return {
            "role": role,
            "content": [{"type": "text", "text": mark}] if self.takes_lists else mark,
        }

    def fit(self, turns: Sequence[Turn]) -> list[tuple[str, list[Part]]]:
        """The conversation in the shape the template takes."""
        fitted: list[tuple[str, list[Part]]] = []
        for role, parts in turns if self.takes_system else _fold_system(turns):
            if fitted and fitted[-1][0] == role and not self.takes_repeats:
                fitted[-1][1].extend([SEPARATOR, *parts])
            else:
                fitted.append((role, list(parts)))
        return fitted


def _fold_system(turns: Sequence[Turn]) -> list[Turn]:
    """Put what system turns say at the head of the user turns that follow them."""
    folded: list[Turn] = []
    head: list[Part] = []
    for role, parts in turns:
        if role == "system":
            head += [*([SEPARATOR] if head else []), *parts]
        elif head and role == "user":
            folded.append((role, [*head, SEPARATOR, *parts]))
            head = []
        else:
            folded += [("user", head)] if head else []
            folded.append((role, parts))
            head = []
    return [*folded, ("user", head)] if head else folded


def _trial(roles: Sequence[str]) -> list[Turn]:
    return [(role, (TextPart("trial"),)) for role in roles]
