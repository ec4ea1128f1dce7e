from django.db import migrations, models
from django.utils import timezone


def end_minting(apps, schema_editor):
    """Rules in force that the constraint forbids earn nothing more; their terms stay as they were."""
    rules = apps.get_model("members", "EarnRule").objects.using(schema_editor.connection.alias)
    rules.filter(pending="none", take_back="pending", superseded_at=None).update(superseded_at=timezone.now())


class Migration(migrations.Migration):

    dependencies = [
        ("members", "0012_user_rights"),
    ]

    operations = [
        migrations.RunPython(end_minting, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='earnrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('pending', 'none'), ('take_back', 'pending'), _negated=True), ('superseded_at__isnull', False), _connector='OR'), name='members_earn_rule_take_back'),
        ),
    ]
