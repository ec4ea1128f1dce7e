"""What takes two people is about neither of them: every act says whom it concerns, and they have no part in it."""

import inspect
import typing
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import Model

from cards.models import CardMessage
from cards.services import controls, credit_decisions, settling
from members.models import Limit, Member, Tier, User
from members.services import limit_rules, pins, points, privacy, rewards, rights, tier_gifts
from paymentsite.core import clock
from paymentsite.core.actors import Actor, OwnMatter
from paymentsite.core.ids import EPOCH
from paymentsite.core.models import Approval, AuditEntry
from paymentsite.core.services import approvals
from paymentsite.core.services.proposals import Declared, all_declared
from paymentsite.core.vault import Secret
from paymentsite.ledger import services as ledger
from paymentsite.ledger.services import manual
from tests.cards import using
from tests.cards.banking import NOWHERE, came, purpose
from tests.cards.factories import card, debit
from tests.factories import fund
from tests.members.catalogue import goods
from tests.members.factories import member, superuser
from tests.terms import told
from tests.wallets.factories import wallet as yuan
from tests.wallets.gateways import eur, top_up, wallet, withdraw
from wallets.models import TopUp, Withdrawal
from wallets.services import conflicts, leaving, reward_credit

pytestmark = [pytest.mark.django_db, pytest.mark.attack, pytest.mark.usefixtures("routed")]

Propose = Callable[[Actor], Approval]
WHY = "they deserve it"


def ours() -> list[Declared]:
    return [act for act in all_declared() if not act.name.startswith("test.")]


def models_in(annotation: object) -> list[type[Model]]:
    options = typing.get_args(annotation) or (annotation,)
    return [each for each in options if inspect.isclass(each) and issubclass(each, Model)]


def leads_to_a_person(name: str, model: type[Model]) -> list[str]:
    """By which paths an argument of that model says whose matter it is."""
    if model in {Member, User}:
        return [name]
    people = [
        f"{name}.{field.attname}" for field in model._meta.concrete_fields if field.related_model in {Member, User}
    ]
    return people + [f"{name}.owner" for field in model._meta.concrete_fields if field.name == "owner"]


@pytest.mark.parametrize("act", ours(), ids=lambda act: act.name)
def test_act_concerns_exactly_those_to_whom_its_arguments_lead(act):
    leading = [
        path
        for name, given in act.signature.parameters.items()
        for model in models_in(given.annotation)
        for path in leads_to_a_person(name, model)
    ]

    assert sorted(act.concerns) == sorted(leading)


def my_limit(me: Member) -> Limit:
    facts = {"kind": "any", "currency": "EUR", "measure": "amount", "period": "day", "cap": 1}
    return told(Limit.objects.create(member=me, starts_at=EPOCH, set_by="test:1", **facts))


def limit(me: Member) -> Propose:
    terms = {"kind": "any", "currency": "EUR", "measure": "amount", "period": "day", "cap": 10**9}
    return lambda by: limit_rules.propose(**terms, member=me, by=by, reason=WHY)


def tier(me: Member) -> Propose:
    for rank, code in enumerate(("bronze", "gold")):
        told(Tier.objects.create(code=code, name_en=code, rank=rank, threshold=rank))
    gold, until = Tier.objects.get(code="gold"), clock.now() + timedelta(days=30)
    return lambda by: tier_gifts.give(member=me, tier=gold, until=until, by=by, reason=WHY)


def raised(me: Member) -> Propose:
    found = card(me, debit())
    terms = {"caps": [{"measure": "amount", "span": "day", "most": 10**9}]}
    return lambda by: controls.raise_for(card=found, terms=terms, by=by, reason=WHY)


def clearing(me: Member) -> Propose:
    wallet(of=me)
    return lambda by: pins.clear_pin(member=me, by=by, reason=WHY)


def erasing(me: Member) -> Propose:
    Member.objects.filter(pk=me.pk).update(state="closed")
    return lambda by: privacy.erase(member=me, by=by, reason=WHY)


def differing(me: Member) -> Propose:
    order = top_up(wallet(of=me), 1010)
    return lambda by: conflicts.accept(order=order, by=by, reason=WHY)


def given_back(me: Member) -> Propose:
    order = top_up(wallet(of=me), 1010)
    return lambda by: conflicts.give_back(order=order, by_hand=True, by=by, reason=WHY)


def not_given_back(me: Member) -> Propose:
    order = top_up(wallet(of=me), 1010)
    TopUp.objects.filter(pk=order.pk).update(state="returning", refund_id=uuid4())
    return lambda by: conflicts.not_given_back(order=order, by=by, reason=WHY)


def returned(me: Member) -> Propose:
    order = withdraw(wallet(5_000, of=me), 1_000)
    return lambda by: conflicts.returned(order=order, by=by, reason=WHY)


def ended(me: Member) -> Propose:
    order: Withdrawal = withdraw(wallet(5_000, of=me), 1016)
    return lambda by: conflicts.end(order=order, happened=False, by=by, reason=WHY)


def taken_back(me: Member) -> Propose:
    fund(points.of(me).points, 250, ledger.Terms("test"))
    five = goods(kind="wallet_credit", credit_minor=500, currency="EUR")
    redemption = reward_credit.redeem(member=me, reward=five, reference="r", by=Actor.of(me.user))
    return lambda by: rewards.take_back(redemption=redemption, by=by, reason=WHY)


