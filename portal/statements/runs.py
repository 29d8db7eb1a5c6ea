"""A run of statements for many customers, shared by workers, stoppable, each made once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.db import claim, db
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import (
    Channel,
    StatementItem,
    StatementRun,
    StatementRunState,
    StatementShare,
    StatementWay,
    User,
)
from portal.outbox import LANGUAGES, Words, check_words, words_for
from portal.statements.computing import StatementWanted, check_wanted
from portal.tasks import wake

SHARES = 2  # how many workers may be at one run; more would keep other work waiting
SMALL = 20  # customers that one worker makes alone
MADE = 1_000  # rows of one INSERT


@dataclass(frozen=True)
class RunOrder:
    """How a run's statements are made and sent; `slot` names the month of a scheduled one."""

    wanted: StatementWanted
    way: StatementWay = StatementWay.AS_PREFERRED
    copies: bool = False
    credit_only: bool = False
    weeks_between: int = 0
    words: Words | None = None
    recipients: Collection[str] = ()
    narrowed_to: str = ""
    slot: str | None = None


def start_run(
    customer_ids: Collection[int], order: RunOrder, *, today: date, by: User | None = None
) -> StatementRun:
    """Queue a statement for each of these customers; the workers make and send them.

    Raises DomainError for nobody, InvalidFields for a range that is none, a day that has not
    come, or words with an unknown placeholder: nothing is begun then.
    """
    ids = sorted(set(customer_ids))
    wanted = check_wanted(order.wanted)
    if not ids:
        raise DomainError("There is nobody to send a statement to.")
    if wanted.ends_on > today:
        raise InvalidFields({"ends_on": "Choose a day that has come."})
    words = _checked_words(order)
    run = StatementRun(
        kind=wanted.kind,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
        way=order.way,
        with_copies=order.copies,
        credit_only=order.credit_only,
        weeks_between=order.weeks_between,
        subject=words.subject if words else "",
        body=words.body if words else "",
        recipients=", ".join(order.recipients),
        narrowed_to=order.narrowed_to,
        slot=order.slot,
        rows_total=len(ids),
        started_by_id=by.id if by else None,
    )
    db.session.add(run)
    db.session.flush()
    _share_out(run, ids)
    record("started", run, f"Statements for {len(ids)} customers are being made.")
    return run


def stop_run(run: StatementRun) -> None:
    """Make no more; what is in the outbox goes its way. DomainError when it is over."""
    if run.state is not StatementRunState.WAITING:
        raise DomainError("This run is over already.")
    claim(run, state=StatementRunState.STOPPED)
    run.finished_at = clock.now()
    record("stopped", run, "The run of statements was stopped.")


def waiting_shares() -> Iterable[int]:
    """Shares whose wake-up was lost or whose worker died."""
    free = sa.or_(
        StatementShare.claimed_until.is_(None), StatementShare.claimed_until <= clock.now()
    )
    query = sa.select(StatementShare.id).where(
        StatementShare.state == StatementRunState.WAITING, free
    )
    return db.session.scalars(query).all()


def _checked_words(order: RunOrder) -> Words | None:
    """The run's own words, or else those of every language: none with a hole in it leaves."""
    if order.words is not None:
        return check_words("statement", Channel.EMAIL, order.words)
    for language in LANGUAGES if order.way is not StatementWay.PRINT else ():
        try:
            words = words_for("statement", Channel.EMAIL, language)
            check_words("statement", Channel.EMAIL, words)
        except InvalidFields as wrong:
            why = " ".join(wrong.errors.values())
            raise DomainError(f"The text of the statement mail ({language}): {why}") from wrong
    return None


def _share_out(run: StatementRun, ids: list[int]) -> None:
    number = SHARES if len(ids) > SMALL else 1
    rows = [
        {"run_id": run.id, "customer_id": one, "share": place % number}
        for place, one in enumerate(ids)
    ]
    for start in range(0, len(rows), MADE):
        db.session.execute(sa.insert(StatementItem), rows[start : start + MADE])
    shares = [StatementShare(run_id=run.id, number=place) for place in range(number)]
    db.session.add_all(shares)
    db.session.flush()
    for share in shares:
        wake("statement_share", share.id)
