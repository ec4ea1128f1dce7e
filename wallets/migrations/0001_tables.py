import django.db.models.deletion
import django.db.models.functions.comparison
import paymentsite.core.vault.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("wallets", "0001_wallet"),
        ("wallets", "0002_instrument"),
        ("wallets", "0003_exchange"),
        ("wallets", "0004_orders"),
        ("wallets", "0005_transfers"),
        ("wallets", "0006_fees"),
        ("wallets", "0007_points_credit"),
        ("wallets", "0008_erasable"),
        ("wallets", "0009_leaving"),
        ("wallets", "0010_unconfirmed"),
        ("wallets", "0011_small_deposits"),
        ("wallets", "0012_came_back"),
        ("wallets", "0013_shares_in_percent"),
    ]

    initial = True

    dependencies = [
        ("ledger", "0002_room_for_updates"),
        ("members", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExchangeQuote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="exchange_quotes", to="members.member"
                    ),
                ),
                ("sold_minor", models.BigIntegerField()),
                ("sold_unit", models.CharField(max_length=3)),
                ("fee_minor", models.BigIntegerField(default=0)),
                ("bought_minor", models.BigIntegerField()),
                ("bought_unit", models.CharField(max_length=3)),
                ("margin_minor", models.BigIntegerField()),
                ("margin_bp", models.PositiveIntegerField(verbose_name="margin, as a share")),
                ("rate", models.CharField(max_length=80, verbose_name="rate")),
                ("rate_source", models.CharField(max_length=125, verbose_name="source of the rate")),
                ("rate_at", models.DateTimeField(verbose_name="rate as of")),
                ("quoted_at", models.DateTimeField(verbose_name="offered")),
                ("expires_at", models.DateTimeField(verbose_name="good until")),
            ],
            options={
                "verbose_name": "exchange quote",
                "verbose_name_plural": "exchange quotes",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("bought_minor__gt", 0),
                            ("fee_minor__gte", 0),
                            ("margin_minor__gte", 0),
                            ("sold_minor__gt", 0),
                        ),
                        name="wallets_exchangequote_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("margin_bp__lt", 10000)), name="wallets_exchangequote_margin"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sold_unit", models.F("bought_unit")), _negated=True),
                        name="wallets_exchangequote_two_units",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("quoted_at"))),
                        name="wallets_exchangequote_expires",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("base", models.CharField(max_length=3, verbose_name="of")),
                ("quote", models.CharField(max_length=3, verbose_name="in")),
                ("value", models.CharField(max_length=40, verbose_name="rate")),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("at", models.DateTimeField(verbose_name="as of")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
            ],
            options={
                "verbose_name": "exchange rate",
                "verbose_name_plural": "exchange rates",
                "permissions": [
                    ("propose_rate", "Can propose exchange rates"),
                    ("approve_rate", "Can approve exchange rates"),
                ],
                "indexes": [models.Index(fields=["base", "quote", "-at", "-id"], name="wallets_exchangerate_latest")],
                "constraints": [
                    models.UniqueConstraint(fields=("base", "quote", "source", "at"), name="wallets_exchangerate_once"),
                    models.CheckConstraint(
                        condition=models.Q(("base", models.F("quote")), _negated=True),
                        name="wallets_exchangerate_two_units",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FeeRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="in force from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="in force until")),
                ("set_by", models.CharField(max_length=80, verbose_name="set by")),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("transfer", "transfer"),
                            ("withdrawal", "withdrawal"),
                            ("top_up", "top-up"),
                            ("exchange", "exchange"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "tier",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.tier",
                        verbose_name="tier",
                    ),
                ),
                ("percent_bp", models.PositiveIntegerField(default=0, verbose_name="percentage")),
                ("fixed_minor", models.BigIntegerField(default=0, verbose_name="fixed part")),
                ("minimum_minor", models.BigIntegerField(default=0, verbose_name="minimum")),
                ("maximum_minor", models.BigIntegerField(blank=True, null=True, verbose_name="maximum")),
            ],
            options={
                "verbose_name": "fee rule",
                "verbose_name_plural": "fee rules",
                "permissions": [
                    ("set_fees", "Can propose fees"),
                    ("approve_fees", "Can approve fees that others propose"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("percent_bp__lte", 10000)), name="wallets_feerule_percent"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fixed_minor__gte", 0), ("fixed_minor__lte", 1000000000000)),
                        name="wallets_feerule_fixed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("minimum_minor__gte", 0), ("minimum_minor__lte", 1000000000000)),
                        name="wallets_feerule_minimum",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("maximum_minor", None),
                            models.Q(
                                ("maximum_minor__gte", models.F("minimum_minor")), ("maximum_minor__lte", 1000000000000)
                            ),
                            _connector="OR",
                        ),
                        name="wallets_feerule_maximum",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at", None), ("ends_at__gte", models.F("starts_at")), _connector="OR"),
                        name="wallets_feerule_times",
                    ),
                    models.UniqueConstraint(
                        models.F("kind"),
                        models.F("currency"),
                        django.db.models.functions.comparison.Coalesce("tier_id", models.Value(0)),
                        condition=models.Q(("ends_at", None)),
                        name="wallets_feerule_one_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FeeUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                ("source", models.CharField(max_length=120, unique=True, verbose_name="source")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("transfer", "transfer"),
                            ("withdrawal", "withdrawal"),
                            ("top_up", "top-up"),
                            ("exchange", "exchange"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("fee_minor", models.BigIntegerField(verbose_name="fee")),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.feerule",
                        verbose_name="rule",
                    ),
                ),
                ("free", models.BooleanField(verbose_name="free of charge")),
                (
                    "free_number",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="of the month's free ones"),
                ),
                ("free_allowed", models.PositiveIntegerField(blank=True, null=True, verbose_name="free ones a month")),
                (
                    "month",
                    models.CharField(
                        help_text="on the member's calendar, such as 2026-11", max_length=7, verbose_name="month"
                    ),
                ),
                ("lines", models.JSONField(verbose_name="how it came about")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("given_back_at", models.DateTimeField(blank=True, null=True, verbose_name="given back")),
            ],
            options={
                "verbose_name": "fee taken",
                "verbose_name_plural": "fees taken",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gte", 0), ("fee_minor__gte", 0)),
                        name="wallets_feeuse_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("free", False), ("free_allowed", None), ("free_number", None)),
                            models.Q(
                                ("fee_minor", 0),
                                ("free", True),
                                ("free_number__gte", 1),
                                ("free_number__lte", models.F("free_allowed")),
                            ),
                            _connector="OR",
                        ),
                        name="wallets_feeuse_free",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("free", True), ("given_back_at", None)),
                        fields=("member", "month", "free_number"),
                        name="wallets_feeuse_free_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GatewayRoute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("top_up", "top-up"), ("payout", "withdrawal")], max_length=10, verbose_name="kind"
                    ),
                ),
                ("method", models.CharField(max_length=40, verbose_name="method")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("gateway", models.CharField(max_length=40, verbose_name="gateway")),
                ("from_minor", models.BigIntegerField(default=1, verbose_name="from")),
                ("to_minor", models.BigIntegerField(null=True, verbose_name="to")),
                ("cost_bp", models.PositiveIntegerField(default=0, verbose_name="cost, as a share")),
                ("cost_minor", models.BigIntegerField(default=0, verbose_name="cost for each order")),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        default=100, help_text="smaller comes first", verbose_name="priority"
                    ),
                ),
                ("is_on", models.BooleanField(default=True, verbose_name="on")),
            ],
            options={
                "verbose_name": "route",
                "verbose_name_plural": "routes",
                "permissions": [("edit_route", "Can change which gateway executes what")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "method", "currency", "gateway", "from_minor"), name="wallets_gatewayroute_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("from_minor__gt", 0),
                            models.Q(("to_minor", None), ("to_minor__gte", models.F("from_minor")), _connector="OR"),
                        ),
                        name="wallets_gatewayroute_span",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cost_minor__gte", 0)), name="wallets_gatewayroute_cost"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Gift",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gifts",
                        to="members.member",
                        verbose_name="from",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("fee_minor", models.BigIntegerField(default=0, verbose_name="fee")),
                ("note", models.CharField(blank=True, max_length=140, verbose_name="note")),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                ("token_digest", models.CharField(editable=False, max_length=76, unique=True)),
                (
                    "hold",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.hold"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("claimed", "claimed"),
                            ("cancelled", "cancelled"),
                            ("returned", "returned"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gifts_claimed",
                        to="members.member",
                        verbose_name="claimed by",
                    ),
                ),
                (
                    "journal",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.journal",
                        verbose_name="claimed with",
                    ),
                ),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("expires_at", models.DateTimeField(verbose_name="open until")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
            ],
            options={
                "verbose_name": "gift",
                "verbose_name_plural": "gifts",
                "permissions": [("return_gift", "Can return gifts to their senders")],
                "indexes": [
                    models.Index(condition=models.Q(("state", "open")), fields=["expires_at"], name="wallets_gift_due")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sender", "reference"), name="wallets_gift_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0), ("fee_minor__gte", 0)), name="wallets_gift_amounts"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("claimed_by__isnull", False), ("journal__isnull", False), ("state", "claimed")),
                            models.Q(
                                models.Q(("state", "claimed"), _negated=True), ("claimed_by", None), ("journal", None)
                            ),
                            _connector="OR",
                        ),
                        name="wallets_gift_claimed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state", "open")),
                            models.Q(models.Q(("state", "open"), _negated=True), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="wallets_gift_ended",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                ("gateway", models.CharField(max_length=40, verbose_name="gateway")),
                ("event_id", models.CharField(max_length=128, verbose_name="event")),
                ("kind", models.CharField(blank=True, max_length=10, verbose_name="kind")),
                ("about", models.CharField(blank=True, max_length=64, verbose_name="about")),
                ("outcome", models.CharField(blank=True, max_length=16, verbose_name="outcome")),
                (
                    "gateway_reference",
                    models.CharField(blank=True, max_length=128, verbose_name="the gateway's reference"),
                ),
                ("amount_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                (
                    "body",
                    paymentsite.core.vault.fields.EncryptedField(
                        "notification.body", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="received")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "received"),
                            ("processed", "taken into account"),
                            ("ignored", "about nothing of ours"),
                            ("stray", "about an order that we do not know"),
                        ],
                        default="received",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("processed_at", models.DateTimeField(null=True, verbose_name="processed")),
            ],
            options={
                "verbose_name": "notification",
                "verbose_name_plural": "notifications",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "received")), fields=["id"], name="wallets_notification_waiting"
                    ),
                    models.Index(fields=["about"], name="wallets_notification_about"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("gateway", "event_id"), name="wallets_notification_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("processed_at", None), ("state", "received")),
                            models.Q(models.Q(("state", "received"), _negated=True), ("processed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="wallets_notification_processed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RequestBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="request_blocks", to="members.member"
                    ),
                ),
                (
                    "blocked",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "block of requests",
                "verbose_name_plural": "blocks of requests",
                "constraints": [
                    models.UniqueConstraint(fields=("member", "blocked"), name="wallets_request_block_once"),
                    models.CheckConstraint(
                        condition=models.Q(("member", models.F("blocked")), _negated=True),
                        name="wallets_request_block_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StandingOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="standing_orders",
                        to="members.member",
                        verbose_name="from",
                    ),
                ),
                (
                    "payee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="to",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("note", models.CharField(blank=True, max_length=140, verbose_name="note")),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                (
                    "every",
                    models.CharField(
                        choices=[
                            ("once", "once"),
                            ("day", "every day"),
                            ("week", "every week"),
                            ("month", "every month"),
                            ("year", "every year"),
                        ],
                        max_length=5,
                        verbose_name="how often",
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="first day")),
                ("ends_on", models.DateField(null=True, verbose_name="last day")),
                ("count", models.PositiveIntegerField(null=True, verbose_name="how many due days")),
                ("runs_done", models.PositiveIntegerField(default=0, verbose_name="due days so far")),
                ("refused_in_a_row", models.PositiveSmallIntegerField(default=0, verbose_name="refused in a row")),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "active"), ("paused", "paused"), ("ended", "ended")],
                        default="active",
                        max_length=6,
                        verbose_name="state",
                    ),
                ),
                ("next_on", models.DateField(null=True, verbose_name="next due day")),
                ("next_at", models.DateTimeField(null=True, verbose_name="tried next")),
                ("paused_by", models.CharField(blank=True, max_length=80, verbose_name="paused by")),
                ("made_at", models.DateTimeField(verbose_name="made")),
            ],
            options={
                "verbose_name": "standing order",
                "verbose_name_plural": "standing orders",
                "permissions": [("pause_order", "Can pause and end standing orders")],
                "indexes": [
                    models.Index(condition=models.Q(("state", "active")), fields=["next_at"], name="wallets_order_due")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "reference"), name="wallets_order_reference_once"),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="wallets_order_amount"),
                    models.CheckConstraint(
                        condition=models.Q(("member", models.F("payee")), _negated=True),
                        name="wallets_order_two_members",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("next_at__isnull", False), ("next_on__isnull", False), ("state", "active")),
                            models.Q(
                                models.Q(("state", "active"), _negated=True), ("next_at", None), ("next_on", None)
                            ),
                            _connector="OR",
                        ),
                        name="wallets_order_next",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("count", None), ("runs_done__lte", models.F("count")), _connector="OR"),
                        name="wallets_order_within_count",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers_sent",
                        to="members.member",
                        verbose_name="from",
                    ),
                ),
                (
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers_received",
                        to="members.member",
                        verbose_name="to",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("fee_minor", models.BigIntegerField(default=0, verbose_name="fee")),
                ("note", models.CharField(blank=True, max_length=140, verbose_name="note")),
                ("occasion", models.CharField(blank=True, max_length=80, verbose_name="on the occasion of")),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                (
                    "journal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("sent_at", models.DateTimeField(verbose_name="sent")),
            ],
            options={
                "verbose_name": "transfer",
                "verbose_name_plural": "transfers",
                "indexes": [models.Index(fields=["receiver", "-id"], name="wallets_transfer_received")],
                "constraints": [
                    models.UniqueConstraint(fields=("sender", "reference"), name="wallets_transfer_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("occasion", ""), _negated=True),
                        fields=("occasion",),
                        name="wallets_transfer_occasion_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0), ("fee_minor__gte", 0)),
                        name="wallets_transfer_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sender", models.F("receiver")), _negated=True),
                        name="wallets_transfer_two_members",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StandingRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="wallets.standingorder"
                    ),
                ),
                ("due_on", models.DateField(verbose_name="due")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "refused, tried once more today"),
                            ("paid", "paid"),
                            ("refused", "refused"),
                            ("missed", "missed"),
                        ],
                        max_length=7,
                        verbose_name="what became of it",
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                (
                    "transfer",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.transfer",
                        verbose_name="transfer",
                    ),
                ),
                ("refusal", models.JSONField(null=True, verbose_name="why not")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "due day of a standing order",
                "verbose_name_plural": "due days of standing orders",
                "constraints": [
                    models.UniqueConstraint(fields=("order", "due_on"), name="wallets_run_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "paid"), ("transfer__isnull", False)),
                            models.Q(models.Q(("state", "paid"), _negated=True), ("transfer", None)),
                            _connector="OR",
                        ),
                        name="wallets_run_paid_by_transfer",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MoneyRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "asker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests_made",
                        to="members.member",
                        verbose_name="asks",
                    ),
                ),
                (
                    "payer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests_received",
                        to="members.member",
                        verbose_name="is asked",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("note", models.CharField(blank=True, max_length=140, verbose_name="note")),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("paid", "paid"),
                            ("declined", "declined"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "transfer",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.transfer",
                        verbose_name="paid by",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                ("expires_at", models.DateTimeField(verbose_name="open until")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
            ],
            options={
                "verbose_name": "request to pay",
                "verbose_name_plural": "requests to pay",
                "permissions": [("end_request", "Can withdraw requests to pay")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["expires_at"], name="wallets_request_due"
                    ),
                    models.Index(fields=["payer", "-id"], name="wallets_request_received"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("asker", "reference"), name="wallets_request_once"),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="wallets_request_amount"),
                    models.CheckConstraint(
                        condition=models.Q(("asker", models.F("payer")), _negated=True),
                        name="wallets_request_two_members",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "paid"), ("transfer__isnull", False)),
                            models.Q(models.Q(("state", "paid"), _negated=True), ("transfer", None)),
                            _connector="OR",
                        ),
                        name="wallets_request_paid_by_transfer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state", "open")),
                            models.Q(models.Q(("state", "open"), _negated=True), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="wallets_request_ended",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Unconfirmed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(default=0, verbose_name="amount")),
                ("since", models.DateTimeField(verbose_name="since")),
            ],
            options={
                "verbose_name": "amount sent without PIN",
                "verbose_name_plural": "amounts sent without PIN",
                "constraints": [
                    models.UniqueConstraint(fields=("member", "currency"), name="wallets_unconfirmed_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gte", 0)), name="wallets_unconfirmed_amount"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Wallet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="wallets", to="members.member"
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.account"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("frozen", "frozen"), ("closed", "closed")],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
            ],
            options={
                "verbose_name": "wallet",
                "verbose_name_plural": "wallets",
                "permissions": [
                    ("freeze", "Can freeze wallets and thaw them"),
                    ("end_membership", "Can close memberships"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=("member", "currency"),
                        name="wallets_wallet_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TopUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="members.member"
                    ),
                ),
                ("reference", models.CharField(help_text="the caller's own", max_length=100, verbose_name="reference")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField(default=0)),
                ("method", models.CharField(max_length=40, verbose_name="method")),
                ("instrument", models.CharField(blank=True, max_length=80, verbose_name="instrument")),
                ("gateway", models.CharField(max_length=40, verbose_name="gateway")),
                (
                    "gateway_reference",
                    models.CharField(blank=True, max_length=128, verbose_name="the gateway's reference"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("pending", "under way"),
                            ("requires_action", "waits for the member"),
                            ("unknown", "outcome not known"),
                            ("conflict", "differs, waits for staff"),
                            ("returning", "being given back"),
                            ("succeeded", "done"),
                            ("failed", "failed"),
                            ("returned", "returned"),
                        ],
                        default="created",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("moved_minor", models.BigIntegerField(help_text="what the gateway says really moved", null=True)),
                ("moved_currency", models.CharField(blank=True, max_length=3)),
                (
                    "came_back_minor",
                    models.BigIntegerField(default=0, help_text="what came back before it was booked, in all"),
                ),
                (
                    "booked_to",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not booked"),
                            ("wallet", "the wallet"),
                            ("suspense", "suspense, for staff to settle"),
                            ("house", "us, who pay it"),
                        ],
                        max_length=8,
                        verbose_name="booked to",
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                (
                    "return_journal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("changed_at", models.DateTimeField(verbose_name="last change")),
                ("next_query_at", models.DateTimeField(null=True, verbose_name="next question")),
                ("queries", models.PositiveSmallIntegerField(default=0, verbose_name="questions")),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="wallets.wallet"
                    ),
                ),
                ("action_url", models.TextField(blank=True)),
                ("action_code", models.TextField(blank=True)),
                ("refund_id", models.UUIDField(help_text="under which it is given back", null=True, unique=True)),
            ],
            options={
                "verbose_name": "top-up",
                "verbose_name_plural": "top-ups",
                "permissions": [
                    ("ask_gateway", "Can have gateways asked about orders"),
                    ("propose_order", "Can propose how a differing order ends"),
                    ("decide_order", "Can approve how a differing order ends"),
                ],
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_query_at__isnull", False)),
                        fields=["next_query_at"],
                        name="wallets_topup_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "reference"), name="wallets_topup_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0), ("fee_minor__gte", 0)), name="wallets_topup_amounts"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("came_back_minor__gte", 0)), name="wallets_topup_came_back"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("booked_to", ""), ("journal", None)),
                            models.Q(("journal__isnull", False), models.Q(("booked_to", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="wallets_topup_booked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "succeeded"), ("journal__isnull", False), ("return_journal", None)),
                            ("state", "returned"),
                            models.Q(
                                models.Q(("state__in", ["succeeded", "returned"]), _negated=True),
                                ("journal", None),
                                ("return_journal", None),
                            ),
                            _connector="OR",
                        ),
                        name="wallets_topup_done_is_booked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fee_minor__lt", models.F("amount_minor"))), name="wallets_topup_fee_within"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PointsCredit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="points_credits", to="members.member"
                    ),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                ("points", models.BigIntegerField(verbose_name="points")),
                (
                    "value",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.pointvalue",
                        verbose_name="value of points",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="wallets.wallet"
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                (
                    "journal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "credit for points",
                "verbose_name_plural": "credits for points",
                "constraints": [
                    models.UniqueConstraint(fields=("member", "reference"), name="wallets_pointscredit_reference"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0), ("points__gt", 0)),
                        name="wallets_pointscredit_positive",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Instrument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="instruments", to="members.member"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("wallet", "wallet"),
                            ("own_card", "our card"),
                            ("card", "outside card"),
                            ("bank_account", "bank account"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("label", models.CharField(blank=True, max_length=60, verbose_name="label")),
                ("default", models.BooleanField(default=False, verbose_name="default of its kind")),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "active"), ("removed", "removed")],
                        default="active",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "wallet",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="instrument",
                        to="wallets.wallet",
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=80, verbose_name="stands for")),
                ("added_at", models.DateTimeField(verbose_name="added")),
                ("removed_at", models.DateTimeField(null=True, verbose_name="removed")),
            ],
            options={
                "verbose_name": "instrument",
                "verbose_name_plural": "instruments",
                "permissions": [("verify_account", "Can say whether a bank account is its member's")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("default", True)),
                        fields=("member", "kind"),
                        name="wallets_instrument_one_default",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("source", ""), _negated=True),
                        fields=("source",),
                        name="wallets_instrument_source",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("default", False), ("state", "active"), _connector="OR"),
                        name="wallets_instrument_default_is_active",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("removed_at", None), ("state", "active")),
                            models.Q(("removed_at__isnull", False), ("state", "removed")),
                            _connector="OR",
                        ),
                        name="wallets_instrument_removed_since",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "wallet"), ("source", ""), ("wallet__isnull", False)),
                            models.Q(("kind", "own_card"), ("wallet", None), models.Q(("source", ""), _negated=True)),
                            models.Q(("kind__in", ["card", "bank_account"]), ("source", ""), ("wallet", None)),
                            _connector="OR",
                        ),
                        name="wallets_instrument_is_its_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="members.member"
                    ),
                ),
                ("reference", models.CharField(help_text="the caller's own", max_length=100, verbose_name="reference")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField(default=0)),
                ("method", models.CharField(max_length=40, verbose_name="method")),
                ("instrument", models.CharField(blank=True, max_length=80, verbose_name="instrument")),
                ("gateway", models.CharField(max_length=40, verbose_name="gateway")),
                (
                    "gateway_reference",
                    models.CharField(blank=True, max_length=128, verbose_name="the gateway's reference"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("pending", "under way"),
                            ("requires_action", "waits for the member"),
                            ("unknown", "outcome not known"),
                            ("conflict", "differs, waits for staff"),
                            ("returning", "being given back"),
                            ("succeeded", "done"),
                            ("failed", "failed"),
                            ("returned", "returned"),
                        ],
                        default="created",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("moved_minor", models.BigIntegerField(help_text="what the gateway says really moved", null=True)),
                ("moved_currency", models.CharField(blank=True, max_length=3)),
                (
                    "came_back_minor",
                    models.BigIntegerField(default=0, help_text="what came back before it was booked, in all"),
                ),
                (
                    "booked_to",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not booked"),
                            ("wallet", "the wallet"),
                            ("suspense", "suspense, for staff to settle"),
                            ("house", "us, who pay it"),
                        ],
                        max_length=8,
                        verbose_name="booked to",
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                (
                    "return_journal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("changed_at", models.DateTimeField(verbose_name="last change")),
                ("next_query_at", models.DateTimeField(null=True, verbose_name="next question")),
                ("queries", models.PositiveSmallIntegerField(default=0, verbose_name="questions")),
                ("destination", models.CharField(max_length=80, verbose_name="destination")),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="wallets.wallet"
                    ),
                ),
                (
                    "hold",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.hold"
                    ),
                ),
                (
                    "payee",
                    paymentsite.core.vault.fields.EncryptedField(
                        "withdrawal.payee", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
            ],
            options={
                "verbose_name": "withdrawal",
                "verbose_name_plural": "withdrawals",
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_query_at__isnull", False)),
                        fields=["next_query_at"],
                        name="wallets_withdrawal_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "reference"), name="wallets_withdrawal_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0), ("fee_minor__gte", 0)),
                        name="wallets_withdrawal_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("came_back_minor__gte", 0)), name="wallets_withdrawal_came_back"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("booked_to", ""), ("journal", None)),
                            models.Q(("journal__isnull", False), models.Q(("booked_to", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="wallets_withdrawal_booked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "succeeded"), ("journal__isnull", False), ("return_journal", None)),
                            ("state", "returned"),
                            models.Q(
                                models.Q(("state__in", ["succeeded", "returned"]), _negated=True),
                                ("journal", None),
                                ("return_journal", None),
                            ),
                            _connector="OR",
                        ),
                        name="wallets_withdrawal_done_is_booked",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BankAccount",
            fields=[
                (
                    "instrument",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="bank_account",
                        serialize=False,
                        to="wallets.instrument",
                    ),
                ),
                ("public_id", models.UUIDField(editable=False, help_text="its instrument's", unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                (
                    "scheme",
                    models.CharField(
                        choices=[("iban", "IBAN"), ("domestic", "number and bank code")],
                        max_length=8,
                        verbose_name="scheme",
                    ),
                ),
                ("country", models.CharField(max_length=2, verbose_name="country")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "number",
                    paymentsite.core.vault.fields.EncryptedField(
                        "bank_account.number", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                (
                    "number_digest",
                    paymentsite.core.vault.fields.DigestField("bank_account.number", null=True, of="number"),
                ),
                (
                    "holder",
                    paymentsite.core.vault.fields.EncryptedField(
                        "bank_account.holder", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                ("last_four", models.CharField(max_length=4, verbose_name="last four")),
                ("bic", models.CharField(blank=True, max_length=11, verbose_name="BIC")),
                ("verified_at", models.DateTimeField(null=True, verbose_name="verified")),
                (
                    "verified_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not yet"),
                            ("deposits", "small deposits"),
                            ("name", "name match"),
                            ("staff", "staff"),
                        ],
                        max_length=8,
                        verbose_name="verified by",
                    ),
                ),
            ],
            options={
                "verbose_name": "bank account",
                "verbose_name_plural": "bank accounts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("member", "currency", "number_digest"), name="wallets_bankaccount_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verified_at", None), ("verified_by", "")),
                            models.Q(("verified_at__isnull", False), models.Q(("verified_by", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="wallets_bankaccount_verified_somehow",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountProof",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="proofs", to="wallets.bankaccount"
                    ),
                ),
                (
                    "means",
                    models.CharField(
                        choices=[("deposits", "small deposits"), ("name", "name match")],
                        max_length=8,
                        verbose_name="means",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("doubtful", "doubtful"),
                            ("passed", "passed"),
                            ("failed", "failed"),
                        ],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("first_minor", models.PositiveSmallIntegerField(null=True)),
                ("second_minor", models.PositiveSmallIntegerField(null=True)),
                ("tries_left", models.PositiveSmallIntegerField(default=0, verbose_name="tries left")),
                ("likeness", models.PositiveSmallIntegerField(null=True, verbose_name="likeness in percent")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="expires")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
            ],
            options={
                "verbose_name": "proof of an account",
                "verbose_name_plural": "proofs of accounts",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "doubtful"])),
                        fields=("account",),
                        name="wallets_accountproof_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tries_left__lte", 3)), name="wallets_accountproof_tries"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("first_minor", None), ("likeness__lte", 100), ("means", "name"), ("second_minor", None)
                            ),
                            models.Q(
                                ("expires_at__isnull", False),
                                ("first_minor__range", (1, 99)),
                                ("likeness", None),
                                ("means", "deposits"),
                                ("second_minor__range", (1, 99)),
                            ),
                            _connector="OR",
                        ),
                        name="wallets_accountproof_means",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProofDeposit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="members.member"
                    ),
                ),
                ("reference", models.CharField(help_text="the caller's own", max_length=100, verbose_name="reference")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField()),
                ("fee_minor", models.BigIntegerField(default=0)),
                ("method", models.CharField(max_length=40, verbose_name="method")),
                ("instrument", models.CharField(blank=True, max_length=80, verbose_name="instrument")),
                ("gateway", models.CharField(max_length=40, verbose_name="gateway")),
                (
                    "gateway_reference",
                    models.CharField(blank=True, max_length=128, verbose_name="the gateway's reference"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("pending", "under way"),
                            ("requires_action", "waits for the member"),
                            ("unknown", "outcome not known"),
                            ("conflict", "differs, waits for staff"),
                            ("returning", "being given back"),
                            ("succeeded", "done"),
                            ("failed", "failed"),
                            ("returned", "returned"),
                        ],
                        default="created",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("moved_minor", models.BigIntegerField(help_text="what the gateway says really moved", null=True)),
                ("moved_currency", models.CharField(blank=True, max_length=3)),
                (
                    "came_back_minor",
                    models.BigIntegerField(default=0, help_text="what came back before it was booked, in all"),
                ),
                (
                    "booked_to",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not booked"),
                            ("wallet", "the wallet"),
                            ("suspense", "suspense, for staff to settle"),
                            ("house", "us, who pay it"),
                        ],
                        max_length=8,
                        verbose_name="booked to",
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                (
                    "return_journal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("changed_at", models.DateTimeField(verbose_name="last change")),
                ("next_query_at", models.DateTimeField(null=True, verbose_name="next question")),
                ("queries", models.PositiveSmallIntegerField(default=0, verbose_name="questions")),
                ("destination", models.CharField(max_length=80, verbose_name="destination")),
                (
                    "proof",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="deposits", to="wallets.accountproof"
                    ),
                ),
                (
                    "payee",
                    paymentsite.core.vault.fields.EncryptedField(
                        "proof_deposit.payee", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
            ],
            options={
                "verbose_name": "small deposit",
                "verbose_name_plural": "small deposits",
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_query_at__isnull", False)),
                        fields=["next_query_at"],
                        name="wallets_proofdeposit_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "reference"), name="wallets_proofdeposit_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0), ("fee_minor__gte", 0)),
                        name="wallets_proofdeposit_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("came_back_minor__gte", 0)), name="wallets_proofdeposit_came_back"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("booked_to", ""), ("journal", None)),
                            models.Q(("journal__isnull", False), models.Q(("booked_to", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="wallets_proofdeposit_booked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "succeeded"), ("journal__isnull", False), ("return_journal", None)),
                            ("state", "returned"),
                            models.Q(
                                models.Q(("state__in", ["succeeded", "returned"]), _negated=True),
                                ("journal", None),
                                ("return_journal", None),
                            ),
                            _connector="OR",
                        ),
                        name="wallets_proofdeposit_done_is_booked",
                    ),
                    models.CheckConstraint(condition=models.Q(("fee_minor", 0)), name="wallets_proofdeposit_free"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "top_up",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="wallets.topup",
                    ),
                ),
                (
                    "withdrawal",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="wallets.withdrawal",
                    ),
                ),
                (
                    "proof_deposit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="wallets.proofdeposit",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("request", "request"),
                            ("call", "the gateway's first answer"),
                            ("query", "the gateway, asked again"),
                            ("notification", "the gateway's notification"),
                            ("staff", "staff"),
                        ],
                        max_length=12,
                        verbose_name="from",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("pending", "under way"),
                            ("requires_action", "waits for the member"),
                            ("unknown", "outcome not known"),
                            ("conflict", "differs, waits for staff"),
                            ("returning", "being given back"),
                            ("succeeded", "done"),
                            ("failed", "failed"),
                            ("returned", "returned"),
                        ],
                        max_length=16,
                        verbose_name="state since",
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=16, verbose_name="what was said")),
                ("gateway", models.CharField(max_length=40, verbose_name="gateway")),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "event of an order",
                "verbose_name_plural": "events of orders",
                "ordering": ["pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("origin", "call")),
                        fields=["gateway", "-at"],
                        name="wallets_orderevent_health",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("proof_deposit", None), ("top_up__isnull", False), ("withdrawal", None)),
                            models.Q(("proof_deposit", None), ("top_up", None), ("withdrawal__isnull", False)),
                            models.Q(("proof_deposit__isnull", False), ("top_up", None), ("withdrawal", None)),
                            _connector="OR",
                        ),
                        name="wallets_orderevent_one_order",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OutsideCard",
            fields=[
                (
                    "instrument",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="card",
                        serialize=False,
                        to="wallets.instrument",
                    ),
                ),
                ("public_id", models.UUIDField(editable=False, help_text="its instrument's", unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.member"
                    ),
                ),
                (
                    "number",
                    paymentsite.core.vault.fields.EncryptedField(
                        "outside_card.number", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                (
                    "number_digest",
                    paymentsite.core.vault.fields.DigestField("outside_card.number", null=True, of="number"),
                ),
                (
                    "holder",
                    paymentsite.core.vault.fields.EncryptedField(
                        "outside_card.holder", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                ("last_four", models.CharField(max_length=4, verbose_name="last four")),
                (
                    "brand",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("visa", "Visa"),
                            ("mastercard", "Mastercard"),
                            ("unionpay", "UnionPay"),
                            ("amex", "American Express"),
                            ("jcb", "JCB"),
                            ("discover", "Discover"),
                            ("diners", "Diners Club"),
                            ("", "other"),
                        ],
                        max_length=12,
                        verbose_name="brand",
                    ),
                ),
                ("expires_on", models.DateField(verbose_name="last day")),
            ],
            options={
                "verbose_name": "outside card",
                "verbose_name_plural": "outside cards",
                "indexes": [models.Index(fields=["expires_on"], name="wallets_outsidecard_expiry")],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "number_digest"), name="wallets_outsidecard_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Exchange",
            fields=[
                (
                    "quote",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="exchange",
                        serialize=False,
                        to="wallets.exchangequote",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="exchanges", to="members.member"
                    ),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                (
                    "sold_from",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="wallets.wallet"
                    ),
                ),
                (
                    "bought_into",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="wallets.wallet"
                    ),
                ),
                (
                    "journal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "exchange",
                "verbose_name_plural": "exchanges",
                "constraints": [
                    models.UniqueConstraint(fields=("member", "reference"), name="wallets_exchange_reference")
                ],
            },
        ),
    ]
