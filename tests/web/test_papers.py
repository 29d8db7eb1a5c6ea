from werkzeug.http import parse_options_header

from portal.web import pdf_response


def test_a_name_in_any_alphabet_goes_into_the_header(app):
    header = pdf_response(b"%PDF", 'Rechnung–9 №17 "x".pdf').headers["Content-Disposition"]

    header.encode("latin-1")
    assert parse_options_header(header) == ("inline", {"filename": 'Rechnung–9 №17 "x".pdf'})
