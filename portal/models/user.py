"""People of the office, what they may do, and every open sign-in of staff and customers."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned


class Role(Versioned, Base):
    """A named set of abilities; the words are those of `portal.access.Ability`."""

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(unique=True)
    abilities: Mapped[list[str]] = mapped_column(sa.JSON)


class User(Versioned, Base):
    """Somebody who works here. The email is kept in lower case."""

    __tablename__ = "users"

    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(default="")
    totp_secret: Mapped[str] = mapped_column(default="")
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int] = mapped_column(default=0)  # a code works once
    role_id: Mapped[int] = mapped_column(sa.ForeignKey("roles.id"))
    active: Mapped[bool] = mapped_column(default=True)
    is_technician: Mapped[bool] = mapped_column(default=False)

    role: Mapped[Role] = relationship()

    @property
    def has_second_factor(self) -> bool:
        return self.totp_confirmed_at is not None


class RecoveryCode(Base):
    """One way in for somebody who lost the phone; works once. Only its SHA-256 is stored."""

    __tablename__ = "recovery_codes"
    __table_args__ = (sa.UniqueConstraint("user_id", "code_hash"),)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    used_at: Mapped[datetime | None]


class SignIn(Base):
    """One signed-in browser. Only the SHA-256 of its token is stored."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        sa.CheckConstraint("(user_id IS NULL) <> (contact_email IS NULL)", name="one_principal"),
    )

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    contact_email: Mapped[str | None] = mapped_column(index=True)
    ip: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    second_factor_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    user: Mapped[User | None] = relationship()


class SignInLink(Base):
    """An emailed sign-in link: 256-bit token stored as SHA-256, ten minutes, used once."""

    __tablename__ = "sign_in_links"

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    scope: Mapped[str] = mapped_column(default="customer")  # or staff
    email: Mapped[str] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Throttle(Base):
    """One counted try (sign-in, link request) of one key; old rows are swept."""

    __tablename__ = "throttles"
    __table_args__ = (sa.Index(None, "scope", "key", "created_at"),)

    scope: Mapped[str]
    key: Mapped[str]
