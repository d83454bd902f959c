"""The text form of rules: ``parse(str(rule)) == rule``.

A text is parsed with `ast` and rebuilt from a list of allowed names and operators. It is never evaluated as Python.
"""

from __future__ import annotations

import ast
import inspect
import operator
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.pairs.rules.algebra import Rule
from ssl_domains.pairs.rules.errors import RuleTypeError
from ssl_domains.pairs.rules.keys import Bins, bins
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.pairs.rules.registry import find_rule, rule_names

__all__ = ["parse"]

_METHODS = ("ignore", "across_parts")
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Add: operator.add,
    ast.Mult: operator.mul,
}
_EXAMPLE = "for example 0.7*same('class') + 0.3*same('region')"
_LONGEST = 20_000


def parse(text: str) -> Rule | Objective:
    """Read a rule or objective from its text.

    Args:
        text: The same expression as in Python, for instance ``"0.7*same('class') + 0.3*same('region')"``.

    Returns:
        A `Rule`, or an `Objective` where the text has ``+``, ``*``, ``.ignore(…)`` or is ``none``.

    Raises:
        UsageError: With the column of the mistake and a hint. Errors of `same`, `within` and the others are raised as
            in Python, with the column added.
        PluginError: When two plugins bring a rule that the text names, or it can't be imported.
    """
    if not isinstance(text, str):
        raise RuleTypeError(f"a rule's text must be text, not {type(text).__name__}", _EXAMPLE)
    if not text.strip():
        raise UsageError("the rule is empty", f"write none for plain SimCLR; {_EXAMPLE}")
    if len(text) > _LONGEST:
        raise UsageError(f"the rule has {len(text)} characters, more than {_LONGEST}", "put the grouping into a column")
    # Python would read leading blanks as an indent and a line break as the end of the expression.
    line = text.translate(str.maketrans("\n\r\t\f", "    "))
    start = len(line) - len(line.lstrip())
    reader = _Reader(line.strip(), start)
    try:
        result = reader.expression()
    except RecursionError:
        raise UsageError("the rule is nested too deeply", "put the grouping into a column") from None
    if isinstance(result, (Rule, Objective)):
        return result
    if isinstance(result, Bins):
        raise UsageError("bins(…) is a key, not a rule", f"write same({result})")
    raise UsageError("the rule is only a number", _EXAMPLE)


