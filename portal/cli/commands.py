"""The commands of `flask`, each a thin door to a service."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path

import click
from flask import Flask, current_app

from portal import tasks
from portal.access import PersonWords, add_person, person_of_email, roles, staff_link
from portal.audit import verify_audit
from portal.cli import backups, doctor, serving
from portal.db import PageRequest, db, in_transaction
from portal.db.migrate import upgrade_database
from portal.imports import (
    ask_for_check,
    ask_for_saving,
    is_working,
    look_at_run,
    problems_of,
    start_run,
)
from portal.kernel.errors import DomainError
from portal.ledger import verify_books
from portal.models import ImportRun, ImportSubject
from portal.seed import demo_sign_ins, found_company, seed_demo
from portal.settings import Settings, with_address


def register(app: Flask) -> None:
    """Put our commands on the app."""
    commands = (serve, worker, found, seed, import_file, check_books, check_audit, examine,
                backup, restore, user, sign_in_link)  # fmt: skip
    for command in commands:
        app.cli.add_command(command)


@click.command("serve")
@click.option("--demo", is_flag=True, help="Fill an empty database with the demo company first.")
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=5000)
def serve(demo: bool, host: str, port: int) -> None:
    """Migrate, then run the web server and the worker until Ctrl-C."""
    serving.refuse_taken_port(host, port)
    settings = with_address(current_app.config["SETTINGS"], host, port)
    current_app.config["SETTINGS"] = settings
    upgrade_database()
    in_transaction(found_company)
    if demo and seed_demo(say=click.echo):
        click.echo("The demo company is ready.")
    for name, url in demo_sign_ins():
        click.echo(f"  {name}: {url}")
    db.session.commit()
    db.session.remove()
    db.engine.dispose()
    sys.exit(serving.supervise(settings, host, port, say=click.echo))


@click.command("worker")
@click.option("--threads", default=1)
def worker(threads: int) -> None:
    """Run the background worker alone; start as many as you like."""
    tasks.start_worker(current_app._get_current_object(), threads=threads)  # type: ignore[attr-defined]


@click.command("found")
@click.option("--name", default="My Company")
def found(name: str) -> None:
    """Migrate and make the rows every installation needs."""
    upgrade_database()
    in_transaction(lambda: found_company(name))
    click.echo("Ready. Now add an administrator: flask user create")


@click.command("seed")
@click.option("--reset", is_flag=True, help="Throw the SQLite database away first.")
def seed(reset: bool) -> None:
    """Fill an empty database with the demo company."""
    if reset:
        serving.throw_away(current_app.config["SETTINGS"])
    upgrade_database()
    in_transaction(found_company)
    if not seed_demo(say=click.echo):
        raise click.ClickException("There are customers already; the demo needs an empty database.")


@click.command("import")
@click.argument("subject", type=click.Choice([one.value for one in ImportSubject]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check, save nothing.")
def import_file(subject: str, file: Path, dry_run: bool) -> None:
    """Bring in customers, items, invoices or payments from CSV or XLSX: all rows or none."""
    try:
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
        click.echo(
            f"{run.rows_total} rows: {run.rows_new} new, {run.rows_known} known, "
            f"{run.rows_bad} bad."
        )
        if run.rows_bad:
            raise click.ClickException("Nothing was saved. Mend these rows and try again.")
        if dry_run or not run.rows_new:
            return
        in_transaction(lambda: ask_for_saving(run))
        _finish(run)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
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


@click.command("verify-books")
def check_books() -> None:
    """Check every invariant of the books and name each broken row."""
    _report([*verify_books()], "The books balance and every subledger ties out.")


@click.command("verify-audit")
def check_audit() -> None:
    """Walk the audit chain and name each broken link."""
    _report([one.sentence for one in verify_audit()], "The audit chain is whole.")


@click.command("doctor")
def examine() -> None:
    """Check what the installation needs, and say what to do about what lacks."""
    findings = doctor.examine()
    for finding in findings:
        click.echo(f"{finding.mark:<5} {finding.sentence}")
    if any(finding.mark == "FAIL" for finding in findings):
        sys.exit(1)


@click.command("backup")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def backup(target: Path) -> None:
    """Write database, files and key into one archive, safe while the app runs."""
    backups.write_backup(current_app.config["SETTINGS"], target)
    click.echo(f"Backed up to {target} ({target.stat().st_size // 1024} kB).")


@click.command("restore")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Overwrite what is there.")
def restore(source: Path, replace: bool) -> None:
    """Bring an archive back into this installation; stop the app first."""
    db.session.remove()
    db.engine.dispose()
    try:
        backups.read_backup(current_app.config["SETTINGS"], source, replace=replace)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    _report([*verify_books()], "Restored; the books balance.")


@click.group("user")
def user() -> None:
    """Staff accounts."""


@user.command("create")
@click.option("--name", prompt=True)
@click.option("--email", prompt=True)
@click.option("--role", default="Administrator", show_default=True)
@click.password_option()
def create_user(name: str, email: str, role: str, password: str) -> None:
    """Add a staff member who signs in with email and password."""
    chosen = next((one for one in roles() if one.name == role), None)
    if chosen is None:
        raise click.ClickException(f"Roles are {', '.join(one.name for one in roles())}.")
    try:
        in_transaction(
            lambda: add_person(PersonWords(name=name, email=email, role=chosen), password=password)
        )
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} can sign in now.")


@click.command("sign-in-link")
@click.argument("email")
def sign_in_link(email: str) -> None:
    """Print a one-time staff sign-in link that works for an hour."""
    person = person_of_email(email)
    if person is None:
        raise click.ClickException("Nobody has this email address.")
    token = in_transaction(lambda: staff_link(person, lifetime=timedelta(hours=1)))
    settings: Settings = current_app.config["SETTINGS"]
    click.echo(f"{settings.base_url}/staff/sign-in/link/{token}")


def _report(problems: list[str], fine: str) -> None:
    for problem in problems:
        click.echo(problem)
    if problems:
        raise click.ClickException(f"{len(problems)} problems found.")
    click.echo(fine)
