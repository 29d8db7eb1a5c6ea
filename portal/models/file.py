"""Files people brought in, kept content-addressed outside the web root."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class StoredFile(Base):
    """Where a re-encoded upload lies and what it was called."""

    __tablename__ = "stored_files"

    key: Mapped[str] = mapped_column(sa.String(80), index=True)
    content_type: Mapped[str]
    size: Mapped[int]
    original_name: Mapped[str] = mapped_column(default="")
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    uploaded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
