"""A batch of ten thousand beside a hundred thousand invoices: filled, shown, posted, unposted."""

from __future__ import annotations

import time

from bench.house import Figure, house, milliseconds, statements
from bench.money import _pending, _place
from bench.pages import _fill, _sign_in, _vacuum
from portal.batches import (
    add_matching_invoices,
    ask_for_posting,
    ask_for_unposting,
    get_batch,
    look_at_batch,
    look_at_unpost_run,
    start_batch,
    workbook_of,
)
from portal.db import db, in_transaction
from portal.invoices import InvoiceFilter
from portal.ledger import verify_books
from portal.models import BatchState, InvoiceState, WhenRefused
from portal.schedule import refresh_statistics

ENGINES = ("sqlite", "postgresql")
MEMBERS = 10_000
PAGES = {
    "batches": "/staff/batches",
    "ready for a batch": "/staff/batches/unbatched",
    "not ready yet": "/staff/batches/unbatched/not-ready",
    "batch of 10,000": "/staff/batches/{batch}",
    "… its page 150": "/staff/batches/{batch}?page=150",
}
QUESTION = "question before posting 10,000"


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine) as app:
        in_transaction(lambda: _fill(size))
        place = _place()
        for _ in range(MEMBERS):
            _pending(place)
        batch_id, customer_id = in_transaction(_begin), place.customer_id
        refresh_statistics()
        _vacuum()
        browser = app.test_client()
        browser.set_cookie("fieldledger_staff", in_transaction(_sign_in)[0])
        words = f"{size:,} invoices, {MEMBERS:,} pending"
        pages = {name: PAGES[name] for name in ("ready for a batch", "not ready yet")}
        figures = _visit(app, browser, engine, words, pages)
        figures.append(
            _timed(
                "put all that match in", engine, "≥ 1,000 /s", lambda: _add(batch_id, customer_id)
            )
        )
        batch = {name: path.format(batch=batch_id) for name, path in PAGES.items()}
        figures += _visit(app, browser, engine, words, batch)
        question = {QUESTION: f"/staff/batches/{batch_id}/posting"}
        figures += _visit(app, browser, engine, words, question, target="—")
        for mode in WhenRefused:
            name = f"post a batch ({mode.replace('_', ' ')})"
            figures.append(
                _timed(name, engine, "≥ 1,000 /s", lambda mode=mode: _post(batch_id, mode))
            )
            assert in_transaction(lambda: get_batch(batch_id).state) is BatchState.POSTED
            figures.append(_timed("unpost it", engine, "—", lambda: _unpost(batch_id)))
        figures.append(_timed("as XLSX", engine, "—", lambda: workbook_of(get_batch(batch_id))))
        assert verify_books() == []
    return figures


def _visit(app, browser, engine, words, pages, target="≤ 50 ms"):  # type: ignore[no-untyped-def]
    figures = []
    for name, path in pages.items():
        with app.app_context(), statements() as sent:
            assert browser.get(path).status_code == 200, path

        def visit(path: str = path) -> None:
            with app.app_context():
                browser.get(path)

        median, worst = milliseconds(visit)
        measured = f"{median:.0f} ms (p95 {worst:.0f}), {len(sent)} statements"
        figures.append(Figure(name, engine, words, target, measured))
    return figures


def _timed(name, engine, target, act):  # type: ignore[no-untyped-def]
    db.session.remove()
    started = time.perf_counter()
    act()
    rate = MEMBERS / (time.perf_counter() - started)
    db.session.remove()
    return Figure(name, engine, f"{MEMBERS:,} invoices", target, f"{rate:,.0f} /s")


def _begin() -> int:
    batch = start_batch("Bench")
    db.session.flush()
    return batch.id


def _add(batch_id: int, customer_id: int) -> None:
    wanted = InvoiceFilter(state=InvoiceState.PENDING, customer_id=customer_id)
    added = in_transaction(lambda: add_matching_invoices(get_batch(batch_id), wanted))
    assert added == MEMBERS


def _post(batch_id: int, mode: WhenRefused) -> None:
    in_transaction(lambda: ask_for_posting(get_batch(batch_id), when_refused=mode, by=None))
    look_at_batch(batch_id)


def _unpost(batch_id: int) -> None:
    run = in_transaction(
        lambda: ask_for_unposting(get_batch(batch_id), because="bench", by=None).id
    )
    look_at_unpost_run(run)
