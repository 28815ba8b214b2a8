"""Small faults in Python code: which a module can have, and the module with one of them.

A mutation is one node of the syntax tree replaced. Names of mutations hold no line numbers, so that they stay
the same while code around them changes.
"""

from __future__ import annotations

import ast
import copy
import gc
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}
CONVERSIONS = {"float", "int", "str", "bool", "tuple", "list", "dict", "set", "iter", "len", "bytes", "type"}
"""Calls that are not replaced by their argument: most such changes have no visible effect."""
WORD = re.compile(r"[\w.-]+")
"""Strings that are data: keys, kinds, file names. Sentences for people are not mutated."""


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Attributes
    ----------
    name : str
        ``function: old -> new``, with ``#2`` for the second of one name, and so on.
    function : str
        Qualified name of the outermost function whose body it is in; empty outside of any.
    line : int
    statement : range
        Lines of the statement it is in, of a compound one those of its head.
    """

    name: str
    function: str
    line: int
    statement: range


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.copy(node)
    for key, value in fields.items():
        setattr(new, key, value)
    return new


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield _with(node, value=not value)
    elif isinstance(value, int):
        yield _with(node, value=value + 1)
    elif isinstance(value, float):
        yield _with(node, value=value * 2.0 or 1.0)
    elif isinstance(value, str) and WORD.fullmatch(value):
        yield _with(node, value=value + "_")


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and (other := OPPOSITES.get(node.func.id)):
        yield _with(node, func=ast.copy_location(ast.Name(other, ast.Load()), node.func))
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    made = called[:1].isupper() or called in CONVERSIONS or called in OPPOSITES
    if len(node.args) == 1 and not node.keywords and not made and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Possible replacements of a node."""
    match node:
        case ast.Compare(ops=[op]):
            yield from (_with(node, ops=[new()]) for new in COMPARISONS[type(op)])
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for i in range(len(values)):
                left = values[:i] + values[i + 1 :]
                yield left[0] if len(left) == 1 else _with(node, values=left)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.IfExp():
            yield from (node.body, node.orelse)
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call() | ast.NamedExpr() as test):
            yield _with(node, test=ast.copy_location(ast.UnaryOp(ast.Not(), test), test))
        case ast.For() | ast.comprehension():
            nothing = ast.copy_location(ast.Tuple([], ast.Load()), node.iter)
            yield _with(node, iter=nothing)
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise():
            yield ast.copy_location(ast.Pass(), node)
        case ast.Break() | ast.Continue():
            yield ast.copy_location(ast.Continue() if isinstance(node, ast.Break) else ast.Break(), node)
        case ast.Constant():
            yield from _constants(node)
        case ast.Call():
            yield from _calls(node)


def _skipped(parent: ast.AST, field: str, child: ast.AST) -> bool:
    """Whether a part of the tree has no mutations: types, decorators, texts, checks of equal lengths."""
    match parent, field, child:
        case _, "annotation" | "returns" | "decorator_list" | "format_spec" | "type_params", _:
            return True
        case _, _, ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            return True
        case _, _, ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case _, _, ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
        case ast.Call(func=ast.Name(id="zip")), "keywords", _:
            return True
        case ast.JoinedStr(), _, ast.Constant():
            return True
    return False


def _head(node: ast.stmt) -> range:
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    last = max(getattr(body[0], "lineno", node.lineno + 1) - 1, node.lineno) if body else node.end_lineno
    return range(node.lineno, (last or node.lineno) + 1)


def _places(
    parent: ast.AST, scope: str = "", function: str = "", statement: range = range(1)
) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, str, str, range]]:
    """Yield parent, field, index, node, scope, function and statement of every node that may be mutated."""
    defines = isinstance(parent, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    inner = f"{scope}.{parent.name}".lstrip(".") if defines else scope
    for field, value in ast.iter_fields(parent):
        within = function
        if defines and field == "body" and not isinstance(parent, ast.ClassDef):
            within = function or inner
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _skipped(parent, field, child):
                lines = _head(child) if isinstance(child, ast.stmt) else statement
                yield parent, field, index, child, inner, within, lines
                yield from _places(child, inner, within, lines)


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else text[:40] + " ... " + text[-15:]


def mutated(source: str) -> Iterator[tuple[Mutation, ast.Module]]:
    """Yield every mutation of a module with the tree that holds it; the tree is good until the next one."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for parent, field, index, node, scope, function, lines in list(_places(tree)):
        for new in replacements(node):
            before, after = _short(node), _short(new)
            if isinstance(node, ast.For | ast.If):  # the head will do
                before, after = before.partition(":")[0], after.partition(":")[0]
            name = f"{scope or 'module'}: {before} -> {after}"
            seen[name] += 1
            name += f" #{seen[name]}" if seen[name] > 1 else ""
            _put(parent, field, index, new)
            line = getattr(node, "lineno", lines.start)
            yield Mutation(name, function, line, lines), tree
            _put(parent, field, index, node)


def without_texts(source: str) -> str:
    """Return the code without docstrings and comments: what results of mutations depend on."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [
                one
                for one in node.body
                if not isinstance(getattr(one, "value", None), ast.Constant) or not isinstance(one, ast.Expr)
            ] or [ast.Pass()]
    return ast.unparse(tree)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


# ---- in this process ----


def codes(code: CodeType) -> Iterable[CodeType]:
    """Yield a code object and all inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def replaced(file: Path, index: int) -> bool:
    """Put the mutated body into the live functions; False if there are none: a new process is needed."""
    found = chosen(file, index)
    code, function = compile(found[1], str(file), "exec"), found[0].function
    news = [c for c in codes(code) if c.co_qualname == function and c.co_firstlineno <= found[0].line]
    if not function or not news:
        return False
    new = max(news, key=lambda c: c.co_firstlineno)
    live = [
        f
        for f in gc.get_objects()
        if isinstance(f, FunctionType)
        and (f.__code__.co_filename, f.__code__.co_qualname, f.__code__.co_firstlineno)
        == (str(file), function, new.co_firstlineno)
    ]
    if not live or any(f.__code__.co_freevars != new.co_freevars for f in live):
        return False
    for f in live:
        f.__code__ = new
    return True


def chosen(file: Path, index: int) -> tuple[Mutation, Any]:
    """Return a mutation of a file and its tree."""
    for i, found in enumerate(mutated(file.read_text(encoding="utf-8"))):
        if i == index:
            return found
    raise IndexError(index)


class Finder(PathFinder):
    """Imports one module with a mutation."""

    def __init__(self, file: Path, index: int) -> None:
        self.file, self.index = file, index

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:  # type: ignore[override]
        """As `PathFinder` does, with another loader for the file."""
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin != str(self.file):
            return None
        tree = chosen(self.file, self.index)[1]
        loader = SourceFileLoader(fullname, str(self.file))
        loader.get_code = lambda _: compile(tree, str(self.file), "exec")  # type: ignore[method-assign]
        spec.loader = loader
        return spec
