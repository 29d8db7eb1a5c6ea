"""Who may do what, and who is signed in."""

from portal.access.abilities import ROLES, Ability, ensure_roles
from portal.access.links import (
    consume_link,
    customer_link,
    find_link,
    request_customer_link,
    staff_link,
)
from portal.access.people import (
    PersonWords,
    add_person,
    change_person,
    find_people,
    get_person,
    person_of_email,
    require_own_password,
    roles,
    set_password,
)
from portal.access.recovery import (
    make_recovery_codes,
    pass_second_factor,
    recovery_codes_left,
    reset_second_factor,
    turn_off_second_factor,
)
from portal.access.second_factor import begin_second_factor, check_code, confirm_second_factor
from portal.access.sign_ins import (
    Payer,
    end_sign_in,
    end_sign_in_of,
    payer_of_token,
    sign_in_payer,
    sign_in_user,
    sign_ins_of,
    touch,
    user_of_token,
)
from portal.access.signing_in import check_password
from portal.access.throttling import TooManyTries, count_try, forget_old_tries

__all__ = [
    "ROLES",
    "Ability",
    "Payer",
    "PersonWords",
    "TooManyTries",
    "add_person",
    "begin_second_factor",
    "change_person",
    "check_code",
    "check_password",
    "confirm_second_factor",
    "consume_link",
    "count_try",
    "customer_link",
    "end_sign_in",
    "end_sign_in_of",
    "ensure_roles",
    "find_link",
    "find_people",
    "forget_old_tries",
    "get_person",
    "make_recovery_codes",
    "pass_second_factor",
    "payer_of_token",
    "person_of_email",
    "recovery_codes_left",
    "request_customer_link",
    "require_own_password",
    "reset_second_factor",
    "roles",
    "set_password",
    "sign_in_payer",
    "sign_in_user",
    "sign_ins_of",
    "staff_link",
    "touch",
    "turn_off_second_factor",
    "user_of_token",
]
