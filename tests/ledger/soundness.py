"""What must be true of every book, asked of the rows themselves and not of the code under test."""

from typing import Final

from django.db import connection

_SIDES: Final = """
SELECT source_id AS account_id, source_seq AS seq, source_balance_minor AS balance, -amount_minor AS change,
  journal_id FROM ledger_posting
UNION ALL
SELECT target_id, target_seq, target_balance_minor, amount_minor, journal_id FROM ledger_posting
"""

# Each finds the rows that break its sentence.
_LAWS: Final = {
    "a strict balance is the sum of its postings, and counts them": f"""
        SELECT b.account_id FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
        LEFT JOIN (SELECT account_id, SUM(change) AS total, COUNT(*) AS count FROM ({_SIDES}) s GROUP BY account_id) t
          ON t.account_id = b.account_id
        WHERE a.mode = 'strict' AND (b.posted_minor <> COALESCE(t.total, 0) OR b.seq <> COALESCE(t.count, 0))""",  # noqa: S608  our own text
    "a deferred balance is the sum of its sealed postings": f"""
        SELECT b.account_id FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
        LEFT JOIN (
          SELECT account_id, SUM(change) AS total FROM ({_SIDES}) s
          WHERE journal_id NOT IN (SELECT journal_id FROM ledger_unsealed) GROUP BY account_id) t
          ON t.account_id = b.account_id
        WHERE a.mode = 'deferred' AND b.posted_minor <> COALESCE(t.total, 0)""",  # noqa: S608  our own text
    "a strict side is numbered without a gap and says the balance that it left": f"""
        SELECT account_id FROM (
          SELECT account_id, seq, balance,
            ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY seq) AS place,
            SUM(change) OVER (PARTITION BY account_id ORDER BY seq) AS total
          FROM ({_SIDES}) s WHERE seq IS NOT NULL) x
        WHERE place <> seq OR total <> balance""",  # noqa: S608  our own text
    "nothing stands below its floor": """
        SELECT account_id FROM ledger_balance
        WHERE floor_minor IS NOT NULL AND posted_minor - held_minor < floor_minor""",
    "what is held is what open holds have left": """
        SELECT b.account_id FROM ledger_balance b LEFT JOIN (
          SELECT account_id, SUM(authorised_minor - captured_minor - released_minor) AS total
          FROM ledger_hold WHERE state = 'open' GROUP BY account_id) h ON h.account_id = b.account_id
        WHERE b.held_minor <> COALESCE(h.total, 0)""",
    "a hold is what its events made of it": """
        SELECT h.id FROM ledger_hold h JOIN (
          SELECT hold_id,
            SUM(CASE WHEN kind IN ('placed', 'increased') THEN amount_minor ELSE 0 END) AS authorised,
            SUM(CASE WHEN kind = 'captured' THEN amount_minor ELSE 0 END) AS captured,
            SUM(CASE WHEN kind IN ('released', 'expired') THEN amount_minor ELSE 0 END) AS released
          FROM ledger_holdevent GROUP BY hold_id) e ON e.hold_id = h.id
        WHERE (h.authorised_minor, h.captured_minor, h.released_minor) <> (e.authorised, e.captured, e.released)""",
    "an account with lots holds what its lots have left": """
        SELECT b.account_id FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id LEFT JOIN (
          SELECT account_id, SUM(issued_minor - used_minor - expired_minor) AS total, SUM(held_minor) AS held
          FROM ledger_lot GROUP BY account_id) l ON l.account_id = b.account_id
        WHERE a.lots AND (b.posted_minor <> COALESCE(l.total, 0) OR b.held_minor <> COALESCE(l.held, 0))""",
    "a reversal never exceeds its original": """
        SELECT p.id FROM ledger_posting p JOIN ledger_posting r ON r.reverses_id = p.id
        GROUP BY p.id, p.amount_minor HAVING SUM(r.amount_minor) > p.amount_minor""",
    "an accepted journal did something, a refused one nothing": """
        SELECT j.id FROM ledger_journal j WHERE (j.refusal IS NULL) <> (
          EXISTS (SELECT 1 FROM ledger_posting p WHERE p.journal_id = j.id)
          OR EXISTS (SELECT 1 FROM ledger_holdevent e WHERE e.journal_id = j.id))""",
    "no posting or event is without its journal": """
        SELECT journal_id FROM (
          SELECT journal_id FROM ledger_posting UNION ALL SELECT journal_id FROM ledger_holdevent) x
        WHERE journal_id NOT IN (SELECT id FROM ledger_journal)""",
    "a journal is sealed or waits to be": """
        SELECT j.id FROM ledger_journal j
        WHERE (SELECT COUNT(*) FROM ledger_unsealed u WHERE u.journal_id = j.id)
          + (SELECT COUNT(*) FROM ledger_leaf f WHERE f.journal_id = j.id) <> 1""",
}


def assert_sound() -> None:
    """Every law holds; the first that does not is named, with the rows."""
    with connection.cursor() as cursor:
        for law, question in _LAWS.items():
            cursor.execute(question)
            assert cursor.fetchall() == [], law
