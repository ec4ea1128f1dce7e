"""A small Alipay: requests whose sorted parameters are signed with RSA2, answers signed likewise, notifications."""

import hashlib
import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.wallets.adapters.keys import OURS, ROOT, THEIRS
from tests.wallets.adapters.servers import Service

APP, SELLER = "2021000000000001", "2088000000000001"
BEIJING = timezone(timedelta(hours=8))


def text_to_sign(fields, *, without=("sign",)):
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in without)


def fingerprint(key):
    issuer = "CN={},OU=Test,O=Test,C=CN".format(key.name.rdns[-1].rfc4514_string().removeprefix("CN="))
    return hashlib.md5(f"{issuer}{key.x509.serial_number}".encode(), usedforsecurity=False).hexdigest()


class AlipayServer(Service):
    certificates = False

    def __init__(self):
        super().__init__()
        self.trades, self.refunds, self.transfers = {}, {}, {}
        self.says = None  # instead of what is so
        self.signer = THEIRS
        self.unsigned = False
        self.moved = []

    def answer(self, _method, path, _headers, _body):
        asked = dict(parse_qsl(urlsplit(path).query, keep_blank_values=True, strict_parsing=True))
        name = asked["method"].replace(".", "_") + "_response"
        why = self.refusal(asked)
        content = json.loads(asked["biz_content"])
        found = why or self.says or getattr(self, asked["method"].replace(".", "_"))(content)
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        sign = "" if why or self.unsigned else f',"sign":"{self.signer.sign(text)}"'
        return 200, {"Content-Type": "text/html;charset=utf-8"}, f'{{"{name}":{text}{sign}}}'.encode()

    def refusal(self, asked):
        """What is wrong with the request; Alipay does not sign that."""
        away = abs(
            datetime.now(BEIJING) - datetime.strptime(asked["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        )
        if asked["app_id"] != APP or away > timedelta(minutes=1):
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-app-id"}
        if asked["sign_type"] != "RSA2" or not OURS.signed(text_to_sign(asked), asked["sign"]):
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
        if self.certificates and (asked["app_cert_sn"], asked["alipay_root_cert_sn"]) != (
            fingerprint(OURS),
            fingerprint(ROOT),
        ):
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.missing-app-cert"}
        return None

    def alipay_trade_precreate(self, content):
        self.trade(content, "WAIT_BUYER_PAY")
        return ok(out_trade_no=content["out_trade_no"], qr_code=f"https://qr.alipay.com/{content['out_trade_no']}")

    def trade(self, content, status):
        first = self.trades.setdefault(
            content["out_trade_no"],
            {
                "out_trade_no": content["out_trade_no"],
                "trade_no": f"2026112622{len(self.trades) + 1:06}",
                "total_amount": content["total_amount"],
            },
        )
        first["trade_status"] = status
        return first

    def alipay_trade_query(self, content):
        found = self.trades.get(content["out_trade_no"])
        return ok(**found) if found else failed("ACQ.TRADE_NOT_EXIST")

    def alipay_trade_close(self, content):
        found = self.trades.get(content["out_trade_no"])
        if found is None:
            return failed("ACQ.TRADE_NOT_EXIST")
        if found["trade_status"] != "WAIT_BUYER_PAY":
            return failed("ACQ.TRADE_STATUS_ERROR")
        found["trade_status"] = "TRADE_CLOSED"
        return ok(out_trade_no=found["out_trade_no"], trade_no=found["trade_no"])

    def alipay_trade_refund(self, content):
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return failed("ACQ.TRADE_NOT_EXIST")
        key = content["out_request_no"]
        before = sum(Decimal(one["refund_amount"]) for one in self.refunds.values())
        change = "N"
        if key not in self.refunds:
            if before + Decimal(content["refund_amount"]) > Decimal(trade["total_amount"]):
                return failed("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
            change = "Y"
            self.refunds[key] = {
                "out_request_no": key,
                "trade_no": trade["trade_no"],
                "out_trade_no": trade["out_trade_no"],
                "refund_amount": content["refund_amount"],
                "refund_status": "REFUND_SUCCESS",
            }
            before += Decimal(content["refund_amount"])
            self.moved.append(f"-{content['refund_amount']}")
        elif self.refunds[key]["refund_amount"] != content["refund_amount"]:
            return failed("ACQ.DISCORDANT_REPEAT_REQUEST")
        return ok(trade_no=trade["trade_no"], refund_fee=str(before), fund_change=change)

    def alipay_trade_fastpay_refund_query(self, content):
        found = self.refunds.get(content["out_request_no"])
        if not found or content.get("trade_no", found["trade_no"]) != found["trade_no"]:
            return ok()
        return ok(**found)

    def alipay_fund_trans_uni_transfer(self, content):
        assert content["payee_info"]["name"]
        if content["payee_info"]["identity"] == "nobody@example.com":
            return failed("PAYEE_NOT_EXIST")
        if content["out_biz_no"] not in self.transfers:
            self.moved.append(f"-{content['trans_amount']}")
        found = self.transfers.setdefault(
            content["out_biz_no"],
            {
                "out_biz_no": content["out_biz_no"],
                "order_id": f"2026112611{len(self.transfers) + 1:06}",
                "status": "SUCCESS",
                "trans_amount": content["trans_amount"],
                "to": content["payee_info"],
            },
        )
        # The answer to the act itself does not name the amount.
        return ok(**{name: found[name] for name in ("out_biz_no", "order_id", "status")})

    def alipay_fund_trans_common_query(self, content):
        found = self.transfers.get(content["out_biz_no"])
        return ok(**found) if found else failed("ORDER_NOT_EXIST")


def ok(**found):
    return {"code": "10000", "msg": "Success", **found}


def failed(sub_code, code="40004"):
    return {"code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "业务失败"}


def notification(*, key=THEIRS, at=None, **fields):
    """A notification's body, signed by ``key``."""
    at = at or datetime.now(BEIJING)
    found = {
        "notify_id": "n-1",
        "notify_type": "trade_status_sync",
        "notify_time": at.strftime("%Y-%m-%d %H:%M:%S"),
        "app_id": APP,
        "seller_id": SELLER,
        "sign_type": "RSA2",
        "charset": "utf-8",
        **fields,
    }
    found["sign"] = key.sign(text_to_sign(found, without=("sign", "sign_type")))
    return urlencode(found).encode()
