"""The office by keyboard: lists, the search list in forms, two people on one line, a phone."""

import re

import pytest

from portal.db import db

FOCUSED = "document.activeElement.textContent"


@pytest.fixture
def invoices(build):
    """Three drafts; the list shows the newest first. Their numbers, top down."""
    made = [build.invoice(price) for price in ("10", "20", "30")]
    numbers = [one.number for one in reversed(made)]
    db.session.commit()
    db.session.remove()
    return numbers


def ready(desk, path):
    desk.goto(path)
    desk.wait_for_function("window.htmx !== undefined")


def test_j_and_k_go_from_row_to_row_and_x_ticks(desk, invoices):
    ready(desk, "/staff/invoices")

    desk.keyboard.press("j")
    assert desk.evaluate(FOCUSED) == invoices[0]
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    assert desk.evaluate(FOCUSED) == invoices[2]
    assert desk.locator("[data-bulk]").inner_text().startswith("2 selected, $30.00")
    desk.keyboard.press("k")
    assert desk.evaluate(FOCUSED) == invoices[1]
    desk.keyboard.press("x")
    assert desk.locator("input[data-select]:checked").count() == 1
    desk.keyboard.press("Enter")
    desk.locator(f"h1:has-text('{invoices[1]}')").wait_for()


def test_the_keys_go_on_after_a_tick_and_enter_on_a_tick_posts_nothing(desk, invoices):
    ready(desk, "/staff/invoices")
    desk.get_by_label(f"Select {invoices[0]}").click()

    desk.keyboard.press("j")
    assert desk.evaluate(FOCUSED) == invoices[1]
    desk.get_by_label(f"Select {invoices[0]}").focus()
    desk.keyboard.press("Enter")

    desk.locator(f"h1:has-text('{invoices[0]}')").wait_for()
    desk.locator("[data-state=pending]").first.wait_for()


def test_posting_what_is_ticked_says_what_will_happen(desk, invoices):
    ready(desk, "/staff/invoices")
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    desk.keyboard.press("j")
    desk.keyboard.press("x")

    desk.get_by_role("button", name="Post …").click()
    desk.get_by_role("heading", name="Post 2 invoices?").wait_for()
    desk.get_by_role("button", name="Post 2 for $50.00").click()

    desk.get_by_text("2 invoices were posted.").wait_for()


@pytest.fixture
def customers(build):
    build.customer("Ada Lovelace")
    build.customer("Ada Yonath")
    db.session.commit()
    db.session.remove()


def typed(desk, words):
    box = desk.get_by_role("combobox", name="Customer")
    box.press_sequentially(words, delay=20)
    desk.locator("[data-pick]").first.wait_for()
    return box


def test_the_search_list_is_worked_by_arrows_and_enter(desk, customers):
    ready(desk, "/staff/invoices/new")
    box = typed(desk, "Ada")
    assert box.get_attribute("aria-expanded") == "true"

    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowDown")
    active = desk.locator(f"#{box.get_attribute('aria-activedescendant')}")
    assert "Ada Yonath" in active.inner_text()
    desk.keyboard.press("Enter")

    assert box.input_value() == "Ada Yonath"
    assert box.get_attribute("aria-expanded") == "false"
    assert desk.locator("[data-pick]").count() == 0
    desk.keyboard.press("Enter")  # closed now: Enter sends the form
    desk.wait_for_url(re.compile(r"/staff/invoices/\d+$"))
    desk.locator("h1:has-text('Ada Yonath')").wait_for()


def test_enter_picks_the_only_one_found(desk, customers):
    ready(desk, "/staff/invoices/new")
    box = typed(desk, "Ada Y")

    desk.keyboard.press("Enter")

    assert box.input_value() == "Ada Yonath"
    assert desk.locator("input[name=customer_id]").input_value() != ""
    assert desk.url.endswith("/staff/invoices/new")


def test_escape_a_click_elsewhere_and_enter_close_the_list_and_send_nothing(desk, customers):
    ready(desk, "/staff/invoices/new")
    box = typed(desk, "Ada")
    for close in (
        lambda: desk.keyboard.press("Escape"),
        lambda: desk.keyboard.press("Enter"),
        lambda: desk.locator("h1").click(),
    ):
        close()
        assert desk.locator("[data-pick]").count() == 0
        box.focus()
        desk.keyboard.press("ArrowDown")  # opens it again
        desk.locator("[data-pick]").first.wait_for()

    assert desk.url.endswith("/staff/invoices/new")
    assert box.input_value() == "Ada"


def test_the_list_covers_no_button_and_the_price_is_shown(desk, build):
    build.item("38.25", code="VALVE")
    job = build.job().id
    db.session.commit()
    db.session.remove()
    ready(desk, f"/staff/jobs/{job}")

    desk.get_by_role("combobox", name="Item or words").press_sequentially("val", delay=20)
    option = desk.get_by_role("option", name="VALVE")
    option.wait_for()
    under, over = (
        desk.get_by_role("button", name="Log it").bounding_box(),
        desk.locator("#item-list").bounding_box(),
    )
    assert over["y"] + over["height"] <= under["y"]
    option.click()

    assert "$38.25" in desk.locator("#item-picked").inner_text()
    assert desk.locator("#unit_price").get_attribute("placeholder") == "$38.25"
    desk.fill("#quantity", "2")
    desk.get_by_role("button", name="Log it").click()
    desk.locator("td", has_text="VALVE").first.wait_for()


def test_two_people_on_one_line_both_get_their_say(desk, build):
    invoice = build.invoice("10")
    address = f"/staff/invoices/{invoice.id}/lines/{invoice.lines[0].id}"
    db.session.commit()
    db.session.remove()
    other = desk.context.new_page()
    desk.goto(address)
    other.goto(address)
    desk.fill("#item", "Copper pipe")
    desk.get_by_role("button", name="Save").click()
    desk.wait_for_url(re.compile(r"/staff/invoices/\d+$"))

    other.fill("#item", "Steel pipe")
    other.get_by_role("button", name="Save").click()
    other.get_by_text("Saved now: Copper pipe").wait_for()
    assert other.locator("#item").input_value() == "Steel pipe"
    other.get_by_role("button", name="Save").click()

    other.wait_for_url(re.compile(r"/staff/invoices/\d+$"))
    other.get_by_text("Steel pipe").first.wait_for()


def test_filters_are_cleared_where_they_were_set(desk, invoices):
    ready(desk, "/staff/invoices")
    assert not desk.get_by_role("link", name="Clear").is_visible()

    desk.get_by_label("Number, customer or order number").press_sequentially("zzz", delay=20)
    desk.get_by_text("Nothing fits").wait_for()
    desk.locator("[data-clear]").click()

    desk.get_by_role("link", name=invoices[0]).wait_for()
    assert desk.url.endswith("/staff/invoices")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_list_of_invoices_fits_the_screen(desk, invoices, width):
    desk.set_viewport_size({"width": width, "height": 844})
    desk.goto("/staff/invoices")

    hidden = "[...document.querySelectorAll('.list-box')].map(b => b.scrollWidth - b.clientWidth)"
    row = desk.locator("tr[data-row]").first
    assert desk.evaluate(hidden) == [0]
    assert desk.evaluate("document.documentElement.scrollWidth") == width
    for words in (invoices[0], "Ada Lovelace", "3/2/26", "Pending", "$30.00"):
        assert row.get_by_text(words, exact=True).first.is_visible()
    assert desk.get_by_label("Posting").is_visible() is (width == 1280)
