"""The page in a real browser, before a real service with a small shop."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from browser import DESK, PHONE, Complaints, chromium
from checkpoints import tiny_clip
from filter_values import HARD
from search.api.settings import ServiceSettings
from search.expressions import expressions
from search.filters import Filters
from served import ingest_shop, served
from shop import make_shop, picture, read_rows, write_rows

COUNT = 180
"""Products, in 60 groups of three colours: three pages."""

HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
HOSTILE_VALUE = "<svg onload=alert(3)>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    catalog = make_shop(folder / "shop", count=COUNT)
    rows = [{**row, "style_id": f"S-{at // 3}"} for at, row in enumerate(read_rows(catalog))]
    rows[30]["title"] = HOSTILE
    rows[30]["category"] = HOSTILE_VALUE
    write_rows(catalog, rows)
    tiny_clip(folder / "model")
    ingest_shop(folder)
    return folder


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[str]:
    index = str(home / "index")
    settings = ServiceSettings(index, compare=index, device="cpu", name="Atelier", currency="€")
    with served(settings) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@dataclass(frozen=True)
class Opened:
    """A page, and what it complained of."""

    page: Page
    complaints: Complaints


@pytest.fixture
def opened(browser: Browser, site: str) -> Iterator[Opened]:
    """A desk's page that is not anywhere yet; at the end it must not have complained."""
    context = browser.new_context(base_url=site, viewport=DESK)
    context.set_default_timeout(20_000)
    page = context.new_page()
    complaints = Complaints(page)
    yield Opened(page, complaints)
    context.close()
    assert complaints.heard == []


@pytest.fixture
def page(opened: Opened) -> Page:
    return opened.page


expect.set_options(timeout=20_000)  # the machine may have other work


def cards(page: Page) -> list[str]:
    """Ids of the products on the shelf, in their order."""
    return page.locator("#grid .card:not(.skeleton)").evaluate_all(
        "all => all.map(one => one.dataset.id)"
    )


def asked(page: Page) -> dict[str, list[str]]:
    """What the address asks for; the browser's own, which `page.url` follows a little later."""
    return parse_qs(page.evaluate("location.search").removeprefix("?"))


def go(page: Page, address: str = "/") -> None:
    """Go there, and wait for the products."""
    page.goto(address)
    settled(page)


def settled(page: Page) -> None:
    """Wait until the shelf shows the answer to what is asked."""
    expect(page.locator("#results")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#main")).to_have_attribute("data-state", "answered")


def wait_for(page: Page, claim: str) -> None:
    """Wait until a JavaScript expression is true.

    Playwright's own way evaluates it within the page, where the policy does not let it.
    """
    for _ in range(400):
        if page.evaluate(claim):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"it never came true that {claim}")


def count(page: Page) -> int:
    """How many products the page says there are."""
    found = re.search(r"([\d,]+) product", page.locator("#count").inner_text())
    assert found
    return int(found[1].replace(",", ""))


def picture_bytes(size: tuple[int, int]) -> bytes:
    buffer = BytesIO()
    picture(3).resize(size).save(buffer, "PNG")
    return buffer.getvalue()


GIVE = """([kind, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "photo.png", { type: "image/png" }));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}"""


def give(page: Page, kind: str, photo: bytes) -> None:
    """Drop or paste a picture, as the browser would."""
    page.evaluate(GIVE, [kind, list(photo)])


def test_products_appear_as_one_types(page: Page) -> None:
    go(page)
    page.locator("#q").press_sequentially("red dress")
    expect(page.get_by_role("button", name="Remove Colour: Red")).to_be_visible()
    expect(page.get_by_role("button", name="Remove Category: Dress")).to_be_visible()
    expect(page).to_have_title(re.compile("^red dress .* Atelier$"))
    settled(page)
    assert asked(page)["q"] == ["red dress"]
    names = page.locator("#grid .name").all_inner_texts()
    assert names
    assert all(name.startswith("Red Dress") for name in names)
    page.go_back()
    expect(page.locator("#q")).to_have_value("")


