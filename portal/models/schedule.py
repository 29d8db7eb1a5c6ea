"""Which scheduled turn has been taken, so that several workers do it once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class ScheduledTurn(Base):
    __tablename__ = "scheduled_turns"
    __table_args__ = (sa.UniqueConstraint("name", "slot"),)

    name: Mapped[str]
    slot: Mapped[str]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")
