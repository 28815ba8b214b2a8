"""Every block of code on a page runs, can be given, or is marked as text; none is left unmarked.

``{code-cell}`` blocks run when the site is built (`tests/site`), the files of `docs/howto/project.md` in
`tests/test_strangers_project.py`. All others are looked at here: Python runs, page by page, from top to
bottom; commands of the shell have programs, options, targets and files that exist; YAML, TOML and JSON can be
read.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tokenize
import tomllib
from io import StringIO
from pathlib import Path

import pytest
import yaml
from doc_pages import ROOT, Block, blocks, name, pages, prose
from test_docs_names import faults_of_command

DIRECTIVES = {
    *("toctree", "eval-rst", "include", "literalinclude", "image", "glossary", "code-block", "code-cell"),
    *("grid", "grid-item-card"),
}
LANGUAGES = {"python", "sh", "c", "cmake", "yaml", "toml", "json", "text"}
GENERATED = ("docs/nodes/", "docs/abi.md")
"""Pages whose blocks are run, or copied from a file, when they are made by `docs/figures.py`."""
CELLS = {"docs/howto/crash.md", "docs/howto/goldens.md"}
"""Pages whose Python blocks continue from their cells."""
BEFORE = {
    "docs/api/errors.md": "import amp_lab as amp\ngraph = amp.Graph()\n",
    "docs/contracts/goldens.md": """
import amp_lab as amp
g = amp.Graph(name="wind")
g.output(g.noise(amplitude=0.5, seed=3))
from pathlib import Path
Path("goldens").mkdir()
amp.golden.store("wind", g.render(seconds=0.1), graph=g, reason="an example", goldens="goldens")
""",
}
"""What a page's blocks of Python take for granted, in words before them."""
AFTER = {
    "docs/contracts/goldens.md": "assert np.array_equal(samples, g.render(seconds=0.1).audio)\n",
    "docs/howto/goldens.md": """
test_wind_is_the_one_we_listened_to(lambda name, render: amp.golden.check(name, render).passed or 1 / 0)
assert goldens()["wind"] is wind
""",
}
"""What has to hold once they have run."""

INDENTED = re.compile(r"^(?:|#.*)\n((?: {4}|\t)\S.*)", re.MULTILINE)
"""The first line of a block that is made by indenting it."""


def found(*languages: str) -> list[Block]:
    """Return the blocks of some languages that are written by hand."""
    return [
        block
        for page in pages()
        if not name(page).startswith(GENERATED)
        for block in blocks(page)
        if block.language in languages and block.directive in ("", "code-block")
    ]


def test_every_block_says_what_it_is() -> None:
    """A fence has a language or a directive of the lists above, and no block is made by indenting."""
    wrong = []
    for page in pages():
        for block in blocks(page):
            known = block.directive in DIRECTIVES if block.directive else block.language in LANGUAGES
            wrong += [] if known else [f"{block}: {block.directive or block.language or 'no language'}"]
        indented = INDENTED.findall(_outside_lists(prose(page)))
        wrong += [f"{name(page)}: a block without a fence: {line.strip()}" for line in indented]
    assert not wrong, "\n".join(wrong)


def _outside_lists(text: str) -> str:
    """Return a text without the paragraphs of lists, which are indented too."""
    return re.sub(r"(?m)^(?:[*+-]|\d+\.|:) .*(?:\n(?!\S).*)*", "", text)


def program(page: Path) -> tuple[str, list[str]]:
    """Return a page's Python as one program, and the lines that it says are printed."""
    cells = name(page) in CELLS
    taken = [b for b in blocks(page) if b.language == "python" and b.directive == ""]
    if cells:
        taken = [b for b in blocks(page) if b.language == "python" or b.directive == "code-cell"]
    texts = [block.text for block in taken]
    before, after = BEFORE.get(name(page), ""), AFTER.get(name(page), "")
    whole = "\n".join([*texts[:1], before, *texts[1:]]) if cells else "\n".join([before, *texts])
    return f"{whole}\n{after}", [line for text in texts for line in printed(text)]


def printed(text: str) -> list[str]:
    """Return what comments behind calls of `print` promise, but for those of a crash that does not happen."""
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    tree = ast.parse(text)
    caught = {
        id(node)
        for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler)
        for node in ast.walk(handler)
    }
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print" and id(node) not in caught
    ]
    return [comments[node.end_lineno or 0] for node in calls if node.end_lineno in comments]


PYTHON = sorted({block.page for block in found("python") if not block.caption})


@pytest.mark.parametrize("page", PYTHON, ids=name)
def test_python_runs_and_prints_what_it_says(page: Path, tmp_path: Path) -> None:
    """The blocks of a page, one after the other in an empty folder; comments after `print` are the output."""
    code, lines = program(page)
    path = tmp_path / "page.py"
    path.write_text(code, encoding="utf-8")
    command = [sys.executable, "-P", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for line in lines:
        assert line in done.stdout.splitlines()


def test_pages_with_python_are_found() -> None:
    """README, sessions, widgets and errors are among them, and lines that are compared."""
    assert {"README.md", "docs/streaming.md", "docs/widgets.md", "docs/api/errors.md"} <= {*map(name, PYTHON)}
    assert sum(len(program(page)[1]) for page in PYTHON) > 1


def test_commands_of_the_shell_can_be_given() -> None:
    """Programs, targets, options, presets and files of every line exist."""
    seen = found("sh")
    assert len(seen) > 4
    wrong = []
    for block in seen:
        for line in block.text.replace("\\\n", " ").splitlines():
            for command in re.split(r"&&|\||;", line.partition("  #")[0]):
                wrong += [f"{block}: {line}: {fault}" for fault in faults_of_command(command)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("block", found("yaml", "toml", "json"), ids=str)
def test_data_can_be_read(block: Block) -> None:
    """YAML, TOML and JSON are what they are marked as, and the commands in a workflow can be given."""
    if block.language == "toml":
        assert tomllib.loads(block.text)
    elif block.language == "json":
        assert json.loads(block.text)
    else:
        read = yaml.safe_load(block.text)
        assert read
        runs = re.findall(r"^\s*- run: ([^#\n]*)", block.text, re.MULTILINE)
        assert [fault for run in runs for fault in faults_of_command(run)] == []


def test_an_unmarked_block_would_be_found() -> None:
    """A fence without a language, and lines that are indented only."""
    page = ROOT / "docs" / "index.md"
    assert blocks(page)
    text = "A page.\n\n    code\n\n* a point\n\n    of a list\n"
    assert INDENTED.findall(_outside_lists(text)) == ["    code"]
    assert printed("print(1)  # 1\ntry:\n    pass\nexcept E:\n    print(2)  # 2\n") == ["1"]
