"""The import command: the same runs as on the screen, worked on at once."""

from __future__ import annotations

import time
from pathlib import Path

import click

from portal.cli.plain import PlainCommand
from portal.db import PageRequest, db, in_transaction
from portal.imports import (
    ask_for_check,
    ask_for_saving,
    is_working,
    look_at_run,
    problems_of,
    start_run,
)
from portal.models import ImportRun, ImportSubject


@click.command("import", cls=PlainCommand)
@click.argument("subject", type=click.Choice([one.value for one in ImportSubject]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check, save nothing.")
def import_file(subject: str, file: Path, dry_run: bool) -> None:
    """Bring in customers, items, invoices or payments from CSV or XLSX: all rows or none."""
    with file.open("rb") as upload:
        run = in_transaction(
            lambda: start_run(ImportSubject(subject), upload, name=file.name, by=None)
        )
    in_transaction(lambda: ask_for_check(run, run.mapping))
    _finish(run)
    if run.failure:
        raise click.ClickException(run.failure)
    for problem in problems_of(run, PageRequest(size=200)).rows:
        click.echo(f"row {problem.row_number}, {problem.column}: {problem.sentence}")
    for hint in run.hints:
        click.echo(hint)
    click.echo(
        f"{run.rows_total} rows: {run.rows_new} new, {run.rows_known} known, {run.rows_bad} bad."
    )
    if run.rows_bad:
        raise click.ClickException("Nothing was saved. Mend these rows and try again.")
    if dry_run or not run.rows_new:
        return
    in_transaction(lambda: ask_for_saving(run))
    _finish(run)
    db.session.refresh(run)
    if run.failure:
        raise click.ClickException(run.failure)
    click.echo(f"{run.rows_done} {subject} were imported.")


def _finish(run: ImportRun) -> None:
    """Work on the run until it rests, also when a worker took it before us."""
    while True:
        look_at_run(run.id)
        db.session.refresh(run)
        db.session.commit()
        if not is_working(run):
            return
        time.sleep(0.5)
