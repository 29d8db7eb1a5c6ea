"""How likely open invoices stay unpaid: what was learned, and the scores of each night."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, named_enum
from portal.kernel.money import Money
from portal.kernel.numbers import Rate
from portal.models.invoice import Invoice


class RiskMethod(StrEnum):
    """Learned from the installation's own history, or the plain rule when that is too short."""

    LEARNED = "learned"
    RULE = "rule"


class RiskModel(Base):
    """What one night's training came to; never changed, so that a score can be explained later.

    `parameters` are the weights, `accuracy` what they were worth on invoices that came after
    everything they were learned from (empty when nothing could be measured); `because` says why
    the rule is used. `left_by_week` is what that night expected to be left of all that was open,
    in cents: today, then after one to eight weeks.
    """

    __tablename__ = "risk_models"

    method: Mapped[RiskMethod] = mapped_column(named_enum(RiskMethod))
    trained_on: Mapped[date] = mapped_column(index=True)
    because: Mapped[str] = mapped_column(default="")
    looks: Mapped[int] = mapped_column(default=0)  # invoices looked at on some day, with outcome
    invoices: Mapped[int] = mapped_column(default=0)  # different invoices among them
    learned_from: Mapped[date | None]  # days the looks lie between
    learned_to: Mapped[date | None]
    parameters: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    accuracy: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    left_by_week: Mapped[list[int]] = mapped_column(sa.JSON, default=list)


class RiskScore(Base):
    """The chance that an open invoice is still unpaid four weeks after `scored_on`.

    `unpaid_by_week` holds that chance one to eight weeks ahead, `reasons` what moved it most,
    `at_risk` the chance × what was open then.
    """

    __tablename__ = "risk_scores"

    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), unique=True)
    model_id: Mapped[int] = mapped_column(sa.ForeignKey("risk_models.id"), index=True)
    scored_on: Mapped[date]
    chance: Mapped[Rate]
    at_risk: Mapped[Money] = mapped_column(index=True)
    unpaid_by_week: Mapped[list[float]] = mapped_column(sa.JSON)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)

    invoice: Mapped[Invoice] = relationship()
    model: Mapped[RiskModel] = relationship()
