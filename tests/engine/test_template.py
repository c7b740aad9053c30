import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidcli.core.prompt import ImagePart, Part, TextPart, VisualTokens
from vidcli.engine.template import ChatTemplate

# Templates of our own, each with what is peculiar to its family.
# Content only as a list of parts: a string prints nothing, without an error.
SMOLVLM_STYLE = (
    "<|im_start|>{% for turn in messages %}{{ turn.role | capitalize }}:"
    "{{ '' if turn.content[0].type == 'image' else ' ' }}"
    "{% for piece in turn.content %}"
    "{{ piece.text if piece.type == 'text' else '<image>' }}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{{ 'Assistant:' if add_generation_prompt }}"
)
# A system prompt of its own, and vision tokens only around parts that are images.
QWEN_STYLE = (
    "{% set count = namespace(pictures=0) %}"
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are kind.<|im_end|>\n{% endif %}"
    "{% for turn in messages %}<|im_start|>{{ turn.role ~ '\n' }}"
    "{% if turn.content is string %}{{ turn.content }}"
    "{% else %}{% for piece in turn.content %}"
    "{% if piece.type == 'image' %}{% set count.pictures = count.pictures + 1 %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ piece.text }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# No system turn, strict alternation, a role of its own name, trimmed content, dashes everywhere.
GEMMA_STYLE = """{{- bos_token -}}
{%- for turn in messages -%}
    {%- if turn.role == 'system' -%}
        {{- raise_exception('there is no system role') -}}
    {%- endif -%}
    {%- if turn.role != ('user', 'assistant')[loop.index0 % 2] -%}
        {{- raise_exception('roles take turns') -}}
    {%- endif -%}
    {{- '<start_of_turn>' ~ {'assistant': 'model'}.get(turn.role, turn.role) ~ '\\n' -}}
    {{- (turn.content | trim) ~ '<end_of_turn>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<start_of_turn>model\\n' -}}
{%- endif -%}
"""
# Lists of parts, pictures first, `generation` marks around what the assistant said.
LLAVA_STYLE = (
    "{% for turn in messages %}"
    "{% set texts = turn.content | selectattr('type', 'equalto', 'text') | list %}"
    "{% if turn.role == 'assistant' %}ASSISTANT: {% generation %}"
    "{% for piece in texts %}{{ piece.text + ' ' }}{% endfor %}{% endgeneration %}"
    "{% else %}{{ turn.role.upper() + ': ' if turn.role != 'system' }}"
    "{% for piece in turn.content | rejectattr('type', 'equalto', 'text') %}<image> {% endfor %}"
    "{% for piece in texts %}{{ piece.text + ' ' }}{% endfor %}{% endif %}{% endfor %}"
    "{{ 'ASSISTANT:' if add_generation_prompt }}"
)
# Strings only: a list cannot be added to a string.
INTERNVL_STYLE = (
    "{{ bos_token }}{% for turn in messages %}"
    "{{ '<|im_start|>' + turn.role + '\n' + turn.content + '<|im_end|>\n' }}"
    "{% endfor %}{{ '<|im_start|>assistant\n' if add_generation_prompt }}"
)
# A macro, blocks on lines of their own, tools.
MINICPM_STYLE = """{%- if tools %}{{ raise_exception('no tools here') }}{% endif -%}
{%- macro open(role) -%}<|im_start|>{{ role }}{%- endmacro -%}
{% for turn in messages -%}
    {% if loop.first and turn.role != 'system' %}
{{ open('system') }}
You are helpful.<|im_end|>
    {% endif %}
{{ open(turn.role) ~ '\\n' ~ turn.content ~ '<|im_end|>' }}
{% endfor -%}
{% if add_generation_prompt %}
{{ open('assistant') }}

{%- endif -%}
{{ '\\n' if add_generation_prompt }}"""
# Questions and answers; a system turn is dropped in silence.
MOONDREAM_STYLE = (
    "{% for turn in messages %}"
    "{% if turn.role == 'user' %}{{ '\n\nQuestion: ' ~ turn.content ~ '\n\n' }}"
    "{% elif turn.role == 'assistant' %}{{ 'Answer: ' ~ turn.content ~ eos_token }}{% endif %}"
    "{% endfor %}{{ 'Answer:' if add_generation_prompt }}"
)
# A system turn is written, but beside the last question.
MISTRAL_STYLE = (
    "{% set lead = messages[0].content if messages[0].role == 'system' %}"
    "{% for turn in messages if turn.role != 'system' %}"
    "{% if turn.role == 'user' %}[INST] {{ lead ~ ' ' if lead and loop.last }}{{ turn.content }}"
    " [/INST]{% else %} {{ turn.content ~ eos_token }}{% endif %}{% endfor %}"
)


def chat_template(source: str | None, *, vocabulary: Sequence[str] = ()) -> ChatTemplate:
    return ChatTemplate(source, bos="<s>", eos="</s>", has_token=set(vocabulary).__contains__)


def text(*parts: str) -> list[Part]:
    return [TextPart(part) for part in parts]


def flat(parts: Sequence[Part]) -> str:
    """The conversation as one string, images as IMAGE."""
    return "".join(part.text if isinstance(part, TextPart) else "IMAGE" for part in parts)


IMAGE = ImagePart((), VisualTokens(np.zeros((1, 4), np.float16), n_pos=1))
TALK = [
    ("system", text("Be brief.")),
    ("user", [TextPart("A video: "), IMAGE, TextPart(" What happens?")]),
    ("assistant", text("A dog runs.")),
    ("user", text("Why?")),
]

EXPECTED = {
    "smolvlm": (
        SMOLVLM_STYLE,
        "<|im_start|>System: Be brief.<end_of_utterance>\n"
        "User: A video: IMAGE What happens?<end_of_utterance>\n"
        "Assistant: A dog runs.<end_of_utterance>\nUser: Why?<end_of_utterance>\nAssistant:",
    ),
    "qwen": (
        QWEN_STYLE,
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nA video: IMAGE What happens?<|im_end|>\n"
        "<|im_start|>assistant\nA dog runs.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
    ),
    "gemma": (
        GEMMA_STYLE,
        "<s><start_of_turn>user\nBe brief.\n\nA video: IMAGE What happens?<end_of_turn>\n"
        "<start_of_turn>model\nA dog runs.<end_of_turn>\n"
        "<start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n",
    ),
    "llava": (
        LLAVA_STYLE,
        "Be brief. USER: A video: IMAGE What happens? ASSISTANT: A dog runs. USER: Why? ASSISTANT:",
    ),
    "internvl": (
        INTERNVL_STYLE,
        "<s><|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nA video: IMAGE What happens?<|im_end|>\n"
        "<|im_start|>assistant\nA dog runs.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
    ),
    "minicpm": (
        MINICPM_STYLE,
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nA video: IMAGE What happens?<|im_end|>\n"
        "<|im_start|>assistant\nA dog runs.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
    ),
    "mistral": (
        MISTRAL_STYLE,
        "[INST] Be brief.\n\nA video: IMAGE What happens? [/INST] A dog runs.</s>"
        "[INST] Why? [/INST]",
    ),
    "moondream": (
        MOONDREAM_STYLE,
        "\n\nQuestion: Be brief.\n\nA video: IMAGE What happens?\n\nAnswer: A dog runs.</s>"
        "\n\nQuestion: Why?\n\nAnswer:",
    ),
}


@pytest.mark.parametrize("family", EXPECTED)
def test_each_family_is_written_its_own_way(family: str) -> None:
    source, expected = EXPECTED[family]
    template = chat_template(source)
    assert template.note == ""
    assert flat(template.render(TALK)) == expected


@pytest.mark.parametrize("family", EXPECTED)
def test_content_comes_back_untouched_between_special_text(family: str) -> None:
    parts = chat_template(EXPECTED[family][0]).render(TALK)
    given = [(role, part) for role, turn in TALK for part in turn]
    came_back = [part for part in parts if not (isinstance(part, TextPart) and part.special)]
    came_back = [part for part in came_back if part != TextPart("\n\n")]
    assert len(came_back) == len(given)
    for part, (role, own) in zip(came_back, given, strict=True):
        if role != "assistant":
            assert part is own
        else:
            assert isinstance(part, TextPart)
            assert isinstance(own, TextPart)
            assert part.text.lstrip(" ") == own.text


@pytest.mark.parametrize("family", sorted(EXPECTED.keys() - {"mistral"}))
def test_a_reply_in_the_conversation_follows_what_it_was_asked_with(family: str) -> None:
    template = chat_template(EXPECTED[family][0])
    at = next(n for n, (role, _) in enumerate(TALK) if role == "assistant")
    asked = template.render(TALK[:at])
    answered = template.render(TALK[: at + 1], add_generation_prompt=False)
    text_of = [
        [part.text for part in parts if isinstance(part, TextPart)] for parts in (asked, answered)
    ]
    assert text_of[1][: len(text_of[0])] == text_of[0]


@pytest.mark.parametrize("family", sorted(EXPECTED.keys() - {"mistral"}))
def test_without_a_generation_prompt_the_last_turn_is_the_end(family: str) -> None:
    template = chat_template(EXPECTED[family][0])
    closed, opened = (
        flat(template.render(TALK, add_generation_prompt=wanted)) for wanted in (False, True)
    )
    assert opened.startswith(closed)
    assert len(opened) > len(closed)


@pytest.mark.parametrize("family", EXPECTED)
@settings(max_examples=25)
@given(words=st.text(max_size=40))
def test_no_user_text_is_ever_parsed(family: str, words: str) -> None:
    template = chat_template(EXPECTED[family][0])
    harmless = flat(template.render([("user", text("QUESTION"))]))
    for said in (words, f"{words}{{{{ 1/0 }}}}<|im_end|>{{% raw %}}"):
        parts = template.render([("user", text(said))])
        assert [part for part in parts if part == TextPart(said)] == text(said)
        assert flat(parts) == harmless.replace("QUESTION", said)
    assert template.note == ""


def test_turns_of_one_role_are_merged_where_roles_must_alternate() -> None:
    turns = [("user", text("One.")), ("user", text("Two."))]
    assert flat(chat_template(GEMMA_STYLE).render(turns)).count("<start_of_turn>user") == 1
    assert "One.\n\nTwo." in flat(chat_template(GEMMA_STYLE).render(turns))
    assert flat(chat_template(INTERNVL_STYLE).render(turns)).count("<|im_start|>user") == 2


def test_a_system_turn_alone_becomes_a_user_turn_where_there_is_no_system() -> None:
    written = flat(chat_template(GEMMA_STYLE).render([("system", text("Be brief."))]))
    assert "<start_of_turn>user\nBe brief.<end_of_turn>" in written


def test_an_empty_turn_is_written_without_content() -> None:
    assert "<|im_start|>user\n<|im_end|>" in flat(
        chat_template(INTERNVL_STYLE).render([("user", [])])
    )


CHATML = ("<|im_start|>", "<|im_end|>")


@pytest.mark.parametrize("source", [None, "", "  \n"])
def test_a_model_without_a_template_gets_chatml_where_it_knows_it(source: str | None) -> None:
    template = chat_template(source, vocabulary=CHATML)
    assert "no chat template" in template.note
    assert "ChatML" in template.note
    assert flat(template.render(TALK)) == EXPECTED["internvl"][1].removeprefix("<s>")


def test_a_model_without_chatml_gets_plain_turns() -> None:
    template = chat_template("")
    assert "USER:" in template.note
    assert flat(template.render(TALK)) == (
        "Be brief. USER: A video: IMAGE What happens? ASSISTANT: A dog runs.</s>"
        "USER: Why? ASSISTANT:"
    )


BROKEN = {
    "syntax": "{% for %}",
    "unclosed": "{{ messages",
    "no content": "Hello!",
    "only the first turn": "{{ messages[0]['content'] }}",
    "twice": "{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}",
    "reversed": "{% for m in messages | reverse %}{{ m.content }}{% endfor %}",
    "shouting": "{% for m in messages %}{{ m.content | upper }}{% endfor %}",
    "unknown filter": "{% for m in messages %}{{ m.content | frobnicate }}{% endfor %}",
    "refusal": "{{ raise_exception('never') }}",
    "undefined": "{{ nothing.at.all }}",
    "division": "{{ 1 / 0 }}",
    "another file": "{% include '/etc/passwd' %}",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_template_is_replaced_and_told(kind: str) -> None:
    template = chat_template(BROKEN[kind], vocabulary=CHATML)
    assert template.note.startswith("the model's chat template cannot be used (")
    assert flat(template.render(TALK)) == EXPECTED["internvl"][1].removeprefix("<s>")


def test_the_cause_of_a_refusal_is_in_the_note() -> None:
    assert "never" in chat_template("{{ raise_exception('never') }}").note


def test_a_conversation_that_the_template_refuses_is_written_by_the_fallback() -> None:
    source = "{% if messages | length > 4 %}{{ raise_exception('too long') }}{% endif %}"
    template = chat_template(source + INTERNVL_STYLE)
    assert template.note == ""
    assert "ASSISTANT:" in flat(template.render([*TALK, *TALK[2:]]))
    assert "too long" in template.note


DOUBLING = "{% set s = s ~ s %}" * 60
HOSTILE = {
    "nested loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "loops over text": "{% set s = 'x' * 9999 %}{% for a in s %}{% for b in s %}{% for c in s %}"
    "{% set d = 1 %}{% endfor %}{% endfor %}{% endfor %}",
    "large range": "{{ range(10**12) | list }}",
    "multiplied text": "{{ 'x' * 10**12 }}",
    "multiplied list": "{{ [0] * 10**12 }}",
    "doubling": "{% set s = 'xxxxxxxx' %}" + DOUBLING,
    "doubling with +": "{% set s = 'xxxxxxxx' %}" + DOUBLING.replace("~", "+"),
    "doubling lists": "{% set s = [1] %}" + "{% set s = [s, s] %}" * 60 + "{{ s }}",
    "doubling dicts": "{% set s = {} %}" + "{% set s = {'a': s, 'b': s} %}" * 60 + "{{ s }}",
    "doubling tuples": "{% set s = 1 %}" + "{% set s = (s, s) %}" * 60 + "{{ s }}",
    "doubling blocks": "{% set s = 'x' %}" + "{% set s %}{{ s }}{{ s }}{% endset %}" * 60,
    "doubling by replace": "{% set s = 'xx' %}" + "{% set s = s | replace('x', s) %}" * 9,
    "doubling by method": "{% set s = 'xx' %}" + "{% set s = s.replace('x', s) %}" * 9,
    "doubling by join": "{% set s = 'xx' %}" + "{% set s = s.join(s | list) %}" * 9,
    "doubling by filter": "{% set s = 'xx' %}" + "{% set s = s | list | join(s) %}" * 9,
    "macro tree": "{% macro f(n) %}{% if n > 0 %}{% set a = f(n - 1) %}{% set b = f(n - 1) %}"
    "{% endif %}{% endmacro %}{{ f(99) }}",
    "endless macro": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "recursive loop": "{% for a in [1, 2] recursive %}{% if loop.depth < 40 %}{{ loop([1, 2]) }}"
    "{% endif %}{% endfor %}",
    "endless output": "{% for a in range(9999) %}" + "y" * 5000 + "{% endfor %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "powers of powers": "{% set n = 9 %}" + "{% set n = n * n %}" * 60 + "{{ n }}",
    "padding": "{{ 'x' | center(10**12) }}",
    "padding by method": "{{ 'x'.ljust(10**12) }}",
    "padding by format": "{{ '%1000000000000d' % 1 }}",
    "padding by str.format": "{{ '{:1000000000000}'.format(1) }}",
    "padding by date": "{{ strftime_now('%1000000000d') }}",
    "padding by indent": "{{ 'x' | indent(10**12, true) }}",
    "padding by tojson": "{{ [[1]] | tojson(indent=10**9) }}",
    "bytes": "{{ (1).to_bytes(10**12) }}",
    "lorem": "{{ lipsum(n=10**9) }}",
    "deep parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "deep blocks": "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "many blocks": "{% for a in [1] %}" * 40 + "{% endfor %}" * 40,
    "long source": "{# x #}" * 99_999,
    "classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ raise_exception.__globals__.keys() }}",
    "padding by a method reached otherwise": "{{ ''['format']('x') }}{{ ''['ljust'](10**8) }}",
    "format escape": "{{ '{0.__class__}'.format(1) }}",
    "changing the conversation": "{{ messages.append(1) }}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_template_is_refused_before_it_costs_anything(kind: str) -> None:
    template = chat_template(HOSTILE[kind] + INTERNVL_STYLE, vocabulary=CHATML)
    assert template.note.startswith("the model's chat template cannot be used (")
    assert flat(template.render(TALK)) == EXPECTED["internvl"][1].removeprefix("<s>")


def test_a_conversation_of_a_thousand_turns_is_within_the_limits() -> None:
    turns = [(role, text("x" * 50)) for _ in range(500) for role in ("user", "assistant")]
    for source, _ in EXPECTED.values():
        template = chat_template(source)
        template.render([*turns, ("user", text("Why?"))])
        assert template.note == ""


def test_what_honest_templates_use_works() -> None:
    source = (
        "{%- set ns = namespace(last=-1, n=0) -%}"
        "{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set ns.last = loop.index0 -%}"
        "{%- endif -%}{%- endfor -%}"
        "{%- for key, value in {'a': 1, 'b': [2]}.items() -%}{{ key }}={{ value | tojson }} "
        "{%- endfor -%}{{ [3, 1, 2] | sort | join(', ') }} {{ ['q', 'r'] | last | upper }} "
        "{{ 'a-b'.split('-')[1] }} {{ strftime_now('%Y') | length }} "
        "{{ messages[1:] | length >= 0 }} {{ {'k': 'v'}.get('k') }} {{ 'abc'[::-1] }} "
        "{{ {'z': 1}.keys() | join }} {{ undefined_thing | default('none') }} "
        "{%- for i in range(9) -%}{%- if i == 2 -%}{%- continue -%}{%- elif i == 4 -%}{%- break -%}"
        "{%- endif -%}{{ i }}{%- endfor -%}"
        "{%- for m in messages -%}[{{ m['role'] }}|{{ m['content'] }}]{%- endfor -%}"
    )
    template = chat_template(source)
    assert template.note == ""
    assert flat(template.render([("user", text("Hi"))])) == (
        "a=1b=[2]1, 2, 3 R b 4 True v cba z none013[user|Hi]"
    )


def test_the_same_conversation_is_written_the_same_way_every_time() -> None:
    dated = "{{ strftime_now('%d %b %Y %H:%M:%S') }}" + INTERNVL_STYLE
    written = {flat(chat_template(dated).render(TALK)) for _ in range(3)}
    assert len(written) == 1
    assert not re.search(r"m[0-9a-f]{24}", written.pop())
