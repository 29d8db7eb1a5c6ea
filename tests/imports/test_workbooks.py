"""Workbooks are read within bounds, whatever their bytes claim, and as a spreadsheet shows them."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from portal.imports import workbooks
from portal.imports.reading import read_table
from portal.kernel.errors import InvalidFields

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
TITLES = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>Email</t></is></c></row>'
)
LOOKED_UP = '<row r="1"><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
MANY = 3_000_000


def relations(*targets):
    rows = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets)
    )
    return f'<Relationships xmlns="{PACKAGE}">{rows}</Relationships>'


def workbook(rows=TITLES, *, strings="", before="", styles="", parts=()):
    """The bytes of a workbook whose parts are written by hand."""
    words = {
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="a" sheetId="1" r:id="r0"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"),
            ("sharedStrings", "sharedStrings.xml"),
            ("styles", "styles.xml"),
        ),
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
        "xl/worksheets/sheet1.xml": f'{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}'
        "</sheetData></worksheet>",
        **dict(parts),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in words.items():
            archive.writestr(name, text)
    return content.getvalue()


def table(content):
    titles, rows = read_table(content, "a.xlsx")
    return titles, list(rows)


BOMBS = {
    "empty strings": lambda: workbook(
        '<row r="1"><c t="s"><v>9999999</v></c></row>', strings="<si/>" * MANY
    ),
    "cells of one row": lambda: workbook(f'<row r="1">{"<c/>" * MANY}</row>'),
    "elements before the first row": lambda: workbook("<x/>" * MANY),
    "styles": lambda: workbook(styles=f"<cellXfs>{'<xf/>' * MANY}</cellXfs>"),
    "blank rows": lambda: workbook(TITLES + "<row/>" * MANY),
    "rows that all say one": lambda: workbook(TITLES + '<row r="1"/>' * MANY),
    "a row far down": lambda: workbook(TITLES + '<row r="1048576"><c><v>1</v></c></row>'),
    "words far to the right": lambda: workbook(TITLES + '<row><c r="ZZ2"><v>1</v></c></row>'),
    "one endless tag": lambda: workbook(f'<row r="1" {"a" * MANY}="1"/>'),
    "over a hundred megabytes": lambda: workbook(" " * (101 * 1024 * 1024)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_that_is_huge_inside_is_refused_in_words(bomb):
    content = BOMBS[bomb]()
    assert len(content) < 1024 * 1024

    with pytest.raises(InvalidFields, match=r"too large inside|more than 200 columns"):
        table(content)


def test_an_endless_cell_keeps_only_its_beginning():
    rows = TITLES + f'<row><c t="str"><v>{"x" * 10_000_000}</v></c></row>'
    assert len(table(workbook(rows))[1][0][1][0]) == workbooks.LARGEST_CELL


def test_a_document_type_which_could_hold_entities_is_refused():
    laughs = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'

    with pytest.raises(InvalidFields, match="damaged"):
        table(workbook(before=laughs))


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/styles.xml"])
def test_a_part_that_is_no_xml_is_refused_in_words(part):
    with pytest.raises(InvalidFields, match="damaged"):
        table(workbook(LOOKED_UP, parts={part: "no xml"}))


def test_a_string_that_does_not_exist_is_refused_in_words():
    with pytest.raises(InvalidFields, match="damaged"):
        table(workbook(LOOKED_UP, strings="<si><t>Name</t></si>"))


def test_the_titles_cost_only_the_strings_they_need(monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_STRINGS", 10_000)
    strings = "<si><t>Name</t></si><si><t>Email</t></si>" + "<si><t>x</t></si>" * 100_000

    titles, _rows = read_table(workbook(LOOKED_UP, strings=strings), "a.xlsx")

    assert titles == ["Name", "Email"]


def test_cells_say_what_a_spreadsheet_shows():
    book = openpyxl.Workbook()
    book.active.append(["Text", "Number", "Whole", "Day", "Moment", "Yes", "Formula", "Empty"])
    moment = datetime.fromisoformat("2026-03-02T18:30")  # spreadsheets know no zones
    book.active.append(["Müller & Söhne", 12.5, 7, date(2026, 3, 2), moment, True, "=1+1", None])
    book.active.append([])
    book.active.append(["x", None, None, None, None, False])
    content = io.BytesIO()
    book.save(content)

    titles, rows = table(content.getvalue())

    assert titles[:3] == ["Text", "Number", "Whole"]
    assert rows[0][0] == 2
    assert rows[0][1][:6] == ["Müller & Söhne", "12.5", "7", "2026-03-02", "2026-03-02", "True"]
    assert rows[0][1][6] == ""  # nobody computed it yet
    assert (rows[1][0], rows[1][1][0], rows[1][1][5]) == (4, "x", "False")


def test_strings_of_several_looks_are_one_and_readings_are_left_out():
    strings = (
        "<si><r><rPr><b/></rPr><t>Ada </t></r><r><t>Lovelace</t></r></si>"
        "<si><t>Tokyo</t><rPh sb='0' eb='1'><t>reading</t></rPh></si>"
    )
    assert table(workbook(LOOKED_UP, strings=strings))[0] == ["Ada Lovelace", "Tokyo"]


def test_days_count_from_where_the_workbook_says():
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    mac = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr date1904="1"/><sheets>'
    mac += '<sheet name="a" sheetId="1" r:id="r0"/></sheets></workbook>'
    rows = TITLES + '<row r="2"><c s="1"><v>44621</v></c><c s="0"><v>44621</v></c></row>'

    windows = table(workbook(rows, styles=styles))[1]
    other = table(workbook(rows, styles=styles, parts={"xl/workbook.xml": mac}))[1]

    assert windows == [(2, ["2022-03-01", "44621"])]
    assert other == [(2, ["2026-03-02", "44621"])]


def test_names_with_a_prefix_and_parts_by_an_absolute_path_are_found():
    cells = '<x:c r="A1" t="str"><x:v>Name</x:v></x:c><x:c r="C1" t="str"><x:v>Email</x:v></x:c>'
    sheet = f'<x:worksheet xmlns:x="{MAIN}"><x:row>{cells}</x:row></x:worksheet>'
    where = relations(("worksheet", "/xl/tables/one.xml"))
    parts = {"xl/_rels/workbook.xml.rels": where, "xl/tables/one.xml": sheet}

    assert table(workbook(parts=parts))[0] == ["Name", "", "Email"]


@pytest.mark.parametrize("row", ["x," * 201, "," * 5_000_000], ids=["wide", "endless"])
def test_a_csv_wider_than_any_table_is_refused(row):
    with pytest.raises(InvalidFields, match="more than 200 columns"):
        read_table(f"{row}\n".encode(), "a.csv")
