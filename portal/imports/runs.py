"""A run: the file, its mapping, the check, the saving; the worker does the long parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO

import sqlalchemy as sa

from portal.audit import record
from portal.db import Page, PageRequest, claim, db, in_transaction, lock_rows, paginate, reading
from portal.files import keep_bytes
from portal.imports.checking import Checked, check_file
from portal.imports.reading import read_table
from portal.imports.saving import save_rows
from portal.imports.shapes import SHAPES, guess_mapping
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.models import ImportProblem, ImportRun, ImportState, ImportSubject, User
from portal.tasks import lease, note_progress, read_progress, wake

LARGEST = 10 * 1024 * 1024
LEASE = 900
WORKING = (ImportState.CHECKING, ImportState.SAVING)


def start_run(
    subject: ImportSubject, upload: IO[bytes], *, name: str, by: User | None
) -> ImportRun:
    """Keep the file and guess what its columns mean; InvalidFields when it is no table."""
    content = upload.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InvalidFields({"file": "This file is larger than 10 MB. Split it into parts."})
    titles, _rows = read_table(content, name)
    kept = keep_bytes(content, "csv", "application/octet-stream")
    run = ImportRun(
        subject=subject,
        original_name=name[:200],
        file_key=kept.key,
        columns=titles,
        mapping=guess_mapping(subject, titles),
        started_by_id=by.id if by else None,
    )
    db.session.add(run)
    record("uploaded", run, f"{name[:200]} was uploaded to import {subject}.")
    return run


def ask_for_check(run: ImportRun, mapping: Mapping[str, str]) -> None:
    """Take the corrected mapping and have the worker read every row; saves nothing yet."""
    if run.state in (ImportState.SAVING, ImportState.DONE):
        raise DomainError("This import is already under way.")
    chosen = {name: title for name, title in mapping.items() if title in run.columns}
    lacking = [one.label for one in SHAPES[run.subject] if one.required and one.name not in chosen]
    if lacking:
        raise DomainError(f"Say which column holds: {', '.join(lacking)}.")
    run.mapping, run.failure, run.rows_done = chosen, "", 0
    claim(run, state=ImportState.CHECKING, claimed_until=None)
    wake("import_run", run.id)


def ask_for_saving(run: ImportRun) -> None:
    """Have the worker save all rows; refused while one row is bad, so that it is all or nothing."""
    if run.state is not ImportState.CHECKED:
        raise DomainError("Check the file first.")
    if run.rows_bad:
        raise DomainError(
            f"{run.rows_bad} rows are not right yet. Mend the file, then bring it again."
        )
    if not run.rows_new:
        raise DomainError("There is nothing new in this file.")
    claim(run, state=ImportState.SAVING, claimed_until=None)
    wake("import_run", run.id)


def waiting_runs() -> Iterable[int]:
    """Runs whose wake-up was lost or whose worker died."""
    return db.session.scalars(
        sa.select(ImportRun.id).where(
            ImportRun.state.in_(WORKING),
            sa.or_(ImportRun.claimed_until.is_(None), ImportRun.claimed_until <= clock.now()),
        )
    ).all()


def look_at_run(run_id: int) -> None:
    """Check or save, whatever the run waits for; safe to call twice and after a crash."""
    if not lease(ImportRun, run_id, states=WORKING, seconds=LEASE):
        db.session.rollback()
        return
    db.session.commit()
    with reading():
        run = db.session.get_one(ImportRun, run_id, populate_existing=True)
        mine = Hold(run_id, run.state, run.claimed_until)
        db.session.rollback()
    try:
        with reading():  # reading a long file must not keep others from writing
            run = db.session.get_one(ImportRun, run_id, populate_existing=True)
            checked = check_file(run, told=lambda rows: note_progress(f"import {run_id}", rows))
            db.session.rollback()
        if mine.state is ImportState.CHECKING or checked.bad:
            in_transaction(lambda: _keep_findings(mine, checked))
        else:
            in_transaction(lambda: _save(mine, checked))
    except DomainError as error:
        words = str(error)
        in_transaction(lambda: _fail(mine, words))
    except Exception:
        in_transaction(lambda: _fail(mine, "Something broke; nothing was saved. Try again."))
        raise


@dataclass(frozen=True)
class Hold:
    """What a worker leased; it may write only while the run still says the same."""

    run_id: int
    state: ImportState
    until: datetime | None

    def run(self) -> ImportRun | None:
        """The run under lock, so that nobody takes it over before the commit; None when lost."""
        run = lock_rows(ImportRun, [self.run_id])[0]
        return run if (run.state, run.claimed_until) == (self.state, self.until) else None


def find_runs(page: PageRequest) -> Page[ImportRun]:
    return paginate(sa.select(ImportRun), page, sorts={"newest": ImportRun.id}, default="-newest")


def get_run(run_id: int) -> ImportRun:
    """One run; NotFound otherwise."""
    run = db.session.get(ImportRun, run_id)
    if run is None:
        raise NotFound("No such import.")
    return run


def was_anything_imported() -> bool:
    done = sa.exists().where(ImportRun.state == ImportState.DONE)
    return bool(db.session.scalar(sa.select(done)))


def problems_of(run: ImportRun, page: PageRequest) -> Page[ImportProblem]:
    query = sa.select(ImportProblem).where(ImportProblem.run_id == run.id)
    return paginate(query, page, sorts={"row": ImportProblem.row_number}, default="row")


def all_problems_of(run: ImportRun) -> list[ImportProblem]:
    """Every problem kept, for a file to mend by."""
    query = sa.select(ImportProblem).where(ImportProblem.run_id == run.id)
    return list(db.session.scalars(query.order_by(ImportProblem.row_number, ImportProblem.id)))


def is_working(run: ImportRun) -> bool:
    """Whether a worker reads or saves it, or will."""
    return run.state in WORKING


def progress_of(run: ImportRun) -> int:
    """Rows done so far of the step that is running."""
    return read_progress(f"import {run.id}") if run.state in WORKING else run.rows_done


def _keep_findings(mine: Hold, checked: Checked) -> None:
    run = mine.run()
    if run is None:
        return
    run.problems = [
        ImportProblem(row_number=one.row_number, column=one.column, sentence=one.sentence)
        for one in checked.problems
    ]
    run.hints = checked.hints
    run.rows_total, run.rows_new = checked.total, len(checked.rows)
    run.rows_known, run.rows_bad, run.rows_done = checked.known, checked.bad, checked.total
    run.state, run.claimed_until = ImportState.CHECKED, None


def _save(mine: Hold, checked: Checked) -> None:
    run = mine.run()
    if run is None:
        return
    note = f"import {run.id}"
    save_rows(run.subject, checked.rows, told=lambda rows: note_progress(note, rows))
    run.rows_done = len(checked.rows)
    run.state, run.claimed_until, run.finished_at = ImportState.DONE, None, clock.now()
    record("imported", run, f"{len(checked.rows)} {run.subject} were imported.")


def _fail(mine: Hold, words: str) -> None:
    run = mine.run()
    if run is not None:
        run.state, run.failure, run.claimed_until = ImportState.FAILED, words, None
