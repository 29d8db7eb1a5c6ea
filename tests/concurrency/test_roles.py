"""A role that is deleted while somebody gets it: one of the two is told, in words."""

import pytest

from portal.access import (
    PersonWords,
    RoleWords,
    add_person,
    add_role,
    change_person,
    get_person,
    get_role,
    people_of_role,
    remove_role,
)
from portal.db import db, in_transaction
from portal.kernel.errors import DomainError
from portal.models import Role

pytestmark = pytest.mark.concurrency


def removes(role_id):
    return lambda: in_transaction(lambda: remove_role(get_role(role_id)))


def adds(role_id):
    words = lambda: PersonWords("New", "new@example.org", get_role(role_id))  # noqa: E731
    return lambda: in_transaction(lambda: add_person(words()) and None)


def gives(user_id, role_id, version):
    def act():
        words = PersonWords("Old", "old@example.org", get_role(role_id))
        change_person(get_person(user_id), words, version=version)

    return lambda: in_transaction(act)


@pytest.mark.parametrize("how", ["added", "changed"])
def test_a_role_is_given_or_deleted_and_the_other_is_told(build, at_once, how, turn):
    role_id = trainee()
    person = build.person("Old", email="old@example.org", role="Accountant")
    act = adds(role_id) if how == "added" else gives(person.id, role_id, person.version)

    raised = at_once(removes(role_id), act)

    assert sum(one is None for one in raised) == 1
    (told,) = (one for one in raised if one is not None)
    assert isinstance(told, DomainError), told
    role = db.session.get(Role, role_id)
    assert (role is None) is (raised[0] is None)
    if role is not None:
        assert len(people_of_role(role)) == 1


def trainee():
    role = add_role(RoleWords("Trainee"))
    db.session.flush()
    return role.id
