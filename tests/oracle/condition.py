"""Conditions: the part of CEL that scoring rules need, read from the language definition.

A reference to an absent field is an error value. `&&` and `||` absorb errors where the other side decides.
"""

import functools
import re

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.\d+|\d+)|(?P<string>\"[^\"]*\"|'[^']*')|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<op>&&|\|\||==|!=|<=|>=|[-<>!()\[\].,]))"
)
COMPARISONS = {"==", "!=", "<", "<=", ">", ">=", "in"}


class CelError(Exception):
    """The value of an expression that has none."""


def tokens(source):
    found, place = [], 0
    source = source.strip()
    while place < len(source):
        match = TOKEN.match(source, place)
        if not match:
            raise SyntaxError(f"cannot read {source[place:]!r}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    return found + [("end", "")]


class Parser:
    """Recursive descent; yields closures from variables to a value."""

    def __init__(self, source):
        self.tokens, self.place = tokens(source), 0

    def peek(self):
        return self.tokens[self.place][1] if self.tokens[self.place][0] != "string" else None

    def take(self, text=None):
        kind, value = self.tokens[self.place]
        if text is not None and (kind == "string" or value != text):
            raise SyntaxError(f"expected {text!r}, found {value!r}")
        self.place += 1
        return kind, value

    def parse(self):
        expression = self.disjunction()
        if self.tokens[self.place][0] != "end":
            raise SyntaxError(f"unexpected {self.peek()!r}")
        return expression

    def chain(self, operator, absorbing, operand):
        left = operand()
        while self.peek() == operator:
            self.take()
            left = either(left, operand(), absorbing)
        return left

    def disjunction(self):
        return self.chain("||", True, self.conjunction)

    def conjunction(self):
        return self.chain("&&", False, self.relation)

    def relation(self):
        left = self.unary()
        while self.peek() in COMPARISONS:
            operator = self.take()[1]
            left = comparison(operator, left, self.unary())
        return left

    def unary(self):
        if self.peek() == "!":
            self.take()
            inner = self.unary()
            return lambda scope: not boolean(inner(scope))
        if self.peek() == "-":
            self.take()
            inner = self.unary()
            return lambda scope: -number(inner(scope))
        return self.member()

    def member(self):
        value = self.primary()
        while self.peek() in (".", "["):
            if self.take()[1] == ".":
                name = self.take()[1]
                if self.peek() == "(":
                    self.take()
                    argument = self.disjunction()
                    self.take(")")
                    value = method(name, value, argument)
                else:
                    value = select(value, name)
            else:
                kind, key = self.take()
                if kind != "string":
                    raise SyntaxError("an index must be a literal")
                self.take("]")
                value = select(value, key[1:-1])
        return value

    def primary(self):
        kind, text = self.take()
        if kind == "number":
            constant = float(text) if "." in text else int(text)
            return lambda scope: constant
        if kind == "string":
            return lambda scope: text[1:-1]
        if text == "(":
            inner = self.disjunction()
            self.take(")")
            return inner
        if text == "[":
            return self.list()
        if text == "has":
            self.take("(")
            inner = self.member()
            self.take(")")
            return lambda scope: present(inner, scope)
        if text in ("true", "false", "null"):
            constant = {"true": True, "false": False, "null": None}[text]
            return lambda scope: constant
        if kind == "name":
            return lambda scope: field(scope, text)
        raise SyntaxError(f"unexpected {text!r}")

    def list(self):
        elements = []
        while self.peek() != "]":
            elements.append(self.disjunction())
            if self.peek() == ",":
                self.take()
        self.take("]")
        return lambda scope: [element(scope) for element in elements]


def field(record, name):
    if not isinstance(record, dict) or record.get(name) is None:
        raise CelError(f"no such field {name}")
    return record[name]


def select(value, name):
    return lambda scope: field(value(scope), name)


def present(inner, scope):
    try:
        inner(scope)
        return True
    except CelError:
        return False


def boolean(value):
    if not isinstance(value, bool):
        raise CelError("not a boolean")
    return value


def number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CelError("not a number")
    return value


def either(left, right, absorbing):
    """`||` when absorbing is True, `&&` when it is False."""

    def run(scope):
        error = None
        for side in (left, right):
            try:
                if boolean(side(scope)) is absorbing:
                    return absorbing
            except CelError as failure:
                error = failure
        if error:
            raise error
        return not absorbing

    return run


def equal(a, b):
    numbers = [isinstance(x, (int, float)) and not isinstance(x, bool) for x in (a, b)]
    if all(numbers):
        return a == b
    return type(a) is type(b) and a == b


def comparison(operator, left, right):
    def run(scope):
        a, b = left(scope), right(scope)
        if operator == "==":
            return equal(a, b)
        if operator == "!=":
            return not equal(a, b)
        if operator == "in":
            return any(equal(a, element) for element in b)
        if not (isinstance(a, str) and isinstance(b, str)):
            a, b = number(a), number(b)
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]

    return run


def method(name, value, argument):
    def run(scope):
        text, other = value(scope), argument(scope)
        if not (isinstance(text, str) and isinstance(other, str)):
            raise CelError("not a string")
        if name == "startsWith":
            return text.startswith(other)
        if name == "endsWith":
            return text.endswith(other)
        if name == "contains":
            return other in text
        raise CelError(f"no such method {name}")

    return run


@functools.cache
def compile_condition(source):
    """A function from variables to whether the condition holds; an error is no match."""
    expression = Parser(source).parse()

    def holds(scope):
        try:
            return expression(scope) is True
        except CelError:
            return False

    return holds
