"""Instruments against what they stand for, and bank accounts against what proved them."""

from collections.abc import Iterator

from django.db.models import Count, Exists, F, OuterRef, Q

from paymentsite.core.verification import Fault, Run, check
from wallets.models import AccountProof, BankAccount, Instrument, OutsideCard, Wallet

Kind = Instrument.Kind
State = Instrument.State


@check("wallets.instrument_has_details", "A saved card or account has its details, and no other instrument has any.")
def instrument_has_details(run: Run) -> Iterator[Fault]:
    run.seen["instruments"] = Instrument.objects.count()
    right = (
        Q(kind=Kind.CARD, card__isnull=False, bank_account=None)
        | Q(kind=Kind.BANK_ACCOUNT, card=None, bank_account__isnull=False)
        | Q(kind__in=[Kind.WALLET, Kind.OWN_CARD], card=None, bank_account=None)
    )
    for pk, kind in Instrument.objects.exclude(right).order_by("pk").values_list("pk", "kind"):
        yield f"instrument {pk}", f"it is a {kind} and has not the details of one"
    for details in (OutsideCard, BankAccount):
        strange = details.objects.exclude(instrument__public_id=F("public_id"), instrument__member=F("member"))
        for pk in strange.order_by("pk").values_list("pk", flat=True):
            yield f"instrument {pk}", "its details are another's, or another member's"


@check("wallets.removed_is_wiped", "A removed card or account has no number, digest or holder; an active one has all.")
def removed_is_wiped(run: Run) -> Iterator[Fault]:
    del run
    none = Q(number__isnull=True, number_digest__isnull=True, holder__isnull=True)
    every = Q(number__isnull=False, number_digest__isnull=False, holder__isnull=False)
    for details in (OutsideCard, BankAccount):
        right = (Q(instrument__state=State.REMOVED) & none) | (Q(instrument__state=State.ACTIVE) & every)
        wrong = details.objects.exclude(right).order_by("pk")
        for pk, state in wrong.values_list("pk", "instrument__state"):
            yield f"instrument {pk}", f"it is {state}, and its number or holder is there or gone against that"


@check("wallets.one_default_of_a_kind", "Who has instruments of a kind has one that is the default of it.")
def one_default_of_a_kind(run: Run) -> Iterator[Fault]:
    del run
    active = Instrument.objects.active().order_by("member", "kind").values("member", "kind")
    counted = active.annotate(defaults=Count("pk", filter=Q(default=True))).exclude(defaults=1)
    for row in counted:
        yield f"member {row['member']}", f"has {row['defaults']} defaults among instruments of kind {row['kind']}"


@check("wallets.wallet_is_instrument", "Each wallet is an instrument of its member, as long as it is not closed.")
def wallet_is_instrument(run: Run) -> Iterator[Fault]:
    run.seen["wallets"] = Wallet.objects.count()
    lasting = Q(state="closed", instrument__state=State.REMOVED) | (
        ~Q(state="closed") & Q(instrument__state=State.ACTIVE)
    )
    right = lasting & Q(instrument__kind=Kind.WALLET, instrument__member=F("member"))
    for pk, state in Wallet.objects.exclude(right).order_by("pk").values_list("pk", "state"):
        yield f"wallet {pk}", f"it is {state}, and has not the instrument that it should"


@check("wallets.account_verified_by_proof", "A bank account is verified when a proof of it passed, and only then.")
def account_verified_by_proof(run: Run) -> Iterator[Fault]:
    run.seen["bank accounts"] = BankAccount.objects.count()
    passed = AccountProof.objects.filter(account=OuterRef("pk"), state=AccountProof.State.PASSED)
    accounts = BankAccount.objects.annotate(
        deposits=Exists(passed.filter(means=AccountProof.Means.DEPOSITS)),
        named=Exists(passed.filter(means=AccountProof.Means.NAME)),
    )
    right = (
        Q(verified_by="", deposits=False, named=False)
        | Q(verified_by=BankAccount.Means.DEPOSITS, deposits=True)
        | Q(verified_by__in=[BankAccount.Means.NAME, BankAccount.Means.STAFF], named=True)
    )
    for pk, means in accounts.exclude(right).order_by("pk").values_list("pk", "verified_by"):
        yield f"instrument {pk}", f"it is verified by {means or 'nothing'}, and its proofs say otherwise"
    waiting = AccountProof.objects.filter(state=AccountProof.State.WAITING).filter(
        Q(tries_left=0) | Q(means=AccountProof.Means.NAME)
    )
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        yield f"proof {pk}", "it waits for an answer that nobody may give"