def test_an_answer_that_comes_too_late_is_not_shown(page: Page) -> None:
    go(page)
    held: list[Route] = []
    page.route(re.compile(r"/search\?q=blue&"), lambda route: held.append(route))
    page.locator("#q").fill("blue")
    page.locator("#q").press("Enter")
    expect(page.locator("#results")).to_have_attribute("aria-busy", "true")
    page.locator("#q").fill("green")
    page.locator("#q").press("Enter")
    expect(page.get_by_role("button", name="Remove Colour: Green")).to_be_visible()
    assert held
    for route in held:
        route.abort()
    expect(page.get_by_role("button", name="Remove Colour: Green")).to_be_visible()
    expect(page.locator("#heading")).to_have_text("green")


def test_a_chip_takes_its_demand_back_and_can_be_applied_again(page: Page) -> None:
    go(page, "/?q=red+dress")
    before = count(page)
    page.get_by_role("button", name="Remove Colour: Red").click()
    again = page.get_by_role("button", name="Apply again: colour: Red")
    expect(again).to_be_visible()
    settled(page)
    assert asked(page)["ignore"] == ["colour = Red"]
    assert count(page) > before
    again.click()
    expect(page.get_by_role("button", name="Remove Colour: Red")).to_be_visible()
    settled(page)
    assert count(page) == before


def test_what_was_read_as_something_else_is_said_in_words(page: Page) -> None:
    go(page, "/?q=crimson+dress")
    expect(page.locator("#asked")).to_contain_text(
        "We read crimson as Red, another word for it here."
    )


def test_values_are_ticked_under_the_counts_of_the_other_filters(page: Page) -> None:
    go(page)
    colours = page.get_by_role("group", name="Colour")
    expect(colours.get_by_role("listitem")).to_have_count(3)
    colours.get_by_label("Blue").check()
    expect(page.get_by_role("button", name="Remove Colour: Blue")).to_be_visible()
    settled(page)
    one = count(page)
    expect(colours.get_by_role("listitem")).to_have_count(3)  # the others can still be chosen
    expect(colours.get_by_label("Blue")).to_be_focused()
    colours.get_by_label("Green").check()
    expect(page.get_by_role("button", name="Remove Colour: Blue or Green")).to_be_visible()
    settled(page)
    assert asked(page)["filter"] == ["colour=Blue,Green"]
    assert count(page) == 2 * one


WRITE = """async (lists) => {
  const { withValues } = await import("/static/filters.js");
  return lists.map((values) => withValues([], "colour", values)[0]);
}"""
READ = """async (expressions) => {
  const { valuesOf } = await import("/static/filters.js");
  return expressions.map((expression) => valuesOf([expression], "colour"));
}"""


def test_values_that_are_hard_to_write_mean_the_same_to_the_page_and_the_service(
    page: Page,
) -> None:
    page.goto("/")
    lists = [[value, *others] for value in HARD for others in ([], ["Red"])]
    ours = [expression for some in lists for expression in expressions(Filters({"colour": some}))]
    its = page.evaluate(WRITE, lists)
    assert [Filters.parse([expression]) for expression in its] == [
        Filters({"colour": some}) for some in lists
    ]
    assert page.evaluate(READ, its) == page.evaluate(READ, ours) == lists


def test_an_understood_value_becomes_a_filter_when_another_is_ticked(page: Page) -> None:
    go(page, "/?q=red+dress")
    colours = page.get_by_role("group", name="Colour")
    expect(colours.get_by_label("Red")).to_be_checked()
    colours.get_by_label("Green").check()
    expect(page.get_by_role("button", name="Remove Colour: Red or Green")).to_be_visible()
    settled(page)
    assert asked(page)["ignore"] == ["colour = Red"]
    assert set(asked(page)["filter"]) == {"colour=Red,Green"}


def test_what_no_filter_can_refuse_is_a_chip_and_can_be_taken_back(page: Page) -> None:
    go(page, "/?q=red+dress+without+lace")
    chip = page.get_by_role("button", name="Remove not lace")
    expect(chip).to_be_visible()
    expect(page.locator("#asked")).to_contain_text("products that are called it come last")
    chip.click()
    expect(page.get_by_role("button", name="Apply again: not lace")).to_be_visible()
    settled(page)
    assert asked(page)["ignore"] == ["not lace"]
    expect(page.locator("#asked .made")).to_have_count(0)


