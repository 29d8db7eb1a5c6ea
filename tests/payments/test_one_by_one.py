"""What it costs to make, post and pay one invoice: statements, not seconds."""

from portal.db import db
from portal.invoices import LineWords, ManualInvoice, post_invoice, start_manual_invoice
from portal.kernel.numbers import Quantity, UnitPrice
from portal.payments import ReceivedMoney, payment_types, receive_payment
from tests.conftest import count_statements

# On SQLite, which says BEGIN itself and writes lines one by one; paying queues a receipt too.
MAKING, POSTING, PAYING = 21, 19, 30
FIVE = [LineWords(f"Line {n}", Quantity.of("1.5"), UnitPrice.of(135)) for n in range(5)]


def test_making_posting_and_paying_an_invoice_takes_few_statements(build):
    zone = build.zone("6.5")
    location = build.location(zone=zone)
    build.posted("1", location=location)  # the counters are there
    db.session.commit()

    with count_statements() as making:
        wanted = ManualInvoice(customer=location.customer, location=location)
        invoice = start_manual_invoice(wanted, FIVE)
        db.session.commit()
    with count_statements() as posting:
        post_invoice(invoice)
        db.session.commit()
    with count_statements() as paying:
        kind = payment_types()[0]
        money = ReceivedMoney(invoice.customer, invoice.balance, kind, build.today)
        receive_payment(money, [(invoice, invoice.balance)])
        db.session.commit()

    assert len(making) <= MAKING
    assert len(posting) <= POSTING
    assert len(paying) <= PAYING


def test_looking_at_a_posted_invoice_again_reads_its_row_alone(build):
    invoice = build.posted("10", "20")
    db.session.commit()

    with count_statements() as sent:
        assert invoice.balance == invoice.total

    assert len([one for one in sent if one.startswith("SELECT")]) == 1
    db.session.rollback()
