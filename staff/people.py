"""The people of the office and their roles."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import BooleanField, PasswordField, StringField

from portal.access import (
    Ability,
    PersonWords,
    add_person,
    change_person,
    find_people,
    get_person,
    reset_second_factor,
    roles,
    set_password,
)
from portal.audit import trail_of
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import User
from portal.web import (
    Form,
    IdField,
    VersionField,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)
from staff.choices import row_of

bp = Blueprint("people", __name__, url_prefix="/people")


WORKS_ON_JOBS = lazy_gettext(
    "Offered wherever a technician is chosen. Always so for the role Technician."
)


class PersonForm(Form):
    version = VersionField()
    name = StringField("Name")
    email = StringField("Email", render_kw={"type": "email"})
    role_id = IdField("Role", empty="Choose a role")  # who gets which power is said, not left
    password = PasswordField("New password", render_kw={"autocomplete": "new-password"})
    is_technician = BooleanField("Works on jobs", description=WORKS_ON_JOBS)
    active = BooleanField("Active", default=True)


@bp.get("")
@needs(Ability.MANAGE_PEOPLE)
def index() -> Response:
    page = find_people(request.args.get("q", ""), page_request())
    return render_page("staff/people/index.html", fragment="rows", page=page, roles=roles())


@bp.get("/new")
@needs(Ability.MANAGE_PEOPLE)
def new() -> Response:
    return _page(None, _form(None))


@bp.post("")
@needs(Ability.MANAGE_PEOPLE)
def create() -> Response:
    form = _form(request.form)
    try:
        if form.is_sent():
            add_person(_words(form), password=form.password.data or "", by=signed_in_user())
            notify(_("Added."))
            return redirect_to("staff.people.index")
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, status=422)


@bp.get("/<int:user_id>")
@needs(Ability.MANAGE_PEOPLE)
def show(user_id: int) -> Response:
    user = get_person(user_id)
    return _page(user, _form(None, user))


@bp.post("/<int:user_id>")
@needs(Ability.MANAGE_PEOPLE)
def save(user_id: int) -> Response:
    user = get_person(user_id)
    form = _form(request.form, user)
    try:
        if form.is_sent():
            change_person(user, _words(form), version=form.version.data, by=signed_in_user())
            if form.password.data:
                set_password(user, form.password.data)
            notify(_("Saved."))
            return redirect_to("staff.people.index")
    except DomainError as error:
        form.refuse(error)
    return _page(user, form, status=422)


@bp.post("/<int:user_id>/second-factor/reset")
@needs(Ability.MANAGE_PEOPLE)
def reset_factor(user_id: int) -> Response:
    """For somebody who lost the phone and the recovery codes."""
    user = get_person(user_id)
    reset_second_factor(user, by=signed_in_user())
    notify(_("%(n)s signs in without a code now, and was signed out everywhere.", n=user.name))
    return redirect_to("staff.people.show", user_id=user_id)


def _form(sent: object, user: User | None = None) -> PersonForm:
    form = PersonForm(sent, obj=user)
    form.role_id.offer(roles())
    return form


def _words(form: PersonForm) -> PersonWords:
    if form.role_id.data is None:
        raise InvalidFields({"role_id": _("Choose what this person may do.")})
    return PersonWords(
        name=form.name.data or "",
        email=form.email.data or "",
        role=row_of(roles(), form.role_id.data),
        is_technician=bool(form.is_technician.data),
        active=bool(form.active.data),
    )


def _page(user: User | None, form: PersonForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/people/form.html", status=status, user=user, form=form,
        trail=trail_of(user, limit=50) if user else [],
    )  # fmt: skip
