"""Gateways: those who move money between us and the world, behind one protocol.

An adapter knows its gateway's HTTP and nothing of our tables; it is never called inside a transaction. Import the
protocol from ``wallets.gateways.base``, configured gateways from ``wallets.gateways.registry``.
"""
