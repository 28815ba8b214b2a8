"""The notebook guard, tested by constructing each failure it must catch."""

from __future__ import annotations

import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

pytest_plugins = ["pytester"]


def write(folder: Path, *cells: tuple[str, str | None], counts: list[int | None] | None = None) -> None:
    """Write `book.ipynb` of (source, stored stdout or None) cells, executed in order or as `counts` says."""
    book = new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for i, (source, text) in enumerate(cells):
        outputs = [] if text is None else [new_output("stream", name="stdout", text=text)]
        count = counts[i] if counts else i + 1
        book.cells.append(new_code_cell(source, execution_count=count, outputs=outputs, id=f"cell{i}"))
    nbformat.write(book, folder / "book.ipynb")


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run nbval with the guard on `book.ipynb`."""
    guard = (
        "-p",
        "amp_lab.golden.nbguard",
        "--nbval",
        "--nbval-current-env",
        "--color=no",
        "-p",
        "no:cacheprovider",
    )
    return pytester.runpytest_subprocess(*guard, *options, "book.ipynb")


def test_sound_notebook_passes(pytester: pytest.Pytester) -> None:
    """A notebook whose cells all run and print what is stored passes, and the guard counts the cells."""
    write(pytester.path, ("x = 2", None), ("print(x + 1)", "3\n"))
    result = run(pytester)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*nbguard: 2 code cells of 1 notebooks executed and compared*"])


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT"])
def test_dead_kernel_is_reported_at_once(pytester: pytest.Pytester, name: str) -> None:
    """A kernel that dies by a signal fails its cell within seconds, by name, and the cells after it."""
    die = f"import os, signal\nos.kill(os.getpid(), signal.{name})"
    write(pytester.path, ("x = 1", None), (die, None), ("x", None), counts=[1, 2, 3])
    start = time.monotonic()
    result = run(pytester)
    assert time.monotonic() - start < 30.0
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            f"*The kernel died: killed by {name} (-*",
            f"*Not executed: the kernel died in Cell 1, killed by {name}*",
            "*nbguard: book.ipynb: executed 2 of 3 code cells*",
        ]
    )


def test_kernel_exit_is_a_death_too(pytester: pytest.Pytester) -> None:
    """A kernel that ends without a signal is reported with its exit code."""
    write(pytester.path, ("import os\nos._exit(3)", None))
    result = run(pytester)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*The kernel died: exit code 3*"])


def test_changed_output_fails(pytester: pytest.Pytester) -> None:
    """Text that differs from the stored text fails its cell."""
    write(pytester.path, ("print('three_osc: FAIL')", "three_osc: PASS\n"))
    result = run(pytester)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*Cell outputs differ*"])


def test_unexecuted_cell_fails(pytester: pytest.Pytester) -> None:
    """nbval never compares a cell without an execution count; the guard refuses it."""
    write(pytester.path, ("print(1)", None), counts=[None])
    result = run(pytester)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*book.ipynb Cell 0: not executed*"])


@pytest.mark.parametrize(
    ("source", "text", "count", "problem"),
    [
        ("x = 3", None, 1, "executed out of order (got 1 after 1)"),
        ("1 + 1", None, 2, "no output stored"),
        ("print(2)", None, 2, "no output stored"),
        ("", None, 2, "empty code cell"),
        ("# NBVAL_IGNORE_OUTPUT\nprint(2)", "2\n", 2, "not compared"),
        ("# NBVAL_SKIP\nprint(2)", "2\n", 2, "not compared"),
    ],
)
def test_lint_names_what_is_wrong(
    pytester: pytest.Pytester, source: str, text: str | None, count: int, problem: str
) -> None:
    """Each way in which a cell escapes the comparison is a failure with its place and its cure."""
    write(pytester.path, ("x = 1", None), (source, text), counts=[1, count])
    result = run(pytester)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert f"book.ipynb Cell 1: {problem}" in result.stdout.str()


def test_magics_and_calls_need_no_output(pytester: pytest.Pytester) -> None:
    """A magic, an assignment and a call that returns nothing are sound without output."""
    write(
        pytester.path, ("%config Application.log_level = 30", None), ("y = []", None), ("y.append(1)", None)
    )
    assert run(pytester).ret == 0


def test_deselected_cell_fails(pytester: pytest.Pytester) -> None:
    """A cell that was left out of the run is not proved."""
    write(pytester.path, ("print(1)", "1\n"), ("print(2)", "2\n"))
    result = run(pytester, "--deselect", "book.ipynb::Cell 1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*nbguard: book.ipynb: executed 1 of 2 code cells*"])


@pytest.mark.parametrize(("stored", "code"), [("steady", 0), ("changed", 1)])
def test_html_is_ignored_but_its_text_is_not(pytester: pytest.Pytester, stored: str, code: int) -> None:
    """`text/html` may differ between machines; the `text/plain` beside it may not."""
    source = (
        "class Player:\n"
        "    def __repr__(self): return 'steady'\n"
        "    def _repr_html_(self): return f'<b>{id(self)}</b>'\n"
        "Player()"
    )
    write(pytester.path, (source, None))
    book = nbformat.read(pytester.path / "book.ipynb", as_version=4)
    data = {"text/plain": stored, "text/html": "<b>0</b>"}
    book.cells[0].outputs = [new_output("execute_result", data=data, execution_count=1)]
    nbformat.write(book, pytester.path / "book.ipynb")
    assert run(pytester).ret == code
