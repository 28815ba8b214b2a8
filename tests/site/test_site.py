"""The documentation builds without a warning, needs no internet, and every link in it leads somewhere."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

import pytest
from browser.lab import chromium
from playwright.sync_api import sync_playwright

import amp_lab as amp

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "site"
BUILD = ("-E", "-W", "--keep-going", "--nitpicky", "--quiet", "docs", str(SITE))
FETCHED = {"script": "src", "link": "href", "img": "src", "audio": "src", "source": "src", "iframe": "src"}
MODULES = (
    "amp_lab",
    "amp_lab.golden",
    "amp_lab.measure",
    "amp_lab.options",
    "amp_lab.plots",
    "amp_lab.presets",
    "amp_lab.widgets",
)


@dataclass
class Page(HTMLParser):
    """What a page fetches, the targets of its links, and the anchors in it."""

    fetched: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {key: value for key, value in attrs if value is not None}
        self.anchors |= {of[key] for key in ("id", "name") if key in of}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        elif of.get(FETCHED.get(tag, "")):
            self.fetched.append(of[FETCHED[tag]])


@pytest.fixture(scope="module")
def pages() -> Iterator[Mapping[Path, Page]]:
    """All pages of a newly built site, by their files."""
    command = [sys.executable, "-P", "-m", "sphinx", *BUILD]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {}
    for path in sorted(SITE.rglob("*.html")):
        found[path] = Page()
        found[path].feed(path.read_text(encoding="utf-8"))
    assert len(found) > len(amp.catalog.types())
    yield MappingProxyType(found)


def test_nothing_is_fetched_from_elsewhere(pages: Mapping[Path, Page]) -> None:
    """Scripts, styles, fonts and pictures of pages and style sheets are files of the site, or in the page."""
    used = [(path, url) for path, page in pages.items() for url in page.fetched]
    for sheet in SITE.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        used += [(sheet, url.strip("\"' ")) for url in re.findall(r"url\(([^)]*)\)", text)]
        assert "@import" not in text, sheet
    assert used
    far = [f"{path.relative_to(SITE)}: {url[:80]}" for path, url in used if urlsplit(url).netloc]
    assert far == []
    local = [(path, url) for path, url in used if not url.startswith(("data:", "#"))]
    gone = [f"{path.relative_to(SITE)}: {url}" for path, url in local if not _file(path, url).is_file()]
    assert gone == []


def test_links_inside_the_site_lead_somewhere(pages: Mapping[Path, Page]) -> None:
    """The file exists, and so does the anchor in it."""
    inside, broken = 0, []
    for path, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            inside += 1
            target = _file(path, link) if url.path else path
            place = unquote(url.fragment)
            if not target.is_file() or (place and target in pages and place not in pages[target].anchors):
                broken.append(f"{path.relative_to(SITE)}: {link}")
    assert inside > len(pages)
    assert broken == []


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_its_place(module: str, pages: Mapping[Path, Page]) -> None:
    """What a module offers in ``__all__`` is in the index of the site."""
    _, _, _, _, packed = (SITE / "objects.inv").read_bytes().split(b"\n", 4)
    known = {line.split(" ", 1)[0] for line in zlib.decompress(packed).decode("utf-8").splitlines()}
    names = importlib.import_module(module).__all__
    assert names
    assert {f"{module}.{name}" for name in names} - known == set()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 1320, 1440, 1920])
def test_headings_stand_beside_the_text(width: int, theme: str, pages: Mapping[Path, Page]) -> None:
    """From 1312 px on their list is visible, below it opens by an icon; no page is wider than its window."""
    path = chromium()
    if path is None and os.environ.get("AMP_REQUIRE_BROWSER") != "1":
        pytest.skip("no chromium on this machine: the site not looked at in a browser")
    shown = [
        SITE / f"{name}.html" for name in ("index", "gallery", "contracts/files", "nodes/svf", "api/graph")
    ]
    assert set(shown) <= set(pages)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
        for page in shown:
            view.goto(page.as_uri())
            drawer = view.locator(".toc-drawer").bounding_box()
            inside = drawer is not None and drawer["x"] + drawer["width"] <= width
            assert inside == (width >= 1312), page
            assert view.locator(".toc-content-icon").is_visible() == (width < 1312), page
            assert view.evaluate("document.documentElement.scrollWidth") <= width, page
        browser.close()


def _file(page: Path, url: str) -> Path:
    """Return the file a relative URL of a page means."""
    return (page.parent / unquote(urlsplit(url).path)).resolve()
