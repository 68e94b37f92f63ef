"""Cuts the text of an expression into tokens.

Source: @actions/expressions src/lexer.ts; escaped quotes and numbers as in actions/runner
src/Sdk/Expressions/Tokens/LexicalAnalyzer.cs.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

from windlass.lang.expressions.faults import Fault, FaultError, syntax_error
from windlass.lang.expressions.numbers import WHITESPACE, parse_number

MAXIMUM_LENGTH = 21_000
"""The longest expression GitHub reads, in UTF-16 units."""

END = "end"
STRING = "string"
NUMBER = "number"
NAME = "name"
KEYWORD = "keyword"

_WORD_VALUES = {"true": True, "false": False, "null": None, "NaN": math.nan, "Infinity": math.inf}


class Token(NamedTuple):
    """One symbol: `kind` is the symbol itself for punctuation; `value` is set for constants."""

    kind: str
    text: str
    start: int
    end: int
    value: bool | float | str | None = None


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    boundary = re.escape("()[],.!><=&|" + WHITESPACE)
    return re.compile(
        rf"(?P<space>[ \t\r\n]+)"
        rf"|(?P<string>'(?:[^']|'')*+')"
        rf"|(?P<symbol>==|!=|<=|>=|&&|\|\||[()\[\],*!<>])"
        rf"|(?P<dot>\.)"
        rf"|(?P<number>[0-9+\-](?:[^{boundary}]|\.)*)"
        rf"|(?P<word>[\s\S][^{boundary}]*)"
    )


@lru_cache(maxsize=1)
def _legal_name() -> re.Pattern[str]:
    return re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@lru_cache(maxsize=1)
def _number_rest() -> re.Pattern[str]:
    boundary = re.escape("()[],!><=&|" + WHITESPACE)
    return re.compile(rf"[^{boundary}]*")


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text, the last one being END.

    Raises FaultError for a text that is too long or holds a symbol no expression has.
    """
    _check_length(text)
    tokens: list[Token] = []
    match_at = _pattern().match
    position, last_start = 0, 0
    while position < len(text):
        found = match_at(text, position)
        assert found is not None  # noqa: S101 (the last alternative takes any character)
        kind, last_start = found.lastgroup, position
        position = found.end()
        if kind == "space":
            last_start = position - 1
        elif kind == "symbol":
            symbol = found.group()
            tokens.append(Token(symbol, symbol, last_start, position))
        else:
            tokens.append(_read(str(kind), text, last_start, position, tokens))
            position = tokens[-1].end
    tokens.append(Token(END, "EOF", last_start, len(text)))
    return tokens


def _check_length(text: str) -> None:
    astral = 0 if text.isascii() else sum(character > "\uffff" for character in text)
    if len(text) + astral > MAXIMUM_LENGTH:
        raise FaultError(Fault("lexing", f"Exceeded max expression length {MAXIMUM_LENGTH}"))


def _read(kind: str, text: str, start: int, end: int, before: list[Token]) -> Token:
    previous = before[-1].kind if before else ""
    match kind:
        case "string":
            return Token(
                STRING, text[start:end], start, end, text[start + 1 : end - 1].replace("''", "'")
            )
        case "number":
            return _read_number(text, start, end)
        case "dot" if previous in (NAME, "]", ")", "*"):
            return Token(".", ".", start, end)
        case "dot":
            rest = _number_rest().match(text, end)
            return _read_number(text, start, rest.end() if rest else end)
        case _:
            return _read_word(text, start, end, previous)


def _read_number(text: str, start: int, end: int) -> Token:
    symbol = text[start:end]
    value = parse_number(symbol)
    if math.isnan(value):
        raise syntax_error("lexing", "Unexpected symbol", symbol, text, start)
    return Token(NUMBER, symbol, start, end, value)


def _read_word(text: str, start: int, end: int, previous: str) -> Token:
    word = text[start:end]
    if word[0] == "'":  # a string that never ends
        raise syntax_error("lexing", "Unexpected symbol", text[start:], text, start)
    if not _legal_name().fullmatch(word):
        raise syntax_error("lexing", "Unexpected symbol", word, text, start)
    if word in _WORD_VALUES and previous != ".":
        value = _WORD_VALUES[word]
        return Token(NUMBER if isinstance(value, float) else KEYWORD, word, start, end, value)
    return Token(NAME, word, start, end)
