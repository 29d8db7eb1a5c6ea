"""Roles: what the people who have them may do, ticked in words."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import SelectMultipleField, StringField

from portal.access import (
    Ability,
    RoleWords,
    add_role,
    change_role,
    get_role,
    people_of_role,
    people_per_role,
    remove_role,
    roles,
    why_kept,
    why_locked,
)
from portal.audit import trail_of
from portal.kernel.errors import DomainError
from portal.models import Role
from portal.web import Form, VersionField, needs, notify, redirect_to, render_page, signed_in_user
from staff.ability_words import GROUPS

bp = Blueprint("roles", __name__, url_prefix="/roles")

TO_BEGIN_WITH = [Ability.SEE_HOME, Ability.OWN_ACCOUNT]


class Ticked(list[str]):
    """Abilities in order, which also say themselves when two people save at once."""

    def __str__(self) -> str:
        return ", ".join(self) or "—"


class AbilitiesField(SelectMultipleField):
    """Ticks; the order they come in does not matter."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, choices={one.value: one.value for one in Ability}, **kwargs)

    def process_data(self, value: Any) -> None:
        self.data = self.object_data = Ticked(sorted(value or []))

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = Ticked(sorted(set(valuelist)))


class RoleForm(Form):
    version = VersionField()
    name = StringField("Name")
    abilities = AbilitiesField("May")


@bp.get("")
@needs(Ability.MANAGE_PEOPLE)
def index() -> Response:
    every = len(Ability)
    return render_page(
        "staff/roles/index.html", roles=roles(), people=people_per_role(), every=every
    )


@bp.get("/new")
@needs(Ability.MANAGE_PEOPLE)
def new() -> Response:
    copied = request.args.get("copy", type=int)
    form = RoleForm(formdata=None, data={"abilities": TO_BEGIN_WITH})
    if copied:
        role = get_role(copied)
        form.name.data = _("Copy of %(n)s", n=role.name)
        mine = set(signed_in_user().role.abilities)
        form.abilities.data = Ticked(one for one in role.abilities if one in mine)
    return _page(None, form)


@bp.post("")
@needs(Ability.MANAGE_PEOPLE)
def create() -> Response:
    form = RoleForm()
    try:
        if form.is_sent():
            add_role(_words(form), by=signed_in_user())
            notify(_("Added."))
            return redirect_to("staff.roles.index")
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, status=422)


@bp.get("/<int:role_id>")
@needs(Ability.MANAGE_PEOPLE)
def show(role_id: int) -> Response:
    role = get_role(role_id)
    return _page(role, RoleForm(None, obj=role))


@bp.post("/<int:role_id>")
@needs(Ability.MANAGE_PEOPLE)
def save(role_id: int) -> Response:
    role = get_role(role_id)
    form = RoleForm(request.form, obj=role)
    try:
        if form.is_sent():
            change_role(role, _words(form), version=form.version.data, by=signed_in_user())
            notify(_("Saved. It holds from the next click of whoever has this role."))
            return redirect_to("staff.roles.index")
    except DomainError as error:
        form.refuse(error)
    return _page(role, form, status=422)


@bp.post("/<int:role_id>/removal")
@needs(Ability.MANAGE_PEOPLE)
def remove(role_id: int) -> Response:
    role = get_role(role_id)
    remove_role(role, by=signed_in_user())
    notify(_("The role %(n)s was deleted.", n=role.name))
    return redirect_to("staff.roles.index")


def _words(form: RoleForm) -> RoleWords:
    return RoleWords(name=form.name.data or "", abilities=form.abilities.data)


def _page(role: Role | None, form: RoleForm, *, status: int = 200) -> Response:
    me = signed_in_user()
    people = people_of_role(role) if role else []
    return render_page(
        "staff/roles/form.html", status=status, role=role, form=form, groups=GROUPS,
        mine=me.role.abilities, locked=why_locked(role, me) if role else None,
        kept=_kept(role, len(people)) if role else None, people=people,
        trail=trail_of(role, limit=50) if role else [],
    )  # fmt: skip


def _kept(role: Role, people: int) -> str | None:
    """Why the role cannot be deleted now, in words."""
    if problem := why_locked(role, signed_in_user()) or why_kept(role):
        return problem
    return str(_("Somebody still has this role. Give them another one first.")) if people else None
