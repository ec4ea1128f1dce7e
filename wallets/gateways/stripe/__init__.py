"""Stripe, on its package ``stripe`` (requirements-gateways.txt)."""

from django.core.exceptions import ImproperlyConfigured

try:
    import stripe as _package  # noqa: F401 - so that the first thing said is what is missing
except ImportError:
    raise ImproperlyConfigured(
        "The gateway stripe needs the package stripe: pip install -r requirements-gateways.txt."
    ) from None

from wallets.gateways.stripe.adapter import Stripe

__all__ = ["Stripe"]