def test_what_is_typed_as_unwanted_is_left_out_and_can_be_taken_back(page: Page) -> None:
    go(page)
    field = page.get_by_role("textbox", name="Without", exact=True)
    expect(field).to_be_hidden()  # the front asks for nothing yet
    go(page, "/?q=dress")
    before = count(page)
    field.fill("no red, lace")
    field.press("Enter")
    chip = page.get_by_role("button", name="Remove Without: red")
    expect(chip).to_be_visible()
    expect(page.get_by_role("button", name="Remove Without: lace")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    settled(page)
    assert asked(page)["minus"] == ["red", "lace"]
    assert count(page) == before * 2 // 3
    names = page.locator("#grid .name").all_inner_texts()
    assert not [name for name in names if name.startswith("Red")]
    expect(page.get_by_role("button", name="not Red")).to_have_count(0)  # it has its chip
    expect(page.locator("#asked")).to_contain_text("There is no filter for lace")
    page.reload()
    settled(page)
    chip.press("Enter")
    expect(chip).to_have_count(0)
    settled(page)
    assert asked(page)["minus"] == ["lace"]
    expect(page.locator("#chips button").first).to_be_focused()  # not lost with the chip
    page.go_back()
    expect(chip).to_be_visible()


def test_what_only_pictures_speak_for_is_said(page: Page) -> None:
    note = page.locator("#notices .note")
    go(page, "/?q=asdfghjk+lamp")
    expect(note).to_have_text(
        "None of these is called asdfghjk lamp. They are here by their looks alone."
    )
    for known in ("shirt", "number", "crimson", "under 50", "P-7", "asdfghjk bag", "not red"):
        go(page, f"/?q={known}")
        expect(note).to_have_count(0)
    go(page, f"/?q={'asdfghjk' * 20}")
    expect(note).to_contain_text(f"is called {'asdfghjk' * 10}….")
    go(page, "/?q=-")
    expect(note).to_have_count(0)
    go(page, "/?q=asdfghjk&sort=price")
    expect(note).to_have_count(0)
    go(page, "/?q=asdfghjk&similar=P-3")
    expect(note).to_have_count(0)


def test_less_like_waits_while_nothing_is_looked_for_and_without_stays(page: Page) -> None:
    less = page.get_by_role("button", name="Remove Less like: ")
    go(page, "/?q=dress&minus=red&minus_similar=P-4")
    expect(less).to_be_visible()
    page.get_by_role("button", name="Clear the text").click()
    expect(page.locator("#heading")).to_have_text("Everything")
    settled(page)
    assert count(page) == COUNT * 2 // 3
    expect(page.get_by_role("button", name="Remove Without: red")).to_be_visible()
    expect(less).to_have_count(0)
    page.locator("#q").fill("bag")
    expect(less).to_be_visible()


def test_a_list_is_narrowed_by_what_is_unwanted(page: Page) -> None:
    go(page, "/?filter=category%3DDress")
    before = count(page)
    field = page.get_by_role("textbox", name="Without", exact=True)
    field.fill("red")
    field.press("Enter")
    expect(page.get_by_role("button", name="Remove Without: red")).to_be_visible()
    settled(page)
    assert count(page) == before * 2 // 3
    assert not [n for n in page.locator("#grid .name").all_inner_texts() if n.startswith("Red")]


def test_a_long_unwanted_text_is_neither_lost_nor_in_the_way_on_a_phone(
    browser: Browser, site: str
) -> None:
    context = browser.new_context(base_url=site, viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    go(page, "/?q=dress")
    field = page.get_by_role("textbox", name="Without", exact=True)
    field.fill("very long " * 12)
    page.get_by_role("button", name="Leave it out").tap()
    expect(page.get_by_role("button", name=re.compile("Remove Without: very long"))).to_be_visible()
    expect(page.get_by_role("button", name="Leave it out")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()


def test_a_thumb_that_is_dragged_bounds_the_price(page: Page) -> None:
    go(page)
    before = count(page)
    thumb = page.get_by_role("slider", name="Price to")
    thumb.scroll_into_view_if_needed()
    box = thumb.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 9, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name=re.compile("Remove Price: up to"))).to_be_visible()
    settled(page)
    assert count(page) < before
    [bound] = asked(page)["filter"]
    found = re.fullmatch(r"price=\.\.([\d.]+)", bound)
    assert found
    assert 25 < float(found[1]) < 45
    thumb.press("End")
    expect(page.locator("#asked")).to_be_hidden()
    settled(page)
    assert count(page) == before


def test_products_are_sorted_by_a_number(page: Page) -> None:
    go(page)
    page.get_by_label("Sort").select_option("Price: high to low")
    expect(page.locator("#grid .price").first).to_have_text("Price €59.50")
    assert asked(page)["sort"] == ["-price"]


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_searched_by_and_survives_reload_and_back(page: Page, kind: str) -> None:
    go(page)
    give(page, kind, picture_bytes((1600, 1200)))
    chip = page.get_by_role("button", name="Remove Your picture")
    expect(chip).to_be_visible()
    expect(page.locator("#q")).to_have_attribute("placeholder", "… like this, but in green")
    settled(page)
    size = page.locator(".chip img").evaluate("one => [one.naturalWidth, one.naturalHeight]")
    assert size == [768, 576]
    found = cards(page)
    page.reload()
    settled(page)
    expect(chip).to_be_visible()
    assert cards(page) == found
    page.locator("#q").fill("green")
    page.locator("#q").press("Enter")
    expect(page.get_by_role("button", name="Remove Colour: Green")).to_be_visible()
    settled(page)
    assert cards(page) != found
    page.go_back()
    expect(page.get_by_role("button", name="Remove Colour: Green")).to_have_count(0)
    settled(page)
    expect(chip).to_be_visible()
    assert cards(page) == found


def test_a_file_that_is_no_picture_is_refused_in_words(page: Page) -> None:
    go(page)
    page.locator("#file").set_input_files(
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    expect(page.locator("#notices")).to_contain_text("no picture that your browser can open")


def test_more_and_less_like_a_product(page: Page) -> None:
    go(page, "/?q=shoe")
    first = page.locator("#grid .card").first
    title = first.locator(".name").inner_text()
    example = first.get_attribute("data-id")
    first.hover()
    first.get_by_role("button", name="More like").click()
    expect(page.get_by_role("button", name=f"Remove Like: {title}")).to_be_visible()
    settled(page)
    assert asked(page) == {"similar": [example]}
    before = cards(page)
    assert example not in before
    other = page.locator("#grid .card").nth(3)
    unwanted = other.get_attribute("data-id")
    other.hover()
    other.get_by_role("button", name="Less like").click()
    expect(page.get_by_role("button", name="Remove Less like")).to_be_visible()
    settled(page)
    assert asked(page)["minus_similar"] == [unwanted]
    assert cards(page) != before


def scroll_to_page(page: Page, number: int) -> None:
    """Scroll until so many pages have come.

    At once, not by the wheel: a wheel's last turn may still be moving the page afterwards.
    """
    while (shown := len(cards(page))) < 20 * number:
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        wait_for(page, f"document.querySelectorAll('#grid .card:not(.skeleton)').length > {shown}")


def test_back_and_reload_restore_the_pages_and_the_place(page: Page) -> None:
    go(page)
    scroll_to_page(page, 3)
    page.evaluate("scrollTo(0, 2200)")
    wait_for(page, "scrollY === 2200")
    here, loaded = 2200, cards(page)
    page.locator("#q").fill("red dress")
    page.locator("#q").press("Enter")
    expect(page.get_by_role("button", name="Remove Colour: Red")).to_be_visible()
    wait_for(page, "scrollY < 200")
    page.go_back()
    expect(page.locator("#q")).to_have_value("")
    wait_for(page, f"Math.abs(scrollY - {here}) < 3")
    assert cards(page) == loaded
    page.reload()
    wait_for(page, f"Math.abs(scrollY - {here}) < 3")
    assert cards(page) == loaded
    assert len(set(loaded)) == len(loaded) == 60


def test_show_more_moves_the_focus_to_what_came(page: Page) -> None:
    page.add_init_script("window.IntersectionObserver = class { observe() {} unobserve() {} };")
    go(page)
    assert len(cards(page)) == 24
    more = page.get_by_role("button", name="Show more")
    more.focus()
    more.press("Enter")
    expect(page.locator("#grid .card").nth(24).locator("a")).to_be_focused()
    assert len(cards(page)) == 48
    expect(page.get_by_role("status")).to_have_text("24 products more")


def test_a_product_opens_over_the_shelf_and_closes_where_it_was(page: Page) -> None:
    go(page, "/?q=red+dress")
    link = page.locator("#grid .card a").nth(1)
    title = page.locator("#grid .name").nth(1).inner_text()
    link.click()
    dialog = page.get_by_role("dialog", name=title)
    expect(dialog).to_be_visible()
    expect(dialog.get_by_text("Colour: Red")).to_be_visible()
    expect(dialog.get_by_text("3 variants")).to_have_count(1)
    expect(dialog.locator("#alike .card:not(.skeleton)").first).to_be_visible()
    dialog.get_by_role("button", name="Show what matches").click()
    heat = dialog.get_by_role("img", name=f"{title}; the places like red dress are coloured")
    expect(heat).to_be_visible()
    wait_for(page, "document.querySelector('.heat img').naturalWidth > 0")
    assert "product" in asked(page)
    address = page.url
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    assert "product" not in asked(page)
    page.goto(address)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    settled(page)


def test_a_variant_opens_from_its_small_picture(page: Page) -> None:
    go(page, "/?sort=price")
    first = page.locator("#grid .card").first
    expect(first.locator(".variant")).to_have_count(2)
    first.locator(".variant").first.click()
    expect(page.locator("dialog.product[open] .product-variants .variant")).to_have_count(2)


def test_the_keyboard_alone_finds_and_opens_a_product(page: Page) -> None:
    go(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the products")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    page.keyboard.type("dre")
    option = page.get_by_role("option").filter(has_text="dress").first
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#suggestions [aria-selected=true]")).to_have_count(1)
    chosen = box.get_attribute("aria-activedescendant")
    assert chosen
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(box).to_have_value(re.compile("dress"))
    settled(page)
    expect(page.get_by_role("status")).to_have_text(re.compile(r"\d+ products?"))
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "card-link":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_escape_closes_the_suggestions_and_keeps_the_text(page: Page) -> None:
    go(page)
    page.locator("#q").press_sequentially("dre")
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.locator("#q")).to_have_value("dre")


def test_an_empty_shelf_offers_what_to_let_go(page: Page) -> None:
    go(page, "/?filter=colour%3DRed&filter=price%3D..5&filter=in_stock%3Dtrue")
    way = page.get_by_role("button", name="Without Price: up to 5")
    expect(way).to_have_count(0)  # red ones are never in stock here: this alone leads nowhere
    page.get_by_role("button", name=re.compile("Without any of these filters")).click()
    expect(page.locator("#count")).to_have_text(f"{COUNT} products")
    go(page, "/?filter=colour%3DRed&filter=price%3D..5")
    page.get_by_role("button", name="Without Price: up to 5").click()
    expect(page.get_by_role("button", name="Remove Colour: Red")).to_be_visible()
    expect(page.locator("#grid .card:not(.skeleton)").first).to_be_visible()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (429, "a little fast"),
        (503, "getting ready"),
        (500, "broke on our side"),
        (0, "cannot be reached"),
    ],
)
def test_a_failure_is_told_and_tried_again(opened: Opened, status: int, words: str) -> None:
    page = opened.page
    answer = {"code": "busy", "message": "Later."}

    def fail(route: Route) -> None:
        if status:
            route.fulfill(status=status, json={"error": answer}, headers={"Retry-After": "1"})
        else:
            route.abort()

    page.route("**/search?*", fail)
    page.goto("/?q=shoe")
    expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    opened.complaints.forgive("Failed to load resource")
    page.unroute("**/search?*")
    page.get_by_role("button", name="Try again").click()
    settled(page)
    expect(page.locator("#grid .card").first).to_be_visible()


