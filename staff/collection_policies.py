"""Settings: which customers are reminded when, how, and in which tone."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.customers import customer_types
from portal.dunning import (
    PolicyWords,
    StageWords,
    add_policy,
    change_policy,
    get_policy,
    policies,
    stages_of,
)
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import DunningPolicy, StageAction, Tone
from portal.web import (
    Form,
    IdField,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
    words_of,
)

bp = Blueprint("collection_policies", __name__, url_prefix="/settings/collections/policies")
SPARE_ROWS = 3  # empty rows to add stages in


class PolicyForm(Form):
    version = VersionField()
    name = StringField(later("Name"))
    customer_type_id = IdField(later("For customers of type"), empty=later("everybody else"))
    active = BooleanField(later("In force"), default=True)


@bp.get("")
@needs(Ability.MANAGE_COLLECTIONS)
def index() -> Response:
    return render_page("staff/collections/policies.html", policies=policies(),
                       stages_of=stages_of)  # fmt: skip


@bp.get("/new")
@needs(Ability.MANAGE_COLLECTIONS)
def new() -> Response:
    return _page(None, PolicyForm(formdata=None), _rows_of(None))


@bp.post("")
@needs(Ability.MANAGE_COLLECTIONS)
def create() -> Response:
    return _save(None)


@bp.get("/<int:policy_id>")
@needs(Ability.MANAGE_COLLECTIONS)
def show(policy_id: int) -> Response:
    policy = get_policy(policy_id)
    return _page(policy, PolicyForm(None, obj=policy), _rows_of(policy))


@bp.post("/<int:policy_id>")
@needs(Ability.MANAGE_COLLECTIONS)
def save(policy_id: int) -> Response:
    return _save(get_policy(policy_id))


def _save(policy: DunningPolicy | None) -> Response:
    form = PolicyForm(request.form, obj=policy)
    form.customer_type_id.offer(customer_types())
    rows = _typed_rows()
    try:
        if form.is_sent():
            words = PolicyWords(form.name.data or "", form.customer_type_id.data,
                                bool(form.active.data), _stages(rows))  # fmt: skip
            if policy is None:
                add_policy(words)
            else:
                change_policy(policy, words, version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.collection_policies.index")
    except DomainError as error:
        form.refuse(error)
    return _page(policy, form, rows, status=422)


def _typed_rows() -> list[dict[str, str]]:
    names = ("id", "days", "action", "tone", "name", "automatic")
    columns = {name: request.form.getlist(f"stage_{name}") for name in names}
    count = min(len(columns["days"]), 50)
    return [
        {name: values[place] if place < len(values) else "" for name, values in columns.items()}
        for place in range(count)
    ]


def _stages(rows: list[dict[str, str]]) -> list[StageWords]:
    """Rows that say a day are stages; a row that is emptied is taken out."""
    try:
        return [
            StageWords(
                int(row["days"]), StageAction(row["action"]), Tone(row["tone"]),
                row["name"].replace("\0", ""), row["automatic"] == "yes",
                int(row["id"]) if row["id"] else None,
            )
            for row in rows
            if row["days"].strip()
        ]  # fmt: skip
    except ValueError:
        raise InvalidFields({"stages": _("Give days as a whole number, e.g. -3 or 14.")}) from None


def _rows_of(policy: DunningPolicy | None) -> list[dict[str, str]]:
    empty = {"id": "", "days": "", "action": "email", "tone": "friendly", "name": "",
             "automatic": "yes"}  # fmt: skip
    rows = [
        {
            "id": str(one.id), "days": str(one.days), "action": one.action.value,
            "tone": one.tone.value, "name": one.name, "automatic": "yes" if one.automatic else "",
        }
        for one in (stages_of(policy) if policy else [])
    ]  # fmt: skip
    return [*rows, *(dict(empty) for _row in range(SPARE_ROWS))]


def _page(
    policy: DunningPolicy | None, form: PolicyForm, rows: list[dict[str, str]], *, status: int = 200
) -> Response:
    form.customer_type_id.offer(customer_types(), also=policy.customer_type if policy else None)
    return render_page(
        "staff/collections/policy.html", status=status, policy=policy, form=form, rows=rows,
        actions=[(one.value, words_of(one)) for one in StageAction],
        tones=[(one.value, words_of(one)) for one in Tone],
        trail=trail_of(policy) if policy else [],
    )  # fmt: skip
