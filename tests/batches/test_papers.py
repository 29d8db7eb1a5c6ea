"""A batch on paper and as a workbook."""

import io

import openpyxl
import pytest
from flask import current_app
from pypdf import PdfReader

from portal.batches import (
    look_at_print_run,
    print_batch,
    printing,
    stop_print_run,
    waiting_print_runs,
    workbook_of,
)
from portal.db import db
from portal.files import open_file
from portal.kernel.errors import DomainError
from portal.models import PrintState
from portal.tasks import run_waiting
from tests.batches.test_posting import filled, post


def printed(batch):
    runs = print_batch(batch, by=None)
    db.session.commit()
    run_waiting()
    db.session.expire_all()
    return runs


def test_all_documents_become_one_pdf_in_order(build):
    invoices = [build.invoice("80"), build.invoice("20")]
    batch = post(filled(*invoices))

    (run,) = printed(batch)

    assert (run.state, run.rows_done) == (PrintState.DONE, 2)
    whole = PdfReader(io.BytesIO(open_file(run.file_key)))
    assert [one.document_number in page.extract_text()
            for one, page in zip(invoices, whole.pages, strict=True)] == [True, True]  # fmt: skip
    assert whole.metadata.title == f"Batch {batch.number}"


def test_many_documents_become_several_pdfs(build, monkeypatch):
    monkeypatch.setattr(printing, "MOST", 1)
    batch = filled(build.invoice("80"), build.invoice("20"))

    runs = print_batch(batch, by=None)

    assert [one.title for one in runs] == [
        f"Batch {batch.number}, part 1 of 2", f"Batch {batch.number}, part 2 of 2",
    ]  # fmt: skip
    db.session.rollback()


def test_a_batch_without_invoices_has_nothing_to_print(build):
    batch = filled(build.payment(build.customer(), "5"))

    with pytest.raises(DomainError, match="no invoices to print"):
        print_batch(batch, by=None)


def test_stopped_it_stays_stopped(build):
    (run,) = print_batch(filled(build.invoice("80")), by=None)
    stop_print_run(run)
    db.session.commit()

    run_waiting()

    db.session.expire_all()
    assert (run.state, run.file_key) == (PrintState.STOPPED, "")
    with pytest.raises(DomainError, match="over already"):
        stop_print_run(run)


def print_with(patch, render):
    patch.setitem(current_app.extensions["document renderers"], "invoice", render)


def test_stopped_in_the_middle_it_makes_no_file(build, monkeypatch):
    monkeypatch.setattr(printing, "NOTED_EACH", 1)
    (run,) = print_batch(filled(build.invoice("80"), build.invoice("20")), by=None)
    db.session.commit()
    real = current_app.extensions["document renderers"]["invoice"]

    def stopping(invoice_id):
        paper = real(invoice_id)
        db.session.commit()
        stop_print_run(run)
        db.session.commit()
        return paper

    print_with(monkeypatch, stopping)
    run_waiting()

    db.session.expire_all()
    assert (run.state, run.file_key) == (PrintState.STOPPED, "")


def test_a_worker_that_dies_while_printing_is_followed_by_another(build, monkeypatch):
    (run,) = print_batch(filled(build.invoice("80")), by=None)
    db.session.commit()

    class Killed(BaseException):
        pass

    def deadly(_invoice_id):
        raise Killed

    with monkeypatch.context() as patch:
        print_with(patch, deadly)
        with pytest.raises(Killed):
            look_at_print_run(run.id)
    db.session.rollback()
    assert list(waiting_print_runs()) == []

    run.claimed_until = None  # the lease ended
    db.session.commit()
    assert list(waiting_print_runs()) == [run.id]
    look_at_print_run(run.id)

    db.session.expire_all()
    assert run.state is PrintState.DONE


def test_what_breaks_is_told(build, monkeypatch):
    (run,) = print_batch(filled(build.invoice("80")), by=None)
    db.session.commit()

    def broken(_invoice_id):
        raise DomainError("A font is missing.")

    print_with(monkeypatch, broken)
    run_waiting()

    db.session.expire_all()
    assert (run.state, run.failure) == (PrintState.FAILED, "A font is missing.")


def rows(sheet):
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_the_workbook_holds_invoices_and_payments_with_their_credit(build):
    invoice = build.invoice("80", customer=build.customer("Ada"))
    payment = build.payment(invoice.customer, "30")
    batch = filled(invoice, payment)

    with workbook_of(batch) as file:
        book = openpyxl.load_workbook(io.BytesIO(file.read()))

    titles, values = rows(book["Invoices"])
    row = dict(zip(titles, values, strict=True))
    assert (row["Customer"], row["Total"], row["Date"].date()) == ("Ada", 80, build.today)
    titles, values = rows(book["Payments"])
    row = dict(zip(titles, values, strict=True))
    assert (row["Amount"], row["Applied"], row["Unapplied"]) == (30, 0, 30)


def test_payments_are_left_out_for_who_may_not_see_them(build):
    with workbook_of(filled(build.invoice("1")), with_payments=False) as file:
        book = openpyxl.load_workbook(io.BytesIO(file.read()))

    assert book.sheetnames == ["Invoices"]


@pytest.mark.parametrize("name", ['=HYPERLINK("http://evil")', "+1+1", "@SUM(A1)", "-2\x0b+3"])
def test_words_never_become_a_formula(build, name):
    with workbook_of(filled(build.invoice("1", customer=build.customer(name)))) as file:
        book = openpyxl.load_workbook(io.BytesIO(file.read()))

    cell = book["Invoices"]["D2"]
    assert cell.data_type == "s"
    assert cell.value == name.replace("\x0b", "")
