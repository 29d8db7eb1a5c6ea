"""Printing many documents as one PDF: rendered by the worker, in order, with a way to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app

from portal.audit import record
from portal.company import company
from portal.db import Page, PageRequest, db, in_transaction, lock_rows, paginate, reading
from portal.documents import merge_pdfs
from portal.files import keep_bytes
from portal.kernel import clock
from portal.kernel.errors import DomainError, NotFound
from portal.models import Batch, Invoice, PrintRun, PrintState, User
from portal.tasks import lease, wake

LEASE = 120
MOST = 1_000  # documents of one PDF; what is more becomes further parts
NOTED_EACH = 10  # documents between two signs of life


def print_batch(batch: Batch, *, by: User | None) -> list[PrintRun]:
    """Have all its invoices printed, a thousand to a PDF. DomainError when there are none."""
    query = sa.select(Invoice.id).where(Invoice.batch_id == batch.id)
    ids = list(db.session.scalars(query.order_by(Invoice.document_number, Invoice.id)))
    if not ids:
        raise DomainError(f"Batch {batch.number} has no invoices to print.")
    return start_print_runs(f"Batch {batch.number}", ids, by=by, batch=batch)


def start_print_runs(
    title: str,
    ids: Sequence[int],
    *,
    by: User | None,
    batch: Batch | None = None,
    document_kind: str = "invoice",
) -> list[PrintRun]:
    """One run for each thousand documents, in this order; the worker makes the PDFs.

    `document_kind` is a registered document that has ids, invoices if nothing is said.
    """
    parts = [ids[start : start + MOST] for start in range(0, len(ids), MOST)]
    runs = [
        PrintRun(
            title=title if len(parts) == 1 else f"{title}, part {number} of {len(parts)}",
            batch_id=batch.id if batch else None,
            document_kind=document_kind,
            invoice_ids=list(part),
            started_by_id=by.id if by else None,
        )
        for number, part in enumerate(parts, 1)
    ]
    db.session.add_all(runs)
    db.session.flush()
    for run in runs:
        wake("print_run", run.id)
    if batch is not None:
        record("printed", batch, f"Printing of {len(ids)} documents was asked for.")
    return runs


def stop_print_run(run: PrintRun) -> None:
    """Leave off; DomainError when it is over already."""
    lock_rows(PrintRun, [run.id])
    if run.state is not PrintState.WAITING:
        raise DomainError("This print run is over already.")
    run.state, run.claimed_until, run.finished_at = PrintState.STOPPED, None, clock.now()


def get_print_run(run_id: int) -> PrintRun:
    """One run; NotFound otherwise."""
    run = db.session.get(PrintRun, run_id)
    if run is None:
        raise NotFound("No such print run.")
    return run


def find_print_runs(page: PageRequest) -> Page[PrintRun]:
    return paginate(sa.select(PrintRun), page, sorts={"newest": PrintRun.id}, default="-newest")


def print_runs_of(batch: Batch, *, limit: int = 20) -> list[PrintRun]:
    """The newest print runs of a batch."""
    query = sa.select(PrintRun).where(PrintRun.batch_id == batch.id)
    return list(db.session.scalars(query.order_by(PrintRun.id.desc()).limit(limit)))


def waiting_print_runs() -> Iterable[int]:
    """Runs whose wake-up was lost or whose worker died."""
    free = sa.or_(PrintRun.claimed_until.is_(None), PrintRun.claimed_until <= clock.now())
    query = sa.select(PrintRun.id).where(PrintRun.state == PrintState.WAITING, free)
    return db.session.scalars(query).all()


def look_at_print_run(run_id: int) -> None:
    """Make the PDF; safe to call twice and after a crash, when it begins anew."""
    if not lease(PrintRun, run_id, states=[PrintState.WAITING], seconds=LEASE):
        db.session.rollback()
        return
    db.session.commit()
    run = db.session.get_one(PrintRun, run_id, populate_existing=True)
    mine, ids, title = Hold(run_id, run.claimed_until), list(run.invoice_ids), run.title
    make = current_app.extensions["document renderers"][run.document_kind]
    language = company().locale.partition("_")[0]
    db.session.rollback()
    try:
        held = _render(mine, ids, make)
        if held is not None:
            whole = merge_pdfs(held.papers, title=title, language=language)
            in_transaction(lambda: _finish(held, whole))
    except DomainError as error:
        words = str(error)
        in_transaction(lambda: _fail(mine, words))
    except Exception:
        in_transaction(lambda: _fail(mine, "Something broke. Print it again."))
        raise


@dataclass(frozen=True)
class Hold:
    """What a worker leased and made so far; it goes on only while the run still says the same."""

    run_id: int
    until: datetime | None
    papers: Sequence[bytes] = ()

    def run(self) -> PrintRun | None:
        """The run under lock; None when it was stopped or another worker has it."""
        run = lock_rows(PrintRun, [self.run_id])[0]
        still = run.state is PrintState.WAITING and run.claimed_until == self.until
        return run if still else None


def _render(mine: Hold, ids: Sequence[int], make: Callable[[int], bytes]) -> Hold | None:
    """Every document in order; None when the run was stopped or lost meanwhile."""
    held: Hold | None = mine
    for start in range(0, len(ids), NOTED_EACH):
        if held is None:
            return None
        papers = [*held.papers, *(_paper(one, make) for one in ids[start : start + NOTED_EACH])]
        sign = replace(held, papers=papers)
        held = in_transaction(lambda sign=sign: _note(sign))  # type: ignore[misc]
    return held


def _paper(document_id: int, make: Callable[[int], bytes]) -> bytes:
    with reading():  # rendering takes long and must not keep others from writing
        paper = make(document_id)
        db.session.commit()
    return paper


def _note(held: Hold) -> Hold | None:
    run = held.run()
    if run is None:
        return None
    run.rows_done = len(held.papers)
    run.claimed_until = clock.now() + timedelta(seconds=LEASE)
    return replace(held, until=run.claimed_until)


def _finish(held: Hold, whole: bytes) -> None:
    run = held.run()
    if run is not None:
        run.file_key = keep_bytes(whole, "pdf", "application/pdf").key
        run.state, run.claimed_until, run.finished_at = PrintState.DONE, None, clock.now()


def _fail(mine: Hold, words: str) -> None:
    """The lease was renewed meanwhile, perhaps; only a run that still waits can fail."""
    run = lock_rows(PrintRun, [mine.run_id])[0]
    if run.state is PrintState.WAITING:
        run.state, run.claimed_until, run.failure = PrintState.FAILED, None, words
        run.finished_at = clock.now()