def moved(me: Member, *, to_them: bool = True) -> Propose:
    purse, cash = wallet(5_000, of=me).account, ledger.house("cash", "EUR")
    source, target = (cash, purse) if to_them else (purse, cash)
    facts = {"amount": eur(100), "source": source, "target": target, "reference": "by hand"}
    return lambda by: manual.post_manual(**facts, by=by, reason=WHY)


def granted(me: Member) -> Propose:
    return lambda by: rights.grant(user=me.user, staff=True, superuser=True, by=by, reason=WHY)


def limit_ended(me: Member) -> Propose:
    mine = my_limit(me)
    return lambda by: limit_rules.end(limit=mine, by=by, reason=WHY)


def assigned(me: Member) -> Propose:
    credit = came(NOWHERE, 10_00)
    return lambda by: credit_decisions.assign(credit=credit, member=me, by=by, reason=WHY)


def sent_back(me: Member) -> Propose:
    account = purpose(yuan(of=me), 1_00, over="aside")
    credit = came(account, 10_00)
    return lambda by: credit_decisions.give_back(credit=credit, by=by, reason=WHY)


def forgiven(me: Member) -> Propose:
    using.tell("capture", card(me, debit()), 50_00)
    return lambda by: settling.write_off_debt(member=me, currency="CNY", by=by, reason=WHY)


def placed(me: Member) -> Propose:
    found = card(me, debit())
    using.tell("refund", found, 30_00, number=Secret("4000001299999999"), message_id="stray")
    message = CardMessage.objects.get(message_id="stray")
    return lambda by: settling.place_refund(message=message, member=me, by=by, reason=WHY)


def paid_out(me: Member) -> Propose:
    found = card(me, debit())
    leaving.leave(member=me, by=Actor.of(me.user), reason=WHY)
    using.tell("refund", found, 30_00, message_id="late")
    message = CardMessage.objects.get(message_id="late")
    return lambda by: settling.pay_refund(message=message, member=me, by=by, reason=WHY)


ABOUT: dict[str, Callable[[Member], Propose]] = {
    "cards.assign_credit": assigned,
    "cards.pay_refund": paid_out,
    "cards.place_refund": placed,
    "cards.raise_controls": raised,
    "cards.return_credit": sent_back,
    "cards.write_off_debt": forgiven,
    "ledger.post_manual": moved,
    "members.clear_pin": clearing,
    "members.end_limit": limit_ended,
    "members.erase": erasing,
    "members.give_tier": tier,
    "members.grant_rights": granted,
    "members.set_limit": limit,
    "members.take_back_reward": taken_back,
    "wallets.accept_order": differing,
    "wallets.end_order": ended,
    "wallets.give_back_order": given_back,
    "wallets.not_given_back": not_given_back,
    "wallets.returned_withdrawal": returned,
}


def test_every_act_that_concerns_somebody_is_tried():
    assert sorted(ABOUT) == [act.name for act in ours() if act.concerns]


@pytest.fixture
def me() -> Member:
    return member()


def empowered(who: Member) -> Member:
    """Who holds every right by now."""
    User.objects.filter(pk=who.pk).update(is_staff=True, is_superuser=True)
    return Member.objects.get(pk=who.pk)


def refused(deed: Callable[[], object]) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(OwnMatter):
        deed()
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("kind", ["staff", "member"])
@pytest.mark.parametrize("name", ABOUT)
def test_nobody_proposes_or_decides_what_concerns_themselves(me, name, kind):
    propose = ABOUT[name](me)
    proposal = propose(Actor.of(superuser("ann@example.com")))
    by = Actor(kind, str(empowered(me).pk))

    refused(lambda: approvals.approve(approval=proposal, by=by, shown=proposal.shown))
    refused(lambda: approvals.refuse(approval=proposal, by=by, note="no"))
    refused(lambda: propose(by))

    assert not approvals.may_decide(by, proposal)
    assert list(Approval.objects.values_list("pk", "state")) == [(proposal.pk, "proposed")]


@pytest.mark.parametrize("name", sorted(ABOUT.keys() - {"members.erase", "members.grant_rights"}))
def test_somebody_else_decides_it(me, name):
    proposal = ABOUT[name](me)(Actor.of(superuser("ann@example.com")))
    bob = Actor.of(superuser("bob@example.com"))

    assert approvals.approve(approval=proposal, by=bob, shown=proposal.shown).state == "approved"


def test_what_is_taken_from_an_account_concerns_its_owner_too(me):
    proposal = moved(me, to_them=False)(Actor.of(superuser("ann@example.com")))
    by = Actor.of(empowered(me).user)

    refused(lambda: approvals.approve(approval=proposal, by=by, shown=proposal.shown))


def test_money_between_accounts_of_ours_concerns_nobody(me):
    cash, fees = ledger.house("cash", "EUR"), ledger.house("fees", "EUR")
    facts = {"amount": eur(100), "source": cash, "target": fees, "reference": "by hand"}
    proposal = manual.post_manual(**facts, by=Actor.of(superuser("ann@example.com")), reason=WHY)
    by = Actor.of(empowered(me).user)

    assert approvals.approve(approval=proposal, by=by, shown=proposal.shown).state == "approved"


def test_limit_for_everybody_concerns_nobody(me):
    terms = {"kind": "any", "currency": "EUR", "measure": "amount", "period": "day", "cap": 10**9}
    proposal = limit_rules.propose(**terms, by=Actor.of(superuser("ann@example.com")), reason=WHY)
    by = Actor.of(empowered(me).user)

    assert approvals.approve(approval=proposal, by=by, shown=proposal.shown).state == "approved"
