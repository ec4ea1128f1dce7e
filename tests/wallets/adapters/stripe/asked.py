"""What the tests ask of Stripe."""

from tests.wallets.adapters.orders import top_up, usd

TIMEOUTS = (0.5, 0.3)


def paying(token, amount=None, **more):
    return top_up(amount or usd(1_050), method="card", details={"payment_method": token}, **more)