class _Reader:
    """Rebuilds one expression from its syntax tree by the public functions and operators.

    Args:
        line: The text as one line, without blanks around it.
        start: How many characters of the user's text stand before it.
    """

    def __init__(self, line: str, start: int) -> None:
        self.line = line
        self.start = start

    def expression(self) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as the SyntaxWarning for "\d" in a column name
                tree = ast.parse(self.line, mode="eval")
        except SyntaxError as error:
            column = self.start + max(1, min(error.offset or 1, len(self.line)))
            raise UsageError(
                f"the rule can't be read at column {column}: {error.msg}", _syntax_hint(self.line)
            ) from None
        except (ValueError, MemoryError):
            raise UsageError("the rule can't be read", _EXAMPLE) from None
        return self.value(tree.body)

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.BinOp(op=op) if type(op) in _OPERATORS:
                return self.binary(node)
            case ast.UnaryOp(op=ast.Invert()):
                return self.invert(node)
            case ast.Call():
                return self.call(node)
            case ast.Name(id="none"):
                return Objective()
            case ast.Constant(value=value) if isinstance(value, (int, float)) and not isinstance(value, bool):
                return value
        self.refuse(node)

    def binary(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if not any(isinstance(side, (Rule, Objective)) for side in (left, right)):
            numbers = all(isinstance(side, (int, float)) for side in (left, right))
            if not (numbers and isinstance(node.op, ast.Mult)):
                self.fail(node, "operators stand between rules here", _EXAMPLE)
        return self.api(node, _OPERATORS[type(node.op)], left, right)

    def invert(self, node: ast.UnaryOp) -> Any:
        operand = self.value(node.operand)
        if not isinstance(operand, (Rule, Objective)):
            self.fail(node, f"~ takes a rule, not {type(operand).__name__}", "write ~same('patient')")
        return self.api(node, operator.invert, operand)

    def call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute):
            return self.method(node, node.func)
        if not isinstance(node.func, ast.Name):
            self.fail(node, "only functions by name can be called", _EXAMPLE)
        name = node.func.id
        function = _function(name)
        if function is None:
            hint = did_you_mean(name, _names())
            plugin = "" if hint.startswith("did you mean") else "; a rule of a plugin needs that plugin installed"
            self.fail(node, f"there is no function {name!r}", hint + plugin)
        result = self.apply(node, name, function, self.argument)
        if not isinstance(result, (Rule, Bins)):
            self.fail(node, f"{name}(…) returned {type(result).__name__}, not a rule", _EXAMPLE)
        return result

    def method(self, node: ast.Call, func: ast.Attribute) -> Any:
        owner = self.value(func.value)
        if not isinstance(owner, (Rule, Objective)):
            self.fail(node, f".{func.attr}(…) belongs to a rule", "write same('a').ignore(same('b'))")
        if func.attr not in _METHODS:
            self.fail(node, f"rules have no .{func.attr}(…)", did_you_mean(func.attr, _METHODS))
        return self.apply(node, func.attr, getattr(owner, func.attr), self.value)

    def apply(self, node: ast.Call, name: str, function: Callable[..., Any], read: Callable[[ast.expr], Any]) -> Any:
        """Call ``function`` with the arguments of the call ``node``, each turned into a value by ``read``."""
        signature = inspect.signature(function)
        known = [p.name for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_POSITIONAL]
        arguments: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                self.fail(node, f"{name} takes no **", _usage(name, signature))
            if keyword.arg not in known:
                hint = did_you_mean(keyword.arg, known) if known else _usage(name, signature)
                self.fail(keyword.value, f"{name} has no argument {keyword.arg!r}", hint)
            arguments[keyword.arg] = read(keyword.value)
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                self.fail(argument, f"{name} takes no *", _usage(name, signature))
        values = [read(argument) for argument in node.args]
        try:
            signature.bind(*values, **arguments)
        except TypeError as error:
            self.fail(node, f"{name}: {error}", _usage(name, signature))
        return self.api(node, function, *values, **arguments)

    def argument(self, node: ast.expr) -> Any:
        """A literal, or ``bins(…)`` inside ``same(…)``."""
        match node:
            case ast.Constant(value=value) if value is None or isinstance(value, (str, int, float)):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)) if isinstance(value, (int, float)):
                return -value
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return tuple(self.argument(item) for item in items)
            case ast.Call():
                return self.call(node)
            case ast.Name(id=name):
                self.fail(node, f"{name} is not quoted", f"column names are quoted: {name!r}")
        self.refuse(node)

    def refuse(self, node: ast.expr) -> NoReturn:
        """Raise the error for a piece of syntax that rules don't have."""
        match node:
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                hint = "write &, |, ~ with parentheses around each operand"
                self.fail(node, "and, or, not do not combine rules", hint)
            case ast.Name(id=name) if (function := _function(name)) is not None:
                self.fail(node, f"{name} needs its arguments", _usage(name, inspect.signature(function)))
            case ast.Name(id=name):
                self.fail(node, f"{name} is no rule", f"write same({name!r})")
            case ast.Constant(value=str(value)):
                self.fail(node, "text alone is no rule", f"write same({value!r})")
            case ast.UnaryOp(op=ast.USub()):
                self.fail(node, "a minus has no place between rules", "weights are positive")
            case ast.Attribute(attr=name):
                self.fail(node, f".{name} is not part of a rule", "write rule.ignore(other) or rule.across_parts()")
        shown = ast.unparse(node).replace("\n", " ")[:40]
        self.fail(node, f"{shown} is not part of a rule", f"rules have {', '.join(_names())}, & | ~ + * .ignore()")

    def api(self, node: ast.expr, function: Callable[..., Any], *values: Any, **arguments: Any) -> Any:
        """Call ``function``, and add the column of ``node`` to its errors."""
        try:
            return function(*values, **arguments)
        except UsageError as error:
            raise type(error)(f"{error.message} (at column {self.column(node)})", error.hint) from None
        except OverflowError:
            self.fail(node, "a number is too large", _EXAMPLE)

    def fail(self, node: ast.AST, message: str, hint: str) -> NoReturn:
        raise UsageError(f"{message} (at column {self.column(node)})", hint)

    def column(self, node: ast.AST) -> int:
        """Column of the node in the user's text, from 1. `ast` gives an offset in UTF-8 bytes."""
        offset: int = getattr(node, "col_offset", 0)
        return self.start + len(self.line.encode()[:offset].decode(errors="ignore")) + 1


def _function(name: str) -> Callable[..., Any] | None:
    return bins if name == "bins" else find_rule(name)


def _names() -> tuple[str, ...]:
    """Every function that a text may call."""
    return (*rule_names(), "bins")


def _usage(name: str, signature: inspect.Signature) -> str:
    """``within(column, width)``: the arguments by name."""
    shown = []
    for parameter in signature.parameters.values():
        mark = "*" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else ""
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        shown.append(f"{mark}{parameter.name}{default}")
    return f"write {name}({', '.join(shown)})"


def _syntax_hint(line: str) -> str:
    if line.count("(") != line.count(")"):
        return "each ( needs its ), as in --rule \"same('patient')\""
    if "'" not in line and '"' not in line:
        return "column names are quoted, and the rule too: --rule \"same('class')\""
    return _EXAMPLE
