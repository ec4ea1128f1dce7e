"""Proposing: what a service that needs approval does when it is called."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, ParamSpec

from django.db import transaction
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_noop

from paymentsite.core import canonical, clock, logs
from paymentsite.core.actors import Actor, OwnMatter, person_of
from paymentsite.core.acts import act
from paymentsite.core.arguments import ArgumentGone, restored, stored
from paymentsite.core.disclosure import clear, disclosed, named
from paymentsite.core.effects import Effect, Lines, check, entitle, row
from paymentsite.core.errors import DomainError, Invalid
from paymentsite.core.ids import microseconds
from paymentsite.core.models import Approval
from paymentsite.core.money import Money
from paymentsite.core.services import audit

P = ParamSpec("P")

EXPIRES: Final = timedelta(days=7)
# What an act is declared to concern that is about no single person: terms for everybody, say.
NOBODY: Final[tuple[str, ...]] = ()


class ReasonMissing(Invalid):
    code = "approval_reason_missing"
    sentence = gettext_noop("Say why: whoever decides reads it.")


@dataclass(frozen=True, slots=True)
class Declared:
    name: str
    right: str
    concerns: tuple[str, ...]
    title: str | Promise
    lines: Lines
    expires: timedelta
    body: Callable[..., Effect]
    signature: inspect.Signature


_acts: Final[dict[str, Declared]] = {}


def required(
    name: str,
    *,
    right: str,
    concerns: tuple[str, ...],
    title: str | Promise,
    lines: Lines,
    expires: timedelta = EXPIRES,
) -> Callable[[Callable[P, Effect]], Callable[P, Approval]]:
    """Make calling the service propose it under ``name``, for somebody else who holds ``right`` to decide.

    The service takes keywords only, ``by`` and ``reason`` among them, and returns its effect. It is proposed
    only when a rehearsal, rolled back, succeeds. When approved it runs with exactly these arguments, and
    ``by`` is whoever proposed it.

    ``concerns`` says whom it is about: arguments that are a user or a member (``"member"``), or the attribute of one
    that leads there, a key or the owner of accounts (``"order.member_id"``, ``"source.owner"``); ``NOBODY`` where it
    is about no single person. Whom it is about neither proposes nor decides.

    ``title`` and ``lines`` are what the act and its effect are called where people read them; see ``core.effects``.
    """

    def declare(body: Callable[P, Effect]) -> Callable[P, Approval]:
        signature = inspect.signature(body)
        _check_declaration(name, signature, concerns)
        entitle(name, title)
        act_declared = _acts[name] = Declared(name, right, concerns, title, lines, expires, body, signature)

        @functools.wraps(body)
        def propose(*args: P.args, **kwargs: P.kwargs) -> Approval:
            return _propose(act_declared, signature.bind(*args, **kwargs))

        del propose.__wrapped__  # it would lead round the approval
        return propose

    return declare


def declared(name: str) -> Declared | None:
    return _acts.get(name)


def lines_of(name: str) -> Lines:
    """The lines that the act's effect may have."""
    known = _acts.get(name)
    return known.lines if known else {}


def all_declared() -> list[Declared]:
    """Every act that takes two people, by name."""
    return [_acts[name] for name in sorted(_acts)]


def _check_declaration(name: str, signature: inspect.Signature, concerns: tuple[str, ...]) -> None:
    if name in _acts:
        raise TypeError(f"{name} is declared twice")
    if any(given.kind is not given.KEYWORD_ONLY for given in signature.parameters.values()):
        raise TypeError(f"{name} must take keywords only, each by its name")
    if missing := {"by", "reason"} - signature.parameters.keys():
        raise TypeError(f"{name} must take {' and '.join(sorted(missing))}")
    for path in concerns:
        if (argument := path.partition(".")[0]) not in signature.parameters:
            raise TypeError(f"{name} takes no {argument} whom it could concern")
    if secret := [given for given in signature.parameters if logs.names_secret(given)]:
        raise TypeError(f"{name} takes {', '.join(secret)}, which must not be written down")


@act
def _propose(declared: Declared, given: inspect.BoundArguments) -> Approval:
    given.apply_defaults()
    arguments = dict(given.arguments)
    by, reason = arguments.pop("by"), clear(arguments.pop("reason")).strip()
    if not reason:
        raise ReasonMissing

    now = clock.now()
    proposal = Approval(
        act=declared.name,
        arguments={name: stored(value) for name, value in arguments.items()},
        reason=reason,
        proposed_by=str(by),
        proposed_person=by.person,
        proposed_at=now,
        expires_at=now + declared.expires,
    )
    if by.person in concerned(declared, proposal):
        raise OwnMatter
    proposal.digest = digest(proposal)
    proposal.effect = _rehearsed(declared, proposal)
    proposal.save(force_insert=True)

    what = {"act": proposal.act, "digest": proposal.digest, "effect": proposal.effect}
    audit.record(by=by, act="approval.proposed", subject=proposal, after=what, reason=reason)
    return proposal


def concerned(declared: Declared, proposal: Approval) -> set[str]:
    """The people whom it is about."""
    found = (_person(path, proposal.arguments) for path in declared.concerns)
    return {person for person in found if person}


def _person(path: str, arguments: Mapping[str, Any]) -> str:
    name, _dot, attribute = path.partition(".")
    if (written := arguments.get(name)) is None:
        return ""
    if not attribute:  # as written, so that it holds when the row is gone
        _label, pk = written["value"]
        return person_of(pk)
    try:
        value = getattr(restored(written), attribute)
    except ArgumentGone:  # and so it cannot be done
        return ""
    if value is None:
        return ""
    return Actor.parse(value).person if isinstance(value, str) else person_of(value)


def digest(proposal: Approval) -> str:
    """What identifies all that was proposed: the act, its arguments, by whom, why, until when."""
    return digest_of(proposal, proposal.arguments)


def digest_of(proposal: Approval, arguments: Mapping[str, Any]) -> str:
    return canonical.digest(
        [
            "paymentsite approval 1",
            proposal.act,
            canonical.text(arguments),
            proposal.proposed_by,
            proposal.reason,
            str(microseconds(proposal.proposed_at)),
            str(microseconds(proposal.expires_at)),
        ]
    ).hex()


def performed(declared: Declared, proposal: Approval, arguments: Mapping[str, Any]) -> Any:
    by = Actor.parse(proposal.proposed_by)
    effect = declared.body(**arguments, by=by, reason=proposal.reason)
    check(effect, declared.lines)
    return _as_stored(effect)


def _as_stored(value: Any, *, name: str = "") -> Any:
    """What an effect tells, as JSON without secrets."""
    match value:
        case Model():
            return row(named(value))
        case Money():
            return disclosed(value)
        case Mapping():
            return {key: _as_stored(item, name=key) for key, item in value.items()}
        case list() | tuple():
            return [_as_stored(item, name=name) for item in value]
    return disclosed(value, name=name)


def _rehearsed(declared: Declared, proposal: Approval) -> Any:
    """The effect of doing it, undone again. A refusal is raised, but not kept: it was only a rehearsal."""
    try:
        with transaction.atomic():
            effect = performed(declared, proposal, restored({"is": "dict", "value": proposal.arguments}))
            transaction.set_rollback(True)
    except DomainError as refusal:
        refusal.keep = None
        raise
    return effect