def test_a_phone_is_not_told_to_drop_a_picture(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    go(page)
    hint = page.locator(".front-hint")
    expect(hint.get_by_text("drop a picture")).to_be_hidden()
    expect(hint.get_by_text("or search by a photo")).to_be_visible()
    go(page, "/?q=red+dress+without+lace")  # labels of chips are left out here, a "not" must not be
    expect(page.locator(".chip").get_by_text("not lace")).to_be_visible()
    context.close()


def test_a_product_that_is_gone_can_be_left(opened: Opened) -> None:
    page = opened.page
    page.goto("/?similar=gone")
    expect(page.get_by_role("alert")).to_contain_text("There is no product 'gone'")
    expect(page.locator("#asked img")).to_have_count(0)
    expect(page.locator("#box-picture")).to_be_hidden()
    opened.complaints.forgive("Failed to load resource")
    page.get_by_role("button", name="Show everything").click()
    settled(page)
    assert count(page) == COUNT


def test_a_long_text_leaves_room_for_the_products(page: Page) -> None:
    go(page, f"/?q={'very+long+' * 40}")
    box = page.locator("#heading").bounding_box()
    assert box
    assert box["height"] < 130


def test_the_box_speaks_of_prices_where_there_are_some(page: Page) -> None:
    go(page)
    expect(page.locator("#q")).to_have_attribute("placeholder", "Try “red summer dress under 50”")
    no_numbers = {"numbers": {}}

    def without(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), **no_numbers})

    page.route("**/search?*", without)
    go(page, "/?filter=in_stock%3Dtrue")
    expect(page.locator("#q")).to_have_attribute("placeholder", "Try “red summer dress”")


