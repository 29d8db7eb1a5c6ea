"""The commands a person types."""

import re

import pytest
import sqlalchemy as sa

from portal.access import person_of_email
from portal.cli import doctor
from portal.db import db
from portal.models import Invoice


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
    assert "settled date and balance disagree" in answer.output


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
