"""Sphinx: how the pages of this folder and the notebooks become ``build/site`` (``make docs``)."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import version as version_of
from pathlib import Path

from docutils import nodes
from matplotlib import image
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from amp_lab import catalog

DOCS = Path(__file__).resolve().parent
NOTEBOOKS = DOCS / "notebooks"
ARRAY = re.compile(r"~?numpy\.ndarray\[tuple\[~?typing\.Any, \.\.\.\], ~?numpy\.dtype\[~?numpy\.float64\]\]")
PAPER, PAPER_SHARE = 0.85, 0.6
"""Least brightness of paper, and least share of it in a drawing."""

project = "amp_lab"
author = "The amp_lab authors"
project_copyright = "2026, the amp_lab authors"
release = version = version_of("amp-lab")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["nodes/examples"]
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [
    (
        "py:class",
        r"(amp_lab\.(plan\.schedule|lowlevel\.library)\.)?(Schedule|PlanFacts|Pyramid|Place)",
    ),  # shown by their short names
    # What nodes and taps belong to: the pages are those of Graph and Session.
    (
        "py:class",
        r"amp_lab\.(graph\.edits\.(edited_graph\.EditedGraph|nodes\.NodeTable)|render\.running\.Running)",
    ),
    # Types of other projects: their pages are not on this machine.
    (
        r"py:.*",
        r"(np|npt|numpy|matplotlib|anywidget|ipywidgets|traitlets|pathlib|types|collections|contextlib|t)\..*",
    ),
    (r"py:.*", r"(Figure|Axes|Path|Any|Self|Literal|ModuleType)"),
    # Aliases and protocols of signatures, which say by their names what may be passed.
    (
        r"py:.*",
        r"(.*\.)?(Layout|FloatArray|Samples|Scale|Isolation|Nonfinite|Source|Progress|Streams?|Thermo|State|Descriptors|RenderParts|\w+Like)",
    ),
]

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["mystnb.unknown_mime_type"]  # players and views have text beside them

# Committed notebooks show what they printed; pages with code cells are run, and an error fails the build.
nb_execution_mode = "force"
nb_execution_excludepatterns = ["notebooks/*"]
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 120
nb_ipywidgets_js = {}  # saved notebooks hold no widget state: nothing is fetched for it
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False
add_module_names = False
maximum_signature_line_length = 88

highlight_language = "text"

html_theme = "furo"
html_title = "amp_lab"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/mark.svg"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_logo": "mark.svg",
    "dark_logo": "mark.svg",
    "sidebar_hide_name": False,
    "light_css_variables": {
        "color-brand-primary": "#1a5f9c",
        "color-brand-content": "#1a5f9c",
        "color-brand-visited": "#1a5f9c",
        "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif",
        "font-stack--monospace": "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6cb6f0",
        "color-brand-content": "#6cb6f0",
        "color-brand-visited": "#6cb6f0",
    },
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


class Themed(SphinxTransform):
    """A picture of a widget is taken in both themes: show the one that fits, whichever a page names."""

    default_priority = 100

    def apply(self) -> None:
        """Put the twin beside every ``*_light`` or ``*_dark`` picture."""
        for picture in list(self.document.findall(nodes.image)):
            stem = Path(picture["uri"])
            name, _, theme = stem.stem.rpartition("_")
            if theme not in ("light", "dark"):
                continue
            twins = []
            for one in ("light", "dark"):
                twin = picture.deepcopy()
                twin["uri"] = str(stem.with_name(f"{name}_{one}{stem.suffix}"))
                twin["classes"] += [f"only-{one}", "widget"]
                twins.append(twin)
            picture.replace_self(twins)


def mark_figures(app: Sphinx, doctree: nodes.document, _: str) -> None:
    """Tell drawings on paper, which a dark page turns round, from pictures whose colours mean something."""
    for picture in doctree.findall(nodes.image):
        path = app.srcdir / picture["uri"]
        if path.suffix == ".svg" and path.parent.name == "cases":
            picture["classes"].append("plot")
        if path.suffix == ".png" and "widget" not in picture["classes"]:
            paper = float((image.imread(path)[..., :3].min(axis=2) > PAPER).mean())
            picture["classes"].append("plot" if paper > PAPER_SHARE else "chart")


def bring_notebooks(_: Sphinx) -> None:
    """Copy the executed notebooks in: Sphinx reads nothing above its own folder."""
    shutil.rmtree(NOTEBOOKS, ignore_errors=True)
    NOTEBOOKS.mkdir()
    for notebook in sorted((DOCS.parent / "notebooks").glob("*.ipynb")):
        shutil.copy2(notebook, NOTEBOOKS)


def skip_builder(_app: Sphinx, _what: str, name: str, found: object, *_: object) -> bool | None:
    """Leave out the builders of a graph: each has a page of its own."""
    builder = name in catalog.types() and getattr(found, "__qualname__", "") == f"Graph.{name}"
    return True if builder else None


def name_arrays(*event: object) -> tuple[str | None, ...]:
    """Call arrays of numbers FloatArray in signatures, as the code does."""
    return tuple(text and ARRAY.sub("FloatArray", str(text)) for text in event[-2:])


def setup(app: Sphinx) -> None:
    """Register what is ours."""
    app.connect("doctree-resolved", mark_figures)
    app.connect("autodoc-process-signature", name_arrays)
    app.connect("autodoc-skip-member", skip_builder)
    app.add_transform(Themed)
    app.connect("builder-inited", bring_notebooks, priority=1)
