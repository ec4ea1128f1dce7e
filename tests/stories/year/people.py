"""The people of the story, who come in by the door that everybody comes in by."""

import re
from datetime import date
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse

from members.models import KycCase, KycEvent, KycImage, Member
from members.services import kyc, kyc_images, members, phone_proofs
from members.services.kyc_facts import Facts
from paymentsite.core.actors import Actor
from paymentsite.core.text_messages.kept import Kept
from paymentsite.core.vault import Secret
from tests.members.factories import JPEG

_PASSWORD = "maple-lantern-17"


def signed_up(email: str, **profile: Any) -> Member:
    """Somebody who signs up on the site, confirms by the code that came to their mailbox, and says who they are."""
    browser, letters = Client(), len(mail.outbox)
    answer = browser.post(reverse("account_signup"), {"email": email, "password1": _PASSWORD, "password2": _PASSWORD})
    assert answer.headers["Location"] == reverse("account_email_verification_sent")
    [letter] = mail.outbox[letters:]
    assert letter.to == [email]
    code = re.search(r"^([A-Z0-9-]{6,9})$", letter.body, re.MULTILINE)
    answer = browser.post(reverse("account_email_verification_sent"), {"code": code[1] if code else ""})
    assert answer.headers["Location"] == "/home/"
    member = Member.objects.get(user__email=email)
    member = members.edit(member=member, by=Actor.of(member.user), **profile)
    return reached(member, profile["phone"]) if "phone" in profile else member


def reached(member: Member, number: Secret) -> Member:
    """The member proves their number by the code that comes to it as a text message."""
    phone_proofs.request_code(member=member, by=Actor.of(member.user))
    message = Kept().newest(number)
    code = re.search(r"\d{8}", message.text) if message else None
    return phone_proofs.prove(member=member, code=Secret(code[0] if code else ""), by=Actor.of(member.user))


def identified(member: Member, ann: Actor, bob: Actor) -> list[tuple[int, str]]:
    """The member goes from level to level; staff ask for more once, and decide. What became of each case."""
    by = Actor.of(member.user)
    kyc.submit(case=kyc.begin(member=member, level=1, by=by), by=by)

    case = kyc.begin(member=member, level=2, by=by)
    facts: Facts = {
        "birthday": date(1990, 5, 4),
        "document": KycCase.Document.PASSPORT,
        "country": "GB",
        "number": Secret("E12345678"),
    }
    case = kyc.submit(case=kyc.fill(case=case, by=by, legal_name=Secret("Ada Lovelase"), **facts), by=by)
    case = kyc.ask_more(case=case, reason=KycEvent.Reason.MISMATCH, by=ann, note="The name is another one.")
    _decided(kyc.submit(case=kyc.fill(case=case, by=by, legal_name=Secret("Ada Lovelace")), by=by), ann)

    case = kyc.begin(member=member, level=3, by=by)
    for side in (KycImage.Side.FRONT, KycImage.Side.SELFIE):
        kyc_images.attach(case=case, side=side, content=JPEG, by=by)
    _decided(kyc.submit(case=case, by=by), bob)
    return list(KycCase.objects.of(member).values_list("level", "state"))


def _decided(case: KycCase, staff: Actor) -> None:
    kyc_images.look_at_facts(case=case, by=staff)
    for image in case.images.select_related("case"):
        kyc_images.look(image=image, by=staff)
    kyc.approve(case=case, by=staff)
