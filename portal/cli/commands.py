"""The commands of `flask`, each a thin door to a service."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click
from flask import Flask, current_app

from portal import tasks
from portal.access import PersonWords, add_person, person_of_email, roles, staff_link
from portal.audit import verify_audit
from portal.cli import backups, doctor, serving
from portal.cli.importing import import_file
from portal.cli.placing import before_restore
from portal.cli.plain import PlainCommand
from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.ledger import broken_invariants
from portal.payment_collection.set_up import choose_gateway
from portal.seed import demo_sign_ins, found_company, seed_demo
from portal.settings import Settings, with_address

STAFF_DOOR = "/staff/sign-in"


def register(app: Flask) -> None:
    """Put our commands on the app."""
    commands = (serve, worker, found, seed, import_file, check_books, check_audit, examine,
                backup, restore, user, sign_in_link)  # fmt: skip
    for command in commands:
        app.cli.add_command(command)


@click.command("serve", cls=PlainCommand)
@click.option("--demo", is_flag=True, help="Fill an empty database with the demo company first.")
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=5000)
def serve(demo: bool, host: str, port: int) -> None:
    """Migrate, then run the web server and the worker until Ctrl-C."""
    serving.refuse_taken_port(host, port)
    settings = with_address(current_app.config["SETTINGS"], host, port)
    current_app.config["SETTINGS"] = settings
    current_app.extensions["gateway"] = choose_gateway(settings)  # its pages lie there too
    upgrade_database()
    in_transaction(found_company)
    if demo and seed_demo(say=click.echo):
        click.echo("The demo company is ready.")
    for name, url in demo_sign_ins():
        click.echo(f"  {name}: {url}")
    click.echo(f"  The office signs in at {settings.base_url}{STAFF_DOOR}")
    db.session.commit()
    db.session.remove()
    db.engine.dispose()
    sys.exit(serving.supervise(settings, host, port, say=click.echo))


@click.command("worker", cls=PlainCommand)
@click.option("--threads", default=tasks.THREADS, show_default=True, help="Besides mail's own.")
def worker(threads: int) -> None:
    """Run the background worker alone; start as many as you like."""
    tasks.start_worker(current_app._get_current_object(), threads=threads)  # type: ignore[attr-defined]


@click.command("found", cls=PlainCommand)
@click.option("--name", default="My Company")
def found(name: str) -> None:
    """Migrate and make the rows every installation needs."""
    upgrade_database()
    in_transaction(lambda: found_company(name))
    click.echo("Ready. Now add an administrator: flask user create")


@click.command("seed", cls=PlainCommand)
@click.option("--reset", is_flag=True, help="Throw the SQLite database away first.")
def seed(reset: bool) -> None:
    """Fill an empty database with the demo company."""
    if reset:
        serving.throw_away(current_app.config["SETTINGS"])
    upgrade_database()
    in_transaction(found_company)
    if not seed_demo(say=click.echo):
        raise click.ClickException("There are customers already; the demo needs an empty database.")


@click.command("verify-books", cls=PlainCommand)
def check_books() -> None:
    """Check every invariant of the books and name the first rows that break one."""
    _report_books("The books balance and every subledger ties out.")


@click.command("verify-audit", cls=PlainCommand)
def check_audit() -> None:
    """Walk the audit chain and name each broken link."""
    _report([one.sentence for one in verify_audit()], "The audit chain is whole.")


@click.command("doctor", cls=PlainCommand)
def examine() -> None:
    """Check what the installation needs, and say what to do about what lacks."""
    findings = doctor.examine()
    for finding in findings:
        click.echo(f"{finding.mark:<5} {finding.sentence}")
    if any(finding.mark == "FAIL" for finding in findings):
        sys.exit(1)


@click.command("backup", cls=PlainCommand)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def backup(target: Path) -> None:
    """Write database, files and key into one archive, safe while the app runs."""
    backups.write_backup(current_app.config["SETTINGS"], target)
    click.echo(f"Backed up to {target} ({target.stat().st_size // 1024} kB).")


@click.command("restore", cls=PlainCommand)
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Overwrite what is there.")
def restore(source: Path, replace: bool) -> None:
    """Bring an archive back into this installation; stop the app first."""
    settings: Settings = current_app.config["SETTINGS"]
    db.session.remove()
    db.engine.dispose()
    backups.read_backup(settings, source, replace=replace)
    upgrade_database()  # the archive may be of an older version,
    in_transaction(found_company)  # which lacked rows that this one needs
    if settings.uses_sqlite and before_restore(settings.sqlite_file).exists():
        click.echo(f"The old database is kept as {before_restore(settings.sqlite_file)}.")
    _report_books("Restored; the books balance.")


@click.group("user")
def user() -> None:
    """Staff accounts."""


@user.command("create", cls=PlainCommand)
@click.option("--name", prompt=True)
@click.option("--email", prompt=True)
@click.option("--role", default="Administrator", show_default=True)
@click.password_option()
def create_user(name: str, email: str, role: str, password: str) -> None:
    """Add a staff member who signs in with email and password."""
    chosen = next((one for one in roles() if one.name == role), None)
    if chosen is None:
        raise click.ClickException(f"Roles are {', '.join(one.name for one in roles())}.")
    words = PersonWords(name=name, email=email, role=chosen)
    in_transaction(lambda: add_person(words, password=password))
    settings: Settings = current_app.config["SETTINGS"]
    click.echo(f"{name} can sign in now at {settings.base_url}{STAFF_DOOR}")


@click.command("sign-in-link", cls=PlainCommand)
@click.argument("email")
def sign_in_link(email: str) -> None:
    """Print a one-time staff sign-in link that works for an hour."""
    person = person_of_email(email)
    if person is None:
        raise click.ClickException("Nobody has this email address.")
    token = in_transaction(lambda: staff_link(person, lifetime=timedelta(hours=1)))
    settings: Settings = current_app.config["SETTINGS"]
    click.echo(f"{settings.base_url}{STAFF_DOOR}/link/{token}")


def _report_books(fine: str) -> None:
    count = 0
    for broken in broken_invariants():
        count += broken.count
        for sentence in broken.sentences:
            click.echo(sentence)
    if count:
        raise click.ClickException(_problems(count))
    click.echo(fine)


def _report(problems: list[str], fine: str) -> None:
    for problem in problems:
        click.echo(problem)
    if problems:
        raise click.ClickException(_problems(len(problems)))
    click.echo(fine)


def _problems(count: int) -> str:
    return "1 problem found." if count == 1 else f"{count:,} problems found."
