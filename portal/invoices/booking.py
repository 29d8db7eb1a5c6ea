"""What a final invoice writes into the journal (docs/accounting.md)."""

from __future__ import annotations

from collections import defaultdict

from portal.invoices.wording import document_word
from portal.kernel.money import ZERO, Money
from portal.ledger import Entry, Leg, account_id_for
from portal.models import AccountRole, Invoice, ItemKind, PaymentApplication


def revenue_entry(invoice: Invoice) -> Entry:
    """The entry of posting it, dated its invoice date."""
    assert invoice.invoice_date is not None
    memo = f"{document_word(invoice)} {invoice.document_number}"
    return Entry(invoice.invoice_date, memo, ("invoice", invoice.id), revenue_legs(invoice))


def revenue_legs(invoice: Invoice) -> list[Leg]:
    """The legs of a posted invoice (servicetitan-rules §18): A/R against revenue and tax.

    A negative total is credit of the customer at once: it stands against Customer Deposits
    (docs/decisions/0007).
    """
    by_account: dict[int, Money] = defaultdict(lambda: ZERO)
    for line in invoice.lines:
        role = AccountRole.DISCOUNTS if line.kind is ItemKind.DISCOUNT else AccountRole.REVENUE
        by_account[line.income_account_id or account_id_for(role)] += line.total
    if invoice.total < ZERO:
        legs = [Leg(AccountRole.CUSTOMER_DEPOSITS, invoice.total, invoice.customer_id)]
    else:
        legs = [Leg(AccountRole.RECEIVABLE, invoice.total, invoice.customer_id, invoice.id)]
    legs += [Leg(account, -amount) for account, amount in sorted(by_account.items())]
    legs.append(Leg(AccountRole.SALES_TAX, -invoice.tax_total))
    return legs


def application_entry(invoice: Invoice, application: PaymentApplication) -> Entry:
    """Dr Customer Deposits, Cr A/R, dated when both the money and the invoice were there."""
    assert invoice.invoice_date is not None
    done = "applied to" if application.amount > ZERO else "taken back from"
    return Entry(
        on=max(application.applied_on, invoice.invoice_date),
        memo=f"Payment {done} invoice {invoice.number}",
        source=("paymentapplication", application.id),
        legs=application_legs(invoice, application.amount),
    )


def application_legs(invoice: Invoice, amount: Money) -> list[Leg]:
    """The legs of `amount` applied to this invoice."""
    return [
        Leg(AccountRole.CUSTOMER_DEPOSITS, amount, invoice.customer_id),
        Leg(AccountRole.RECEIVABLE, -amount, invoice.customer_id, invoice.id),
    ]
