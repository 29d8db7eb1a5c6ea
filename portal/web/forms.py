"""Forms that lose nothing: bad input and refusals get a sentence beside the field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, PasswordField, SelectField, StringField

from portal.kernel.errors import Conflict, DomainError, InvalidFields
from portal.web.fields import VersionField


class Form(FlaskForm):
    """A form that can also show what a service refused."""

    def process(self, *args: Any, **kwargs: Any) -> None:
        """A text that was not sent is empty, never None."""
        super().process(*args, **kwargs)
        for field in self._fields.values():
            if isinstance(field, StringField) and field.data is None:
                field.data = ""

    def refuse(self, error: DomainError) -> None:
        """Put a refusal beside the fields it names, or on top of the form."""
        if isinstance(error, Conflict):
            self._show_what_is_saved()
        if isinstance(error, InvalidFields):
            pairs: Iterable[tuple[str | None, str]] = error.errors.items()
        else:
            pairs = [(error.field, str(error))]
        for name, sentence in pairs:
            field = self._fields.get(name) if name else None
            if field is None:
                self.form_errors.append(sentence)
            else:
                field.errors = [*field.errors, sentence]

    def _show_what_is_saved(self) -> None:
        """Beside each field that differs, what is saved now; saving again overwrites it."""
        for field in self._fields.values():
            if isinstance(field, VersionField):
                field.data = field.object_data
            elif not isinstance(field, PasswordField | HiddenField) and _differs(field):
                field.errors = [*field.errors, _("Saved now: %(v)s", v=_saved_words(field))]

    def is_sent(self) -> bool:
        """Submitted with every field readable."""
        return bool(self.validate_on_submit())


def _differs(field: Field) -> bool:
    return bool(field.object_data or field.data) and field.object_data != field.data


def _saved_words(field: Field) -> str:
    """What the record has, as the field would say it."""
    if isinstance(field, BooleanField):
        return str(_("yes") if field.object_data else _("no"))
    if not field.object_data:
        return "—"
    if isinstance(field, SelectField):
        known = {str(value): str(label) for value, label in dict(field.choices or []).items()}
        return known.get(str(field.object_data), str(field.object_data))
    return str(field.show(field.object_data) if hasattr(field, "show") else field.object_data)
