"""The agreement itself: its terms in full, to be shown, accepted, kept and printed."""

from __future__ import annotations

from datetime import date

from flask import current_app
from flask_babel import force_locale

from portal.company import business_day, company
from portal.documents import letterhead, render_pdf
from portal.models import PaymentPlan
from portal.outbox import spoken
from portal.payment_plans.queries import get_plan


def terms_text(plan: PaymentPlan, language: str) -> str:
    """What the customer agrees to, word for word, in a language we have words in."""
    language = spoken(language)
    with force_locale(language):
        template = current_app.jinja_env.get_template(f"documents/plan_terms.{language}.txt")
        return template.render(plan=plan, company=company()).strip() + "\n"


def agreement_pdf(plan_id: int) -> bytes:
    """One page with the company's letterhead, in the language it was accepted in."""
    plan = get_plan(plan_id)
    language = plan.consent.language if plan.consent else spoken(plan.customer.language)
    with force_locale(language):
        head = letterhead()
    return render_pdf(
        "documents/plan.html",
        language=language,
        paper=company().paper.value,
        head=head,
        plan=plan,
        terms=plan.consent.text if plan.consent else terms_text(plan, language),
        printed_on=_day(plan),
    )


def _day(plan: PaymentPlan) -> date:
    return business_day(plan.accepted_at or plan.created_at)
