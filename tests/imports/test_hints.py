"""What is not wrong and still worth a look is said before a file is saved."""

import re

from portal.db import db
from portal.imports.hints import Hints
from portal.models import ImportState, ImportSubject
from portal.taxes import map_postal_code
from tests.imports.test_runs import bring

TITLES = "Number,Name,Email,Street,Zip\n"


def test_namesakes_doubles_and_places_without_a_zone(build):
    build.customer("Ada", email="ada@example.org")
    map_postal_code("62701", build.zone("6"))
    rows = [
        "1,Ada,ada@example.org,1 Main St,62701",
        "2,Ada,other@example.org,2 Main St,62701",
        "3,Grace,,3 Main St,99999",
        "4,Grace,grace@example.org,,99999",
        "5,Grace,grace@example.org,,",
    ]

    run = bring(ImportSubject.CUSTOMERS, TITLES + "\n".join(rows))

    assert (run.state, run.rows_bad, run.rows_new) == (ImportState.CHECKED, 0, 5)
    assert run.hints == [
        "Rows 2, 6 have the same name and email as another customer, here or in this file. "
        "Saved like this they are two customers.",
        "Rows 3, 5 have a name that another customer has too. Invoices and payments must then "
        "name the customer number.",
        "Row 4 has an address in no tax zone, or in several. No sales tax is charged there until "
        "somebody chooses a zone.",
    ]


def test_a_file_without_anything_odd_has_no_hints(build):
    assert bring(ImportSubject.CUSTOMERS, TITLES + "1,Ada,,,\n").hints == []
    assert bring(ImportSubject.ITEMS, "Code,Name,Price\nA,A,1\n").hints == []


def test_many_rows_are_counted(app):
    hints = Hints(ImportSubject.CUSTOMERS)
    for number in range(2, 1302):
        hints.note(number, {"name": "Ada", "email": ""})

    (sentence,) = hints.sentences()

    assert sentence.startswith("Rows 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 1,289 more have a name")


def test_the_screen_tells_hints_and_explains_the_columns(office, build):
    build.customer("Ada", email="ada@example.org")
    run = bring(ImportSubject.CUSTOMERS, TITLES + "1,Ada,ada@example.org,,\n")
    db.session.commit()

    page = office.get(f"/staff/imports/{run.id}").text

    assert "Worth a look" in page
    assert "Row 2 has the same name and email" in page
    assert "It tells two customers of one name apart" in page
    assert re.search(r'name="key" aria-describedby="key-help"', page)
