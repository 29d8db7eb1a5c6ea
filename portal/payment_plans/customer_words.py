"""What a customer reads where the office reads a rule: no word of posting, charging or settings."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.models import PaymentPlan, PlanState
from portal.payment_plans.guarding import Covered, invoice_problem
from portal.payment_plans.pausing import pause_of


def invoice_refusal(one: Covered) -> str:
    """Why an invoice cannot be on a plan, for who owes it; empty when it can."""
    problem = invoice_problem(one)
    if problem is None:
        return ""
    sentences = {
        "void": _("Invoice %(n)s is cancelled: nothing is owed on it.", n=one.number),
        "paid": _("Nothing is owed on invoice %(n)s.", n=one.number),
        "not posted": _("We are still working on invoice %(n)s.", n=one.number),
        "disputed": _(
            "Invoice %(n)s is disputed. It can be paid in parts once that is decided.", n=one.number
        ),
        "other plan": _("Invoice %(n)s is on a payment plan already.", n=one.number),
    }
    return str(sentences.get(problem[0]) or cannot_be_agreed())


def cannot_be_agreed() -> str:
    """When the reason is a rule of the office."""
    return str(_("This cannot be agreed any more. Please ask us for a new plan."))


def paused_words(plan: PaymentPlan) -> str:
    """Why the running plan waits; empty when it goes on."""
    pause = pause_of(plan)
    if pause is None:
        return ""
    sentences = {
        "disputed": _(
            "Invoice %(n)s is disputed. Until that is decided you need not pay on this plan.",
            n=pause.about,
        ),
        "corrected": _(
            "We are correcting invoice %(n)s. Until that is done you need not pay on this plan.",
            n=pause.about,
        ),
        "on its way": _("Your payment of %(n)s is on its way. Thank you!", n=pause.about),
        "looked into": _(
            "We are looking into a payment of %(n)s. Until that is done you need not pay on this "
            "plan.",
            n=pause.about,
        ),
    }
    return str(sentences[pause.why])


def ended_words(plan: PaymentPlan) -> str:
    """Why it ended: our own sentence where a rule ended it, else the words that were given."""
    if plan.state is PlanState.BROKEN:
        return str(_("A payment was not made in time."))
    if _ran_out(plan):
        return str(_("It was not accepted in time. Please ask us for a new offer."))
    return plan.ended_because


def _ran_out(plan: PaymentPlan) -> bool:
    """Only the clock takes an offer back after its last day."""
    if plan.state is not PlanState.WITHDRAWN or plan.accepted_at is not None:
        return False
    last, ended = plan.offer_ends_on, plan.ended_on
    return last is not None and ended is not None and last < ended
