"""Turns tokens into a tree, with GitHub's precedence, availability checks and words.

Source: @actions/expressions src/parser.ts and errors.ts. Below, a higher rule is weaker:
`||`, `&&`, `== !=`, `< <= > >=`, `!`, then `.` and `[]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from windlass.lang.expressions import lexer
from windlass.lang.expressions.faults import Fault, FaultError, syntax_error
from windlass.lang.expressions.functions import BUILT_IN
from windlass.lang.expressions.syntax import (
    Call,
    Comparison,
    Context,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Wildcard,
    children,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windlass.lang.expressions.functions import FunctionInfo

MAXIMUM_DEPTH = 50
"""How deep an expression may nest."""

_EQUALITY = ("==", "!=")
_ORDER = ("<", "<=", ">", ">=")


def parse(
    text: str,
    *,
    contexts: Iterable[str],
    functions: Mapping[str, FunctionInfo] | None = None,
) -> Node | Fault:
    """Parse an expression, the text between `${{` and `}}`.

    `contexts` are the named values that may be used here and `functions` those beyond the built-in
    ones, by name; names have no case. An empty text is the constant null.
    """
    available = {name.lower() for name in contexts}
    known = {name.lower(): (name, info) for name, info in BUILT_IN.items()}
    known |= {name.lower(): (name, info) for name, info in (functions or {}).items()}
    try:
        return _Parser(text, available, known).parse()
    except FaultError as error:
        return error.fault


class _Operand(NamedTuple):
    node: Node
    takes_index: bool
    """Whether `.` or `[` may follow: after a name, a call or a group, not after a constant."""


class _Parser:
    def __init__(
        self, text: str, contexts: set[str], functions: dict[str, tuple[str, FunctionInfo]]
    ) -> None:
        self._text = text
        self._tokens = lexer.tokenize(text)
        self._next = 0
        self._depth = 0
        self._deepest = 0
        self._comparisons = 0
        self._contexts = contexts
        self._functions = functions

    def parse(self) -> Node:
        if self._kind == lexer.END:
            return Literal(None, 0, 0)
        node = self._expression()
        if self._kind != lexer.END:
            raise self._unexpected()
        if self._deepest + self._comparisons > MAXIMUM_DEPTH:
            self._check_height(node)
        return node

    # Rules, from the weakest operator to the strongest

    def _expression(self) -> Node:
        self._descend()
        node = self._or()
        self._depth -= 1
        return node

    def _or(self) -> Node:
        start = self._start
        first = self._and()
        if self._kind != "||":
            return first
        self._descend()
        operands = [first]
        while self._accept("||"):
            operands.append(self._and())
        self._depth -= 1
        return Logical("||", tuple(operands), start, self._end)

    def _and(self) -> Node:
        start = self._start
        first = self._equality()
        if self._kind != "&&":
            return first
        self._descend()
        operands = [first]
        while self._accept("&&"):
            operands.append(self._equality())
        self._depth -= 1
        return Logical("&&", tuple(operands), start, self._end)

    def _equality(self) -> Node:
        start = self._start
        node = self._order()
        while self._kind in _EQUALITY:
            operator = self._take().kind
            node = Comparison(operator, node, self._order(), start, self._end)
            self._comparisons += 1
        return node

    def _order(self) -> Node:
        start = self._start
        node = self._unary()
        while self._kind in _ORDER:
            operator = self._take().kind
            node = Comparison(operator, node, self._unary(), start, self._end)
            self._comparisons += 1
        return node

    def _unary(self) -> Node:
        if self._kind != "!":
            return self._postfix()
        start = self._take().start
        self._descend()
        operand = self._unary()
        self._depth -= 1
        return Not(operand, start, self._end)

    def _postfix(self) -> Node:
        start, depth = self._start, self._depth
        node, takes_index = self._operand()
        while takes_index:
            if self._accept("["):
                node = self._subscript(node, start)
            elif self._accept("."):
                node = self._property(node, start)
            else:
                break
        self._depth = depth
        return node

    def _subscript(self, target: Node, start: int) -> Node:
        star = self._tokens[self._next]
        key: Node | Wildcard
        key = Wildcard(star.start, star.end) if self._accept("*") else self._expression()
        self._expect("]")
        self._descend()
        return Index(target, key, start, self._end)

    def _property(self, target: Node, start: int) -> Node:
        self._descend()
        token = self._tokens[self._next]
        if self._accept("*"):
            return Index(target, Wildcard(token.start, token.end), start, token.end)
        if token.kind != lexer.NAME:
            raise self._unexpected()
        self._take()
        return Index(target, Literal(token.text, token.start, token.end), start, token.end)

    def _operand(self) -> _Operand:
        token = self._tokens[self._next]
        if token.kind == lexer.NAME:
            self._take()
            node = self._call(token) if self._accept("(") else self._context(token)
            return _Operand(node, takes_index=True)
        if token.kind in (lexer.STRING, lexer.NUMBER, lexer.KEYWORD):
            self._take()
            return _Operand(Literal(token.value, token.start, token.end), takes_index=False)
        if self._accept("("):
            return _Operand(self._group(), takes_index=True)
        if token.kind == lexer.END:
            raise self._error("Unexpected end of expression", self._tokens[self._next - 1])
        raise self._unexpected()

    def _group(self) -> Node:
        node = self._expression()
        if self._kind == lexer.END:
            raise self._error("Unexpected end of expression", self._tokens[self._next - 1])
        self._expect(")")
        return node

    def _context(self, token: lexer.Token) -> Node:
        if token.text.lower() not in self._contexts:
            raise self._error("Unrecognized named-value", token)
        return Context(token.text, token.start, token.end)

    def _call(self, token: lexer.Token) -> Node:
        arguments: list[Node] = []
        while not self._accept(")"):
            arguments.append(self._expression())
            if self._kind != ")":
                self._expect(",")
        name = self._check_call(token, len(arguments))
        return Call(name, tuple(arguments), token.start, self._end)

    # Checks

    def _check_call(self, token: lexer.Token, count: int) -> str:
        """Return the function's own name, after checking that it takes so many arguments."""
        known = self._functions.get(token.text.lower())
        if known is None:
            raise self._error("Unrecognized function", token)
        name, info = known
        if count < info.minimum:
            raise self._error("Too few parameters supplied", token)
        if info.maximum is not None and count > info.maximum:
            raise self._error("Too many parameters supplied", token)
        if info.only_odd and count % 2 == 0:
            even = "Even number of parameters supplied, requires an odd number of parameters"
            raise self._error(even, token)
        return name

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise self._error(_TOO_DEEP, self._tokens[self._next])
        self._deepest = max(self._deepest, self._depth)

    def _check_height(self, root: Node) -> None:
        """Refuse a long chain of comparisons, whose tree is deep though nothing is nested."""
        level: list[Node] = [root]
        for _ in range(MAXIMUM_DEPTH):
            level = [child for node in level for child in children(node)]
        if level:
            symbol = self._text[level[0].start : level[0].end]
            raise syntax_error("parsing", _TOO_DEEP, symbol, self._text, level[0].start)

    # Tokens

    @property
    def _kind(self) -> str:
        return self._tokens[self._next].kind

    @property
    def _start(self) -> int:
        """Where the next token starts, and with it the node about to be read."""
        return self._tokens[self._next].start

    @property
    def _end(self) -> int:
        """Where the last token that was taken ends, its closing parentheses included."""
        return self._tokens[self._next - 1].end

    def _take(self) -> lexer.Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _accept(self, kind: str) -> bool:
        if self._tokens[self._next].kind != kind:
            return False
        self._next += 1
        return True

    def _expect(self, kind: str) -> lexer.Token:
        if self._kind != kind:
            raise self._unexpected()
        return self._take()

    def _unexpected(self) -> FaultError:
        return self._error("Unexpected symbol", self._tokens[self._next])

    def _error(self, description: str, token: lexer.Token) -> FaultError:
        symbol = str(token.value) if token.kind == lexer.STRING else token.text
        return syntax_error("parsing", description, symbol, self._text, token.start)


_TOO_DEEP = f"Exceeded max expression depth {MAXIMUM_DEPTH}"
