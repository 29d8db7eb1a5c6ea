"""A batch by mouse: ticked, named, posted with a card that tells how far, all in one visit."""

from portal.db import db
from portal.invoices import get_invoice
from portal.models import InvoiceState
from portal.tasks import run_waiting


def ready(desk, path):
    desk.goto(path)
    desk.wait_for_function("window.htmx !== undefined")


def test_from_ticks_to_a_posted_batch(desk, build):
    ids = [build.invoice(price).id for price in ("10", "20")]
    db.session.commit()
    db.session.remove()
    ready(desk, "/staff/batches/unbatched")

    desk.get_by_label("Select all on this page").check()
    assert desk.locator("[data-bulk]").inner_text().startswith("2 selected, $30.00")
    desk.get_by_role("button", name="Put into a batch …").click()
    desk.get_by_label("Name of the new batch").fill("Monday")
    desk.get_by_role("button", name="Put in").click()
    desk.get_by_role("heading", name="Monday").wait_for()
    desk.get_by_role("link", name="Post …").click()
    desk.get_by_role("button", name="Post all 2").click()
    desk.get_by_text("0 of 2.").wait_for()
    run_waiting()

    desk.locator(".page-head [data-state=posted]").wait_for()  # the page came by itself
    db.session.rollback()
    assert {get_invoice(one).state for one in ids} == {InvoiceState.POSTED}
