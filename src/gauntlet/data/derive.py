"""New columns from expressions: a small language that can compute and do nothing else.

    tips > 0.2 * fare
    (income - debt) / income
    region == "north" and not (age < 18)

Column names, numbers, text, ``True``/``False``; ``+ - * /``, comparisons (chains too), ``and or not``, parentheses.
There are no calls, attributes, subscripts or anything else; the expression is parsed into a tree, checked node by node,
and evaluated over whole columns. A missing value makes the result missing, except where ``and``/``or`` is decided
without it. Division is of real numbers; by zero it gives a missing value.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gauntlet.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_EXPRESSION = 1_000
DEEPEST_NESTING = 50
_MEND = 'Use column names, numbers, text, + - * /, comparisons, and, or, not, and parentheses: "tips > 0.2 * fare"'
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "add_checked",
    ast.Sub: "subtract_checked",
    ast.Mult: "multiply_checked",
    ast.Div: "divide",
}


class Expression:
    """A checked expression.

    Args:
        text: the expression.
        field: the option it was given in, for messages.

    Raises:
        ConfigurationError: it does not parse, is too long, or uses anything outside the language.
    """

    def __init__(self, text: str, field: str) -> None:
        self.text = text
        self.field = field
        if len(text) > LONGEST_EXPRESSION:
            raise self._refusal(f"is longer than {LONGEST_EXPRESSION} characters", text)
        try:
            self._tree = _parsed(text.strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise self._refusal("is not an expression", text) from error
        self._check(self._tree, DEEPEST_NESTING)

    @property
    def names(self) -> frozenset[str]:
        """The columns it reads."""
        return frozenset(node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name))

    def evaluate(self, columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
        """Compute the new column.

        Args:
            columns: the columns it may read, by name; each of length ``rows``.
            rows: number of rows.

        Raises:
            ConfigurationError: an unknown column, or types that do not go together (text compared with numbers).
            DataError: an integer result too large.
        """
        import pyarrow as pa

        try:
            result = self._value(self._tree, columns)
        except (pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise self._refusal("combines types that do not go together", self.text) from error
        except pa.ArrowInvalid as error:
            raise DataError(
                "gives an integer that is too large", field=self.field, value=self.text, mend="Use a real number: 1.0 *"
            ) from error
        if isinstance(result, pa.Scalar):
            raise self._refusal("reads no column", self.text)
        return result

    def _check(self, node: ast.AST, depth: int) -> None:
        """Refuse whatever is not listed, or nested deeper than ``depth``."""
        if depth == 0:
            raise self._refusal(f"is nested deeper than {DEEPEST_NESTING} levels", self.text)
        children: list[ast.expr]
        match node:
            case ast.Name():
                return
            case ast.Constant(value=bool() | float() | str()):
                return
            case ast.Constant(value=int() as number) if abs(number) < 2**63:
                return
            case ast.BoolOp(values=children):
                pass
            case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=operand):
                children = [operand]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                children = [left, right]
            case ast.Compare(left=left, ops=ops, comparators=rest) if all(type(op) in _COMPARISONS for op in ops):
                children = [left, *rest]
            case _:
                raise self._refusal("uses something that is not part of the language", ast.unparse(node))
        for child in children:
            self._check(child, depth - 1)

    def _value(self, node: ast.AST, columns: Mapping[str, pa.Array]) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        match node:
            case ast.Name(id=name):
                if name not in columns:
                    raise self._unknown(name, columns)
                return columns[name]
            case ast.Constant(value=value):
                return pa.scalar(value)
            case ast.BoolOp(op=op, values=parts):
                join: Callable[[Any, Any], Any] = pc.and_kleene if isinstance(op, ast.And) else pc.or_kleene
                result = self._value(parts[0], columns)
                for part in parts[1:]:
                    result = join(result, self._value(part, columns))
                return result
            case ast.UnaryOp(op=op, operand=operand):
                value = self._value(operand, columns)
                if isinstance(op, ast.Not):
                    return pc.invert(value)
                return pc.negate_checked(value) if isinstance(op, ast.USub) else value
            case ast.BinOp(left=left, op=op, right=right):
                return _arithmetic(op, self._value(left, columns), self._value(right, columns))
            case ast.Compare(left=left, ops=ops, comparators=rest):
                return self._chain([left, *rest], ops, columns)
        raise AssertionError(node)

    def _chain(self, parts: list[ast.expr], ops: list[ast.cmpop], columns: Mapping[str, pa.Array]) -> Any:
        import pyarrow.compute as pc

        values = [self._value(part, columns) for part in parts]
        links = [
            getattr(pc, _COMPARISONS[type(op)])(first, second)
            for op, first, second in zip(ops, values, values[1:], strict=False)
        ]
        result = links[0]
        for link in links[1:]:
            result = pc.and_kleene(result, link)
        return result

    def _unknown(self, name: str, columns: Mapping[str, pa.Array]) -> ConfigurationError:
        import difflib

        close = difflib.get_close_matches(name, list(columns), n=1)
        mend = f"Did you mean {close[0]!r}?" if close else f"The columns are: {', '.join(columns)}"
        return ConfigurationError("reads a column that is not there", field=self.field, value=name, mend=mend)

    def _refusal(self, reason: str, value: str) -> ConfigurationError:
        return ConfigurationError(reason, field=self.field, value=value, mend=_MEND)


def _parsed(text: str) -> ast.expr:
    """The tree of an expression, its names as they are written: to Python, the micro sign and the Greek mu are one."""
    tree = ast.parse(text, mode="eval").body
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = ast.get_source_segment(text, node) or node.id
    return tree


def in_dependency_order(expressions: Mapping[str, str], field: str) -> dict[str, Expression]:
    """Parse expressions and order them so that each comes after those it reads.

    Raises:
        ConfigurationError: one of them is outside the language, or they read each other in a circle.
    """
    from graphlib import CycleError, TopologicalSorter

    parsed = {name: Expression(expressions[name], f"{field}.{name}") for name in sorted(expressions)}
    graph = {name: sorted(expression.names & parsed.keys()) for name, expression in parsed.items()}
    try:
        return {name: parsed[name] for name in TopologicalSorter(graph).static_order()}
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise ConfigurationError(
            "columns are derived from each other in a circle", field=field, value=circle, mend="Break the circle"
        ) from error


def _arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(op, ast.Div):
        left, right = left.cast(pa.float64()), right.cast(pa.float64())
        right = pc.if_else(pc.equal(right, 0.0), pa.scalar(None, pa.float64()), right)
    return getattr(pc, _ARITHMETIC[type(op)])(left, right)
