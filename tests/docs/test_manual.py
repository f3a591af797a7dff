"""The manual that `make docs` has made, opened as a file."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import Browser

REPO = Path(__file__).parents[2]
MANUAL = REPO / "build/docs"


class _Loaded(HTMLParser):
    """What a page loads when it is opened; where its links lead does not count."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name in ("src", "srcset", "data") or (tag == "link" and name == "href")):
                self.addresses.append(value)


def test_every_page_is_there() -> None:
    pages = {page.stem for page in (REPO / "docs").glob("*.md")}
    assert MANUAL.exists(), "there is no manual to test: make docs"
    assert pages - {page.stem for page in MANUAL.glob("*.html")} == set()


def test_no_page_loads_anything_from_another_host() -> None:
    addresses = {address for page in MANUAL.rglob("*.html") for address in _Loaded(page).addresses}
    styles = "".join(style.read_text() for style in MANUAL.rglob("*.css"))
    addresses |= set(re.findall(r"""(?:url\(|@import)\s*["']?([^"')]+)""", styles))
    assert len(addresses) > 10
    assert [address for address in addresses if re.match(r"(\w+:)?//", address)] == []


@pytest.mark.xdist_group("browser")  # one browser at a time
def test_the_search_finds_a_page_without_a_server() -> None:
    with Browser() as browser:
        page = browser.page(f"{MANUAL.as_uri()}/search.html?q=troubleshooting")
        page.wait_for_text("Troubleshooting", "#search-results a")
        asked = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [address for address in asked if not address.startswith("file:")] == []
