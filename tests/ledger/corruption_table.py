"""Corruptions by the check that has to find them."""

from tests.ledger import corruptions as c
from tests.ledger.corruptions import POSTGRESQL, Corruption, edit, row

TABLE: dict[str, list[Corruption]] = {
    "ledger.units_sum_to_zero": [row("money made", c.PURSE, c.UP, names="unit CNY")],
    "ledger.balance_is_history": [
        row("balance raised", c.PURSE, c.UP, names="account {0}"),
        row("hot balance raised", c.CASH, c.UP, names="account {0}"),
        row("postings deleted", c.PURSE, "DELETE FROM ledger_posting", names="account {0}"),
        row("postings truncated", c.PURSE, "TRUNCATE ledger_posting", names="account {0}", vendor=POSTGRESQL),
    ],
    "ledger.postings_counted": [
        row("count raised", c.PURSE, c.COUNT_UP, names="account {0}"),
        row("hot account counts", c.CASH, c.COUNT_UP, names="account {0}"),
    ],
    "ledger.account_has_balance": [
        row("balance deleted", c.PURSE, "DELETE FROM ledger_balance WHERE account_id = {0}", names="account {0}"),
    ],
    "ledger.account_is_its_events": [
        row("frozen in secret", c.PURSE, edit("balance", "status = 'frozen'", c.OF_ACCOUNT), names="account {0}"),
        row("floor moved", c.PURSE, edit("balance", "floor_minor = -99999", c.OF_ACCOUNT), names="account {0}"),
        row("floor gone", c.PURSE, edit("balance", "floor_minor = NULL", c.OF_ACCOUNT), names="account {0}"),
        row("opening gone", c.CHANGED, "DELETE FROM ledger_accountevent WHERE id = {1}", names="account {0}"),
        row("event to come", c.CHANGED, edit("accountevent", "seq = 1000000", "id = {2}"), names="account {0}"),
        row("event gone by", c.CHANGED, edit("accountevent", "seq = -1", "id = {2}"), names="account {0}"),
    ],
    "ledger.account_is_as_recorded": [
        row("account given away", c.PURSE, edit("account", "owner = 'thief:1'"), names="account {0}"),
        row("account renamed", c.PURSE, edit("account", "code = 'other'"), names="account {0}"),
        row("account of another kind", c.PURSE, edit("account", "kind = 'income'"), names="account {0}"),
        row(
            "opened at another time", c.PURSE, edit("account", "opened_at = '2020-01-01 00:00:00'"), names="account {0}"
        ),
        row("reason edited", c.CHANGED, edit("accountevent", "reason = 'forged'", "id = {2}"), names="account {0}"),
        row("at another time", c.CHANGED, edit("accountevent", "at = '2001-01-01'", "id = {2}"), names="account {0}"),
        row("a moment later", c.MOVED, c.put_off, names="account {0}"),
        row("opened for a reason", c.CHANGED, edit("accountevent", "reason = 'x'", "id = {1}"), names="account {0}"),
        row("status made up", c.MOVED, edit("accountevent", "status = 'closed'", "id = {1}"), names="account {0}"),
        row("of another posting", c.MOVED, edit("accountevent", "seq = seq - 1", "id = {1}"), names="account {0}"),
        row("change by another", c.CHANGED, edit("accountevent", "actor = 'staff:9'", "id = {2}"), names="account {0}"),
    ],
    "ledger.held_is_open_holds": [
        row("held raised", c.PURSE, edit("balance", "held_minor = held_minor + 1", c.OF_ACCOUNT), names="account {0}"),
        row("hold moved", c.HOLD, edit("hold", f"account_id = ({c.CASH})"), names="account {1}"),
        row("hold deleted", c.HOLD, "DELETE FROM ledger_hold WHERE id = '{0}'", names="account {1}"),
    ],
    "ledger.hold_fits_account": [
        row("hold of another unit", c.HOLD, edit("hold", "unit = 'EUR'"), names="hold {0}"),
    ],
    "ledger.hold_is_its_events": [
        row("more authorised", c.HOLD, edit("hold", "authorised_minor = authorised_minor + 1"), names="hold {0}"),
        row(
            "less captured",
            c.CAPTURED,
            edit("hold", "captured_minor = captured_minor - 1, released_minor = released_minor + 1"),
            names="hold {0}",
        ),
        row("state edited", c.CAPTURED, edit("hold", "state = 'expired'"), names="hold {0}"),
        row("expiry edited", c.DATED, edit("hold", "expires_at = '2199-01-01 00:00:00'"), names="hold {0}"),
        row("expiry gone", c.DATED, edit("hold", "expires_at = NULL"), names="hold {0}"),
        row("placed at another time", c.HOLD, edit("hold", "placed_at = '2020-01-01 00:00:00'"), names="hold {0}"),
        row("event deleted", c.PLACED, c.DELETE_EVENT, names="hold {1}"),
        row("event edited", c.PLACED, c.EVENT_UP, names="hold {1}"),
        row("placing made an increase", c.PLACED, edit("holdevent", "kind = 'increased'"), names="hold {1}"),
    ],
    "ledger.journal_digest": [
        row("amount edited", c.POSTING, c.AMOUNT_UP, names="journal {1}"),
        row("posting deleted", c.POSTING, c.DELETE_POSTING, names="journal {1}"),
        row("posting copied", c.POSTING, c.COPY_POSTING, names="journal {1}"),
        row("amounts swapped", c.ALIKE, *c.SWAP_AMOUNTS, names="journal {1}"),
        row("kind edited", c.POSTING, edit("journal", "kind = 'gift'", "id = '{1}'"), names="journal {1}"),
        row("details edited", c.LEAF, edit("journal", "details = '{{\"n\":0}}'"), names="journal {0}"),
        row("time edited", c.LEAF, edit("journal", "occurred_at = '2020-01-01 00:00:00'"), names="journal {0}"),
        row("reference edited", c.LEAF, edit("journal", "reference = 'another'"), names="journal {0}"),
        row("actor edited", c.LEAF, edit("journal", "actor = 'staff:9'"), names="journal {0}"),
        row("request edited", c.LEAF, edit("journal", "request_hash = {zeros}"), names="journal {0}"),
        row("hold event deleted", c.PLACED, c.DELETE_EVENT, names="journal {2}"),
        row("lot use edited", c.ISSUED, c.USE_UP, names="journal {2}"),
    ],
    "ledger.leaf_digest": [
        row("journal forged with its hash", c.LEAF, c.forge, names="journal {0}"),
        row("running balance edited", c.POSTING, c.BALANCE_UP, names="journal {1}"),
        row("leaf edited", c.LEAF, c.BLANK_LEAF, names="journal {0}"),
    ],
    "ledger.journal_effects": [
        row("refused by JSON's null", c.POSTED, edit("journal", "refusal = 'null'"), names="journal {0}"),
        row("success claimed", c.REFUSED, edit("journal", "refusal = NULL"), names="journal {0}"),
        row("no reason given", c.REFUSED, edit("journal", "refusal = '{{}}'"), names="journal {0}"),
        row(
            "refusal with a posting",
            c.REFUSED_AND_POSTING,
            edit("posting", "journal_id = '{0}'", "id = {1}"),
            names="journal {0}",
        ),
    ],
    "ledger.act_once": [
        row("act twice", c.TWO_ACTS, c.ONE_ACT_TWICE, names="reference batch {1}", loosens=c.ONCE),
    ],
    "ledger.lot_is_its_uses": [
        row("more issued", c.LOT, edit("lot", "issued_minor = issued_minor + 1"), names="lot {0}"),
        row("more used", c.LOT, c.LOT_USED_UP, names="lot {0}"),
        row("more expired", c.LOT, edit("lot", "expired_minor = expired_minor + 1"), names="lot {0}"),
        row("more held", c.LOT, edit("lot", "held_minor = held_minor + 1"), names="lot {0}"),
        row("use edited", c.ISSUED, c.USE_UP, names="lot {1}"),
    ],
    "ledger.lot_adds_up": [
        row(
            "overspent",
            c.LOT,
            edit("lot", "used_minor = issued_minor + 1"),
            names="lot {0}",
            loosens="lot.ledger_lot_arithmetic",
        ),
    ],
    "ledger.lots_are_balance": [
        row("more used", c.LOT, c.LOT_USED_UP, names="account {1}"),
        row("more held", c.LOT, edit("lot", "held_minor = held_minor + 1"), names="account {1}"),
        row("lot deleted", c.LOT, "DELETE FROM ledger_lot WHERE id = '{0}'", names="account {1}"),
        row("lot on a purse", c.LOT_AND_PURSE, edit("lot", "account_id = {1}"), names="account {1}"),
    ],
    "ledger.hold_reserves_lots": [
        row("reserve gone", c.RESERVED, "DELETE FROM ledger_lotuse WHERE id = {1}", names="hold {0}"),
    ],
    "ledger.lot_uses_match_postings": [
        row("use deleted", c.USED, "DELETE FROM ledger_lotuse WHERE id = {1}", names="posting {0}"),
        row("use invented", c.ISSUED, c.INVENT_USE, names="lot use 999999"),
    ],
    "ledger.seq_gapless": [
        row("posting deleted", c.POSTING, c.DELETE_POSTING, names="posting {3}"),
        row("number edited", c.POSTING, edit("posting", "source_seq = 5000000"), names="posting {0}"),
    ],
    "ledger.running_balance": [
        row("amount edited", c.POSTING, c.AMOUNT_UP, names="posting {0}"),
        row("balance edited", c.POSTING, c.BALANCE_UP, names="posting {0}"),
    ],
    "ledger.floor_kept": [
        row(
            "floor raised afterwards",
            c.SPENT,
            edit("accountevent", "floor_minor = 100000000", "account_id = {1}"),
            names="posting {0}",
        ),
        row(
            "below its floor",
            c.PURSE,
            edit("balance", "posted_minor = -70000, floor_minor = 0", c.OF_ACCOUNT),
            names="account {0}",
            loosens="balance.ledger_balance_floor",
        ),
    ],
    "ledger.status_kept": [
        row("posted while frozen", c.POSTING, c.FREEZE_EARLIER, names="posting {0}"),
        row(
            "closed with money on it", c.PURSE, edit("balance", "status = 'closed'", c.OF_ACCOUNT), names="account {0}"
        ),
    ],
    "ledger.units_agree": [
        row("posting of another unit", c.POSTING, edit("posting", "unit = 'EUR'"), names="posting {0}"),
        row("account of another unit", c.POSTING, edit("account", "unit = 'EUR'", "id = {2}"), names="posting {0}"),
    ],
    "ledger.sides_by_mode": [
        row("made hot", c.POSTING, edit("account", "mode = 'deferred'", "id = {2}"), names="posting {0}"),
    ],
    "ledger.reversal_within": [
        row("moved back too far", c.REVERSAL, edit("posting", "amount_minor = 999999"), names="posting {1}"),
        row("moved back elsewhere", c.REVERSAL, edit("posting", f"target_id = ({c.POINTS})"), names="posting {0}"),
    ],
    "ledger.sealed_once": [
        row("sealed and waiting", c.LEAF, "INSERT INTO ledger_unsealed VALUES ('{0}')", names="journal {0}"),
        row("waits no more", c.WAITING, "DELETE FROM ledger_unsealed", names="journal {0}"),
        row("leaf deleted", c.LEAF, c.DELETE_LEAF, names="journal {0}"),
        row("journal invented", c.LEAF, c.invent, names="journal {nobody}"),
    ],
    "ledger.block_root": [
        row("leaf deleted", c.LEAF, c.DELETE_LEAF, names="block 2"),
        row("leaf edited", c.LEAF, c.BLANK_LEAF, names="block 2"),
        row("leaves swapped", c.LEAF, *c.SWAP_LEAVES, names="block 2"),
        row("all leaves deleted", c.LEAF, "DELETE FROM ledger_leaf", names="block 2"),
        row("root edited", c.LEAF, c.BLANK_ROOT, names="block 2"),
        row("count edited", c.LEAF, edit("block", "journals = journals + 1", "height = 2"), names="block 2"),
        row("emptied", c.LEAF, edit("block", "journals = 0", "height = 2"), c.DELETE_LEAF, names="block 2"),
    ],
    "ledger.block_chain": [
        row("root edited", c.LEAF, c.BLANK_ROOT, names="block 2"),
        row("block deleted", c.LEAF, "DELETE FROM ledger_block WHERE height = 2", names="block 2"),
        row("first block deleted", c.LEAF, "DELETE FROM ledger_block WHERE height = 1", names="block 1"),
        row(
            "made anew", c.LEAF, edit("block", "closed_at = recorded_from", "height = 2"), c.rehash(2), names="block 3"
        ),
        row("first names one", c.LEAF, edit("block", "previous = digest", "height = 1"), c.rehash(1), names="block 1"),
        row(
            "times edited",
            c.LEAF,
            edit("block", "recorded_from = '2020-01-01 00:00:00'", "height = 2"),
            c.rehash(2),
            names="block 2",
        ),
    ],
    "ledger.block_signature": [
        row("signature edited", c.LEAF, edit("block", "signature = {zeros}", "height = 2"), names="block 2"),
        row("signed with another key", c.LEAF, c.sign_wrongly, names="block 3"),
        row("signed by another", c.LEAF, c.sign_as_another, names="block 3"),
    ],
    "ledger.snapshot_is_history": [
        row(
            f"{column} of a {mode} account edited",
            c.SNAPSHOT.format(mode=mode),
            edit("snapshot", f"{column} = {column} + 1"),
            names=c.SNAPSHOT_NAME,
        )
        for column in ("posted_minor", "held_minor", "seq")
        for mode in ("strict", "deferred")
    ]
    + [
        row(
            "moved to an earlier block",
            c.LATE_SNAPSHOT,
            edit("snapshot", "block_id = 1"),
            names="snapshot of account {1} at block 1",
        ),
    ],
    "core.constraints_obeyed": [
        row(
            "account of no kind",
            c.PURSE,
            edit("account", "kind = 'treasure'"),
            names="account {0}",
            loosens="account.ledger_account_kind",
        ),
        row(
            "negative amount",
            c.POSTING,
            edit("posting", "amount_minor = -amount_minor"),
            names="posting {0}",
            loosens="posting.ledger_posting_amount_positive",
        ),
        row("event of no kind", c.PLACED, edit("holdevent", "kind = 'dreamt'"), names="hold event {0}"),
        row("act twice", c.TWO_ACTS, c.ONE_ACT_TWICE, names="journal batch, {1}", loosens=c.ONCE),
    ],
    "core.references_exist": [
        row("posting astray", c.POSTING, c.COPY_ASTRAY, names="posting 999999"),
        row("posting to nobody", c.POSTING, edit("posting", "target_id = 888888"), names="posting {0}"),
        row("journal deleted", c.POSTING, "DELETE FROM ledger_journal WHERE id = '{1}'", names="posting {0}"),
        row("journal of a leaf gone", c.LEAF, "DELETE FROM ledger_journal WHERE id = '{0}'", names="leaf {0}"),
        row("leaf in no block", c.LEAF, edit("leaf", "block_id = 777777", "journal_id = '{0}'"), names="leaf {0}"),
        row("waits for nothing", c.LEAF, c.WAIT_FOR_NOBODY, names="unsealed {nobody}"),
        row("hold event astray", c.PLACED, edit("holdevent", f"journal_id = '{c.NOBODY}'"), names="hold event {0}"),
        row("lot use of no lot", c.ISSUED, edit("lotuse", f"lot_id = '{c.NOBODY}'"), names="lot use {0}"),
    ],
    "core.triggers_stand": [
        row("trigger dropped", c.PURSE, c.DROP_TRIGGER, names="ledger_posting"),
        row(
            "trigger disabled",
            c.PURSE,
            c.DISABLE_TRIGGER,
            names="ledger_block",
            vendor=POSTGRESQL,
        ),
        row("function made dumb", c.PURSE, c.DUMB_FUNCTION, names="ledger_leaf", vendor=POSTGRESQL),
        row("triggers silenced", c.PURSE, c.SILENCE, names="the session", vendor=POSTGRESQL),
    ],
    "core.constraints_stand": [
        row("check dropped", c.PURSE, names="ledger_balance", loosens="balance.ledger_balance_floor"),
        row("uniqueness dropped", c.PURSE, names="ledger_journal", loosens="journal.ledger_journal_once"),
        row("index dropped", c.PURSE, "DROP INDEX ledger_posting_source_seq", names="ledger_posting"),
        row("table dropped", c.PURSE, "DROP TABLE ledger_snapshot", names="ledger_snapshot"),
        row("checked no row", c.PURSE, *c.LOOSE_LOT_DAYS, names="ledger_lot", vendor=POSTGRESQL),
    ],
}
