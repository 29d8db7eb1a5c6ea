"""The commands a person types."""

import re
import sqlite3
from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.access import person_of_email
from portal.cli import doctor
from portal.db import db
from portal.db.migrate import upgrade_database
from portal.documents import rendering
from portal.models import Invoice
from tests.cli.houses import house
from tests.payment_collection.money_back import paid


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def invoke(*words, **more):
        db.session.commit()
        return runner.invoke(args=list(words), **more)

    return invoke


def failures():
    return " ".join(one.sentence for one in doctor.examine() if one.mark == "FAIL")


def test_a_person_can_be_made_and_signs_in_by_link(run, client):
    made = run(
        "user", "create", "--name", "Nora", "--email", "nora@acme.example", "--role", "Office",
        "--password", "a long password",
    )  # fmt: skip
    link = run("sign-in-link", "nora@acme.example")

    assert made.exit_code == 0, made.output
    assert "http://localhost/staff/sign-in" in made.output
    assert person_of_email("nora@acme.example").role.name == "Office"
    path = re.search(r"(/staff/sign-in/link/\S+)", link.output)[1]
    assert client.post(path).location == "/staff/"


def test_a_link_for_nobody_is_refused(run):
    answer = run("sign-in-link", "nobody@acme.example")

    assert (answer.exit_code, "Nobody has this email address." in answer.output) == (1, True)


def test_broken_books_are_named(run, build, app):
    build.posted("10")
    assert run("verify-books").exit_code == 0
    db.session.execute(sa.update(Invoice).values(settled_on=build.today))
    answer = run("verify-books")
    db.session.execute(sa.update(Invoice).values(settled_on=None))
    db.session.commit()

    assert answer.exit_code == 1
    assert "says it was settled on 2026-03-02; its balance is $10.00." in answer.output


def test_a_full_disk_is_one_sentence_at_the_prompt(run, monkeypatch):
    def full(*_words, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("portal.cli.commands.add_person", full)
    answer = run(
        "user", "create", "--name", "N", "--email", "n@acme.example", "--password", "a long one"
    )

    assert answer.exit_code == 1
    assert answer.output.startswith("Error: The disk is full.")


def test_the_doctor_finds_books_that_do_not_hold(run, build, app):
    build.posted("10")
    db.session.commit()
    assert "books" not in failures()
    db.session.execute(sa.update(Invoice).values(settled_on=build.today))
    db.session.commit()
    told = failures()
    db.session.execute(sa.update(Invoice).values(settled_on=None))
    db.session.commit()

    assert "The books do not hold (1 found), first:" in told
    assert "flask verify-books" in told


def test_the_doctor_finds_test_money_in_real_books(build, app):
    paid(build)
    assert "test money" not in failures()
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, app_env="production")
    try:
        assert "1 payments of test money are in these books" in failures()
    finally:
        app.config["SETTINGS"] = before


def test_the_doctor_finds_a_mail_server_that_does_not_answer(app, monkeypatch):
    dead = replace(app.config["SETTINGS"], smtp_url="smtp://127.0.0.1:9")
    monkeypatch.setitem(app.config, "SETTINGS", dead)

    assert "The mail server does not answer as it should" in failures()


def test_the_doctor_makes_no_database(tmp_path):
    app, settings = house(tmp_path / "fresh")
    with app.app_context():
        told = failures()
        db.engine.dispose()

    assert f"There is no database at {settings.sqlite_file}" in told
    assert not settings.sqlite_file.exists()


def test_the_doctor_asks_for_a_company_in_an_empty_schema(tmp_path):
    app, _settings = house(tmp_path / "fresh")
    with app.app_context():
        upgrade_database()
        told = failures()
        db.session.remove()
        db.engine.dispose()

    assert "holds no company yet" in told


def test_the_doctor_warns_of_files_that_others_can_read(tmp_path):
    app, settings = house(tmp_path / "fresh")
    sqlite3.connect(settings.sqlite_file).close()
    settings.sqlite_file.chmod(0o644)
    with app.app_context():
        told = [one.sentence for one in doctor.examine() if one.mark == "WARN"]
        db.engine.dispose()

    assert any(f"chmod 600 {settings.sqlite_file}" in sentence for sentence in told)


def test_the_doctor_finds_a_folder_it_cannot_write_to(app, monkeypatch):
    def refuse(**_words):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)

    assert "cannot be written to" in failures()


def test_the_doctor_misses_fonts_and_libraries(app, monkeypatch):
    monkeypatch.setattr(doctor, "has_fonts", lambda: False)
    assert "font" in failures().lower()
    monkeypatch.undo()
    monkeypatch.setattr(doctor.ctypes.util, "find_library", lambda _name: None)
    assert "libpango" in failures()


def test_the_doctor_finds_an_old_schema(app, monkeypatch):
    class Old:
        def __init__(self, *_folder):
            pass

        def get_current_head(self):
            return "9999"

    monkeypatch.setattr(doctor, "ScriptDirectory", Old)

    assert "the code wants 9999" in failures()


@pytest.mark.parametrize("installed", [[], ["NotoSansCJK-Regular.ttc", "NotoColorEmoji.ttf"]])
def test_the_doctor_names_the_fonts_for_letters_that_print_as_boxes(
    app, monkeypatch, tmp_path, installed
):
    for name in ["DejaVuSans.ttf", *installed]:
        (tmp_path / name).touch()
    monkeypatch.setattr(rendering, "FONT_FOLDERS", (str(tmp_path),))

    told = " ".join(one.sentence for one in doctor.examine() if one.mark == "WARN")

    assert ("fonts-noto-cjk" in told) is not bool(installed)
    assert ("Emoji print as boxes in PDFs" in told) is not bool(installed)
