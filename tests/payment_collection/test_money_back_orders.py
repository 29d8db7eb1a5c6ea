"""Whatever the order and however often the news come, the ledger ends the same."""

import random
from itertools import permutations

import pytest

from portal.kernel.money import Money
from tests.payment_collection.money_back import at_gateway, back, books, house, only_refund, paid
from tests.payment_collection.test_settling import deliver

ENDS = {  # what the bank decides, and what becomes of the refund
    "won, refund failed": ("dispute-won", "refund-fails"),
    "lost, refund failed": ("dispute-lost", "refund-fails"),
    "won, refund settled": ("dispute-won", "refund-settles"),
    "lost, refund settled": ("dispute-lost", "refund-settles"),
}


def expected(ends, *, credit=0):
    """Of 80 went: 20 by us unless that failed, 30 by the processor, 30 when the dispute is lost.

    Who had credit loses that first.
    """
    decided, ended = ENDS[ends]
    gone = 30 + (20 if ended == "refund-settles" else 0) + (30 if decided == "dispute-lost" else 0)
    owed, left = max(gone - credit, 0), max(credit - gone, 0)
    accounts = {
        "1050": credit, "1069": 80 - gone - 15, "1200": owed, "2400": -left,
        "4000": -80, "6200": 15,
    }  # fmt: skip
    return owed, left, {number: Money.of(amount) for number, amount in accounts.items() if amount}


def happen(build, ends, *, credit=None):
    """A refund of ours, one made there, a dispute of the rest; every webhook there is of them."""
    decided, ended = ENDS[ends]
    payment, _invoice = paid(build, by="bank-debit", credit=credit)
    back(build, payment, "20", "Overpaid" if credit else "Wrong amount charged")
    found = at_gateway(payment, "refund-half")  # 30 of the 60: refund.created, charge.refunded
    theirs = house().refunds_of(payment.provider_ref)[-1].refund_ref
    found += at_gateway(payment, "dispute")  # the other 30: created, funds_withdrawn
    found += at_gateway(payment, "refund-settles", theirs)  # refund.updated
    found += at_gateway(payment, ended, only_refund().refund_ref)  # refund.updated or .failed
    return found + at_gateway(payment, decided)  # funds_reinstated, closed


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("seed", range(6))
def test_every_order_of_the_news_ends_in_one_ledger(build, ends, seed):
    chance = random.Random(seed)
    bodies = [body for body in happen(build, ends) for _ in range(chance.randint(1, 3))]
    chance.shuffle(bodies)

    for body in bodies:
        deliver(body)

    owed, left, accounts = expected(ends)
    assert books(build)[:3] == (accounts, [Money.of(owed)], [Money.of(left)])


STEPS = ("refund-half", "dispute", "refund-fails", "dispute-lost")


@pytest.mark.parametrize("credit", [None, "50"], ids=["no credit", "credit"])
@pytest.mark.parametrize("heard", list(permutations(range(4))), ids=str)
def test_news_heard_as_they_happen_end_in_the_same_ledger(build, heard, credit):
    """What is said of each thing is heard in this order, and some of it long before the end."""
    payment, _invoice = paid(build, by="bank-debit", credit=credit)
    back(build, payment, "20", "Overpaid" if credit else "Wrong amount charged")
    ref = only_refund().refund_ref
    waiting, due = {}, list(heard)
    for number, button in enumerate(STEPS):
        waiting[number] = at_gateway(payment, button, ref if button == "refund-fails" else "")
        while due and due[0] in waiting:
            for body in waiting.pop(due.pop(0)):
                deliver(body)
    theirs = house().refunds_of(payment.provider_ref)[-1].refund_ref
    for body in at_gateway(payment, "refund-settles", theirs):
        deliver(body)

    owed, left, accounts = expected("lost, refund failed", credit=int(credit or 0))
    assert books(build)[:3] == (accounts, [Money.of(owed)], [Money.of(left)])
    assert books(build)[3].count(True) == 0
