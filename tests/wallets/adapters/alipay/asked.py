"""What the tests ask of Alipay."""

from tests.wallets.adapters.orders import cny, payout, top_up

QR = top_up(cny(1_050), method="alipay_qr")
ACCOUNT = payout(cny(500), method="alipay_account", number="wang@example.com")
