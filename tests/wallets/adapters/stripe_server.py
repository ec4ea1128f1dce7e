"""A small Stripe: form encoding, bearer keys, idempotency keys with their first answer, signed webhooks."""

import hashlib
import hmac
import json
import time
from urllib.parse import parse_qsl, urlsplit

from tests.wallets.adapters.servers import Service

KEY = "sk_test_51canaryKEYcanary"
WEBHOOK = "whsec_canaryWEBHOOKcanary"
JSON = {"Content-Type": "application/json", "Request-Id": "req_1"}

# What pays, and what becomes of it.
TOKENS = {
    "pm_good": "succeeded",
    "pm_slow": "processing",
    "pm_secure": "requires_action",
    "pm_declined": "declined",
}


def unfold(pairs):
    """``a[b][0][c]=d`` as Stripe reads it."""
    found = {}
    for name, value in pairs:
        keys = name.replace("]", "").split("[")
        place = found
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return found


class StripeServer(Service):
    def __init__(self):
        super().__init__()
        self.intents, self.sessions, self.refunds, self.transfers = {}, {}, {}, {}
        self.first = {}
        self.moved = []

    def answer(self, method, path, headers, body):
        if headers["Authorization"] != f"Bearer {KEY}":
            return self.error(401, "invalid_request_error", "api_key_invalid")
        parts = urlsplit(path)
        if method == "GET":
            return self.found(parts.path, dict(parse_qsl(parts.query)))

        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        key = headers["Idempotency-Key"]
        if key in self.first:
            before, answer = self.first[key]
            return answer if before == (path, body) else self.error(400, "idempotency_error", None)
        if parts.path.endswith(("/expire", "/cancel")):
            answer = self.ended(parts.path)
        else:
            answer = self.done(parts.path, unfold(parse_qsl(body.decode(), strict_parsing=True)))
        self.first[key] = (path, body), answer
        return answer

    def done(self, path, asked):
        match path:
            case "/v1/payment_intents":
                return self.intent(asked)
            case "/v1/checkout/sessions":
                price = asked["line_items"]["0"]["price_data"]
                session = {
                    "id": f"cs_{len(self.sessions) + 1}",
                    "object": "checkout.session",
                    "status": "open",
                    "payment_status": "unpaid",
                    "payment_intent": None,
                    "amount_total": int(price["unit_amount"]),
                    "currency": price["currency"],
                    "metadata": asked["metadata"],
                    "url": "https://checkout.stripe.com/c/pay/cs_1",
                    "intent_metadata": asked["payment_intent_data"]["metadata"],
                }
                self.sessions[session["id"]] = session
                return self.ok(session)
            case "/v1/refunds":
                intent = self.intents[asked["payment_intent"]]
                if int(asked["amount"]) > intent["amount_received"]:
                    return self.error(400, "invalid_request_error", "charge_already_refunded")
                refund = {
                    "id": f"re_{len(self.refunds) + 1}",
                    "object": "refund",
                    "status": "succeeded",
                    "amount": int(asked["amount"]),
                    "currency": intent["currency"],
                    "payment_intent": intent["id"],
                    "metadata": asked["metadata"],
                }
                self.moved.append(-refund["amount"])
                self.refunds[refund["id"]] = refund
                return self.ok(refund)
            case "/v1/transfers":
                if asked["destination"] == "acct_gone":
                    return self.error(400, "invalid_request_error", "account_invalid")
                transfer = {
                    "id": f"tr_{len(self.transfers) + 1}",
                    "object": "transfer",
                    "amount": int(asked["amount"]),
                    "amount_reversed": 0,
                    "reversed": False,
                    "currency": asked["currency"],
                    "transfer_group": asked["transfer_group"],
                    "metadata": asked["metadata"],
                }
                self.moved.append(-transfer["amount"])
                self.transfers[transfer["id"]] = transfer
                return self.ok(transfer)
        raise AssertionError(path)

    def ended(self, path):
        match path.split("/")[2:]:
            case ["checkout", "sessions", name, "expire"] if self.sessions[name]["status"] == "open":
                self.sessions[name] |= {"status": "expired", "url": None}
                return self.ok(self.sessions[name])
            case ["payment_intents", name, "cancel"] if self.cancelled(self.intents[name]):
                return self.ok(self.intents[name])
            case [*_, "expire" | "cancel"]:
                return self.error(400, "invalid_request_error", "payment_intent_unexpected_state")
        raise AssertionError(path)

    @staticmethod
    def cancelled(intent):
        """Whether it could be: never of a page, nor when it is done."""
        may = intent["status"].startswith("requires_") and not intent["metadata"].get("hosted")
        if may:
            intent |= {"status": "canceled", "cancellation_reason": None}
        return may

    def intent(self, asked):
        assert asked["confirm"] == "true"
        status = TOKENS.get(asked.get("payment_method"), "succeeded")
        amount = int(asked["amount"])
        intent = {
            "id": f"pi_{len(self.intents) + 1}",
            "object": "payment_intent",
            "status": "requires_payment_method" if status == "declined" else status,
            "amount": amount,
            "amount_received": amount if status == "succeeded" else 0,
            "currency": asked["currency"],
            "metadata": asked["metadata"],
            "next_action": (
                {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3ds/1"}}
                if status == "requires_action"
                else None
            ),
            "card": asked.get("payment_method_data"),
        }
        self.intents[intent["id"]] = intent
        if status == "declined":
            return self.error(402, "card_error", "card_declined", decline_code="insufficient_funds")
        if status == "succeeded":
            self.moved.append(amount)
        return self.ok(intent)

    def found(self, path, asked):  # noqa: PLR0911 - one line for each thing that can be asked for
        match path.split("/")[2:]:
            case ["payment_intents", "search"]:
                wanted = asked["query"].split("'")[3]
                data = [one for one in self.intents.values() if one["metadata"]["reference"] == wanted]
                return self.ok({"object": "search_result", "data": data, "has_more": False, "url": path})
            case ["refunds"]:
                data = [
                    one for one in self.refunds.values() if asked.get("payment_intent") in {None, one["payment_intent"]}
                ]
                return self.ok({"object": "list", "data": data, "has_more": False, "url": path})
            case ["transfers"]:
                data = [one for one in self.transfers.values() if one["transfer_group"] == asked["transfer_group"]]
                return self.ok({"object": "list", "data": data, "has_more": False, "url": path})
            case ["checkout", "sessions"]:
                data = [one for one in self.sessions.values() if one["payment_intent"] == asked["payment_intent"]]
                return self.ok({"object": "list", "data": data, "has_more": False, "url": path})
            case ["payment_intents", name] if name in self.intents:
                return self.ok(self.intents[name])
            case ["checkout", "sessions", name] if name in self.sessions:
                return self.ok(self.sessions[name])
            case ["refunds", name] if name in self.refunds:
                return self.ok(self.refunds[name])
        return self.error(404, "invalid_request_error", "resource_missing")

    @staticmethod
    def ok(found):
        return 200, JSON, json.dumps(found).encode()

    @staticmethod
    def error(status, kind, code, **more):
        return status, JSON, json.dumps({"error": {"type": kind, "code": code, "message": "No.", **more}}).encode()


def event(kind, found, *, name="evt_1", livemode=False):
    return {
        "id": name,
        "object": "event",
        "type": kind,
        "created": int(time.time()),
        "livemode": livemode,
        "api_version": "2026-10-28",
        "data": {"object": found},
    }


def signed(message, *, secret=WEBHOOK, at=None):
    """``Stripe-Signature`` and body, as Stripe sends them."""
    body = json.dumps(message).encode()
    at = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at},v1={digest}"}, body
