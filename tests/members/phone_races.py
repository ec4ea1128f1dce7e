"""Races for phone numbers. Each counts its winners and says how the others lost."""

from collections.abc import Callable
from typing import Any

from members.models import Member, Notice, PhoneProof
from members.services import phone_proofs
from members.services.phone_proofs import ProofRefused
from paymentsite.core.actors import Actor
from paymentsite.core.vault import Secret
from tests.members.factories import Phone, member
from tests.members.races import winners

Together = Callable[[int, Callable[[int], Any]], list[Any]]


def _number() -> Secret:
    """One that nobody has yet."""
    return Secret(f"+86137{Member.objects.count():08}")


def _asked(who: Member) -> Secret:
    phone = Phone()
    phone_proofs.request_code(member=who, by=Actor.of(who.user), through=phone)
    return phone.code


def one_number(together: Together, count: int) -> None:
    """As many members as threads had a code on the same phone, and tell theirs at once: the newest has the number."""
    number = _number()
    people = [member(phone=number) for _ in range(count)]
    codes = [_asked(who) for who in people]

    told = together(
        count,
        lambda each: phone_proofs.prove(member=people[each], code=codes[each], by=Actor.of(people[each].user)),
    )

    assert len(winners(told)) == count
    assert Member.objects.proven(number).count() == 1
    assert Notice.objects.filter(member__in=people, kind="phone_lost").count() == count - 1


def one_code(together: Together, count: int) -> None:
    """The right code, many times at once."""
    who = member(phone=_number())
    code = _asked(who)

    told = together(count, lambda _: phone_proofs.prove(member=who, code=code, by=Actor.of(who.user)))

    assert len(winners(told, ProofRefused)) == 1
    assert PhoneProof.objects.get(member=who).used_at == Member.objects.get(pk=who.pk).phone_proven_at
    assert Notice.objects.filter(member=who, kind="phone_proven").count() == 1


def one_phone(together: Together, count: int) -> None:
    """Many members ask at once for messages to one number that may have two more today."""
    number, phone = _number(), Phone()
    for _ in range(phone_proofs.DAILY_TO_NUMBER - 2):
        _asked(member(phone=number))
    people = [member(phone=number) for _ in range(count)]

    told = together(
        count,
        lambda each: phone_proofs.request_code(member=people[each], by=Actor.of(people[each].user), through=phone),
    )

    assert len(winners(told)) == count
    assert len(phone.messages) == 2
    sent = PhoneProof.objects.filter(number_digest=number, nth__isnull=False)
    assert sorted(sent.values_list("nth", flat=True)) == list(range(1, phone_proofs.DAILY_TO_NUMBER + 1))


def one_member(together: Together, count: int) -> None:
    """A member asks many times at once: one message, whatever the number."""
    who, phone = member(phone=_number()), Phone()

    told = together(count, lambda _: phone_proofs.request_code(member=who, by=Actor.of(who.user), through=phone))

    assert len(winners(told, phone_proofs.ProofTooOften)) == len(phone.messages) == 1


def guesses(together: Together, count: int) -> int:
    """Wrong codes, many at once: how many of them were looked at."""
    who, looked = member(phone=_number()), []
    _asked(who)
    opens = phone_proofs._opens

    def counted(held: PhoneProof, member: Member, code: Secret) -> bool:
        looked.append(code)
        return opens(held, member, code)

    phone_proofs._opens = counted
    try:
        told = together(
            count,
            lambda each: phone_proofs.prove(member=who, code=Secret(f"{each:08}"), by=Actor.of(who.user)),
        )
    finally:
        phone_proofs._opens = opens
    assert winners(told, ProofRefused) == []
    return len(looked)
