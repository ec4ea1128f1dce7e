import django.db.models.deletion
import paymentsite.core.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0013_earn_rule_take_back'),
    ]

    operations = [
        migrations.AddField(
            model_name='member',
            name='phone_proven_at',
            field=models.DateTimeField(null=True, verbose_name='phone number proven'),
        ),
        migrations.AlterField(
            model_name='member',
            name='phone_digest',
            field=paymentsite.core.vault.fields.DigestField('member.phone', null=True, of='phone'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(('phone_proven_at', None), models.Q(('phone__isnull', False), ('phone_digest__isnull', False)), _connector='OR'), name='members_member_proven_phone_is_there'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.UniqueConstraint(condition=models.Q(('phone_proven_at__isnull', False)), fields=('phone_digest',), name='members_member_proven_phone_once'),
        ),
        migrations.CreateModel(
            name='PhoneProof',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', paymentsite.core.vault.fields.EncryptedField('phone_proof.number', bound_to=('member',), purpose='data')),
                ('number_digest', paymentsite.core.vault.fields.DigestField('phone_proof.number', of='number')),
                ('nth', models.PositiveIntegerField(null=True)),
                ('digest', models.CharField(editable=False, max_length=80)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('sent_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='phone_proofs', to='members.member')),
            ],
            options={
                'verbose_name': 'proof of a phone number',
                'verbose_name_plural': 'proofs of phone numbers',
                'constraints': [models.CheckConstraint(condition=models.Q(('tries__lte', 3)), name='members_phoneproof_tries'), models.CheckConstraint(condition=models.Q(('used_at', None), ('nth__isnull', False), _connector='OR'), name='members_phoneproof_used_was_sent'), models.UniqueConstraint(fields=('number_digest', 'nth'), name='members_phoneproof_nth')],
            },
        ),
    ]
