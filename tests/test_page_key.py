"""The pages of a service that wants a key, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from browser import DESK, Complaints, chromium
from search.api.settings import ServiceSettings
from served import served

KEY = "a key to read"


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[str]:
    index = str(home / "index")
    with served(ServiceSettings(index, compare=index, device="cpu", read_key=KEY)) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize(
    ("address", "shown"), [("/?q=dress", "#grid .card[data-id]"), ("/compare?q=dress", "#sides li")]
)
def test_a_page_asks_for_the_key_until_it_is_right_and_not_again(
    browser: Browser, site: str, address: str, shown: str
) -> None:
    context = browser.new_context(base_url=site, viewport=DESK)
    context.set_default_timeout(20_000)
    page = context.new_page()
    complaints = Complaints(page)
    page.goto(address)
    asked = page.get_by_role("dialog", name="This shop asks for a key")
    expect(asked.get_by_label("Key")).to_be_focused()
    assert Axe().run(page, "#key").response["violations"] == []
    page.keyboard.press("Escape")
    page.keyboard.type("another key")
    page.keyboard.press("Enter")
    expect(asked.get_by_role("alert")).to_have_text("This is not the key of this shop.")
    asked.get_by_label("Key").fill(KEY)
    asked.get_by_role("button", name="Open the shop").click()
    expect(asked).to_be_hidden()
    expect(page.locator(shown).first).to_be_visible()
    complaints.forgive("401")
    page.reload()
    expect(page.locator(shown).first).to_be_visible()
    expect(asked).to_be_hidden()
    assert complaints.heard == []
    context.close()
