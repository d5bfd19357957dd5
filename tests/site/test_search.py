"""The built-in search finds pages, served or from the file system."""

import pytest


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_softmax(site, address, desk, scheme):
    start = address if scheme == "http" else site.as_uri() + "/"
    desk.goto(start + "book/how-to-use.html")
    desk.get_by_role("searchbox", name="Search the course").fill("softmax")
    desk.keyboard.press("Enter")
    desk.get_by_text("Search finished").wait_for()
    addresses = [hit.get_attribute("href") for hit in desk.locator("#search-results li a").all()]
    assert any("chapters/02_attention/lesson" in hit for hit in addresses)


def test_search_says_when_it_finds_nothing(address, desk):
    desk.goto(address + "search.html?q=xylophone")
    desk.get_by_text("did not match any documents").wait_for()
    assert desk.locator("#search-results li").count() == 0
