"""The notebook guard, tested by constructing each failure it must catch."""

from __future__ import annotations

import re
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from timed import timed

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def few_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no installed plug-in but those that `run` names: they take a second to import."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def write(
    folder: Path,
    *cells: tuple[str, str | None],
    counts: list[int | None] | None = None,
    name: str = "book.ipynb",
) -> None:
    """Write a notebook of (source, stored stdout or None) cells, executed in order or in the order of
    `counts`.
    """
    book = new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for i, (source, text) in enumerate(cells):
        outputs = [] if text is None else [new_output("stream", name="stdout", text=text)]
        count = counts[i] if counts else i + 1
        book.cells.append(new_code_cell(source, execution_count=count, outputs=outputs, id=f"cell{i}"))
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, folder / name)


def run(
    pytester: pytest.Pytester, *options: str, nbval: str = "--nbval", book: str = "book.ipynb"
) -> pytest.RunResult:
    """Run nbval with the guard on `book.ipynb`, or on what else is named."""
    plugins = ("nbval.plugin", "xdist.plugin", "amp_lab.golden.nbguard", "no:cacheprovider")
    guard = (*(f"-p{name}" for name in plugins), nbval, "--nbval-current-env", "--color=no")
    return pytester.runpytest_subprocess(*guard, *options, *book.split(" "))


def test_sound_notebook_passes(pytester: pytest.Pytester) -> None:
    """A notebook whose cells all run and print what is stored passes, and the guard counts the cells."""
    write(pytester.path, ("x = 2", None), ("print(x + 1)", "3\n"))
    result = run(pytester)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*nbguard: 2 code cells of 1 notebooks executed and compared*"])


@timed(30.0)
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT"])
def test_dead_kernel_is_reported_at_once(pytester: pytest.Pytester, name: str, within_s: float) -> None:
    """A kernel killed by a signal fails its cell within seconds, by name, and the cells after it."""
    die = f"import os, signal\nos.kill(os.getpid(), signal.{name})"
    write(pytester.path, ("x = 1", None), (die, None), ("x", None), counts=[1, 2, 3])
    start = time.monotonic()
    result = run(pytester)
    assert time.monotonic() - start < within_s
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            f"*The kernel died: killed by {name} (-*",
            f"*Not executed: the kernel died in Cell 1, killed by {name}*",
            "*nbguard: book.ipynb: executed 2 of 3 code cells*",
        ]
    )


def test_a_kernel_that_exits_is_reported(pytester: pytest.Pytester) -> None:
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


