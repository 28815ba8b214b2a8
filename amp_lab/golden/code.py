"""The graphs in a project's code, by name of the case."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amp_lab.common import checks
from amp_lab.errors import plain, quoted

from . import replay
from .cases import Blessed
from .verdict import GoldenError

SYNTAX = (
    "--code: no place in the code (got {got}, allowed MODULE:NAME, e.g. sounds:goldens). Name a function."
)


@dataclass(frozen=True, slots=True)
class Code:
    """A source of a Graph or a Render for the name of a case.

    Attributes
    ----------
    source : mapping or function
        A mapping by name, or a function that is called with the name. Each value may be a function without
        arguments that returns the graph.
    """

    source: Mapping[str, Any] | Callable[[str], Any]

    def of(self, name: str) -> Any:
        """Return the Graph or Render of a case.

        Raises
        ------
        GoldenError
            There is none, or making it failed.
        """
        from amp_lab.graph.graph import Graph  # noqa: PLC0415 - comparing needs no engine
        from amp_lab.render.render import Render  # noqa: PLC0415

        if isinstance(self.source, Mapping) and name not in self.source:
            known = checks.listed(map(str, self.source))
            raise GoldenError(
                f"{plain(name)}: no graph in the code (got {known}). Add it to what --code names."
            )
        try:
            given = self.source[name] if isinstance(self.source, Mapping) else self.source(name)
            return given() if callable(given) and not isinstance(given, Graph | Render) else given
        except Exception as error:  # code of the user may raise anything
            raise GoldenError(
                f"{plain(name)}: the graph in the code: {type(error).__name__}: {error}"
            ) from error


def render_of(blessed: Blessed, code: Code) -> Any:
    """Return the Render of the graph in the code of a case: its own, or one as long as the reference."""
    batches, _, frames = blessed.samples.shape
    return rendered(blessed.case.name, code.of(blessed.case.name), frames=frames, batches=batches)


def rendered(name: str, given: Any, *, frames: int, batches: int) -> Any:
    """Return a Render as it is, or that of a Graph.

    Raises
    ------
    GoldenError
        It is neither.
    """
    from amp_lab.graph.graph import Graph  # noqa: PLC0415 - comparing needs no engine
    from amp_lab.render.render import Render  # noqa: PLC0415

    if isinstance(given, Render):
        return given
    if not isinstance(given, Graph):
        raise GoldenError(
            f"{name}: no graph in the code (got {quoted(given)}, allowed a Graph or a Render). Give one."
        )
    return replay.sound(given, frames=frames, batches=batches)


def load(place: str, names: Sequence[str] = ()) -> Mapping[str, Any] | Callable[[str], Any]:
    """Import what `MODULE:NAME` names, with the working folder in front of the path from then on.

    A function without arguments is called: it returns a mapping of names of cases to graphs, or the graph of
    the one case in `names`. One with an argument is called with the name of a case.

    Raises
    ------
    GoldenError
        It is no such place, or cannot be imported.
    """
    module, _, name = place.partition(":")
    if not module or not name:
        raise GoldenError(SYNTAX.format(got=quoted(place)))
    from amp_lab.graph.graph import Graph  # noqa: PLC0415 - comparing needs no engine
    from amp_lab.render.render import Render  # noqa: PLC0415

    sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        if callable(found) and not _parameters(found):
            found = found()
    except Exception as error:  # code of the user may raise anything
        raise GoldenError(f"--code {place}: {type(error).__name__}: {error}") from error
    if isinstance(found, Graph | Render) and len(names) == 1:
        return {names[0]: found}
    graphs: Mapping[str, Any] | Callable[[str], Any] = found
    if not isinstance(graphs, Mapping) and not callable(graphs):
        raise GoldenError(
            f"--code {place}: neither a function nor graphs by name (got {quoted(found)}). "
            "Name a function that returns {case: graph}, or one that is called with the name of a case; "
            "a graph alone is that of the one case you name."
        )
    return graphs


def _parameters(function: Callable[..., Any]) -> int:
    """Return how many arguments a function must be called with."""
    parameters = inspect.signature(function).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)
