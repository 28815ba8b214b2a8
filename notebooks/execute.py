"""Execute notebooks in place and store their outputs: ``python notebooks/execute.py [NOTEBOOK ...]``.

Neither widget state nor views of widgets are stored, since both carry identifiers that change with every run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def execute(path: Path) -> None:
    """Run one notebook from its own folder, as a reader would."""
    book = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        book, timeout=120, kernel_name="python3", resources=resources, store_widget_state=False
    )
    client.execute()
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    book.metadata.language_info = {"name": "python"}
    nbformat.validate(book)
    nbformat.write(book, path)


def main(names: list[str]) -> None:
    """Execute the named notebooks, or all of them."""
    for path in [Path(name) for name in names] or sorted(FOLDER.glob("*.ipynb")):
        execute(path)
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
