"""Forms that were carried out."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class Submission(Base):
    """One form carried out once; sending the same form again leads to `address`."""

    __tablename__ = "submissions"
    __table_args__ = (sa.Index(None, "created_at"),)

    key: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str] = mapped_column(default="")