def test_the_page_says_that_one_is_offline_and_keeps_the_search(opened: Opened) -> None:
    page = opened.page
    go(page)
    page.context.set_offline(True)
    page.locator("#q").fill("shoe")
    page.locator("#q").press("Enter")
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#heading")).to_have_text("shoe")
    settled(page)
    opened.complaints.forgive("ERR_INTERNET_DISCONNECTED")  # of suggestions, too, which come late


def test_a_service_with_a_key_asks_for_it_once(browser: Browser, home: Path) -> None:
    settings = ServiceSettings(str(home / "index"), device="cpu", read_key="open-sesame")
    with served(settings) as client:
        context = browser.new_context(base_url=str(client.base_url), viewport=DESK)
        page = context.new_page()
        page.goto("/?q=shoe")
        key = page.get_by_label("Key", exact=True)
        expect(key).to_be_focused()
        key.fill("wrong-key")
        key.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("This is not the key of this shop.")
        key.fill("open-sesame")
        key.press("Enter")
        settled(page)
        wait_for(page, "document.querySelector('#grid img').naturalWidth > 0")
        page.reload()
        settled(page)
        expect(page.get_by_role("dialog")).to_be_hidden()
        context.clear_cookies()  # as when the session has ended
        page.locator("#grid .card a").first.click()
        expect(key).to_be_focused()
        key.fill("open-sesame")
        key.press("Enter")
        expect(page.get_by_role("button", name="More like this").last).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        context.close()


