"""Rows that every posting rewrites get room in their page, so that PostgreSQL can update them in place (HOT)."""

from django.db import migrations


def make_room(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE ledger_balance SET (fillfactor = 70)")
        # Both are emptied as fast as they are filled: vacuum by what happened, not by a share of their size.
        for table in ("ledger_balance", "ledger_unsealed"):
            schema_editor.execute(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)"
            )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunPython(make_room, migrations.RunPython.noop)]
