"""Rewriting a template's syntax tree so that what it runs is paid for.

The rewritten tree calls three filters, whose names no template can write; `template_sandbox` has
what they do. Here too: the `generation` tag, which Jinja does not know.
"""

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

PAY, EMIT, CHECK = "pay for loop", "emit text", "check size"


class Meter(NodeTransformer):
    """Rewrites a template so that loops, output and growing values are paid for."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        """A loop pays for every item what its body weighs."""
        weight = weigh(node)
        self.generic_visit(node)
        node.iter = _filtered(_as_expression(node.iter), PAY, nodes.Const(weight))
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Output:
        """Output is counted wherever it goes: the text, a macro's result, a `set` block."""
        self.generic_visit(node)
        node.nodes = [_filtered(_as_expression(child), EMIT) for child in node.nodes]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        """What `~` makes has a largest size."""
        self.generic_visit(node)
        return _filtered(node, CHECK)

    def visit_List(self, node: nodes.List) -> nodes.Expr:
        """So have lists and dicts, counted with all they hold."""
        self.generic_visit(node)
        return _filtered(node, CHECK)

    visit_Dict = visit_List

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:
        """So have tuples, where they are values and not targets."""
        self.generic_visit(node)
        return _filtered(node, CHECK) if node.ctx == "load" else node


class GenerationTag(Extension):
    """`{% generation %}…{% endgeneration %}` marks what an assistant wrote; it prints its body."""

    tags = {"generation"}  # noqa: RUF012  # Jinja's own declaration

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Give back the body as if the tag were not there."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _filtered(node: nodes.Expr, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _as_expression(node: nodes.Node) -> nodes.Expr:
    """The node, the template's own text as a constant."""
    if isinstance(node, nodes.TemplateData):
        return nodes.Const(node.data, lineno=node.lineno)
    assert isinstance(node, nodes.Expr)
    return node


def weigh(node: nodes.Node) -> int:
    """Syntax nodes in a piece of a template: about what running it once costs."""
    return 1 + sum(1 for _ in node.find_all(nodes.Node))
