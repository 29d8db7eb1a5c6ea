"""Files as people really have them: late, damaged, twice, from another program."""

import io
import zipfile
from datetime import date

import openpyxl
import pytest
import sqlalchemy as sa

from portal.db import db
from portal.imports import ask_for_check, ask_for_saving, look_at_run, start_run
from portal.imports.reading import read_table
from portal.kernel.errors import InvalidFields
from portal.ledger import verify_books
from portal.models import (
    AccountingPeriod,
    Customer,
    ImportState,
    ImportSubject,
    Invoice,
    Payment,
    PeriodState,
)
from portal.tasks import run_waiting

INVOICES = "Invoice number,Customer,Invoice date,Total,Still open,Paid on\n"
PARTS = ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "_rels/.rels"]
NOISE = [(106.50000000000001, "106.5"), (0.1 + 0.2, "0.3"), (12.345, "12.345"), (7.0, "7")]


def check(subject, text, name="file.csv"):
    content = text if isinstance(text, bytes) else text.encode()
    run = start_run(subject, io.BytesIO(content), name=name, by=None)
    ask_for_check(run, run.mapping)
    db.session.commit()
    run_waiting()
    return db.session.get(type(run), run.id, populate_existing=True)


def bring(subject, text):
    run = check(subject, text)
    assert run.rows_bad == 0, [one.sentence for one in run.problems]
    if run.rows_new:
        ask_for_saving(run)
        db.session.commit()
        run_waiting()
        db.session.refresh(run)
        assert run.state is ImportState.DONE, run.failure
    return run


def told(run):
    return [(one.row_number, one.column, one.sentence) for one in run.problems]


def close(month):
    db.session.add(AccountingPeriod(starts_on=month, state=PeriodState.CLOSED))
    db.session.commit()


def count(table):
    return db.session.scalar(sa.select(sa.func.count()).select_from(table))


def test_closed_and_future_days_are_told_beside_their_column(build):
    build.customer("Ada")
    close(date(2026, 1, 1))
    rows = [
        "A-1,Ada,2026-01-15,100,100,",
        "A-2,Ada,2026-02-15,100,0,2026-01-20",
        "A-3,Ada,2026-02-15,100,0,2027-01-01",
        "A-4,Ada,2027-01-15,100,100,",
    ]

    run = check(ImportSubject.INVOICES, INVOICES + "\n".join(rows))

    closed = "The accounting period January 2026 is closed. The next open day is Feb 1, 2026."
    assert told(run) == [
        (2, "Invoice date", closed),
        (3, "Paid on", closed),
        (4, "Paid on", "This date lies in the future."),
        (5, "Invoice date", "This date lies in the future."),
    ]


def test_the_same_file_after_its_month_was_closed_adds_nothing(build):
    build.customer("Ada")
    text = INVOICES + "A-1,Ada,2026-01-15,100,40,2026-01-20\n"
    bring(ImportSubject.INVOICES, text)
    close(date(2026, 1, 1))

    run = check(ImportSubject.INVOICES, text)

    assert (run.rows_known, run.rows_new, run.rows_bad) == (1, 0, 0)


def test_a_deposit_paid_before_the_invoice_keeps_its_day(build):
    build.customer("Ada")
    bring(ImportSubject.INVOICES, INVOICES + "A-1,Ada,2026-02-15,100,0,2026-02-01\n")

    payment = db.session.scalars(sa.select(Payment)).one()
    invoice = db.session.scalars(sa.select(Invoice)).one()
    assert (payment.received_on, invoice.settled_on) == (date(2026, 2, 1), date(2026, 2, 15))
    assert verify_books() == []


def test_numbers_of_others_and_of_our_own_series_are_refused(build):
    taken = build.posted("10", customer=build.customer("Ada"))
    db.session.commit()
    numbers = [taken.document_number, taken.reference_number, "M-2026-00077", "J-2026-00001"]
    rows = "".join(f"{number},Ada,2026-02-15,100,100,\n" for number in numbers)

    run = check(ImportSubject.INVOICES, INVOICES + rows)

    assert [(row, column) for row, column, _words in told(run)] == [
        (row, "Invoice number") for row in (2, 3, 4, 5)
    ]
    assert "already" in told(run)[0][2]
    assert "given out here" in told(run)[2][2]


def test_blank_rows_are_counted_as_the_spreadsheet_counts(build):
    run = check(ImportSubject.CUSTOMERS, "Customer number,Name\n\n1,Ada\n,,\n2,\n")

    assert told(run) == [(5, "Name", "Name is empty.")]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("damage", [b"<broken", b"", b"<a/>"])
def test_a_damaged_workbook_is_refused_in_words(app, part, damage):
    book = openpyxl.Workbook()
    book.active.append(["Customer number", "Name"])
    book.active.append([1, "Ada"])
    whole = io.BytesIO()
    book.save(whole)
    hurt = io.BytesIO()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(hurt, "w") as new:
        for name in old.namelist():
            new.writestr(name, damage if name == part else old.read(name))

    with pytest.raises(InvalidFields, match=r"workbook|empty"):
        start_run(ImportSubject.CUSTOMERS, io.BytesIO(hurt.getvalue()), name="a.xlsx", by=None)


def test_a_workbook_that_unpacks_without_end_is_refused(app):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (301 * 1024 * 1024))

    with pytest.raises(InvalidFields, match="too large inside"):
        read_table(bomb.getvalue(), "bomb.xlsx")


