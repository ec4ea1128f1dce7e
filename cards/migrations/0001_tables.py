import django.db.models.deletion
import django.db.models.expressions
import paymentsite.core.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("cards", "0001_initial"),
        ("cards", "0002_virtual_accounts"),
        ("cards", "0003_authorisations"),
        ("cards", "0004_card_pins"),
        ("cards", "0005_settling"),
    ]

    initial = True

    dependencies = [
        ("ledger", "0002_room_for_updates"),
        ("members", "0001_tables"),
        ("wallets", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bank",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
            ],
            options={
                "verbose_name": "bank",
                "verbose_name_plural": "banks",
                "permissions": [
                    ("propose_banks", "Can propose banks and ranges of account numbers"),
                    ("approve_banks", "Can approve banks and ranges that others propose"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "material",
                    paymentsite.core.vault.fields.EncryptedField(
                        "card.code_key", bound_to=("public_id",), purpose="data"
                    ),
                ),
                ("made_at", models.DateTimeField(verbose_name="made")),
            ],
            options={
                "verbose_name": "key of card codes",
                "verbose_name_plural": "keys of card codes",
                "permissions": [("renew_code_key", "Can make a new key of card codes")],
            },
        ),
        migrations.CreateModel(
            name="AccountRange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ranges",
                        to="cards.bank",
                        verbose_name="bank",
                    ),
                ),
                (
                    "scheme",
                    models.CharField(
                        choices=[
                            ("iban", "IBAN"),
                            ("luhn", "a check digit by Luhn"),
                            ("mod97", "two check digits by 97"),
                        ],
                        max_length=5,
                        verbose_name="kind of its numbers",
                    ),
                ),
                ("country", models.CharField(blank=True, max_length=2, verbose_name="country")),
                ("prefix", models.CharField(max_length=24, verbose_name="beginning of its numbers")),
                ("length", models.PositiveSmallIntegerField(verbose_name="characters of a number")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "held_max",
                    models.PositiveSmallIntegerField(default=20, verbose_name="how many a member may have at once"),
                ),
                ("issued", models.BigIntegerField(default=0, verbose_name="numbers given")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("closed", "closed: nobody gets a new number")],
                        default="open",
                        max_length=6,
                        verbose_name="state",
                    ),
                ),
            ],
            options={
                "verbose_name": "range of account numbers",
                "verbose_name_plural": "ranges of account numbers",
                "constraints": [
                    models.UniqueConstraint(fields=("country", "prefix", "length"), name="cards_accountrange_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("country__regex", "^[A-Z]{2}$"),
                                ("prefix__regex", "^[0-9A-Z]{3,24}$"),
                                ("scheme", "iban"),
                            ),
                            models.Q(
                                ("country", ""),
                                ("prefix__regex", "^[1-9][0-9]{2,23}$"),
                                ("scheme__in", ["luhn", "mod97"]),
                            ),
                            _connector="OR",
                        ),
                        name="cards_accountrange_begins",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("length__range", (8, 34))), name="cards_accountrange_length"
                    ),
                    models.CheckConstraint(condition=models.Q(("held_max__gte", 1)), name="cards_accountrange_held"),
                    models.CheckConstraint(condition=models.Q(("issued__gte", 0)), name="cards_accountrange_issued"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NumberRange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("prefix", models.CharField(max_length=11, unique=True, verbose_name="beginning of its numbers")),
                ("length", models.PositiveSmallIntegerField(default=16, verbose_name="digits of a number")),
                ("issued", models.BigIntegerField(default=0, verbose_name="numbers given")),
            ],
            options={
                "verbose_name": "range of card numbers",
                "verbose_name_plural": "ranges of card numbers",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("prefix__regex", "^[1-9][0-9]{5,10}$")), name="cards_numberrange_prefix"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("length__range", (13, 19))), name="cards_numberrange_length"
                    ),
                    models.CheckConstraint(condition=models.Q(("issued__gte", 0)), name="cards_numberrange_issued"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CardProduct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="code")),
                ("name_en", models.CharField(max_length=60, verbose_name="name in English")),
                ("name_zh", models.CharField(blank=True, max_length=60, verbose_name="name in Chinese")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("debit", "debit: spends what is in a wallet"),
                            ("prepaid", "prepaid: spends what was loaded onto it"),
                        ],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "numbers",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="cards.numberrange",
                        verbose_name="numbers",
                    ),
                ),
                ("validity", models.PositiveSmallIntegerField(verbose_name="lasts")),
                (
                    "validity_unit",
                    models.CharField(
                        choices=[("days", "days"), ("months", "months"), ("years", "years")],
                        max_length=6,
                        verbose_name="counted in",
                    ),
                ),
                (
                    "code_kind",
                    models.CharField(
                        choices=[
                            ("printed", "the same as long as the card lives"),
                            ("hourly", "another one each hour"),
                        ],
                        default="printed",
                        max_length=8,
                        verbose_name="security code",
                    ),
                ),
                (
                    "held_max",
                    models.PositiveSmallIntegerField(default=1, verbose_name="how many a member may have at once"),
                ),
                (
                    "tier",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.tier",
                        verbose_name="from this tier on",
                    ),
                ),
                ("issue_fee_minor", models.BigIntegerField(default=0, verbose_name="price")),
                ("fx_margin_bp", models.PositiveIntegerField(default=0, verbose_name="exchange margin")),
                ("cash_fee_minor", models.BigIntegerField(default=0, verbose_name="fee for cash")),
                ("cash_fee_bp", models.PositiveIntegerField(default=0, verbose_name="fee for cash, as a share")),
                ("design", models.CharField(default="plain", max_length=20, verbose_name="design")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("closed", "closed: nobody gets a new one")],
                        default="open",
                        max_length=6,
                        verbose_name="state",
                    ),
                ),
            ],
            options={
                "verbose_name": "card product",
                "verbose_name_plural": "card products",
                "permissions": [
                    ("propose_products", "Can propose card products"),
                    ("approve_products", "Can approve card products that others propose"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("validity__gte", 1), ("validity__lte", 3660)), name="cards_product_validity"
                    ),
                    models.CheckConstraint(condition=models.Q(("held_max__gte", 1)), name="cards_product_held"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cash_fee_minor__gte", 0),
                            ("issue_fee_minor__gte", 0),
                            ("cash_fee_bp__lte", 10000),
                            ("fx_margin_bp__lte", 10000),
                        ),
                        name="cards_product_fees",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Card",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cards", to="members.member"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="cards.cardproduct",
                        verbose_name="product",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="wallets.wallet",
                        verbose_name="wallet",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.account"
                    ),
                ),
                (
                    "number",
                    paymentsite.core.vault.fields.EncryptedField(
                        "card.number", bound_to=("public_id",), purpose="data"
                    ),
                ),
                ("number_digest", paymentsite.core.vault.fields.DigestField("card.number", of="number", unique=True)),
                ("prefix", models.CharField(max_length=11, verbose_name="beginning")),
                ("last_four", models.CharField(max_length=4, verbose_name="last four")),
                (
                    "code_key",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="cards.codekey",
                    ),
                ),
                ("expires_on", models.DateField(verbose_name="last day")),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("multi", "as often as you like"),
                            ("single", "once"),
                            ("times", "so many times"),
                            ("merchant", "at one merchant"),
                            ("category", "for one kind of merchants"),
                            ("subscription", "for one subscription"),
                        ],
                        default="multi",
                        max_length=12,
                        verbose_name="can be used",
                    ),
                ),
                ("uses_max", models.PositiveIntegerField(blank=True, null=True, verbose_name="so many times")),
                ("uses_left", models.PositiveIntegerField(blank=True, null=True, verbose_name="times left")),
                ("category", models.CharField(blank=True, max_length=4, verbose_name="for merchants of the kind")),
                ("merchant", models.CharField(blank=True, max_length=40, verbose_name="for the merchant")),
                ("fixed_minor", models.BigIntegerField(blank=True, null=True, verbose_name="for at most")),
                ("label", models.CharField(blank=True, max_length=40, verbose_name="label")),
                ("code_tries", models.PositiveSmallIntegerField(default=0, verbose_name="wrong codes in a row")),
                ("counted_minor", models.BigIntegerField(default=0, verbose_name="spent in all")),
                ("counted", models.PositiveIntegerField(default=0, verbose_name="used so often")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("inactive", "not active yet"),
                            ("active", "active"),
                            ("frozen", "frozen by its member"),
                            ("blocked", "blocked by us"),
                            ("closed", "closed"),
                            ("expired", "expired"),
                        ],
                        default="inactive",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="cards.card",
                        verbose_name="replaces",
                    ),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                ("issued_at", models.DateTimeField(verbose_name="issued")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
            ],
            options={
                "verbose_name": "card",
                "verbose_name_plural": "cards",
                "permissions": [
                    ("block_card", "Can block cards"),
                    ("unblock_card", "Can unblock cards"),
                    ("close_card", "Can close cards"),
                    ("propose_write_off", "Can propose to write off what members owe because of cards"),
                    ("approve_write_off", "Can approve to write off what members owe because of cards"),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["closed", "expired"]), _negated=True),
                        fields=["expires_on"],
                        name="cards_card_expiry",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "reference"), name="cards_card_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", False), ("state__in", ["closed", "expired"])),
                            models.Q(models.Q(("state__in", ["closed", "expired"]), _negated=True), ("ended_at", None)),
                            _connector="OR",
                        ),
                        name="cards_card_ended",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("use__in", ["single", "times"]), ("uses_left__lte", models.F("uses_max"))),
                            models.Q(
                                models.Q(("use__in", ["single", "times"]), _negated=True),
                                ("uses_left", None),
                                ("uses_max", None),
                            ),
                            _connector="OR",
                        ),
                        name="cards_card_uses",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("use", "category"), models.Q(("category", ""), _negated=True)),
                            models.Q(models.Q(("use", "category"), _negated=True), ("category", "")),
                            _connector="OR",
                        ),
                        name="cards_card_category",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("merchant", ""), ("use__in", ["merchant", "subscription"]), _connector="OR"
                        ),
                        name="cards_card_merchant",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CardPin",
            fields=[
                (
                    "card",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="pin",
                        serialize=False,
                        to="cards.card",
                        verbose_name="card",
                    ),
                ),
                (
                    "hashed",
                    paymentsite.core.vault.fields.EncryptedField("card.pin", bound_to=("card",), purpose="pepper"),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="wrong guesses in a row")),
                ("set_at", models.DateTimeField(verbose_name="set")),
            ],
            options={
                "verbose_name": "PIN of a card",
                "verbose_name_plural": "PINs of cards",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("tries__lte", 3)), name="cards_cardpin_tries")
                ],
            },
        ),
        migrations.CreateModel(
            name="CardAuthorisation",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "card",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="authorisations",
                        to="cards.card",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="card_authorisations",
                        to="members.member",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.account"
                    ),
                ),
                ("processor", models.CharField(max_length=40, verbose_name="processor")),
                ("reference", models.CharField(max_length=64, verbose_name="reference of the network")),
                ("merchant", models.CharField(max_length=40, verbose_name="id of the merchant")),
                ("merchant_name", models.CharField(max_length=80, verbose_name="merchant")),
                ("category", models.CharField(max_length=4, verbose_name="kind of merchant")),
                ("country", models.CharField(max_length=2, verbose_name="country")),
                ("city", models.CharField(blank=True, max_length=60, verbose_name="city")),
                (
                    "entry",
                    models.CharField(
                        choices=[
                            ("ecommerce", "typed into a page or an app"),
                            ("contactless", "held to a terminal"),
                            ("chip", "chip"),
                            ("stripe", "magnetic stripe"),
                            ("atm", "cash machine"),
                            ("recurring", "kept by the merchant"),
                        ],
                        max_length=11,
                        verbose_name="way of use",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "hold",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.hold",
                    ),
                ),
                ("expires_at", models.DateTimeField(null=True, verbose_name="expires")),
                ("authorised_minor", models.BigIntegerField(default=0, verbose_name="approved")),
                ("aside_minor", models.BigIntegerField(default=0, verbose_name="to be set aside")),
                ("reversed_minor", models.BigIntegerField(default=0, verbose_name="cancelled")),
                ("captured_minor", models.BigIntegerField(default=0, verbose_name="paid")),
                ("refunded_minor", models.BigIntegerField(default=0, verbose_name="refunded")),
                ("over", models.BooleanField(default=False, verbose_name="nothing more is to come")),
                ("lapsed", models.BooleanField(default=False, verbose_name="its time is over")),
                ("approved", models.BooleanField(default=False, verbose_name="something was approved")),
                ("ended", models.BooleanField(default=False, verbose_name="nothing is outstanding")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("declined", "declined"),
                            ("checked", "card looked at"),
                            ("open", "approved"),
                            ("part_captured", "partly paid"),
                            ("captured", "paid"),
                            ("reversed", "cancelled"),
                            ("expired", "expired"),
                            ("part_refunded", "partly refunded"),
                            ("refunded", "refunded"),
                            ("credited", "credited"),
                        ],
                        max_length=13,
                        verbose_name="state",
                    ),
                ),
                ("counted_minor", models.BigIntegerField(default=0, verbose_name="counts against limits")),
                ("counted", models.PositiveSmallIntegerField(default=0, verbose_name="counts as so many uses")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "use of a card",
                "verbose_name_plural": "uses of cards",
                "indexes": [
                    models.Index(fields=["card", "at"], name="cards_authorisation_card"),
                    models.Index(fields=["member", "currency", "at"], name="cards_authorisation_member"),
                    models.Index(
                        condition=models.Q(("ended", False)), fields=["expires_at"], name="cards_authorisation_due"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("processor", "reference"), name="cards_authorisation_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("aside_minor__gte", models.F("authorised_minor")),
                            ("authorised_minor__gte", 0),
                            ("captured_minor__gte", 0),
                            ("counted_minor__gte", models.F("captured_minor")),
                            ("reversed_minor__gte", 0),
                        ),
                        name="cards_authorisation_sums",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CardEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="cards.card"
                    ),
                ),
                (
                    "before",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("inactive", "not active yet"),
                            ("active", "active"),
                            ("frozen", "frozen by its member"),
                            ("blocked", "blocked by us"),
                            ("closed", "closed"),
                            ("expired", "expired"),
                        ],
                        max_length=8,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        choices=[
                            ("inactive", "not active yet"),
                            ("active", "active"),
                            ("frozen", "frozen by its member"),
                            ("blocked", "blocked by us"),
                            ("closed", "closed"),
                            ("expired", "expired"),
                        ],
                        max_length=8,
                        verbose_name="after",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("web", "the portal"),
                            ("admin", "the back office"),
                            ("api", "a partner"),
                            ("job", "by itself"),
                        ],
                        max_length=5,
                        verbose_name="by way of",
                    ),
                ),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "event of a card",
                "verbose_name_plural": "events of cards",
            },
        ),
        migrations.CreateModel(
            name="CardLoad",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loads",
                        to="cards.card",
                        verbose_name="card",
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[("on", "onto the card"), ("off", "off the card"), ("end", "off a card that is over")],
                        max_length=3,
                        verbose_name="way",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                (
                    "journal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "load of a card",
                "verbose_name_plural": "loads of cards",
                "constraints": [
                    models.UniqueConstraint(fields=("card", "reference"), name="cards_cardload_once"),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="cards_cardload_amount"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CardMessage",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "use",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="cards.cardauthorisation",
                        verbose_name="use of a card",
                    ),
                ),
                ("processor", models.CharField(max_length=40, verbose_name="processor")),
                ("message_id", models.CharField(max_length=64, verbose_name="id of the message")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("authorisation", "question"),
                            ("increment", "question for more"),
                            ("advice", "approved elsewhere"),
                            ("reversal", "cancelled"),
                            ("capture", "paid"),
                            ("refund", "refunded"),
                            ("refund_reversal", "refund taken back"),
                            ("expiry", "expired"),
                        ],
                        max_length=15,
                        verbose_name="kind",
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("merchant_minor", models.BigIntegerField(null=True, verbose_name="amount at the merchant")),
                (
                    "merchant_currency",
                    models.CharField(blank=True, max_length=3, verbose_name="currency at the merchant"),
                ),
                ("settlement_minor", models.BigIntegerField(null=True, verbose_name="amount settled")),
                ("settlement_currency", models.CharField(blank=True, max_length=3, verbose_name="currency settled")),
                ("rate", models.CharField(blank=True, max_length=60, verbose_name="rate")),
                ("margin_minor", models.BigIntegerField(default=0, verbose_name="margin")),
                ("fee_minor", models.BigIntegerField(default=0, verbose_name="fee")),
                ("card_minor", models.BigIntegerField(null=True, verbose_name="amount of the card")),
                ("approved_minor", models.BigIntegerField(default=0, verbose_name="approved")),
                ("aside_minor", models.BigIntegerField(default=0, verbose_name="to be set aside")),
                ("debt_minor", models.BigIntegerField(default=0, verbose_name="became a debt")),
                ("final", models.BooleanField(default=False, verbose_name="the last one")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("approved", "approved"),
                            ("partial", "approved in part"),
                            ("declined", "declined"),
                            ("told", "taken note of"),
                        ],
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("approved", "nothing is against it"),
                            ("no_such_card", "there is no such card"),
                            ("card_inactive", "the card is not active yet"),
                            ("card_frozen", "its member froze the card"),
                            ("card_blocked", "we blocked the card"),
                            ("card_closed", "the card is closed"),
                            ("card_expired", "the card has expired"),
                            ("member_suspended", "its member is suspended"),
                            ("wallet_unusable", "nothing may leave the wallet or the account"),
                            ("wrong_expiry", "another expiry date was given"),
                            ("code_missing", "no security code was given"),
                            ("wrong_code", "another security code was given"),
                            ("pin_missing", "no PIN was given"),
                            ("pin_unset", "the card has no PIN yet"),
                            ("wrong_pin", "another PIN was given"),
                            ("pin_locked", "the PIN was guessed at too often"),
                            ("used_up", "the card was used as often as it may be"),
                            ("other_merchant", "the card is for another merchant"),
                            ("other_category", "the card is for another kind of merchants"),
                            ("other_amount", "the subscription is for less"),
                            ("control", "a control of the card is against it"),
                            ("card_limit", "a limit of the card is against it"),
                            ("member_limit", "a limit of the member is against it"),
                            ("no_rate", "there is no exchange rate"),
                            ("insufficient_funds", "there is too little on it"),
                            ("cancelled_before", "it was cancelled before it was asked"),
                        ],
                        max_length=20,
                        verbose_name="why",
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("told_at", models.DateTimeField(verbose_name="told as of")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "message about a use of a card",
                "verbose_name_plural": "messages about uses of cards",
                "permissions": [
                    ("propose_refund_place", "Can propose where a refund that is set aside goes"),
                    ("approve_refund_place", "Can approve where a refund that is set aside goes"),
                ],
                "constraints": [models.UniqueConstraint(fields=("processor", "message_id"), name="cards_message_once")],
            },
        ),
        migrations.CreateModel(
            name="CardControls",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "card",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="controls",
                        to="cards.card",
                        verbose_name="card",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cards.cardproduct",
                        verbose_name="product",
                    ),
                ),
                ("raised", models.BooleanField(default=False, verbose_name="in place of the product's")),
                ("terms", models.JSONField(verbose_name="what is allowed")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("web", "the portal"),
                            ("admin", "the back office"),
                            ("api", "a partner"),
                            ("job", "by itself"),
                        ],
                        max_length=5,
                        verbose_name="by way of",
                    ),
                ),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "controls of cards",
                "verbose_name_plural": "controls of cards",
                "permissions": [
                    ("raise_controls", "Can propose that a card may do more than its product says"),
                    ("approve_raised_controls", "Can approve that a card may do more than its product says"),
                    ("set_product_controls", "Can propose what cards of a product may do"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("card__isnull", False), ("member", None), ("product", None)),
                            models.Q(("card", None), ("member__isnull", False), ("product", None), ("raised", False)),
                            models.Q(("card", None), ("member", None), ("product__isnull", False), ("raised", False)),
                            _connector="OR",
                        ),
                        name="cards_controls_one",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CardReveal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reveals",
                        to="cards.card",
                        verbose_name="card",
                    ),
                ),
                ("token_digest", models.CharField(editable=False, max_length=76, unique=True)),
                (
                    "proof",
                    models.CharField(
                        choices=[("pin", "the payment PIN"), ("sign_in", "having signed in again")],
                        max_length=7,
                        verbose_name="proven by",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("web", "the portal"),
                            ("admin", "the back office"),
                            ("api", "a partner"),
                            ("job", "by itself"),
                        ],
                        max_length=5,
                        verbose_name="by way of",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked for")),
                ("expires_at", models.DateTimeField(verbose_name="until")),
                ("shown_at", models.DateTimeField(blank=True, null=True, verbose_name="shown")),
            ],
            options={
                "verbose_name": "look at a card's number",
                "verbose_name_plural": "looks at cards' numbers",
                "indexes": [models.Index(fields=["card", "asked_at"], name="cards_cardreveal_asked")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("asked_at"))), name="cards_cardreveal_time"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("shown_at", None),
                            models.Q(("shown_at__gte", models.F("asked_at")), ("shown_at__lt", models.F("expires_at"))),
                            _connector="OR",
                        ),
                        name="cards_cardreveal_in_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DecisionReceipt",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="receipt", to="cards.cardmessage"
                    ),
                ),
                (
                    "card",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="cards.card",
                        verbose_name="card",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("approved", "approved"),
                            ("partial", "approved in part"),
                            ("declined", "declined"),
                            ("told", "taken note of"),
                        ],
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("approved", "nothing is against it"),
                            ("no_such_card", "there is no such card"),
                            ("card_inactive", "the card is not active yet"),
                            ("card_frozen", "its member froze the card"),
                            ("card_blocked", "we blocked the card"),
                            ("card_closed", "the card is closed"),
                            ("card_expired", "the card has expired"),
                            ("member_suspended", "its member is suspended"),
                            ("wallet_unusable", "nothing may leave the wallet or the account"),
                            ("wrong_expiry", "another expiry date was given"),
                            ("code_missing", "no security code was given"),
                            ("wrong_code", "another security code was given"),
                            ("pin_missing", "no PIN was given"),
                            ("pin_unset", "the card has no PIN yet"),
                            ("wrong_pin", "another PIN was given"),
                            ("pin_locked", "the PIN was guessed at too often"),
                            ("used_up", "the card was used as often as it may be"),
                            ("other_merchant", "the card is for another merchant"),
                            ("other_category", "the card is for another kind of merchants"),
                            ("other_amount", "the subscription is for less"),
                            ("control", "a control of the card is against it"),
                            ("card_limit", "a limit of the card is against it"),
                            ("member_limit", "a limit of the member is against it"),
                            ("no_rate", "there is no exchange rate"),
                            ("insufficient_funds", "there is too little on it"),
                            ("cancelled_before", "it was cancelled before it was asked"),
                        ],
                        max_length=20,
                        verbose_name="why",
                    ),
                ),
                ("checks", models.JSONField(verbose_name="checks")),
                ("limits", models.JSONField(verbose_name="limits")),
                ("seen", models.JSONField(verbose_name="seen of the books")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "receipt of a decision",
                "verbose_name_plural": "receipts of decisions",
            },
        ),
        migrations.CreateModel(
            name="VirtualAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                ("number", models.CharField(max_length=34, verbose_name="number")),
                (
                    "numbers",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="cards.accountrange",
                        verbose_name="range",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="virtual_accounts",
                        to="members.member",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="virtual_accounts",
                        to="wallets.wallet",
                        verbose_name="wallet",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "kind",
                    models.CharField(
                        choices=[("permanent", "for good"), ("purpose", "for one purpose")],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                ("expected_minor", models.BigIntegerField(blank=True, null=True, verbose_name="expected")),
                ("paid_minor", models.BigIntegerField(default=0, verbose_name="came")),
                (
                    "payer",
                    paymentsite.core.vault.fields.EncryptedField(
                        "virtual_account.payer", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                ("expires_on", models.DateField(blank=True, null=True, verbose_name="last day")),
                (
                    "over",
                    models.CharField(
                        choices=[("keep", "put on the wallet"), ("aside", "set aside for us to look at")],
                        default="keep",
                        max_length=5,
                        verbose_name="more than is expected is",
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "none"),
                            ("open", "nothing came yet"),
                            ("part_paid", "a part came"),
                            ("paid", "all came"),
                            ("overpaid", "more came"),
                            ("expired", "not all came in time"),
                        ],
                        max_length=9,
                        verbose_name="purpose",
                    ),
                ),
                (
                    "linked",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.instrument",
                        verbose_name="linked bank account",
                    ),
                ),
                ("label", models.CharField(blank=True, max_length=40, verbose_name="label")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("suspended", "suspended by us"), ("closed", "closed")],
                        default="open",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
            ],
            options={
                "verbose_name": "virtual account",
                "verbose_name_plural": "virtual accounts",
                "permissions": [
                    ("suspend_account", "Can suspend virtual accounts and reopen them"),
                    ("close_account", "Can close virtual accounts"),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("purpose__in", ["open", "part_paid"])),
                        fields=["expires_on"],
                        name="cards_account_expiry",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="cards_account_number_once"),
                    models.UniqueConstraint(fields=("member", "reference"), name="cards_account_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "permanent"), models.Q(("state", "closed"), _negated=True)),
                        fields=("wallet", "numbers"),
                        name="cards_account_one_permanent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            models.Q(models.Q(("state", "closed"), _negated=True), ("closed_at", None)),
                            _connector="OR",
                        ),
                        name="cards_account_closed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("expected_minor", None),
                                ("expires_on", None),
                                ("kind", "permanent"),
                                ("paid_minor", 0),
                                ("purpose", ""),
                            ),
                            models.Q(
                                ("expected_minor__gt", 0),
                                ("kind", "purpose"),
                                ("paid_minor__gte", 0),
                                models.Q(("purpose", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cards_account_purpose",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BankCredit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credits",
                        to="cards.bank",
                        verbose_name="bank",
                    ),
                ),
                ("reference", models.CharField(max_length=140, verbose_name="the bank's reference")),
                (
                    "number",
                    paymentsite.core.vault.fields.EncryptedField(
                        "bank_credit.number", bound_to=("public_id",), purpose="data"
                    ),
                ),
                (
                    "number_digest",
                    paymentsite.core.vault.fields.DigestField("bank_credit.number", db_index=True, of="number"),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("value_date", models.DateField(verbose_name="value date")),
                (
                    "payer_name",
                    paymentsite.core.vault.fields.EncryptedField(
                        "bank_credit.payer_name", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                (
                    "payer_account",
                    paymentsite.core.vault.fields.EncryptedField(
                        "bank_credit.payer_account", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                (
                    "note",
                    paymentsite.core.vault.fields.EncryptedField(
                        "bank_credit.note", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credits",
                        to="cards.virtualaccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_credits",
                        to="members.member",
                    ),
                ),
                ("booked_minor", models.BigIntegerField(verbose_name="on the wallet")),
                ("aside_minor", models.BigIntegerField(verbose_name="set aside")),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "nothing is"),
                            ("unknown", "no account of this bank has that number"),
                            ("closed", "the account is closed"),
                            ("suspended", "the account is suspended"),
                            ("currency", "the account is in another currency"),
                            ("expired", "it came after the last day"),
                            ("over", "it is more than was expected"),
                            ("wallet", "the wallet takes nothing"),
                            ("room", "the member may not hold so much"),
                        ],
                        max_length=9,
                        verbose_name="why it is set aside",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("credited", "on the wallet"),
                            ("suspended", "set aside"),
                            ("assigned", "assigned"),
                            ("returned", "returned"),
                        ],
                        max_length=9,
                        verbose_name="what became of it",
                    ),
                ),
                (
                    "journal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="told")),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.wallet",
                        verbose_name="assigned to",
                    ),
                ),
                (
                    "counted_for",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assigned",
                        to="cards.virtualaccount",
                        verbose_name="counted for",
                    ),
                ),
                (
                    "settled_journal",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.journal",
                        verbose_name="journal of the decision",
                    ),
                ),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
            ],
            options={
                "verbose_name": "credit by a bank",
                "verbose_name_plural": "credits by banks",
                "permissions": [
                    ("propose_credit", "Can propose what becomes of credits that are set aside"),
                    ("decide_credit", "Can approve what becomes of credits that are set aside"),
                ],
                "indexes": [
                    models.Index(fields=["amount_minor", "currency"], name="cards_bankcredit_amount"),
                    models.Index(
                        condition=models.Q(("outcome", "suspended")),
                        fields=["value_date"],
                        name="cards_bankcredit_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("reference", "bank"), name="cards_bankcredit_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gt", 0),
                            ("aside_minor__gte", 0),
                            ("booked_minor__gte", 0),
                            (
                                "amount_minor",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("booked_minor"), "+", models.F("aside_minor")
                                ),
                            ),
                        ),
                        name="cards_bankcredit_parts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("aside_minor", 0), ("outcome", "credited"), ("why", "")),
                            models.Q(
                                models.Q(("outcome", "credited"), _negated=True),
                                ("aside_minor__gt", 0),
                                models.Q(("why", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cards_bankcredit_aside",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account", None), ("booked_minor", 0), ("member", None)),
                            models.Q(("account__isnull", False), ("member__isnull", False)),
                            _connector="OR",
                        ),
                        name="cards_bankcredit_whose",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("outcome__in", ["credited", "suspended"]),
                                ("settled_at", None),
                                ("settled_journal", None),
                            ),
                            models.Q(
                                ("outcome__in", ["assigned", "returned"]),
                                ("settled_at__isnull", False),
                                ("settled_journal__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="cards_bankcredit_settled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("assigned_to__isnull", False), ("outcome", "assigned")),
                            models.Q(
                                models.Q(("outcome", "assigned"), _negated=True),
                                ("assigned_to", None),
                                ("counted_for", None),
                            ),
                            _connector="OR",
                        ),
                        name="cards_bankcredit_assigned",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VirtualAccountEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="cards.virtualaccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "before",
                    models.CharField(
                        blank=True,
                        choices=[("open", "open"), ("suspended", "suspended by us"), ("closed", "closed")],
                        max_length=9,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        choices=[("open", "open"), ("suspended", "suspended by us"), ("closed", "closed")],
                        max_length=9,
                        verbose_name="after",
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "none"),
                            ("open", "nothing came yet"),
                            ("part_paid", "a part came"),
                            ("paid", "all came"),
                            ("overpaid", "more came"),
                            ("expired", "not all came in time"),
                        ],
                        max_length=9,
                        verbose_name="purpose",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("web", "the portal"),
                            ("admin", "the back office"),
                            ("api", "a partner"),
                            ("job", "by itself"),
                        ],
                        max_length=5,
                        verbose_name="by way of",
                    ),
                ),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "event of a virtual account",
                "verbose_name_plural": "events of virtual accounts",
            },
        ),
    ]
