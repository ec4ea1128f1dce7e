"""A small WeChat Pay, API v3: signed requests, signed answers, its certificates, encrypted notifications."""

import base64
import json
import os
import re
import time
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.wallets.adapters.keys import OURS, THEIRS
from tests.wallets.adapters.orders import REFERENCE
from tests.wallets.adapters.servers import Service

MCHID, APPID, SCENE = "1900000001", "wx0000000000000001", "1000"
APIV3_KEY = "0123456789abcdefCANARYkey0123456"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012026112600000001"
KIND = "WECHATPAY2-SHA256-RSA2048"
NO_CONTENT = 204


def encrypted(text, *, key=APIV3_KEY, bound="certificate"):
    nonce = uuid.uuid4().hex[:12]
    sealed = AESGCM(key.encode()).encrypt(nonce.encode(), text.encode(), bound.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": bound,
        "ciphertext": base64.b64encode(sealed).decode(),
    }


def signature(body, *, key=THEIRS, serial=PUBLIC_KEY_ID, at=None):
    at, nonce = int(time.time()) if at is None else at, os.urandom(8).hex()
    return {
        "Wechatpay-Timestamp": str(at),
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": key.sign(f"{at}\n{nonce}\n{body}\n"),
        "Wechatpay-Signature-Type": KIND,
    }


