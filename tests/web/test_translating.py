"""The words of templates: found quickly, and still Jinja's gettext of the new style."""

from types import SimpleNamespace

from flask import render_template_string
from flask_babel import force_locale, get_locale

from portal.web import translating


def test_what_is_put_into_words_is_escaped_in_a_page_and_kept_in_a_text(app):
    source = "{{ _('To <b>%(n)s</b>', n='<Ada>') }} {{ _('100%%') }}"
    plain = app.jinja_env.overlay(autoescape=False)
    with app.test_request_context("/my/"):
        assert render_template_string(source) == "To <b>&lt;Ada&gt;</b> 100%"
        assert plain.from_string(source).render() == "To <b><Ada></b> 100%"


def test_each_language_has_its_own_words_and_they_change_back(app, monkeypatch):
    told = SimpleNamespace(ugettext=lambda text: f"{get_locale()}: {text}")
    monkeypatch.setattr(translating, "get_translations", lambda: told)
    source = "{{ _('Only this test says so') }}"
    with app.test_request_context("/my/"):
        assert render_template_string(source) == "en: Only this test says so"
        with force_locale("es"):
            assert translating.locale_name() == "es"
            assert render_template_string(source) == "es: Only this test says so"
        assert render_template_string(source) == "en: Only this test says so"