def test_what_a_catalog_says_is_text_and_nothing_else(page: Page) -> None:
    go(page, "/?product=P-30")
    dialog = page.get_by_role("dialog", name=HOSTILE)
    expect(dialog.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(dialog.get_by_text(HOSTILE_VALUE)).to_be_visible()
    dialog.get_by_role("button", name="More like this").click()
    expect(page.get_by_role("button", name=f"Remove Like: {HOSTILE}")).to_be_visible()
    go(page, f"/?filter=category%3D{HOSTILE_VALUE}&q={HOSTILE}")
    expect(page.get_by_role("button", name=f"Remove Category: {HOSTILE_VALUE}")).to_be_visible()
    expect(page.get_by_role("checkbox", name=HOSTILE_VALUE)).to_be_checked()
    expect(page.locator("#heading")).to_have_text(HOSTILE)
    assert page.locator("#main script, #main svg[onload], #main img[src='x']").count() == 0


def test_a_phone_shows_filters_in_a_sheet_and_nothing_sticks_out(
    browser: Browser, site: str
) -> None:
    context = browser.new_context(base_url=site, viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    complaints = Complaints(page)
    go(page, "/?q=red+dress+under+50+in+stock")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.get_by_role("complementary")).to_be_hidden()
    page.get_by_role("button", name="Filters").tap()
    sheet = page.get_by_role("dialog", name="Filters")
    sheet.get_by_label("Green").check()
    show = sheet.get_by_role("button", name=re.compile(r"Show \d+ products?"))
    expect(show).to_be_visible()
    settled(page)
    show.tap()
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("button", name="Remove Colour: Red or Green")).to_be_visible()
    page.locator("#grid .card a").first.tap()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert complaints.heard == []
    context.close()


def _open_filters(page: Page) -> None:
    if page.locator("#open-filters").is_visible():
        page.locator("#open-filters").click()


def _open_product(page: Page) -> None:
    page.locator("#grid .card a").first.click()
    expect(page.locator("#alike .card:not(.skeleton)").first).to_be_visible()


