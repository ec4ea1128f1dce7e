"""What the tests ask of WeChat Pay."""

from tests.wallets.adapters.orders import REFERENCE, cny, payout, refund, top_up
from wallets.gateways.base import Answer, Outcome

NATIVE = top_up(cny(1_050), method="wechat_pay")
ACCOUNT = payout(cny(500), method="wechat_pay_account", number="oOpenid1")
REFUND = refund(cny(400), method="wechat_pay", original=REFERENCE)
CODE = Answer(outcome=Outcome.REQUIRES_ACTION, action_code=f"weixin://wxpay/bizpayurl?pr={REFERENCE[:9]}")
