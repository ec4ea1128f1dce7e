"""Reading the books."""

from paymentsite.ledger.queries.answers import answers
from paymentsite.ledger.queries.balances import Standing, balance_at, standing, standings, trial_balance
from paymentsite.ledger.queries.conflicts import conflict, conflict_between
from paymentsite.ledger.queries.statements import Line, Statement, statement, statement_between

__all__ = [
    "Line",
    "Standing",
    "Statement",
    "answers",
    "balance_at",
    "conflict",
    "conflict_between",
    "standing",
    "standings",
    "statement",
    "statement_between",
    "trial_balance",
]