class WeChatServer(Service):
    def __init__(self):
        super().__init__()
        self.payments, self.refunds, self.transfers = {}, {}, {}
        self.says = None  # instead of what is so: a status and a body
        self.signer = {"key": THEIRS, "serial": PUBLIC_KEY_ID}
        self.platform = [THEIRS]
        self.moved = []

    def answer(self, method, path, headers, body):
        why = self.refusal(method, path, headers, body)
        status, found = why or self.said(path) or self.route(method, path.partition("?")[0], json.loads(body or b"{}"))
        text = "" if status == NO_CONTENT else json.dumps(found, ensure_ascii=False)
        more = {} if why else signature(text, **self.signer)
        return status, {"Content-Type": "application/json; charset=utf-8", **more}, text.encode()

    def said(self, path):
        return self.says if self.says and path != "/v3/certificates" else None

    @staticmethod
    def refusal(method, path, headers, body):
        """What is wrong with how the request is signed."""
        given = dict(re.findall(r'(\w+)="([^"]*)"', headers.get("Authorization", "")))
        text = f"{method}\n{path}\n{given['timestamp']}\n{given['nonce_str']}\n{body.decode()}\n"
        fits = (
            headers["Authorization"].startswith(f"{KIND} ")
            and (given["mchid"], given["serial_no"]) == (MCHID, OURS.serial)
            and abs(time.time() - int(given["timestamp"])) < 60
            and OURS.signed(text, given["signature"])
        )
        return None if fits else (401, {"code": "SIGN_ERROR", "message": "签名错误"})

    def route(self, method, path, asked):  # noqa: C901, PLR0911 - one line for each address
        match method, path.split("/")[2:]:
            case "GET", ["certificates"]:
                return 200, {
                    "data": [
                        {
                            "serial_no": key.serial,
                            "effective_time": "2026-01-01T00:00:00+08:00",
                            "expire_time": "2031-01-01T00:00:00+08:00",
                            "encrypt_certificate": encrypted(key.certificate),
                        }
                        for key in self.platform
                    ]
                }
            case "POST", ["pay", "transactions", "out-trade-no", name, "close"]:
                return self.closed(name, asked)
            case "POST", ["pay", "transactions", kind]:
                return self.ordered(kind, asked)
            case "GET", ["pay", "transactions", "out-trade-no", name] if name in self.payments:
                return 200, self.payments[name]
            case "GET", ["pay", "transactions", "out-trade-no", _]:
                return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
            case "POST", ["refund", "domestic", "refunds"]:
                return self.given_back(asked)
            case "GET", ["refund", "domestic", "refunds", name] if name in self.refunds:
                return 200, self.refunds[name]
            case "GET", ["refund", "domestic", "refunds", _]:
                return 404, {"code": "RESOURCE_NOT_EXISTS", "message": "退款单不存在"}
            case "POST", ["fund-app", "mch-transfer", "transfer-bills"]:
                return self.sent(asked)
            case "GET", ["fund-app", "mch-transfer", "transfer-bills", "out-bill-no", name] if name in self.transfers:
                return 200, self.transfers[name]
            case "GET", ["fund-app", "mch-transfer", "transfer-bills", "out-bill-no", _]:
                return 404, {"code": "NOT_FOUND", "message": "记录不存在"}
        raise AssertionError((method, path))

    def ordered(self, kind, asked):
        assert (asked["mchid"], asked["appid"]) == (MCHID, APPID)
        assert asked["notify_url"]
        if kind == "jsapi":
            assert asked["payer"]["openid"]
        name = asked["out_trade_no"]
        first = self.payments.setdefault(
            name,
            {
                "mchid": MCHID,
                "appid": APPID,
                "out_trade_no": name,
                "trade_state": "NOTPAY",
                "amount": asked["amount"],
                "asked": asked,
            },
        )
        if first["asked"] != asked:
            return 400, {"code": "OUT_TRADE_NO_USED", "message": "商户订单号重复"}
        if first["trade_state"] == "SUCCESS":
            return 400, {"code": "ORDERPAID", "message": "订单已支付"}
        return 200, {
            "native": {"code_url": f"weixin://wxpay/bizpayurl?pr={name[:9]}"},
            "h5": {"h5_url": "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1"},
            "jsapi": {"prepay_id": "wx1"},
        }[kind]

    def closed(self, name, asked):
        assert asked == {"mchid": MCHID}
        if name not in self.payments:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        if self.payments[name]["trade_state"] not in {"NOTPAY", "CLOSED"}:
            return 400, {"code": "ORDERPAID", "message": "订单已支付"}
        self.payments[name]["trade_state"] = "CLOSED"
        return NO_CONTENT, None

    def pay(self, name, **more):
        self.payments[name] |= {"trade_state": "SUCCESS", "transaction_id": "42000001", **more}
        self.moved.append(self.payments[name]["amount"]["total"])

    def given_back(self, asked):
        payment = self.payments[asked["out_trade_no"]]
        name, amount = asked["out_refund_no"], asked["amount"]
        if amount["total"] != payment["amount"]["total"]:
            return 400, {"code": "INVALID_REQUEST", "message": "订单金额不一致"}
        if name not in self.refunds:
            if amount["refund"] > amount["total"]:
                return 400, {"code": "PARAM_ERROR", "message": "退款金额大于支付金额"}
            self.moved.append(-amount["refund"])
        return 200, self.refunds.setdefault(
            name,
            {"out_refund_no": name, "refund_id": "50000001", "status": "PROCESSING", "amount": amount},
        )

    def sent(self, asked):
        assert asked["transfer_scene_id"] == SCENE
        if asked["openid"] == "nobody":
            return 400, {"code": "PARAM_ERROR", "message": "openid"}
        name = asked["out_bill_no"]
        return 200, self.transfers.setdefault(
            name,
            {
                "out_bill_no": name,
                "transfer_bill_no": "13300001",
                "state": "WAIT_USER_CONFIRM",
                "package_info": "affffddafdfafddffda==",
                "transfer_amount": asked["transfer_amount"],
                "asked": {**asked, "user_name": opened(asked.get("user_name"))},
            },
        )


def opened(text):
    """What was encrypted for the platform."""
    scheme = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - the protocol's choice
    return text and THEIRS.private.decrypt(base64.b64decode(text), scheme).decode()


def notification(event, resource, *, key=APIV3_KEY, kind="encrypt-resource", **signing):
    """Headers, lower-case as our view gives them, and body of a notification."""
    body = json.dumps(
        {
            "id": "EV-1",
            "create_time": "2026-11-26T10:34:56+08:00",
            "resource_type": kind,
            "event_type": event,
            "summary": "支付成功",
            "resource": {
                "original_type": "transaction",
                **encrypted(json.dumps(resource), key=key, bound="transaction"),
            },
        },
        ensure_ascii=False,
    )
    return {name.lower(): value for name, value in signature(body, **signing).items()}, body.encode()


def paid(**more):
    """What a notification of a payment has inside."""
    return {
        "mchid": MCHID,
        "appid": APPID,
        "out_trade_no": REFERENCE,
        "transaction_id": "t1",
        "trade_state": "SUCCESS",
        "amount": {"total": 1_050, "currency": "CNY", "payer_total": 1_050},
        "payer": {"openid": "oPayer"},
        **more,
    }
