"""A Jinja sandbox that a hostile chat template can neither hang nor balloon.

Jinja's own sandbox keeps templates from reaching Python; it does not bound time or memory. Here
every loop, call, filter and piece of output is paid for out of a budget of steps, nothing may grow
beyond a bound, and operations that multiply sizes are checked before they run. All of it counts,
nothing is timed, so a template that works once works always.
"""

import datetime
import functools
import json
import re
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, NoReturn

from jinja2 import TemplateError, TemplateRuntimeError, Undefined, nodes
from jinja2.ext import LoopControlExtension
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vidcli.engine.template_meter import CHECK, EMIT, PAY, GenerationTag, Meter, weigh

MAX_SOURCE = 1 << 18  # characters; the longest templates in the field have a tenth of it
MAX_SIZE = 1 << 18  # characters or elements of any one value
MAX_OUTPUT = 1 << 20  # characters in all
MAX_STEPS = 1_000_000  # syntax nodes run, about; a conversation of 1000 turns needs 30 to 300 000
CALL_STEPS = 20  # what a call costs beyond its body
MAX_BITS = 4096  # of an integer
MAX_INDENT = 16

# A template that asks for the date gets this one: the same question is the same prompt tomorrow,
# and a prefix snapshot stays good.
TODAY = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)

FILTERS = (
    "abs capitalize count d default dictsort e escape first float int items last length list "
    "lower map max min reject rejectattr reverse round select selectattr sort string sum "
    "title trim unique upper wordcount"
)
STRING_METHODS = frozenset(
    {"startswith", "endswith", "split", "rsplit", "splitlines", "partition", "rpartition"}
    | {"strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "replace", "join"}
    | {"upper", "lower", "title", "capitalize", "find", "rfind", "index", "count"}
    | {"isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower"}
)
METHODS: dict[type, frozenset[str]] = {
    str: STRING_METHODS,
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
    dict: frozenset({"get", "items", "keys", "values"}),
}
DATA = (str, bytes, int, float, complex, list, tuple, dict, set, frozenset, range, type)

# What a template can raise; anything else is a bug of ours.
FAULTS = (
    *(TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, NameError),
    *(RuntimeError, SyntaxError, TypeError, ValueError),
)


class TemplateLimitError(TemplateRuntimeError):
    """A template wanted more steps, memory or output than any honest one needs."""


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """The environment of one chat template; renders one text at a time."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # folding constants would run operations unpaid
            extensions=[LoopControlExtension, GenerationTag],
        )
        self._steps_left = self._output_left = 0
        self._call_cost = 1
        given = {name: self.filters[name] for name in FILTERS.split()}
        self.filters = {name: self._guard(filter_) for name, filter_ in given.items()}
        for name, own in (
            *(("tojson", _to_json), ("indent", _indent)),
            *(("join", _join), ("replace", _replace)),
        ):
            self.filters[name] = self._guard(own)
        self.filters.update({PAY: self._pay_for_loop, EMIT: self._emit, CHECK: self._check})
        self.globals = {
            "range": _range,
            "namespace": self.globals["namespace"],
            "dict": dict,
            "raise_exception": _raise_exception,
            "strftime_now": _strftime,
        }

    def prepare(self, source: str) -> Callable[[Mapping[str, Any]], str]:
        """Compile a template.

        Returns:
            A function from the template's variables to the text.

        Raises:
            FAULTS: The source is broken or too long; rendering raises them too.
        """
        if len(source) > MAX_SOURCE:
            raise TemplateLimitError(f"it has {len(source)} characters")
        tree = self.parse(source)
        self._call_cost = max(map(weigh, tree.find_all(nodes.Macro)), default=1)
        template = self.from_string(Meter().visit(tree))

        def render(variables: Mapping[str, Any]) -> str:
            self._steps_left, self._output_left = MAX_STEPS, MAX_OUTPUT
            return template.render(variables)

        return render

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Data has only the methods listed; loops, macros and namespaces keep Jinja's rule."""
        for kind, names in METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        return not isinstance(obj, DATA) and super().is_safe_attribute(obj, attr, value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Jinja's own, without `str.format`, which it would lend out wrapped."""
        if isinstance(obj, str) and attribute.startswith("format"):
            return self.unsafe_undefined(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Jinja's own, without the way by which `''["format"]` reaches a method."""
        if isinstance(obj, str) and isinstance(argument, str):
            return self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls, paid for and checked."""
        self._spend(CALL_STEPS + self._call_cost + _measure([args, kwargs]))
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            _bound_replace(owner, *args)
        if isinstance(owner, str) and name == "join":
            _bound_join(owner, *args)
        made = super().call(context, obj, *args, **kwargs)
        is_view = isinstance(made, KeysView | ValuesView | ItemsView)
        return self._check(list(made) if is_view else made)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Run an operator that can make large values out of small ones."""
        for one, other in ((left, right), (right, left)):
            if operator == "*" and isinstance(one, str | list | tuple) and isinstance(other, int):
                _bound(len(one) * other)
        if operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * (right if operator == "**" else 1)
            if bits + right.bit_length() > MAX_BITS:
                raise TemplateLimitError("a number grew too large")
        if operator == "%" and isinstance(left, str):
            raise TemplateLimitError("formatting with % is not allowed")
        return self._check(super().call_binop(context, operator, left, right))

    def _guard(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Pay for a filter by the size of what it gets, check what it makes."""

        @functools.wraps(function)  # also takes over how Jinja passes the environment
        def guarded(*args: Any, **kwargs: Any) -> Any:
            plain = [arg for arg in args if isinstance(arg, DATA)]
            self._spend(1 + _measure([plain, kwargs]))
            made = function(*args, **kwargs)
            return self._check(list(made) if isinstance(made, Iterator) else made)

        return guarded

    def _spend(self, steps: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise TemplateLimitError("it runs too long")

    def _pay_for_loop(self, items: Any, weight: int) -> Any:
        if isinstance(items, Iterator):
            items = list(items)
        self._spend(weight * (1 + (len(items) if hasattr(items, "__len__") else 1)))
        return items

    def _emit(self, value: Any) -> str:
        text = str(self._check(value))
        self._spend(1)
        self._output_left -= len(text)
        if self._output_left < 0:
            raise TemplateLimitError("it writes too much")
        return text

    def _check(self, value: Any) -> Any:
        if isinstance(value, DATA):
            self._spend(_measure(value) // 16)
        return value


def _measure(value: Any) -> int:
    """Characters and elements of a value, shared parts counted each time they are met.

    Raises:
        TemplateLimitError: There are more than any value may have.
    """
    total, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str | bytes | range):
            total += len(item)
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list | tuple | set | frozenset):
            stack.extend(item)
        elif isinstance(item, int) and item.bit_length() > MAX_BITS:
            raise TemplateLimitError("a number grew too large")
        total += 1
        _bound(total + len(stack))
    return total


def _bound(size: int) -> None:
    if size > MAX_SIZE:
        raise TemplateLimitError("a value grew too large")


def _bound_replace(text: str, old: str, new: str, *_: Any) -> None:
    _bound(len(text) + text.count(old) * len(new))


def _bound_join(separator: str, items: Any) -> None:
    _bound(_measure(items) + len(separator) * len(items))


def _replace(text: Any, old: Any, new: Any, count: int = -1) -> str:
    _bound_replace(str(text), str(old), str(new))
    return str(text).replace(str(old), str(new), count)


def _join(items: Any, d: Any = "") -> str:
    texts = [str(item) for item in items]
    _bound_join(str(d), texts)
    return str(d).join(texts)


def _strftime(pattern: str) -> str:
    if re.search(r"%[^A-Za-z%]", pattern):  # a width, by which the C library pads
        raise TemplateLimitError("a date is written without widths")
    return TODAY.strftime(pattern)


def _range(*bounds: int) -> range:
    made = range(*bounds)
    _bound(len(made))
    return made


def _raise_exception(message: object) -> NoReturn:
    raise TemplateError(str(message))


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **_: Any) -> str:
    if isinstance(value, Undefined) or (indent is not None and indent > MAX_INDENT):
        raise TypeError("this cannot be written as JSON")
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _indent(text: str, width: int = 4, first: bool = False) -> str:
    _bound(len(text) + (text.count("\n") + 1) * int(width))
    margin = " " * int(width)
    lines = text.splitlines(keepends=True)
    return "".join(
        margin + line if line.strip() and (number or first) else line
        for number, line in enumerate(lines)
    )
