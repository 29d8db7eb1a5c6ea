"""A line that somebody took off while another had it open, and where kinds book."""

from portal.db import db
from portal.invoices import add_line, get_invoice, remove_line
from portal.invoices.lines import LineWords
from portal.kernel.numbers import Quantity
from portal.ledger import change_account, entries_of, get_account, income_account_for
from portal.models import ItemKind
from portal.web.fields import words_of
from tests.staff.test_questions import yes


def removed_line(build):
    invoice = build.invoice("10", "20")
    db.session.commit()
    address = f"/staff/invoices/{invoice.id}/lines/{invoice.lines[0].id}"
    remove_line(invoice, invoice.lines[0])
    db.session.commit()
    return invoice, address


def test_opening_and_removing_it_lead_back_to_the_invoice(office, build):
    invoice, address = removed_line(build)
    typed = {"item": "Half a day", "quantity": "4", "unit_price": "95", "version": "1"}

    answers = [
        office.get(address),
        office.post(f"{address}/removal", data=typed),
    ]

    for answer in answers:
        assert (answer.status_code, answer.location) == (303, f"/staff/invoices/{invoice.id}")
    page = office.get(answers[0].location).text
    assert "it was removed meanwhile" in page
    assert "You had typed: Half a day · 4 · 95" in page
    assert str(get_invoice(invoice.id).total) == "$20.00"


def test_equipment_and_material_book_to_their_own_accounts(office, build):
    invoice = build.invoice()
    for kind in (ItemKind.EQUIPMENT, ItemKind.MATERIAL, ItemKind.SERVICE):
        add_line(invoice, LineWords("", Quantity.of(1), item=build.item("10", kind=kind)))
    db.session.commit()

    office.post(f"/staff/invoices/{invoice.id}/posting", data=yes(invoice.id))

    (entry,) = entries_of(get_invoice(invoice.id))
    numbers = sorted(line.account.number for line in entry.lines)
    assert numbers == ["1200", "4000", "4020", "4030"]


def test_a_deactivated_account_is_not_booked_to(build):
    account = get_account(income_account_for(ItemKind.EQUIPMENT))
    change_account(account, version=account.version, number="4030", name=account.name, active=False)

    assert income_account_for(ItemKind.EQUIPMENT) is None


def test_an_items_own_account_wins(build):
    own = income_account_for(ItemKind.MATERIAL)
    invoice = build.invoice()
    item = build.item("10", kind=ItemKind.EQUIPMENT, income_account_id=own)

    assert add_line(invoice, LineWords("", Quantity.of(1), item=item)).income_account_id == own


def test_imported_receivables_are_called_as_people_say():
    assert [words_of(one) for one in ("ar_import", "needs_review")] == [
        "A/R import",
        "Needs review",
    ]
