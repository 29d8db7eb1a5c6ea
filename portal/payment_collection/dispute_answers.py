"""Answering a dispute, once: kept as it is sent, then sent by the worker."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from portal.audit import record
from portal.db import db, in_transaction, lock_rows, reading
from portal.files import keep_bytes, open_file
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, OutsideFailure
from portal.models import Dispute
from portal.payment_collection.disputes import LIVE, get_dispute, record_dispute
from portal.payment_collection.enclosures import USUAL, Enclosure
from portal.payment_collection.evidence import FIELDS, evidence_pdf
from portal.payment_collection.gateway import DisputeSeen, gateway, has_gateway
from portal.payment_collection.retries import KEY_LIFETIME
from portal.tasks import wake

LONGEST = 5_000  # characters of one field; processors cut or refuse more


def answer_problem(dispute: Dispute) -> str | None:
    """The first reason why it cannot be answered now, in words, or None."""
    if dispute.state not in LIVE:
        return f"The dispute is {dispute.state}: there is nothing to answer any more."
    if dispute.answered_at:
        return "It was answered already. A dispute is answered once."
    if dispute.file_key:
        return "An answer is on its way already."
    if not has_gateway() or gateway().name != dispute.gateway:
        return "The payment processor it came by is no longer used here. Answer it there."
    if dispute.answer_by and dispute.answer_by <= clock.now():
        return "The day to answer by has passed."
    return None


def answer_dispute(
    dispute: Dispute, words: Mapping[str, str], enclosed: Collection[Enclosure] = USUAL
) -> None:
    """Keep words and evidence as they are, and let the worker send them.

    Idempotent: the same words again, once they are kept, change nothing.
    Raises what `check_answer` does.
    """
    said = {name: words.get(name, "").strip()[:LONGEST] for name in FIELDS}
    if _is_kept(dispute, said):
        return
    check_answer(dispute, said)
    kept = keep_bytes(evidence_pdf(dispute, said, enclosed), "pdf", "application/pdf")
    lock_rows(Dispute, [dispute.id])  # making the papers took a while
    if _is_kept(dispute, said):
        return
    if problem := answer_problem(dispute):
        raise DomainError(problem)
    papers = [one.value for one in Enclosure if one in enclosed]
    dispute.answer, dispute.file_key = json.dumps({**said, "enclosed": papers}), kept.key
    dispute.answer_kept_at = clock.now()
    db.session.flush()
    along = ", ".join(papers).replace("_", " ") or "nothing"
    what = f"The dispute over {dispute.amount} was answered; enclosed: {along}."
    record("answered", dispute, what)
    record("dispute answered", dispute.payment, f"The dispute over {dispute.amount} was answered.")
    wake("dispute_answer", dispute.id)


def check_answer(dispute: Dispute, words: Mapping[str, str]) -> None:
    """Raises DomainError for what `answer_problem` says, InvalidFields without an explanation."""
    if not words.get("explanation", "").strip():
        raise InvalidFields({"explanation": "Say in a few sentences why the charge was right."})
    if problem := answer_problem(dispute):
        raise DomainError(problem)


def waiting_answers() -> Iterable[int]:
    """Answers that were kept and not yet taken by the gateway."""
    if not has_gateway():
        return []
    return db.session.scalars(
        sa.select(Dispute.id).where(
            Dispute.file_key != "",
            Dispute.answered_at.is_(None),
            Dispute.gateway == gateway().name,
        )
    ).all()


def send_answer(dispute_id: int) -> None:
    """Hand the kept answer to the gateway; tried until it is taken or definitely refused.

    The file names the answer, so repeating is safe while the gateway remembers keys; later it
    is asked first whether it took the answer. Ends the session's transaction.
    """
    db.session.rollback()
    with reading():
        dispute = get_dispute(dispute_id)
        ref, key, said = dispute.dispute_ref, dispute.file_key, said_of(dispute)
        waits = bool(key) and dispute.answered_at is None
        kept_at = dispute.answer_kept_at or dispute.created_at
        db.session.rollback()
    if not waits:
        return
    try:
        seen = _hand_over(ref, said, key, (clock.now() - kept_at) // KEY_LIFETIME)
    except OutsideFailure as failure:
        if failure.permanent:
            words = str(failure)
            in_transaction(lambda: _refused(dispute_id, words))
        return  # else the sweep tries again
    in_transaction(lambda: _taken(dispute_id))
    record_dispute(seen)


def _hand_over(ref: str, said: Mapping[str, str], file_key: str, lifetimes: int) -> DisputeSeen:
    """Once per key; a key that may be forgotten is used for nothing before a look."""
    reference = file_key.removesuffix(".pdf")
    if lifetimes:
        seen = gateway().look_up_dispute(ref)
        if seen.answered:
            return seen
        reference = f"{reference}-{lifetimes}"
    return gateway().answer_dispute(ref, said, open_file(file_key), reference)


def said_of(dispute: Dispute) -> dict[str, str]:
    """The words of the answer as they were sent; empty before."""
    said: dict[str, Any] = json.loads(dispute.answer) if dispute.answer else {}
    return {name: text for name, text in said.items() if name in FIELDS}


def enclosed_with(dispute: Dispute) -> Collection[Enclosure]:
    """What goes along with the answer: as it was ticked last, else the usual."""
    said: dict[str, Any] = json.loads(dispute.answer) if dispute.answer else {}
    return {Enclosure(one) for one in said["enclosed"]} if "enclosed" in said else USUAL


def _is_kept(dispute: Dispute, said: Mapping[str, str]) -> bool:
    """Whether exactly these words were answered already; line ends differ between browsers."""
    before = said_of(dispute) if dispute.file_key else {}
    return bool(before) and all(before[one].split() == said[one].split() for one in FIELDS)


def _taken(dispute_id: int) -> None:
    dispute = lock_rows(Dispute, [dispute_id])[0]
    if dispute.answered_at is None:
        dispute.answered_at = clock.now()
        record("sent", dispute, "The card processor took the answer.")


def _refused(dispute_id: int, words: str) -> None:
    """It can be answered again; the words are kept."""
    dispute = lock_rows(Dispute, [dispute_id])[0]
    if dispute.answered_at is None:
        dispute.file_key = ""
        record("refused", dispute, f"The card processor refused the answer: {words}")
