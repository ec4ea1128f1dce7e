"""Rights of staff: granted by two people and never by whom they are for; withdrawn by one person, at once.

Whoever runs the site appoints the first operators: ``manage.py staff``. All of it is on the audit trail.
"""

from collections.abc import Sequence
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.models import Member, User
from members.services import sessions
from members.services.members import checked_reason
from paymentsite.core.actors import Actor, check_not_own
from paymentsite.core.acts import act
from paymentsite.core.disclosure import named
from paymentsite.core.effects import Effect, Line
from paymentsite.core.errors import Invalid, Refused
from paymentsite.core.models import AuditEntry
from paymentsite.core.services import approvals, audit

GRANT: Final = "members.grant_rights"
GRANTED: Final = "rights.granted"
APPOINTED: Final = "rights.appointed"
WITHDRAWN: Final = "rights.withdrawn"
ON_RECORD: Final = (GRANTED, APPOINTED, WITHDRAWN)


class NoSuchRight(Invalid):
    code = "no_such_right"
    sentence = gettext_noop("There is no right or group called {name}.")


class NothingToGrant(Invalid):
    code = "no_rights_given"
    sentence = gettext_noop("They would have no right that they do not have now.")


class RightsNeedStaff(Invalid):
    code = "rights_need_staff"
    sentence = gettext_noop("Rights are for staff: make this person staff with them.")


class FactorMissing(Refused):
    code = "staff_factor_missing"
    sentence = gettext_noop("This person has no second factor. They set one up on the site first.")


class SignInInactive(Refused):
    code = "sign_in_inactive"
    sentence = gettext_noop("This person cannot sign in. Activate that first.")


class RightsLeft(Refused):
    code = "activation_of_staff"
    sentence = gettext_noop("This person still has rights. Withdraw them first; two people grant them anew.")


class SignInErased(Refused):
    code = "activation_of_erased"
    sentence = gettext_noop("This person's data was erased; nobody signs in as them again.")


@approvals.required(
    GRANT,
    right="members.approve_rights",
    concerns=("user",),
    title=_("Give a person rights"),
    lines={
        "person": Line(_("person")),
        "before": Line(_("before")),
        "after": Line(_("after")),
        "staff": Line(_("staff")),
        "superuser": Line(_("may do everything")),
        "groups": Line(_("groups")),
        "permissions": Line(_("rights of their own")),
        "by_groups": Line(_("rights by the groups given")),
    },
)
def grant(
    *,
    user: User,
    staff: bool,
    superuser: bool,
    groups: Sequence[str] = (),
    permissions: Sequence[str] = (),
    by: Actor,
    reason: str,
) -> Effect:
    """The person has these rights besides those they had. ``permissions`` are written "app.codename"."""
    reason = checked_reason(reason)
    user = _locked(user)
    _check_may_have(user)
    before = held(user)
    user.is_staff, user.is_superuser = user.is_staff or staff, user.is_superuser or superuser
    if not user.is_staff:
        raise RightsNeedStaff
    given_groups, given = _groups(groups), [_permission(name) for name in permissions]
    user.save(update_fields=["is_staff", "is_superuser"])
    user.groups.add(*given_groups)
    user.user_permissions.add(*given)

    after = held(user)
    if before == after:
        raise NothingToGrant
    audit.record(by=by, act=GRANTED, subject=user, before=before, after=after, reason=reason)
    # What a group means is part of what is approved: changed meanwhile, it is looked at again.
    meant = sorted({_name(right) for group in given_groups for right in _rights(group.permissions)})
    return {"person": user, "before": before, "after": after, "by_groups": meant}


@act
def withdraw(*, user: User, by: Actor, reason: str) -> User:
    """The person is no staff and has no right of any kind from now on. Repeated, it changes nothing."""
    check_not_own(by, user.pk)
    reason = checked_reason(reason)
    user = _locked(user)
    before = held(user)
    if not any(before.values()):
        return user
    user.is_staff = user.is_superuser = False
    user.save(update_fields=["is_staff", "is_superuser"])
    user.groups.clear()
    user.user_permissions.clear()
    audit.record(by=by, act=WITHDRAWN, subject=user, before=before, after=held(user), reason=reason)
    return user


@act
def appoint(*, user: User, superuser: bool, by: Actor, reason: str) -> User:
    """The person is staff, with every right there is or none yet. For whoever runs the site, where nobody has
    rights who could grant them; never within reach of a page."""
    user = _locked(user)
    _check_may_have(user)
    before = held(user)
    user.is_staff, user.is_superuser = True, superuser
    user.save(update_fields=["is_staff", "is_superuser"])
    audit.record(by=by, act=APPOINTED, subject=user, before=before, after=held(user), reason=checked_reason(reason))
    return user


@act
def deactivate(*, user: User, by: Actor, reason: str) -> User:
    """The person cannot sign in, and is signed out wherever they were. Repeated, it changes nothing."""
    check_not_own(by, user.pk)
    reason = checked_reason(reason)
    user = _locked(user)
    if user.is_active:
        _set_active(user, active=False, by=by, reason=reason)
        sessions.end_all(user=user, by=by)
    return user


@act
def activate(*, user: User, by: Actor, reason: str) -> User:
    """The person may sign in again. With rights that would be granting them, by one person: refused."""
    check_not_own(by, user.pk)
    reason = checked_reason(reason)
    user = _locked(user)
    if user.is_active:
        return user
    if any(held(user).values()):
        raise RightsLeft
    if Member.objects.filter(pk=user.pk, erased_at__isnull=False).exists():
        raise SignInErased
    _set_active(user, active=True, by=by, reason=reason)
    return user


def on_record(user: User) -> bool:
    """Whether the trail knows of rights that ``user`` was given or lost."""
    return AuditEntry.objects.filter(act__in=ON_RECORD, subject=named(user)).exists()


def held(user: User) -> dict[str, Any]:
    """The rights of ``user`` as the trail has them."""
    return {
        "staff": user.is_staff,
        "superuser": user.is_superuser,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "permissions": sorted(_name(right) for right in _rights(user.user_permissions)),
    }


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _set_active(user: User, *, active: bool, by: Actor, reason: str) -> None:
    user.is_active = active
    user.save(update_fields=["is_active"])
    what = "user.activated" if active else "user.deactivated"
    audit.record(by=by, act=what, subject=user, before={"active": not active}, after={"active": active}, reason=reason)


def _check_may_have(user: User) -> None:
    if not user.is_active:
        raise SignInInactive
    factors = Authenticator.objects.filter(user=user, type__in=["totp", "webauthn"])
    if settings.STAFF_SECOND_FACTOR_REQUIRED and not factors.exists():
        raise FactorMissing


def _groups(names: Sequence[str]) -> list[Group]:
    found = {group.name: group for group in Group.objects.filter(name__in=names)}
    for name in names:
        if name not in found:
            raise NoSuchRight(name=name)
    return list(found.values())


def _permission(name: str) -> Permission:
    app, _dot, codename = name.partition(".")
    found = Permission.objects.filter(content_type__app_label=app, codename=codename).first()
    if found is None:
        raise NoSuchRight(name=name)
    return found


def _rights(of: Any) -> list[Permission]:
    return list(of.select_related("content_type"))


def _name(right: Permission) -> str:
    return f"{right.content_type.app_label}.{right.codename}"
