"""Whether what acts leave behind is as it must be."""

from paymentsite.core import verification

# All that an act can break. That tables still have their constraints, and that those hold, is for whole runs: nobody
# breaks it but who may do everything with the database, and looking takes as long as all of these.
BY_ACTS = ("cards", "members", "wallets", "ledger", "core.audit_trail", "core.terms_are_told")


def clean() -> bool:
    return verification.discover().run(only=BY_ACTS).findings == []
