"""Roles the office edits itself; nobody can make or give one that may do more than they may."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.access.abilities import ADMINISTRATOR, TECHNICIAN, Ability
from portal.audit import record
from portal.db import bump, db, is_taken, lock_rows
from portal.kernel.errors import DomainError, InvalidFields, NotAllowed, NotFound
from portal.models import Role, User

KEEPS_ITS_NAME = {ADMINISTRATOR, TECHNICIAN}  # the house knows these two by name


@dataclass(frozen=True)
class RoleWords:
    """A role as typed and ticked."""

    name: str
    abilities: Collection[str] = ()


def roles() -> list[Role]:
    """Every role, the ones an installation begins with first."""
    return list(db.session.scalars(sa.select(Role).order_by(Role.id)))


def get_role(role_id: int) -> Role:
    """One role; NotFound otherwise."""
    role = db.session.get(Role, role_id)
    if role is None:
        raise NotFound("No such role.")
    return role


def people_of_role(role: Role) -> list[User]:
    """Who has the role, the deactivated too, by name."""
    return list(
        db.session.scalars(sa.select(User).where(User.role_id == role.id).order_by(User.name))
    )


def people_per_role() -> dict[int, int]:
    """How many active people have each role, by its id; a role nobody has is not among them."""
    count = sa.func.count().label("people")
    query = sa.select(User.role_id, count).where(User.active).group_by(User.role_id)
    return {row.role_id: row.people for row in db.session.execute(query)}


def add_role(words: RoleWords, *, by: User | None = None) -> Role:
    """Add a role. Raises NotAllowed for an ability `by` lacks, InvalidFields for the name."""
    abilities = _known(words.abilities)
    require_within(abilities, by)
    role = Role(name=_checked(words.name), abilities=abilities)
    db.session.add(role)
    record("added", role, f"Role {role.name} was added.", {"may": [None, abilities]})
    return role


def change_role(role: Role, words: RoleWords, *, version: int, by: User | None = None) -> None:
    """Save name and abilities; whoever has the role may do so from their next request on.

    Raises NotAllowed when `by` may do less than the role, before or after; Conflict on an old
    version; DomainError for the Administrator, who always may do everything.
    """
    if problem := why_locked(role, by):
        raise NotAllowed(problem)
    abilities = _known(words.abilities)
    require_within(abilities, by)
    bump(role, version)
    wanted = _checked(words.name, role)
    if wanted != role.name and role.name in KEEPS_ITS_NAME:
        raise DomainError(
            f"The role {role.name} keeps its name: whoever has it works on jobs.", field="name"
        )
    changes = _differences(role, wanted, abilities)
    role.name, role.abilities = wanted, abilities
    if changes:
        record("changed", role, f"Role {wanted} was changed.", changes)


def hold_role(role: Role) -> None:
    """Keep a role from being changed or deleted until the transaction ends, and read it afresh.

    Roles are locked before people. InvalidFields when it was deleted meanwhile.
    """
    if not lock_rows(Role, [role.id]):
        raise InvalidFields({"role_id": "This role was deleted meanwhile. Choose another one."})


def remove_role(role: Role, *, by: User | None = None) -> None:
    """Delete a role nobody has; DomainError names who still has it.

    The lock waits for whoever is giving it to somebody right now, and the other way round.
    """
    if problem := why_locked(role, by) or why_kept(role):
        raise DomainError(problem)
    if not lock_rows(Role, [role.id]):
        raise NotFound("Somebody else deleted this role.")
    if people := people_of_role(role):
        names = ", ".join(one.name for one in people[:5])
        raise DomainError(f"{names} still has this role. Give them another one first.")
    record("removed", role, f"Role {role.name} was deleted.", {"may": [role.abilities, None]})
    db.session.delete(role)
    db.session.flush()


def why_locked(role: Role, by: User | None) -> str | None:
    """Why this person may not change the role, in words; None when they may."""
    if role.name == ADMINISTRATOR:
        return "The Administrator may always do everything, so that nobody is locked out."
    if by is not None and set(role.abilities) - set(by.role.abilities):
        return "This role may do more than you. Ask somebody who may do all of it."
    return None


def why_kept(role: Role) -> str | None:
    """Why the role cannot be deleted whoever has it, in words."""
    if role.name in KEEPS_ITS_NAME:
        return f"The role {role.name} stays: the house knows it by name."
    return None


def require_within(abilities: Collection[str], by: User | None) -> None:
    """NotAllowed when `by` would give away what they may not do themselves."""
    if by is None:  # the command line, which is whoever owns the machine
        return
    beyond = sorted(set(abilities) - set(by.role.abilities))
    if beyond:
        raise NotAllowed(f"You may not give what you may not do yourself: {', '.join(beyond)}.")


def require_not_above(user: User, by: User | None) -> None:
    """NotAllowed when `user` may do what `by` may not: nobody takes over a stronger account."""
    if by is not None and set(user.role.abilities) - set(by.role.abilities):
        raise NotAllowed(f"{user.name} may do more than you. Ask an administrator to change this.")


def _known(abilities: Collection[str]) -> list[str]:
    return sorted({Ability(one).value for one in abilities})


def _differences(role: Role, name: str, abilities: Collection[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if name != role.name:
        changes["name"] = [role.name, name]
    gone, new = set(role.abilities) - set(abilities), set(abilities) - set(role.abilities)
    if gone or new:
        changes["may"] = [sorted(gone) or None, sorted(new) or None]
    return changes


def _checked(name: str, role: Role | None = None) -> str:
    wanted = name.strip()
    if not wanted:
        raise InvalidFields({"name": "Give the role a name."})
    if is_taken(Role.name, wanted, role, any_case=True):
        raise InvalidFields({"name": "There is a role of this name already."})
    return wanted