def test_a_file_over_ten_megabytes_is_refused(app):
    with pytest.raises(InvalidFields, match="10 MB"):
        start_run(ImportSubject.CUSTOMERS, io.BytesIO(b"x" * 10_485_761), name="a.csv", by=None)


@pytest.mark.parametrize(("cell", "text"), NOISE)
def test_noise_of_floating_point_is_no_third_decimal(app, cell, text):
    book = openpyxl.Workbook()
    book.active.append(["Number", "Total"])
    book.active.append(["A-1", cell])
    out = io.BytesIO()
    book.save(out)

    _titles, rows = read_table(out.getvalue(), "a.xlsx")

    assert list(rows) == [(2, ["A-1", text])]


@pytest.mark.parametrize(
    "content",
    [
        "Customer number;Name\r\n1;Müller\r\n".encode("cp1252"),
        "\ufeffCustomer number,Name\n1,Müller\n".encode(),
        "Customer number\tName\n1\tMüller\n".encode(),
    ],
    ids=["Windows, semicolons", "byte order mark", "tabs"],
)
def test_files_of_other_programs_are_read(app, content):
    bring(ImportSubject.CUSTOMERS, content)

    assert db.session.scalars(sa.select(Customer.name)).one() == "Müller"


def test_terms_and_payment_types_come_by_name(build):
    build.customer("Ada")
    head = "Invoice number,Customer,Invoice date,Total,Payment term\n"
    bring(ImportSubject.INVOICES, head + "A-1,Ada,2026-02-01,100,net 30\n")
    paid = "Payment number,Customer,Received on,Amount,For invoice,Paid by\n"
    bring(ImportSubject.PAYMENTS, paid + "P-1,Ada,2026-02-20,60,A-1,cash\n")

    invoice = db.session.scalars(sa.select(Invoice)).one()
    assert (invoice.term_name, invoice.due_date) == ("Net 30", date(2026, 3, 3))
    assert db.session.scalars(sa.select(Payment)).one().type.name == "Cash"
    wrong = check(ImportSubject.PAYMENTS, paid + "P-2,Ada,2026-02-20,1,A-1,Barter\n")
    assert told(wrong) == [
        (2, "Paid by", "There is no payment type “Barter”. Add it in Settings first.")
    ]


def test_a_failure_in_mid_save_leaves_nothing(build, monkeypatch):
    build.customer("Ada")
    run = check(ImportSubject.INVOICES, INVOICES + "A-1,Ada,2026-02-15,100,100,\n")
    ask_for_saving(run)
    db.session.commit()
    monkeypatch.setattr("portal.imports.saving._record", lambda *_words: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        run_waiting()

    db.session.refresh(run)
    assert (run.state, count(Invoice)) == (ImportState.FAILED, 0)
    assert "nothing was saved" in run.failure


def test_a_worker_that_lost_its_lease_saves_nothing(build, monkeypatch):
    build.customer("Ada")
    run = check(ImportSubject.INVOICES, INVOICES + "A-1,Ada,2026-02-15,100,100,\n")
    ask_for_saving(run)
    db.session.commit()
    from portal.imports import runs

    reading_rows = runs.check_file

    def slow(run, **words):
        checked = reading_rows(run, **words)
        db.session.rollback()
        with runs.db.engine.begin() as other:  # another worker took it over and finished it
            other.execute(sa.text("UPDATE import_runs SET state = 'done', claimed_until = NULL"))
        return checked

    monkeypatch.setattr(runs, "check_file", slow)
    look_at_run(run.id)

    assert count(Invoice) == 0
    db.session.refresh(run)
    assert run.state is ImportState.DONE


def test_all_bad_rows_can_be_taken_away_as_a_file(office, build):
    rows = "".join(f"{n},=1+1 customer,2026-02-15,x,,\n" for n in range(60))
    run = check(ImportSubject.INVOICES, INVOICES + rows)

    page = office.get(f"/staff/imports/{run.id}/problems.csv")

    lines = page.text.lstrip("\ufeff").splitlines()
    assert (page.mimetype, len(lines)) == ("text/csv", 61)
    assert lines[1].startswith("2,Total,“x” is not an amount")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_formula_is_shown_as_text(app, cell):
    from portal.web import csv_response

    with app.test_request_context():
        assert (
            csv_response(["A"], [[cell]], "a.csv").get_data(as_text=True).splitlines()[1].strip('"')
            == f"'{cell}"
        )


def test_the_command_imports_and_says_what_is_wrong(app, tmp_path):
    fine, bad = tmp_path / "fine.csv", tmp_path / "bad.csv"
    fine.write_text("Customer number,Name\n1,Ada\n2,Bob\n")
    bad.write_text("Customer number,Name\n3,\n")
    runner = app.test_cli_runner()

    first = runner.invoke(args=["import", "customers", str(fine)])
    again = runner.invoke(args=["import", "customers", str(fine)])
    wrong = runner.invoke(args=["import", "customers", str(bad)])

    assert (first.exit_code, "2 customers were imported." in first.output) == (0, True)
    assert (again.exit_code, "0 new, 2 known" in again.output) == (0, True)
    assert (wrong.exit_code, "row 2, Name: Name is empty." in wrong.output) == (1, True)
    assert count(Customer) == 2
