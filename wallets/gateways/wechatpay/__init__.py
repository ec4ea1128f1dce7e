"""WeChat Pay (API v3), on its package ``wechatpayv3`` (requirements-gateways.txt)."""

from wallets.gateways.wechatpay.adapter import WeChatPay

__all__ = ["WeChatPay"]
