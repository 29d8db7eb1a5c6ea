"""The people of the office."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.access.abilities import ADMINISTRATOR, TECHNICIAN
from portal.access.passwords import hash_password, matches
from portal.access.roles import hold_role, require_not_above, require_within
from portal.access.sign_ins import digest
from portal.access.throttling import count_try
from portal.audit import record, record_changes
from portal.db import Page, PageRequest, bump, db, holds, is_taken, lock_rows, paginate
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.models import Role, SignIn, User

SHORTEST_PASSWORD = 10


@dataclass(frozen=True)
class PersonWords:
    """A staff member as typed. Who has the role Technician works on jobs, ticked or not."""

    name: str
    email: str
    role: Role
    is_technician: bool = False
    active: bool = True


def add_person(words: PersonWords, *, password: str = "", by: User | None = None) -> User:
    """Add a staff member; InvalidFields for a missing name, a taken email or a weak password.

    NotAllowed when the role may do what `by` may not, InvalidFields when it was just deleted.
    """
    hold_role(words.role)
    require_within(words.role.abilities, by)
    user = User()
    _write(user, words)
    db.session.add(user)
    if password:
        set_password(user, password)
    record("added", user, f"{user.name} was added as {user.role.name}.")
    return user


def change_person(user: User, words: PersonWords, *, version: int, by: User | None = None) -> None:
    """Save a staff member; the last active administrator stays one.

    The Administrator's abilities are fixed, so somebody who can manage people always stays.
    NotAllowed when this person, or the new role, may do what `by` may not; InvalidFields when
    that role was just deleted.
    """
    hold_role(words.role)
    require_not_above(user, by)
    require_within(words.role.abilities, by)
    stays = words.active and words.role.name == ADMINISTRATOR
    others = None if stays else _other_administrators(user)
    bump(user, version)
    if others == [] and user.active and user.role.name == ADMINISTRATOR:
        raise DomainError("Somebody must stay administrator. Name another one first.")
    before = _plain(user)
    _write(user, words)
    if not user.active:
        end_sign_ins_of_user(user)
    told = f"{user.name} is now {user.role.name}{'' if user.active else ' and deactivated'}."
    record_changes(user, told, before, _plain(user))


def set_password(user: User, password: str, *, keep_token: str = "") -> None:
    """Set a password of at least ten characters; no other rule, none expire (ASVS 6.2).

    Every browser signed in as this person is signed out, but for the one with `keep_token`.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidFields({"password": f"Use at least {SHORTEST_PASSWORD} characters."})
    user.password_hash = hash_password(password)
    if user.id is not None:
        end_sign_ins_of_user(user, keep_token=keep_token)
        record("password", user, f"The password of {user.name} was changed.")


def require_own_password(user: User, password: str) -> None:
    """Who changes how one signs in gives the password once more; InvalidFields otherwise.

    Somebody who only ever signs in by link has none to give. Counts the tries, so call it
    before anything is changed.
    """
    if not user.password_hash:
        return
    count_try("own password", str(user.id), limit=10, minutes=15)
    if not matches(user.password_hash, password):
        raise InvalidFields({"current": "This is not your password."})


def end_sign_ins_of_user(user: User, *, keep_token: str = "") -> None:
    """Sign every browser of a person out, but for the one with `keep_token`."""
    db.session.execute(
        sa.update(SignIn)
        .where(
            SignIn.user_id == user.id,
            SignIn.ended_at.is_(None),
            SignIn.token_hash != digest(keep_token),
        )
        .values(ended_at=clock.now())
    )


def find_people(q: str, page: PageRequest) -> Page[User]:
    query = sa.select(User).options(joinedload(User.role))
    if q:
        query = query.where(sa.or_(holds(User.name, q), holds(User.email, q)))
    return paginate(query, page, sorts={"name": User.name}, default="name")


def get_person(user_id: int) -> User:
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("No such person.")
    return user


def person_of_email(email: str) -> User | None:
    """The active staff member with this address."""
    return db.session.scalar(
        sa.select(User).where(User.email == email.strip().lower(), User.active)
    )


def _other_administrators(user: User) -> list[User]:
    """Read under lock: of two who stop being administrators at once, the second sees the first."""
    query = sa.select(User.id).join(Role).where(Role.name == ADMINISTRATOR, User.active)
    locked = lock_rows(User, [*db.session.scalars(query), user.id])
    return [
        one for one in locked if one.id != user.id and one.active and one.role.name == ADMINISTRATOR
    ]


def _plain(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "email": user.email,
        "role": user.role.name,
        "works on jobs": user.is_technician,
        "active": user.active,
    }


def _write(user: User, words: PersonWords) -> None:
    errors = {}
    email = words.email.strip().lower()
    if not words.name.strip():
        errors["name"] = "Give the person a name."
    if "@" not in email:
        errors["email"] = "Give an email address; it is what they sign in with."
    with db.session.no_autoflush:
        if is_taken(User.email, email, user):
            errors["email"] = "Somebody else already has this email address."
    if errors:
        raise InvalidFields(errors)
    user.name, user.email, user.role = words.name.strip(), email, words.role
    user.is_technician = words.is_technician or words.role.name == TECHNICIAN
    user.active = words.active
