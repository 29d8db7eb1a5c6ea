"""What may go along with the answer to a dispute, each ticked by a person."""

from __future__ import annotations

from enum import StrEnum


class Enclosure(StrEnum):
    """One kind of our records. It goes to the payer's bank, and from there to the payer."""

    INVOICES = "invoices"
    RECEIPT = "receipt"
    CONSENTS = "consents"  # word for word, with the internet address they came from
    MESSAGES = "messages"
    VISITS = "visits"  # what was opened, and sign-ins without their internet addresses
    PHOTOS = "photos"  # only those the customer may see
    JOB_NOTES = "job_notes"  # written for ourselves


USUAL = frozenset(Enclosure) - {Enclosure.JOB_NOTES}
