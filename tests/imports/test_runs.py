import io

import openpyxl
import pytest
import sqlalchemy as sa

from portal.db import PageRequest, db
from portal.imports import ask_for_check, ask_for_saving, problems_of, start_run
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import (
    Customer,
    ImportState,
    ImportSubject,
    Invoice,
    InvoiceKind,
    Location,
    Payment,
    PriceBookItem,
)
from portal.receivables import aging_totals, receivable_booked
from portal.tasks import run_waiting
from portal.taxes import map_postal_code

CUSTOMERS = """Customer ID,Customer Name,E-mail,Address,City,State,Zip
C1,Ada Lovelace,ada@example.org,1 Main St,Springfield,IL,62701
C2,"=HYPERLINK(""http://evil"")",,2 Main St,Springfield,IL,62701
"""
INVOICES = """Num,Customer,Date,Due Date,Amount,Tax,Open Balance
A-1,C1,2026-01-15,2026-02-14,106.50,6.50,106.50
A-2,Ada Lovelace,1/20/2026,,200.00,,50.00
A-3,C2,3 Feb 2026,,75,,0
"""


def bring(subject, text, name="file.csv", mapping=None):
    content = text if isinstance(text, bytes) else text.encode()
    run = start_run(subject, io.BytesIO(content), name=name, by=None)
    ask_for_check(run, mapping or run.mapping)
    db.session.commit()
    run_waiting()
    return run


def save(run):
    ask_for_saving(run)
    db.session.commit()
    run_waiting()
    return run


def sentences(run):
    return [(p.row_number, p.column, p.sentence) for p in problems_of(run, PageRequest()).rows]


def test_customers_then_invoices_arrive_with_opening_entries(app, build):
    save(bring(ImportSubject.CUSTOMERS, CUSTOMERS))

    run = save(bring(ImportSubject.INVOICES, INVOICES))

    assert (run.state, run.rows_done) == (ImportState.DONE, 3)
    found = {one.document_number: one for one in db.session.scalars(sa.select(Invoice))}
    assert {one.kind for one in found.values()} == {InvoiceKind.AR_IMPORT}
    assert [str(found[n].balance) for n in ("A-1", "A-2", "A-3")] == ["$106.50", "$50.00", "$0.00"]
    assert found["A-3"].settled_on == found["A-3"].invoice_date
    owed = aging_totals(on=build.today).total
    assert receivable_booked(on=build.today) == owed == Money.of("156.50")


def test_the_same_file_twice_adds_nothing(app):
    save(bring(ImportSubject.CUSTOMERS, CUSTOMERS))

    again = bring(ImportSubject.CUSTOMERS, CUSTOMERS)

    assert (again.rows_new, again.rows_known) == (0, 2)
    with pytest.raises(DomainError, match="nothing new"):
        ask_for_saving(again)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 2


def test_each_bad_row_is_named_and_nothing_is_saved(app):
    save(bring(ImportSubject.CUSTOMERS, CUSTOMERS))
    bad = (
        INVOICES + "A-4,Nobody,2026-01-01,,5,,\nA-5,C1,31/12/2026,,5,,\nA-1,C1,2026-01-01,,1e99,,\n"
    )

    run = bring(ImportSubject.INVOICES, bad)

    assert run.rows_bad == 3
    assert [(row, column) for row, column, _ in sentences(run)] == [
        (5, "Customer"), (6, "Invoice date"), (7, "Total"),
    ]  # fmt: skip
    with pytest.raises(DomainError, match="3 rows are not right"):
        ask_for_saving(run)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Invoice)) == 0


def test_payments_find_their_invoice_and_the_rest_is_credit(app):
    save(bring(ImportSubject.CUSTOMERS, CUSTOMERS))
    save(bring(ImportSubject.INVOICES, INVOICES))

    rows = "Payment ID,Customer,Date,Amount,Invoice Number\nP1,C1,2026-02-20,120,A-1\n"
    save(bring(ImportSubject.PAYMENTS, rows))

    invoice = db.session.scalars(sa.select(Invoice).where(Invoice.document_number == "A-1")).one()
    payment = db.session.scalars(sa.select(Payment).where(Payment.external_key == "P1")).one()
    assert (invoice.balance, payment.unapplied) == (ZERO, Money.of("13.50"))


def test_a_workbook_works_as_well_as_csv(app):
    book = openpyxl.Workbook()
    book.active.append(["SKU", "Item Name", "Type", "Sales Price"])
    book.active.append(["LAB", "Labor", "Service", 135])
    book.active.append(["FILTER", "Air filter", "Inventory Part", 18.5])
    content = io.BytesIO()
    book.save(content)

    save(bring(ImportSubject.ITEMS, content.getvalue(), "items.xlsx"))

    prices = dict(db.session.execute(sa.select(PriceBookItem.code, PriceBookItem.unit_price)).all())
    assert {code: str(price) for code, price in prices.items()} == {"LAB": "135", "FILTER": "18.5"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 \x00\x01", "neither CSV nor XLSX"),
        (b"PK\x03\x04 broken", "workbook is damaged"),
        (b"just one column\n1\n", "at least two"),
    ],
)
def test_what_is_no_table_is_refused_in_words(app, content, sentence):
    with pytest.raises(InvalidFields, match=sentence):
        start_run(ImportSubject.CUSTOMERS, io.BytesIO(content), name="x.csv", by=None)


def test_a_required_column_must_be_chosen(app):
    run = start_run(ImportSubject.ITEMS, io.BytesIO(b"a,b\n1,2\n"), name="x.csv", by=None)
    with pytest.raises(DomainError, match="Code, Name, Price"):
        ask_for_check(run, {})


def test_the_screen_takes_a_person_from_file_to_rows(office):
    page = office.get("/staff/imports")
    assert "Nothing imported yet" in page.text
    reply = office.post(
        "/staff/imports",
        data={"subject": "customers", "file": (io.BytesIO(CUSTOMERS.encode()), "old.csv")},
    )
    address = reply.location
    page = office.get(address)
    assert 'value="Customer Name" selected' in page.text
    mapping = {"key": "Customer ID", "name": "Customer Name", "email": "E-mail"}
    office.post(f"{address}/check", data=mapping)
    assert 'hx-trigger="load delay:1s"' in office.get(address).text
    run_waiting()
    assert "Import all 2" in office.get(address).text
    office.post(f"{address}/saving")
    run_waiting()
    assert "2 rows were imported" in office.get(address).text
    assert "=HYPERLINK(&#34;http://evil&#34;)" in office.get("/staff/customers").text


@pytest.mark.parametrize("typed", ["106,50", "12,5", "1,2345", "1.234,50"])
def test_a_decimal_comma_is_refused_never_multiplied(typed):
    from portal.imports.parsing import to_money

    with pytest.raises(ValueError, match="not an amount"):
        to_money(typed)
    assert to_money("$1,234,567.80") == Money.of("1234567.80")


def test_a_location_gets_the_zone_its_zip_code_suggests(app, build):
    zone = build.zone("8")
    map_postal_code("627*", zone)
    db.session.flush()

    save(bring(ImportSubject.CUSTOMERS, CUSTOMERS))

    assert set(db.session.scalars(sa.select(Location.tax_zone_id))) == {zone.id}