def test_lint_names_what_is_wrong(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to exclude a cell from the comparison is a failure with its place and its cure."""
    monkeypatch.delenv("CI", raising=False)  # after which pytest's summary repeats all of it
    cells: list[tuple[str, str | None, int, str]] = [
        ("x = 1", None, 1, ""),
        ("x = 3", None, 1, "executed out of order (got 1 after 1)"),
        ("1 + 1", None, 2, "no output stored"),
        ("print(2)", None, 3, "no output stored"),
        ("", None, 4, "empty code cell"),
        ("# NBVAL_IGNORE_OUTPUT\nprint(2)", "2\n", 5, "not compared (got a marker"),
        ("# NBVAL_SKIP\nprint(2)", "2\n", 6, "not executed (got a marker"),
    ]
    write(pytester.path, *((source, text) for source, text, *_ in cells), counts=[c[2] for c in cells])
    result = run(pytester)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = [line for line in result.stdout.lines if re.match(r"book\.ipynb Cell \d: ", line)]
    assert len(found) == len(cells) - 1
    for number, (line, (*_, problem)) in enumerate(zip(found, cells[1:], strict=True), 1):
        assert line.startswith(f"book.ipynb Cell {number}: {problem}")


def test_magics_and_calls_need_no_output(pytester: pytest.Pytester) -> None:
    """A magic, an assignment and a call that returns nothing are valid without output."""
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
    """`text/html` may differ between machines; the `text/plain` next to it may not."""
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


UNUSUAL = "übungen/sub folder/mein büch (1).ipynb"


def test_workers_are_counted_together(pytester: pytest.Pytester) -> None:
    """Under `-n 2` each notebook stays in one worker, and all cells are counted, for any names."""
    cells = (("x = 2", None), ("print(x + 1)", "3\n"), ("print(x + 2)", "4\n"))
    write(pytester.path, *cells, name=f"books/{UNUSUAL}")
    write(pytester.path, *cells, name="books/plain.ipynb")
    result = run(pytester, "-n2", book="books")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*nbguard: 6 code cells of 2 notebooks executed and compared*"])


def test_worker_that_dies_leaves_cells_unproved(pytester: pytest.Pytester) -> None:
    """Cells of a notebook whose worker ended before it could report are missing, not passed."""
    write(pytester.path, ("print(1)", "1\n"))
    pytester.makeconftest(
        "import os\ndef pytest_runtest_teardown(item):\n    if 'Cell' in item.name: os._exit(1)"
    )
    result = run(pytester, "-n1", "--max-worker-restart=0")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert " 0 of 0 " not in result.stdout.str() and "executed and compared" not in result.stdout.str()


@pytest.mark.parametrize(
    ("options", "book", "what"),
    [
        (("-n1",), "empty test_ok.py", "got no notebook in empty, test_ok.py,"),
        ((), "text.ipynb test_ok.py", "got 1 notebooks without one in text.ipynb, test_ok.py,"),
    ],
)
def test_nothing_to_guard_is_a_failure(
    pytester: pytest.Pytester, options: tuple[str, ...], book: str, what: str
) -> None:
    """A green session without a code cell fails and lists what it collected: never 0 of 0 passed."""
    pytester.mkdir("empty")
    write(pytester.path, name="text.ipynb")
    pytester.makepyfile(test_ok="def test_ok(): pass")
    result = run(pytester, *options, book=book)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*nbguard: no code cell was run ({what} allowed 1 cell and more)*"])


def test_guard_without_nbval_does_nothing(pytester: pytest.Pytester) -> None:
    """A project that names the guard in `addopts` runs its other tests as before."""
    pytester.makepyfile(test_ok="def test_ok(): pass")
    result = pytester.runpytest_inprocess("-p", "amp_lab.golden.nbguard", "test_ok.py")
    assert result.ret == 0 and "nbguard:" not in result.stdout.str()


def test_lax_run_needs_execution_only(pytester: pytest.Pytester) -> None:
    """With `--nbval-lax` only marked cells are compared, and the last line has their number."""
    check = ("# NBVAL_CHECK_OUTPUT\nprint(3)", "3\n")
    write(pytester.path / "with space", ("print(1)", "one\n"), check)
    result = run(pytester, nbval="--nbval-lax", book=".")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*nbguard: 2 code cells of 1 notebooks executed, 1 of them compared*"])


def test_strangers_nbval_suite_is_not_disturbed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the guard, markers and tags do with the plug-in what they do without it."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    write(
        pytester.path / "docs",
        ("print(1)", "1\n"),
        ("# NBVAL_SKIP\n1 / 0", None),
        ("# NBVAL_IGNORE_OUTPUT\nprint(2)", "two\n"),
        ("print(3)", "three\n"),
        ("1 / 0", None),
        ("raise SystemError('x')", None),
    )
    book = nbformat.read(pytester.path / "docs" / "book.ipynb", as_version=4)
    book.cells[4].metadata["tags"] = ["raises-exception", "nbval-ignore-output"]
    book.cells[5].metadata["tags"] = ["nbval-skip"]
    nbformat.write(book, pytester.path / "docs" / "book.ipynb")
    options = ("--nbval", "--nbval-current-env", "-v", "-p", "no:cacheprovider", "--junitxml=report.xml")
    seen = []
    for more in ((), ("-p", "no:amp_lab_golden")):
        result = pytester.runpytest_subprocess(*options, *more)
        result.assert_outcomes(passed=3, failed=1, skipped=2)
        report = Path("report.xml").read_text(encoding="utf-8")
        text = re.sub(r"in \d+\.\d+s|(?m:^plugins: .*$)", "", result.stdout.str())
        seen.append((text, re.sub(r'time(stamp)?="[^"]*"', "", report)))
    assert seen[0] == seen[1]
