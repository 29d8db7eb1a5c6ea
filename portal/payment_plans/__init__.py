"""Payment plans: what is owed, agreed to be paid on several days, kept to or broken."""

from portal.payment_plans.accepting import Agreed, accept_plan, changes_since_offer
from portal.payment_plans.agreement import agreement_pdf, terms_text
from portal.payment_plans.asking import ask_for_plan
from portal.payment_plans.charges import charges_of, decide_plan
from portal.payment_plans.covering import Choice, choices_for
from portal.payment_plans.customer_words import ended_words, paused_words
from portal.payment_plans.ending import decline_plan, withdraw_plan
from portal.payment_plans.following import follow_total
from portal.payment_plans.guarding import Covered, Guard, GuardRails, may_offer
from portal.payment_plans.looking_after import look_after_plans
from portal.payment_plans.offering import PlanTerms, Preview, offer_plan, preview_plan
from portal.payment_plans.pausing import paused_because
from portal.payment_plans.paying import due_now, shares_to_pay
from portal.payment_plans.proposing import Proposal, propose
from portal.payment_plans.queries import PlanFilter, find_plans, get_plan, plans_of, replaced_by
from portal.payment_plans.rules import guard_rails
from portal.payment_plans.splitting import MOST_INSTALMENTS, Instalment, split_plan
from portal.payment_plans.telling import can_be_told

__all__ = [
    "MOST_INSTALMENTS",
    "Agreed",
    "Choice",
    "Covered",
    "Guard",
    "GuardRails",
    "Instalment",
    "PlanFilter",
    "PlanTerms",
    "Preview",
    "Proposal",
    "accept_plan",
    "agreement_pdf",
    "ask_for_plan",
    "can_be_told",
    "changes_since_offer",
    "charges_of",
    "choices_for",
    "decide_plan",
    "decline_plan",
    "due_now",
    "ended_words",
    "find_plans",
    "follow_total",
    "get_plan",
    "guard_rails",
    "look_after_plans",
    "may_offer",
    "offer_plan",
    "paused_because",
    "paused_words",
    "plans_of",
    "preview_plan",
    "propose",
    "replaced_by",
    "shares_to_pay",
    "split_plan",
    "terms_text",
    "withdraw_plan",
]