def _type(page: Page) -> None:
    page.locator("#q").press_sequentially("re")
    expect(page.get_by_role("listbox")).to_be_visible()
    expect(page.locator("#heading")).to_have_text("re")
    settled(page)  # what is out of date is faint


def _type_unwanted(page: Page) -> None:
    page.locator("#unwanted").fill("bows")


def _nothing(page: Page) -> None:
    pass


VIEWS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "front": ("/", _nothing),
    "chips": ("/?q=crimson+dress+under+50&similar=P-4&minus_similar=P-9", _nothing),
    "without": ("/?q=shoe&minus=red&minus=lace&minus=frills", _type_unwanted),
    "filters": ("/?q=shoe&filter=colour%3DRed", _open_filters),
    "product": ("/?q=shoe", _open_product),
    "suggestions": ("/", _type),
    "empty": ("/?filter=price%3D..5&filter=colour%3DRed", _nothing),
}


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_to_mend(browser: Browser, site: str, look: str) -> None:
    context = browser.new_context(
        base_url=site,
        viewport=PHONE if look == "phone" else DESK,
        color_scheme="dark" if look == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    found = {}
    for name, (address, act) in VIEWS.items():
        go(page, address)
        act(page)
        if problems := violations(page):
            found[name] = problems
    page.goto("/compare?q=red+dress")
    expect(page.locator(".mark-both").first).to_be_visible()
    if problems := violations(page):
        found["compare"] = problems
    context.close()
    assert found == {}


def violations(page: Page) -> list[str]:
    """What axe finds, with the elements that it is about."""
    return [
        f"{one['id']}: {', '.join(str(node['target']) for node in one['nodes'][:5])}"
        for one in Axe().run(page).response["violations"]
    ]


def test_compare_marks_what_both_sides_found(page: Page) -> None:
    page.goto("/compare?q=red+dress")
    sides = page.locator(".side-of")
    expect(sides).to_have_count(2)
    expect(page.locator("#count")).to_contain_text("are the same on both sides")
    ids = [
        side.locator(".card").evaluate_all("all => all.map(one => one.dataset.id)")
        for side in sides.all()
    ]
    assert ids[0]
    assert ids[0] == ids[1]
    expect(page.locator(".mark-both")).to_have_count(2 * len(ids[0]))
    expect(sides.first.locator(".times")).to_contain_text("ms in all")
    page.get_by_role("searchbox", name="Search both").fill("blue bag")
    page.get_by_role("searchbox", name="Search both").press("Enter")
    expect(page.locator(".ranks .name").first).to_contain_text("Blue Bag")
    assert asked(page)["q"] == ["blue bag"]
    page.go_back()
    expect(page.locator(".ranks .name").first).to_contain_text("Red Dress")


def test_what_is_asked_goes_along_to_the_comparison_and_back(page: Page) -> None:
    go(page, "/?q=dress&minus=red&similar=P-4&filter=price%3D..40")
    page.get_by_role("link", name="Compare").click()
    names = page.locator(".ranks .name")
    expect(names.first).to_be_visible()
    own = {"q": ["dress"], "minus": ["red"], "filter": ["price=..40"]}  # P-4 is of one index
    assert asked(page) == own
    assert not [name for name in names.all_inner_texts() if name.startswith("Red")]
    page.get_by_role("link", name="Back to the shop").click()
    settled(page)
    assert asked(page) == own
    go(page)
    assert page.locator("#compare").get_attribute("href") == "/compare"


def test_a_bar_of_prices_ends_where_the_slider_has_its_price(page: Page) -> None:
    go(page, "/?filter=price%3D..19")  # the prices are 10.5 to 59.5, in ranges of 10
    last = page.locator("[aria-label=Price] .bar-of.in").last.bounding_box()
    thumb = page.get_by_role("slider", name="Price to")
    track = page.locator("[aria-label=Price] .track").bounding_box()
    assert last
    assert track
    low, high = float(thumb.get_attribute("min") or 0), float(thumb.get_attribute("max") or 0)
    share = (20 - low) / (high - low)
    inner = track["width"] - 19  # of the middle of a thumb
    assert last["x"] + last["width"] - track["x"] - 9.5 == pytest.approx(share * inner, abs=4)
