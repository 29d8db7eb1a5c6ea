"""Disputes: what payers' banks ask back, what moved for it, and our one answer."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, TextAreaField

from portal.access import Ability
from portal.audit import trail_of
from portal.files import open_file
from portal.kernel.errors import DomainError, NotFound
from portal.models import Dispute, DisputeState
from portal.payment_collection import (
    EVIDENCE_FIELDS,
    DisputeFilter,
    Enclosure,
    answer_dispute,
    answer_problem,
    check_answer,
    enclosed_with,
    evidence_pdf,
    find_disputes,
    get_dispute,
    movements_of,
    proposed_words,
    recheck_dispute,
    said_of,
)
from portal.web import (
    Form,
    filters,
    needs,
    notify,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
    words_of,
)

bp = Blueprint("disputes", __name__, url_prefix="/disputes")


class AnswerForm(Form):
    what_was_sold = TextAreaField(later("What was sold"), render_kw={"rows": 3})
    when = TextAreaField(later("When the work was done"), render_kw={"rows": 3})
    customer_name = TextAreaField(later("Customer"), render_kw={"rows": 3})
    customer_email = TextAreaField(later("Email address"), render_kw={"rows": 3})
    billing_address = TextAreaField(later("Billing address"), render_kw={"rows": 3})
    contact = TextAreaField(later("What the customer got and opened"), render_kw={"rows": 3})
    explanation = TextAreaField(later("Why the charge was right"), render_kw={"rows": 3})
    invoices = BooleanField(later("Invoices"))
    receipt = BooleanField(later("Receipt of the payment"))
    consents = BooleanField(later("What the customer agreed to, with the internet address"))
    messages = BooleanField(later("List of the messages we sent"))
    visits = BooleanField(later("When invoices were opened and the customer signed in"))
    photos = BooleanField(later("Photos of the work that the customer may see"))
    job_notes = BooleanField(later("Our own notes of the job"))

    @property
    def words(self) -> dict[str, str]:
        return {name: self[name].data for name in EVIDENCE_FIELDS}

    @property
    def boxes(self) -> list[BooleanField]:
        return [self[one.value] for one in Enclosure]

    @property
    def enclosed(self) -> list[Enclosure]:
        return [one for one in Enclosure if self[one.value].data]


@bp.get("")
@needs(Ability.VIEW_PAYMENTS)
def index() -> Response:
    return render_page(
        "staff/disputes/index.html", fragment="rows",
        page=find_disputes(filters(DisputeFilter), page_request()),
        states=[(one.value, words_of(one)) for one in DisputeState],
    )  # fmt: skip


@bp.get("/<int:dispute_id>")
@needs(Ability.VIEW_PAYMENTS)
def show(dispute_id: int) -> Response:
    dispute = get_dispute(dispute_id)
    return render_page(
        "staff/disputes/show.html", dispute=dispute, movements=movements_of(dispute),
        trail=trail_of(dispute), unanswerable=answer_problem(dispute), said=said_of(dispute),
        labels=AnswerForm(None),
    )  # fmt: skip


@bp.post("/<int:dispute_id>/look")
@needs(Ability.ANSWER_DISPUTES)
def look(dispute_id: int) -> Response:
    notify(_("The gateway says: %(s)s.", s=words_of(recheck_dispute(dispute_id)).lower()))
    return redirect_to("staff.disputes.show", dispute_id=dispute_id)


@bp.get("/<int:dispute_id>/answer")
@needs(Ability.ANSWER_DISPUTES)
def write(dispute_id: int) -> Response:
    dispute = get_dispute(dispute_id)
    if problem := answer_problem(dispute):
        notify(problem, "warning")
        return redirect_to("staff.disputes.show", dispute_id=dispute_id)
    words = said_of(dispute) or proposed_words(dispute)
    ticked = {one.value: one in enclosed_with(dispute) for one in Enclosure}
    return _form_page(dispute, AnswerForm(None, data={**words, **ticked}))


@bp.post("/<int:dispute_id>/answer")
@needs(Ability.ANSWER_DISPUTES)
def answer(dispute_id: int) -> Response:
    """The first press asks, the second sends; a paper can be looked at in between.

    Pressing again after it was sent shows what was sent; a refusal keeps what was typed.
    """
    dispute, form = get_dispute(dispute_id), AnswerForm(request.form)
    if "paper" in request.form:
        return pdf_response(evidence_pdf(dispute, form.words, form.enclosed), "evidence.pdf")
    if "back" in request.form:
        return _form_page(dispute, form)
    try:
        return _ask_or_send(dispute, form)
    except DomainError as error:
        form.refuse(error)
        return _form_page(dispute, form, status=422)


@bp.get("/<int:dispute_id>/evidence.pdf")
@needs(Ability.VIEW_PAYMENTS)
def evidence(dispute_id: int) -> Response:
    """The evidence as it was sent."""
    dispute = get_dispute(dispute_id)
    if not dispute.file_key:
        raise NotFound(_("No evidence was sent."))
    return pdf_response(open_file(dispute.file_key), f"evidence-{dispute.id}.pdf")


def _ask_or_send(dispute: Dispute, form: AnswerForm) -> Response:
    if request.form.get("confirmed") != "yes":
        check_answer(dispute, form.words)
        return render_page("staff/disputes/question.html", dispute=dispute, form=form)
    answer_dispute(dispute, form.words, form.enclosed)
    notify(_("The answer was kept and is being sent."))
    return redirect_to("staff.disputes.show", dispute_id=dispute.id)


def _form_page(dispute: Dispute, form: AnswerForm, *, status: int = 200) -> Response:
    return render_page("staff/disputes/form.html", status=status, dispute=dispute, form=form)
