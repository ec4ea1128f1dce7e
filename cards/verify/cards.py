"""Cards against what was done to them, what they spend, and what stands for them in the member's wallet."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from cards.models import Card, CardEvent, CardLoad, CardProduct
from cards.services.loading import END, SCOPE
from paymentsite.core.verification import Fault, Run, check
from paymentsite.ledger.models import Journal, Posting
from wallets.models import Instrument, Wallet

State = Card.State
Way = CardLoad.Way


@check(
    "cards.life_is_its_events",
    "A card is what the last event made it, and each began where the one before ended.",
)
def life_is_its_events(run: Run) -> Iterator[Fault]:
    run.seen["events of cards"] = CardEvent.objects.count()
    events = CardEvent.objects.filter(card=OuterRef("pk")).order_by("-pk")
    told = Card.objects.annotate(last=Subquery(events.values("after")[:1]))
    for pk, state, last in (
        told.exclude(last=F("state"), last__isnull=False).order_by("pk").values_list("pk", "state", "last")
    ):
        yield f"card {pk}", f"it is {state}, and what was done to it made it {last or 'nothing'}"
    earlier = CardEvent.objects.filter(card=OuterRef("card"), pk__lt=OuterRef("pk")).order_by("-pk")
    chained = CardEvent.objects.annotate(was=Coalesce(Subquery(earlier.values("after")[:1]), Value("")))
    right = Q(was=F("before")) & ~Q(before=F("after")) & (~Q(before="") | Q(after=State.INACTIVE))
    for pk, card in chained.exclude(right).order_by("pk").values_list("pk", "card"):
        yield f"card {card}", f"event {pk} does not begin where the one before ended"


@check(
    "cards.spends_its_members",
    "A debit card spends its member's wallet and ends with it, a prepaid one spends an account of its own.",
)
def spends_its_members(run: Run) -> Iterator[Fault]:
    run.seen["prepaid cards"] = Card.objects.filter(product__kind=CardProduct.Kind.PREPAID).count()
    theirs = Q(
        wallet__member=F("member"), wallet__currency=F("product__currency"), account__unit=F("product__currency")
    )
    debit = Q(product__kind=CardProduct.Kind.DEBIT, account=F("wallet__account"))
    prepaid = Q(product__kind=CardProduct.Kind.PREPAID, account__code__startswith="card ")
    for card in Card.objects.exclude(theirs & (debit | prepaid)).order_by("pk"):
        yield f"card {card.pk}", "it spends what it should not"
    for card in Card.objects.select_related("account", "member").order_by("pk").iterator():
        if card.account.owner != card.member.owner:
            yield f"card {card.pk}", f"it spends an account of {card.account.owner}"
    left = Card.objects.living().filter(account=F("wallet__account"), wallet__state=Wallet.State.CLOSED)
    for pk in left.order_by("pk").values_list("pk", flat=True):
        yield f"card {pk}", "its wallet is closed, and it is not"


@check(
    "cards.one_card_an_account",
    "Cards that spend the same account are successors of each other.",
)
def one_card_an_account(run: Run) -> Iterator[Fault]:
    del run
    prepaid = Card.objects.filter(product__kind=CardProduct.Kind.PREPAID)
    same = Q(replaces__account=F("account"), replaces__member=F("member"), replaces__product=F("product"))
    strange = Card.objects.filter(replaces__isnull=False).exclude(same & Q(replaces__state=State.CLOSED))
    for pk in strange.order_by("pk").values_list("pk", flat=True):
        yield f"card {pk}", "it stands in the place of a card that it is no successor of"
    others = prepaid.filter(account=OuterRef("account"), replaces=None, pk__lt=OuterRef("pk"))
    for pk in prepaid.filter(Exists(others), replaces=None).order_by("pk").values_list("pk", flat=True):
        yield f"card {pk}", "another card spends the same account"


@check("cards.card_is_instrument", "Each card is an instrument of its member, as long as it lives.")
def card_is_instrument(run: Run) -> Iterator[Fault]:
    own = Instrument.objects.filter(kind=Instrument.Kind.OWN_CARD)
    known = {each.source: each for each in own}
    run.seen["cards as instruments"] = len(known)
    for card in Card.objects.order_by("pk").iterator():
        found = known.pop(card.source, None)
        state = Instrument.State.REMOVED if card.ended else Instrument.State.ACTIVE
        if found is None or found.member_id != card.member_id or found.state != state:
            yield f"card {card.pk}", f"it is {card.state}, and has not the instrument that it should"
    for each in known.values():
        yield f"instrument {each.pk}", "it stands for a card that there is not"


@check("cards.load_is_posted", "What was put onto a card or came off it moved so, in one journal of its own.")
def load_is_posted(run: Run) -> Iterator[Fault]:
    run.seen["loads of cards"] = CardLoad.objects.count()
    postings = Posting.objects.filter(
        journal=OuterRef("journal"), journal__scope__in=[SCOPE, END], amount_minor=OuterRef("amount_minor")
    )
    card_to_wallet = postings.filter(source=OuterRef("card__account"), target__owner=OuterRef("card__account__owner"))
    wallet_to_card = postings.filter(target=OuterRef("card__account"), source__owner=OuterRef("card__account__owner"))
    told = CardLoad.objects.annotate(off=Exists(card_to_wallet), on=Exists(wallet_to_card))
    right = Q(way=Way.ON, on=True, off=False) | Q(way__in=[Way.OFF, Way.END], off=True, on=False)
    for pk in told.exclude(right).order_by("pk").values_list("pk", flat=True):
        yield f"load {pk}", "its journal moved something else"
    lonely = Journal.objects.posted().filter(scope__in=[SCOPE, END]).exclude(pk__in=CardLoad.objects.values("journal"))
    for journal in lonely.order_by("pk").values_list("pk", flat=True):
        yield f"journal {journal}", "it loads a card, and no load names it"
