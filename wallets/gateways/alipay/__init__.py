"""Alipay, on its package ``python-alipay-sdk`` (requirements-gateways.txt)."""

from wallets.gateways.alipay.adapter import Alipay

__all__ = ["Alipay"]
