"""The review queue by keyboard: through the rows, reviewed, on hold, on to the next record."""

import pytest

from portal.db import db
from portal.invoices import get_invoice
from portal.models import ReviewState

FOCUSED = "document.activeElement.textContent"


@pytest.fixture
def queue(build):
    """Three drafts in the order of the queue: id and number."""
    made = [build.invoice(price) for price in ("10", "20", "30")]
    pairs = [(one.id, one.number) for one in made]
    db.session.commit()
    db.session.remove()
    return pairs


def ready(desk, path):
    desk.goto(path)
    desk.wait_for_function("window.htmx !== undefined")


def state_of(number):
    db.session.expire_all()
    state = get_invoice(number).review_state
    db.session.remove()
    return state


def test_j_and_r_review_the_row_one_is_on(desk, queue):
    ready(desk, "/staff/review")
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    assert desk.evaluate(FOCUSED) == queue[1][1]

    desk.keyboard.press("r")
    desk.locator("#notices", has_text="reviewed").wait_for()

    assert [state_of(one) for one, _number in queue] == [
        ReviewState.NEEDS_REVIEW, ReviewState.REVIEWED, ReviewState.NEEDS_REVIEW,
    ]  # fmt: skip


def test_h_asks_for_the_note(desk, queue):
    ready(desk, "/staff/review")
    desk.keyboard.press("j")
    desk.keyboard.press("h")
    desk.get_by_label("What it waits for").fill("Parts")
    desk.keyboard.press("Enter")
    desk.locator("#notices", has_text="on hold").wait_for()

    assert state_of(queue[0][0]) is ReviewState.ON_HOLD


def test_n_and_p_leaf_through_the_records(desk, queue):
    ready(desk, "/staff/review")
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    for key, at in (("n", 1), ("n", 2), ("p", 1)):
        desk.wait_for_function("window.htmx !== undefined")
        desk.keyboard.press(key)
        desk.locator(f"h1:has-text('{queue[at][1]}')").wait_for()
    desk.wait_for_function("window.htmx !== undefined")

    desk.keyboard.press("r")
    desk.locator("#notices", has_text="reviewed").wait_for()

    assert state_of(queue[1][0]) is ReviewState.REVIEWED
    assert "queue=1" in desk.url


def test_the_bar_appears_with_the_first_tick(desk, queue):
    ready(desk, "/staff/review")
    assert desk.locator("[data-bulk]").is_hidden()

    desk.keyboard.press("j")
    desk.keyboard.press("x")

    assert desk.locator("[data-bulk]").is_visible()
