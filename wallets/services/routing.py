"""Which gateway an order goes to, and who says so."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from paymentsite.core.actors import Actor
from paymentsite.core.acts import act
from paymentsite.core.errors import Conflict, Invalid, Refused
from paymentsite.core.money import Money, Unit
from paymentsite.core.services import audit, trail
from wallets.gateways import registry
from wallets.gateways.base import Capability
from wallets.models import GatewayRoute, OrderEvent

Kind = GatewayRoute.Kind

# A gateway is ill while, of its last answers of half an hour, half or more say that nothing was reached.
_LOOKED_BACK: Final = timedelta(minutes=30)
_ANSWERS_MAX: Final = 20
_ANSWERS_MIN: Final = 3
UNTRIED: Final = "untried"
_BAD: Final = frozenset({"unknown", UNTRIED})

_NEEDS: Final = {Kind.TOP_UP: Capability.TOP_UP, Kind.PAYOUT: Capability.PAYOUT}


class NoRoute(Refused):
    code = "no_route"
    sentence = gettext_noop("{amount} cannot be moved in this way at present.")


class RouteTaken(Conflict):
    code = "route_taken"
    sentence = gettext_noop("There is such a route already.")


class Fault(TextChoices):
    """Why a route can never be."""

    GATEWAY = "gateway", _("no gateway {gateway} is configured")
    AMOUNTS = "amounts", _("it is for amounts from something up to as much or more")
    COST = "cost", _("a cost is not negative")


class RouteInvalid(Invalid, why=Fault):
    code = "route_invalid"
    sentence = gettext_noop("The route cannot be: {why}.")


def candidates(*, kind: GatewayRoute.Kind, method: str, amount: Money, now: datetime) -> list[str]:
    """The gateways that may execute it, the best first: healthy before ill, by priority, then by cost."""
    if not method.isprintable():  # none is called so, and no database is asked for it
        return []
    routes = GatewayRoute.objects.fitting(kind=kind, method=method, amount=amount)
    able = [route for route in routes if _able(route, method)]
    able.sort(
        key=lambda route: (
            not healthy(route.gateway, now),
            route.priority,
            route.cost(amount).minor,
            route.gateway,
        )
    )
    return list(dict.fromkeys(route.gateway for route in able))


def first(*, kind: GatewayRoute.Kind, method: str, amount: Money, now: datetime) -> str:
    """The best of them; raises ``NoRoute``."""
    for name in candidates(kind=kind, method=method, amount=amount, now=now):
        return name
    raise NoRoute(amount=amount, method=method if method.isprintable() else "")


def _able(route: GatewayRoute, method: str) -> bool:
    if route.gateway not in registry.names():
        return False
    gateway = registry.get(route.gateway)
    able = _NEEDS[Kind(route.kind)] in gateway.capabilities
    return able and gateway.supports(method=method, currency=route.currency)


def healthy(gateway: str, now: datetime) -> bool:
    """Whether it was reached of late, more often than not; what is not known is healthy."""
    asked = OrderEvent.objects.filter(gateway=gateway, origin=OrderEvent.Origin.CALL, at__gte=now - _LOOKED_BACK)
    said = list(asked.order_by("-at").values_list("outcome", flat=True)[:_ANSWERS_MAX])
    bad = sum(outcome in _BAD for outcome in said)
    return len(said) < _ANSWERS_MIN or 2 * bad < len(said)


@act
def add(*, by: Actor, reason: str, **fields: Any) -> GatewayRoute:
    """There is such a route from now on."""
    route = GatewayRoute(**fields)
    _check(route)
    try:
        with transaction.atomic():
            route.save(force_insert=True)
    except IntegrityError as error:
        raise RouteTaken from error
    trail.tell(route, by=by, reason=reason)
    audit.record(by=by, act="route.added", subject=route, after=_facts(route), reason=reason)
    return route


@act
def change(*, route: GatewayRoute, by: Actor, reason: str, **fields: Any) -> GatewayRoute:
    """The route is as ``fields`` say from now on; what is under way stays where it is."""
    route = GatewayRoute.objects.select_for_update().get(pk=route.pk)
    before = _facts(route)
    for name, value in fields.items():
        setattr(route, name, value)
    _check(route)
    route.save(update_fields=list(fields))
    if before != _facts(route):
        trail.tell(route, by=by, reason=reason)
        audit.record(by=by, act="route.changed", subject=route, before=before, after=_facts(route), reason=reason)
    return route


def _check(route: GatewayRoute) -> None:
    Unit.of(route.currency)
    if route.gateway not in registry.names():
        raise RouteInvalid(why=Fault.GATEWAY, gateway=route.gateway)
    if route.from_minor <= 0 or (route.to_minor is not None and route.to_minor < route.from_minor):
        raise RouteInvalid(why=Fault.AMOUNTS)
    if route.cost_minor < 0 or route.cost_bp < 0:
        raise RouteInvalid(why=Fault.COST)


def _facts(route: GatewayRoute) -> dict[str, Any]:
    return {field.name: getattr(route, field.name) for field in route._meta.concrete_fields if field.name != "id"}
