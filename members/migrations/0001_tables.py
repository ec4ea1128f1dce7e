import django.core.serializers.json
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
import paymentsite.core.vault.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("members", "0001_initial"),
        ("members", "0002_member"),
        ("members", "0003_tier"),
        ("members", "0004_member_tiers"),
        ("members", "0005_pin"),
        ("members", "0006_rewards"),
        ("members", "0007_points"),
        ("members", "0008_limits"),
        ("members", "0009_kyc"),
        ("members", "0010_earn_rule_amount"),
        ("members", "0011_limit_use_again"),
        ("members", "0012_user_rights"),
        ("members", "0013_earn_rule_take_back"),
        ("members", "0014_phones_are_proven"),
        ("members", "0015_shares_in_percent"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("ledger", "0002_room_for_updates"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail address")),
                ("is_staff", models.BooleanField(default=False, verbose_name="staff")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "joined_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="joined"),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "permissions": [
                    ("set_rights", "Can propose rights, withdraw them, and deactivate people"),
                    ("approve_rights", "Can approve that rights are given"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sign-in",
                    ),
                ),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                ("handle", models.CharField(blank=True, max_length=30, null=True, unique=True, verbose_name="handle")),
                ("display_name", models.CharField(blank=True, max_length=80, verbose_name="name shown")),
                (
                    "phone",
                    paymentsite.core.vault.fields.EncryptedField(
                        "member.phone", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                ("phone_digest", paymentsite.core.vault.fields.DigestField("member.phone", null=True, of="phone")),
                ("phone_proven_at", models.DateTimeField(null=True, verbose_name="phone number proven")),
                (
                    "birthday",
                    paymentsite.core.vault.fields.EncryptedField(
                        "member.birthday", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                ("language", models.CharField(default="en", max_length=10, verbose_name="language")),
                ("time_zone", models.CharField(default="Asia/Shanghai", max_length=60, verbose_name="time zone")),
                ("home_currency", models.CharField(default="CNY", max_length=3, verbose_name="home currency")),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "active"), ("suspended", "suspended"), ("closed", "closed")],
                        default="active",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("kyc_level", models.PositiveSmallIntegerField(default=0, verbose_name="identity level")),
                ("joined_at", models.DateTimeField(verbose_name="joined")),
                ("erased_at", models.DateTimeField(null=True, verbose_name="personal data erased")),
            ],
            options={
                "verbose_name": "member",
                "verbose_name_plural": "members",
                "permissions": [
                    ("suspend", "Can suspend members and let them act again"),
                    ("erase", "Can propose to erase the personal data of members who have left"),
                    ("approve_erasure", "Can approve erasing personal data"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("handle", None),
                            ("handle", django.db.models.functions.text.Lower("handle")),
                            _connector="OR",
                        ),
                        name="members_member_handle_lower",
                    ),
                    models.CheckConstraint(condition=models.Q(("kyc_level__lte", 3)), name="members_member_kyc_level"),
                    models.CheckConstraint(
                        condition=models.Q(("erased_at", None), ("state", "closed"), _connector="OR"),
                        name="members_member_erased_is_closed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("phone_proven_at", None),
                            models.Q(("phone__isnull", False), ("phone_digest__isnull", False)),
                            _connector="OR",
                        ),
                        name="members_member_proven_phone_is_there",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("phone_proven_at__isnull", False)),
                        fields=("phone_digest",),
                        name="members_member_proven_phone_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KycCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="kyc_cases", to="members.member"
                    ),
                ),
                ("level", models.PositiveSmallIntegerField(verbose_name="level")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("submitted", "submitted"),
                            ("more_needed", "more needed"),
                            ("approved", "approved"),
                            ("rejected", "rejected"),
                        ],
                        default="draft",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                (
                    "legal_name",
                    paymentsite.core.vault.fields.EncryptedField(
                        "kyc.legal_name", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                (
                    "birthday",
                    paymentsite.core.vault.fields.EncryptedField(
                        "kyc.birthday", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                (
                    "document",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("id_card", "identity card"),
                            ("passport", "passport"),
                            ("residence_permit", "residence permit"),
                            ("driving_licence", "driving licence"),
                        ],
                        max_length=16,
                        verbose_name="document",
                    ),
                ),
                ("country", models.CharField(blank=True, max_length=2, verbose_name="issued by")),
                (
                    "number",
                    paymentsite.core.vault.fields.EncryptedField(
                        "kyc.number", bound_to=("public_id",), null=True, purpose="data"
                    ),
                ),
                ("number_digest", paymentsite.core.vault.fields.DigestField("kyc.number", null=True, of="number")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="note to the member")),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                ("submitted_at", models.DateTimeField(null=True, verbose_name="submitted at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
            ],
            options={
                "verbose_name": "identity case",
                "verbose_name_plural": "identity cases",
                "permissions": [
                    ("review_kyc", "Can decide on identity cases"),
                    ("see_kyc_documents", "Can see names, numbers and images of identity documents"),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "submitted")),
                        fields=["submitted_at"],
                        name="members_kyccase_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("level__gte", 1), ("level__lte", 3)), name="members_kyccase_level"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", False), ("state__in", ["approved", "rejected"])),
                            models.Q(("decided_at", None), ("state__in", ["draft", "submitted", "more_needed"])),
                            _connector="OR",
                        ),
                        name="members_kyccase_decided",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["draft", "submitted", "more_needed"])),
                        fields=("member",),
                        name="members_kyccase_one_open",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "approved")),
                        fields=("member", "level"),
                        name="members_kyccase_level_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "approved")),
                        fields=("document", "country", "number_digest"),
                        name="members_kyccase_document_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LimitUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                    ),
                ),
                ("source", models.CharField(max_length=120, unique=True, verbose_name="source")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("top_up", "top-up"),
                            ("transfer", "transfer"),
                            ("withdrawal", "withdrawal"),
                            ("payment", "payment"),
                            ("card", "card"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("zone", models.CharField(max_length=60, verbose_name="time zone")),
                (
                    "moved_from",
                    models.CharField(blank=True, help_text="the zone of the use before, if another", max_length=60),
                ),
                ("kind_minor", models.BigIntegerField()),
                ("kind_count", models.BigIntegerField()),
                ("joint_minor", models.BigIntegerField()),
                ("joint_count", models.BigIntegerField()),
                (
                    "judged",
                    models.JSONField(
                        help_text="each limit that applied, and since when it counted", verbose_name="judged by"
                    ),
                ),
                ("given_back_at", models.DateTimeField(blank=True, null=True, verbose_name="given back")),
                ("lapsed_at", models.DateTimeField(blank=True, null=True, verbose_name="did not count since")),
                ("counted_again_at", models.DateTimeField(blank=True, null=True, verbose_name="counts again since")),
            ],
            options={
                "verbose_name": "use of limits",
                "verbose_name_plural": "uses of limits",
                "indexes": [
                    models.Index(fields=["member", "currency", "at", "id"], name="members_limituse_joint"),
                    models.Index(fields=["member", "currency", "kind", "at", "id"], name="members_limituse_kind"),
                    models.Index(
                        condition=models.Q(("given_back_at__isnull", False)),
                        fields=["member", "currency", "at"],
                        name="members_limituse_back",
                    ),
                    models.Index(
                        condition=models.Q(("moved_from", ""), _negated=True),
                        fields=["member", "currency", "at"],
                        name="members_limituse_moved",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gte", 0)), name="members_limituse_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("counted_again_at", None), ("lapsed_at", None)),
                            ("lapsed_at__lte", models.F("counted_again_at")),
                            _connector="OR",
                        ),
                        name="members_limituse_lapse",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("joint_minor__gte", models.F("kind_minor")),
                            ("kind_minor__gte", models.F("amount_minor")),
                            ("joint_count__gte", models.F("kind_count")),
                            ("kind_count__gte", 1),
                        ),
                        name="members_limituse_totals",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Purchase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=80, unique=True, verbose_name="payment")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchases",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="price")),
                (
                    "earning_minor",
                    models.BigIntegerField(
                        help_text="what was paid with points, for example, does not", verbose_name="of which earns"
                    ),
                ),
                ("refunded_minor", models.BigIntegerField(default=0, verbose_name="refunded")),
                ("merchant", models.CharField(blank=True, max_length=80, verbose_name="merchant")),
                ("category", models.CharField(blank=True, max_length=80, verbose_name="category")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("final_at", models.DateTimeField(null=True, verbose_name="final")),
            ],
            options={
                "verbose_name": "purchase",
                "verbose_name_plural": "purchases",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gt", 0),
                            ("earning_minor__gte", 0),
                            ("earning_minor__lte", models.F("amount_minor")),
                            ("refunded_minor__gte", 0),
                            ("refunded_minor__lte", models.F("amount_minor")),
                        ),
                        name="members_purchase_amounts",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EarnBudget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="code")),
                ("total", models.BigIntegerField(verbose_name="points it may give")),
                (
                    "used",
                    models.BigIntegerField(
                        default=0, help_text="less what was taken back", verbose_name="points given"
                    ),
                ),
            ],
            options={
                "verbose_name": "campaign budget",
                "verbose_name_plural": "campaign budgets",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("used__gte", 0), ("used__lte", models.F("total"))),
                        name="members_earn_budget_kept",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EarnRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, verbose_name="code")),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("name_en", models.CharField(max_length=60, verbose_name="name in English")),
                ("name_zh", models.CharField(blank=True, max_length=60, verbose_name="name in Chinese")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("amount", "for each amount paid"),
                            ("first_purchase", "for the first purchase"),
                            ("birthday", "for a purchase on one's birthday"),
                            ("referral", "for bringing a member, who has bought for good"),
                        ],
                        max_length=20,
                        verbose_name="earned",
                    ),
                ),
                ("points", models.BigIntegerField(help_text="for each such amount, or in all", verbose_name="points")),
                (
                    "per_minor",
                    models.BigIntegerField(
                        blank=True,
                        help_text="in the currency's smallest part; what is left over earns nothing",
                        null=True,
                        verbose_name="for each",
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                (
                    "least_minor",
                    models.BigIntegerField(default=0, help_text="a smaller payment earns nothing", verbose_name="from"),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[("any", "any purchase"), ("merchant", "one merchant"), ("category", "one category")],
                        default="any",
                        max_length=10,
                        verbose_name="of",
                    ),
                ),
                ("scope_key", models.CharField(blank=True, max_length=80, verbose_name="which one")),
                ("by_tier", models.BooleanField(default=False, verbose_name="times the tier's rate")),
                (
                    "stacks",
                    models.BooleanField(
                        default=False,
                        help_text="of those that are not, the one that gives the most counts alone",
                        verbose_name="on top",
                    ),
                ),
                ("qualifies", models.BooleanField(default=False, verbose_name="counts towards a tier")),
                (
                    "pending",
                    models.CharField(
                        choices=[
                            ("none", "not at all"),
                            ("days", "for some days"),
                            ("final", "until the payment is final"),
                        ],
                        default="none",
                        max_length=10,
                        verbose_name="pending",
                    ),
                ),
                ("pending_days", models.PositiveSmallIntegerField(default=0, verbose_name="days pending")),
                (
                    "expiry",
                    models.CharField(
                        choices=[
                            ("months", "at the end of a month, some months later"),
                            ("next_year", "at the end of the next year"),
                            ("never", "never"),
                        ],
                        default="never",
                        max_length=10,
                        verbose_name="expires",
                    ),
                ),
                ("expiry_months", models.PositiveSmallIntegerField(default=0, verbose_name="months")),
                (
                    "take_back",
                    models.CharField(
                        choices=[
                            ("pending", "only while they are pending"),
                            ("zero", "down to zero"),
                            ("debt", "into a debt"),
                        ],
                        default="zero",
                        max_length=10,
                        verbose_name="taken back",
                    ),
                ),
                (
                    "budget",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="members.earnbudget",
                        verbose_name="budget",
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="in force from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("superseded_at", models.DateTimeField(blank=True, null=True, verbose_name="superseded")),
            ],
            options={
                "verbose_name": "earn rule",
                "verbose_name_plural": "earn rules",
                "ordering": ["code", "version"],
                "permissions": [
                    ("propose_earn_rules", "can propose earn rules, budgets and the value of a point"),
                    ("approve_earn_rules", "can approve earn rules, budgets and the value of a point"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("code", "version"), name="members_earn_rule_version"),
                    models.UniqueConstraint(
                        condition=models.Q(("superseded_at__isnull", True)),
                        fields=("code",),
                        name="members_earn_rule_latest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("least_minor__gte", 0), ("points__gt", 0), ("points__lte", 1000000000)),
                        name="members_earn_rule_points",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "amount"),
                                ("per_minor__gt", 0),
                                ("per_minor__isnull", False),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            models.Q(models.Q(("kind", "amount"), _negated=True), ("per_minor__isnull", True)),
                            _connector="OR",
                        ),
                        name="members_earn_rule_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("least_minor", 0), models.Q(("currency", ""), _negated=True), _connector="OR"
                        ),
                        name="members_earn_rule_least_of_what",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scope", "any"), ("scope_key", "")),
                            models.Q(
                                models.Q(("scope", "any"), _negated=True), models.Q(("scope_key", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="members_earn_rule_scope",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("pending", "days"), ("pending_days__gt", 0)),
                            models.Q(models.Q(("pending", "days"), _negated=True), ("pending_days", 0)),
                            _connector="OR",
                        ),
                        name="members_earn_rule_pending",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expiry", "months"), ("expiry_months__gt", 0), ("expiry_months__lte", 600)),
                            models.Q(models.Q(("expiry", "months"), _negated=True), ("expiry_months", 0)),
                            _connector="OR",
                        ),
                        name="members_earn_rule_expiry",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                        ),
                        name="members_earn_rule_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("pending", "none"), ("take_back", "pending"), _negated=True),
                            ("superseded_at__isnull", False),
                            _connector="OR",
                        ),
                        name="members_earn_rule_take_back",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "referral"), _negated=True),
                            models.Q(
                                ("currency", ""),
                                ("qualifies", False),
                                ("scope", "any"),
                                models.Q(("pending", "final"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="members_earn_rule_referral",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KycEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="members.kyccase"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("submitted", "submitted"),
                            ("more_needed", "more needed"),
                            ("approved", "approved"),
                            ("rejected", "rejected"),
                        ],
                        max_length=12,
                        verbose_name="state since",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unreadable", "an image cannot be read"),
                            ("expired", "the document has expired"),
                            ("mismatch", "the details and the document differ"),
                            ("incomplete", "something is missing"),
                            ("not_accepted", "a document of this kind is not accepted"),
                            ("doubtful", "there are doubts whose document it is"),
                        ],
                        max_length=12,
                        verbose_name="reason",
                    ),
                ),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "change of an identity case",
                "verbose_name_plural": "changes of identity cases",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="KycImage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="images", to="members.kyccase"
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        choices=[
                            ("front", "front"),
                            ("back", "back"),
                            ("selfie", "the holder's face"),
                            ("address", "proof of address"),
                        ],
                        max_length=8,
                    ),
                ),
                ("media_type", models.CharField(max_length=20)),
                ("size", models.PositiveIntegerField()),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "image of a document",
                "verbose_name_plural": "images of documents",
                "constraints": [
                    models.UniqueConstraint(fields=("case", "side"), name="members_kycimage_side_once"),
                    models.CheckConstraint(
                        condition=models.Q(("media_type__in", ["image/jpeg", "image/png", "application/pdf"])),
                        name="members_kycimage_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("size__gt", 0), ("size__lte", 5242880)), name="members_kycimage_size"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KycChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="members.kycimage"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "content",
                    paymentsite.core.vault.fields.EncryptedField(
                        "kyc.image", bound_to=("image", "position"), purpose="data"
                    ),
                ),
            ],
            options={
                "verbose_name": "part of an image",
                "verbose_name_plural": "parts of images",
                "constraints": [models.UniqueConstraint(fields=("image", "position"), name="members_kycchunk_once")],
            },
        ),
        migrations.CreateModel(
            name="PointValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("points", models.BigIntegerField(verbose_name="points")),
                (
                    "value_minor",
                    models.BigIntegerField(help_text="in the currency's smallest part", verbose_name="are worth"),
                ),
                ("starts_at", models.DateTimeField(verbose_name="from")),
            ],
            options={
                "verbose_name": "value of points",
                "verbose_name_plural": "values of points",
                "ordering": ["-starts_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("points__gt", 0), ("value_minor__gt", 0)),
                        name="members_point_value_positive",
                    ),
                    models.UniqueConstraint(fields=("currency", "starts_at"), name="members_point_value_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Earning",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=80, verbose_name="for")),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="earnings",
                        to="members.earnrule",
                        verbose_name="rule",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="earnings",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "purchase",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="earnings",
                        to="members.purchase",
                    ),
                ),
                ("points", models.BigIntegerField(verbose_name="points")),
                ("earn_bp", models.PositiveIntegerField(verbose_name="tier's rate")),
                ("qualifying", models.BigIntegerField(default=0, verbose_name="qualifying points")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "pending"), ("given", "given"), ("taken_back", "taken back")],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "pending_until",
                    models.DateTimeField(
                        help_text="empty: until the payment is final", null=True, verbose_name="pending until"
                    ),
                ),
                ("given_at", models.DateTimeField(null=True, verbose_name="given at")),
                ("expires_on", models.DateField(null=True, verbose_name="expires on")),
                ("given_points", models.BigIntegerField(default=0, verbose_name="given as points")),
                ("repaid_debt", models.BigIntegerField(default=0, verbose_name="repaid a debt")),
                ("taken_pending", models.BigIntegerField(default=0, verbose_name="taken while pending")),
                ("taken_points", models.BigIntegerField(default=0, verbose_name="taken from points")),
                ("taken_repaid", models.BigIntegerField(default=0, verbose_name="owed again")),
                ("taken_debt", models.BigIntegerField(default=0, verbose_name="taken as a debt")),
                ("lapsed", models.BigIntegerField(default=0, verbose_name="had lapsed")),
                ("forgiven", models.BigIntegerField(default=0, verbose_name="left to the member")),
                ("taken_qualifying", models.BigIntegerField(default=0, verbose_name="qualifying points taken")),
            ],
            options={
                "verbose_name": "earning",
                "verbose_name_plural": "earnings",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["pending_until"], name="members_earning_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "rule"), name="members_earning_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("forgiven__gte", 0),
                            ("given_points__gte", 0),
                            ("lapsed__gte", 0),
                            ("lapsed__lte", models.F("given_points")),
                            ("points__gt", 0),
                            (
                                "points__gte",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    models.F("taken_pending"), "+", models.F("taken_points")
                                                ),
                                                "+",
                                                models.F("taken_repaid"),
                                            ),
                                            "+",
                                            models.F("taken_debt"),
                                        ),
                                        "+",
                                        models.F("lapsed"),
                                    ),
                                    "+",
                                    models.F("forgiven"),
                                ),
                            ),
                            ("qualifying__gte", 0),
                            ("repaid_debt__gte", 0),
                            ("taken_debt__gte", 0),
                            ("taken_pending__gte", 0),
                            ("taken_points__gte", 0),
                            ("taken_qualifying__gte", 0),
                            ("taken_qualifying__lte", models.F("qualifying")),
                            ("taken_repaid__gte", 0),
                            ("taken_repaid__lte", models.F("repaid_debt")),
                        ),
                        name="members_earning_figures",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("given_at__isnull", True),
                                ("given_points", 0),
                                ("points__gte", models.F("taken_pending")),
                                ("repaid_debt", 0),
                                ("forgiven", 0),
                                ("lapsed", 0),
                                ("taken_debt", 0),
                                ("taken_points", 0),
                            ),
                            models.Q(
                                ("given_at__isnull", False),
                                (
                                    "points",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("given_points"), "+", models.F("repaid_debt")
                                        ),
                                        "+",
                                        models.F("taken_pending"),
                                    ),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="members_earning_given_or_not",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("given_at__isnull", True),
                                (
                                    "points__gt",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    django.db.models.expressions.CombinedExpression(
                                                        models.F("taken_pending"), "+", models.F("taken_points")
                                                    ),
                                                    "+",
                                                    models.F("taken_repaid"),
                                                ),
                                                "+",
                                                models.F("taken_debt"),
                                            ),
                                            "+",
                                            models.F("lapsed"),
                                        ),
                                        "+",
                                        models.F("forgiven"),
                                    ),
                                ),
                                ("state", "pending"),
                            ),
                            models.Q(
                                ("given_at__isnull", False),
                                (
                                    "points__gt",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    django.db.models.expressions.CombinedExpression(
                                                        models.F("taken_pending"), "+", models.F("taken_points")
                                                    ),
                                                    "+",
                                                    models.F("taken_repaid"),
                                                ),
                                                "+",
                                                models.F("taken_debt"),
                                            ),
                                            "+",
                                            models.F("lapsed"),
                                        ),
                                        "+",
                                        models.F("forgiven"),
                                    ),
                                ),
                                ("state", "given"),
                            ),
                            models.Q(
                                (
                                    "points",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    django.db.models.expressions.CombinedExpression(
                                                        models.F("taken_pending"), "+", models.F("taken_points")
                                                    ),
                                                    "+",
                                                    models.F("taken_repaid"),
                                                ),
                                                "+",
                                                models.F("taken_debt"),
                                            ),
                                            "+",
                                            models.F("lapsed"),
                                        ),
                                        "+",
                                        models.F("forgiven"),
                                    ),
                                ),
                                ("state", "taken_back"),
                            ),
                            _connector="OR",
                        ),
                        name="members_earning_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expires_on__isnull", True), ("given_points", 0)),
                            models.Q(("expires_on__isnull", False), ("given_points__gt", 0)),
                            _connector="OR",
                        ),
                        name="members_earning_expires",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PurchaseRefund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purchase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="members.purchase"
                    ),
                ),
                ("cause", models.CharField(max_length=80, verbose_name="refund")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "refund of a purchase",
                "verbose_name_plural": "refunds of purchases",
                "constraints": [
                    models.UniqueConstraint(fields=("purchase", "cause"), name="members_purchase_refund_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)), name="members_purchase_refund_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=30, unique=True, verbose_name="code")),
                ("name_en", models.CharField(max_length=40, verbose_name="name in English")),
                ("name_zh", models.CharField(blank=True, max_length=40, verbose_name="name in Chinese")),
                (
                    "rank",
                    models.PositiveSmallIntegerField(help_text="higher is better", unique=True, verbose_name="rank"),
                ),
                (
                    "threshold",
                    models.BigIntegerField(
                        default=0,
                        help_text="what it takes within the window, in the programme's measure",
                        verbose_name="threshold",
                    ),
                ),
                (
                    "earn_bp",
                    models.PositiveIntegerField(
                        default=10000,
                        help_text="a hundred percent earn what the rules say, two hundred twice that",
                        verbose_name="earn rate",
                    ),
                ),
                ("fee_discount_bp", models.PositiveIntegerField(default=0, verbose_name="fee discount")),
                ("free_withdrawals", models.PositiveIntegerField(default=0, verbose_name="free withdrawals a month")),
                ("fx_margin_bp", models.PositiveIntegerField(default=100, verbose_name="exchange margin")),
                (
                    "upgrade_points",
                    models.BigIntegerField(
                        blank=True,
                        help_text="for going up to it; empty where it cannot be bought",
                        null=True,
                        verbose_name="price in points",
                    ),
                ),
            ],
            options={
                "verbose_name": "tier",
                "verbose_name_plural": "tiers",
                "ordering": ["rank"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("threshold__gte", 0)), name="members_tier_threshold"),
                    models.CheckConstraint(condition=models.Q(("earn_bp__lte", 1000000)), name="members_tier_earn"),
                    models.CheckConstraint(
                        condition=models.Q(("fee_discount_bp__lte", 10000)), name="members_tier_fee_discount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fx_margin_bp__lte", 10000)), name="members_tier_fx_margin"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("upgrade_points", None), ("upgrade_points__gt", 0), _connector="OR"),
                        name="members_tier_price",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reward",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("coupon", "coupon"), ("goods", "goods"), ("wallet_credit", "money in a wallet")],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("name_en", models.CharField(max_length=80, verbose_name="name in English")),
                ("name_zh", models.CharField(blank=True, max_length=80, verbose_name="name in Chinese")),
                (
                    "description_en",
                    models.TextField(blank=True, max_length=1000, verbose_name="description in English"),
                ),
                (
                    "description_zh",
                    models.TextField(blank=True, max_length=1000, verbose_name="description in Chinese"),
                ),
                ("points", models.BigIntegerField(verbose_name="price in points")),
                ("stock", models.PositiveIntegerField(blank=True, null=True, verbose_name="stock")),
                ("stock_left", models.PositiveIntegerField(blank=True, null=True, verbose_name="left")),
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
                ("from_at", models.DateTimeField(blank=True, null=True, verbose_name="from")),
                ("until_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "credit_minor",
                    models.BigIntegerField(
                        blank=True, help_text="in the smallest parts", null=True, verbose_name="value"
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                ("discount_bp", models.PositiveIntegerField(blank=True, null=True, verbose_name="discount")),
                (
                    "coupon_days",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="days that a coupon lasts"),
                ),
                ("offered_at", models.DateTimeField(verbose_name="offered")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn")),
            ],
            options={
                "verbose_name": "reward",
                "verbose_name_plural": "rewards",
                "permissions": [
                    ("propose_rewards", "can propose to offer rewards, and withdraw them"),
                    ("approve_rewards", "can approve that rewards are offered"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("points__gt", 0)), name="members_reward_price"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("stock", None), ("stock_left", None)),
                            models.Q(
                                ("stock__isnull", False),
                                ("stock_left__gte", 0),
                                ("stock_left__isnull", False),
                                ("stock_left__lte", models.F("stock")),
                            ),
                            _connector="OR",
                        ),
                        name="members_reward_stock",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("credit_minor", None), ("credit_minor__gt", 0), _connector="OR"),
                        name="members_reward_value",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credit_minor", None), ("currency", "")),
                            models.Q(("credit_minor__isnull", False), models.Q(("currency", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="members_reward_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("discount_bp", None),
                            models.Q(("discount_bp__gt", 0), ("discount_bp__lte", 10000)),
                            _connector="OR",
                        ),
                        name="members_reward_discount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("coupon_days", None), ("credit_minor", None), ("discount_bp", None), ("kind", "goods")
                            ),
                            models.Q(
                                ("coupon_days", None),
                                ("credit_minor__isnull", False),
                                ("discount_bp", None),
                                ("kind", "wallet_credit"),
                            ),
                            models.Q(
                                ("coupon_days__gt", 0),
                                ("credit_minor__isnull", False),
                                ("discount_bp", None),
                                ("kind", "coupon"),
                            ),
                            models.Q(
                                ("coupon_days__gt", 0),
                                ("credit_minor", None),
                                ("discount_bp__isnull", False),
                                ("kind", "coupon"),
                            ),
                            _connector="OR",
                        ),
                        name="members_reward_terms",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Redemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="redemptions", to="members.member"
                    ),
                ),
                (
                    "reward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="redemptions", to="members.reward"
                    ),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="reference")),
                ("points", models.BigIntegerField(verbose_name="points")),
                (
                    "journal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("done", "done"), ("cancelled", "cancelled")],
                        default="done",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("cancelled_at", models.DateTimeField(null=True, verbose_name="cancelled")),
                ("cancelled_by", models.CharField(blank=True, max_length=80, verbose_name="cancelled by")),
                ("cancel_reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                (
                    "cancel_journal",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
            ],
            options={
                "verbose_name": "redemption",
                "verbose_name_plural": "redemptions",
                "permissions": [("cancel_redemption", "can cancel redemptions")],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "reference"), name="members_redemption_once"),
                    models.CheckConstraint(condition=models.Q(("points__gt", 0)), name="members_redemption_points"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("cancel_journal", None),
                                ("cancelled_at", None),
                                ("cancelled_by", ""),
                                ("state", "done"),
                            ),
                            models.Q(
                                ("cancel_journal__isnull", False),
                                ("cancelled_at__isnull", False),
                                ("state", "cancelled"),
                                models.Q(("cancelled_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="members_redemption_cancelled",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Coupon",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "redemption",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="coupon", to="members.redemption"
                    ),
                ),
                (
                    "code",
                    paymentsite.core.vault.fields.EncryptedField(
                        "coupon.code", bound_to=("public_id",), purpose="data"
                    ),
                ),
                ("code_digest", paymentsite.core.vault.fields.DigestField("coupon.code", of="code", unique=True)),
                ("value_minor", models.BigIntegerField(null=True, verbose_name="value")),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                ("discount_bp", models.PositiveIntegerField(null=True, verbose_name="discount")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("used", "used"),
                            ("expired", "expired"),
                            ("cancelled", "cancelled"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("used_at", models.DateTimeField(null=True, verbose_name="used")),
                ("used_by", models.CharField(blank=True, max_length=80, verbose_name="used by")),
                ("used_for", models.CharField(blank=True, max_length=80, verbose_name="used for")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="expired or cancelled")),
            ],
            options={
                "verbose_name": "coupon",
                "verbose_name_plural": "coupons",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["expires_at"], name="members_coupon_open"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state", "used"),
                                ("used_at__isnull", False),
                                models.Q(("used_by", ""), _negated=True),
                                models.Q(("used_for", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "used"), _negated=True),
                                ("used_at", None),
                                ("used_by", ""),
                                ("used_for", ""),
                            ),
                            _connector="OR",
                        ),
                        name="members_coupon_used",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", False), ("state__in", ["expired", "cancelled"])),
                            models.Q(("ended_at", None), ("state__in", ["open", "used"])),
                            _connector="OR",
                        ),
                        name="members_coupon_ended",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("discount_bp", None), ("value_minor__gt", 0), models.Q(("currency", ""), _negated=True)
                            ),
                            models.Q(
                                ("currency", ""),
                                ("discount_bp__gt", 0),
                                ("discount_bp__lte", 10000),
                                ("value_minor", None),
                            ),
                            _connector="OR",
                        ),
                        name="members_coupon_terms",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Limit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="in force from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="in force until")),
                ("set_by", models.CharField(max_length=80, verbose_name="set by")),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="limits",
                        to="members.member",
                    ),
                ),
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
                ("level", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="identity level")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("top_up", "top-up"),
                            ("transfer", "transfer"),
                            ("withdrawal", "withdrawal"),
                            ("payment", "payment"),
                            ("card", "card"),
                            ("any", "all together"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "measure",
                    models.CharField(
                        choices=[("amount", "amount"), ("count", "number of times"), ("balance", "balance")],
                        max_length=7,
                        verbose_name="measure",
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("act", "each time"),
                            ("day", "a day"),
                            ("week", "a week"),
                            ("month", "a month"),
                            ("year", "a year"),
                            ("always", "at any time"),
                        ],
                        max_length=6,
                        verbose_name="period",
                    ),
                ),
                (
                    "cap",
                    models.BigIntegerField(
                        help_text="in the currency's smallest parts, or how many times", verbose_name="cap"
                    ),
                ),
            ],
            options={
                "verbose_name": "limit",
                "verbose_name_plural": "limits",
                "permissions": [
                    ("set_limits", "Can propose limits and lower them"),
                    ("approve_limits", "Can approve limits that others propose"),
                ],
                "indexes": [models.Index(fields=["currency", "starts_at"], name="members_limit_currency")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cap__gte", 0), ("cap__lte", 1000000000000000)), name="members_limit_cap"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at", None), ("ends_at__gte", models.F("starts_at")), _connector="OR"),
                        name="members_limit_times",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("level", None), ("level__lte", 3), _connector="OR"),
                        name="members_limit_level",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("member", None), ("tier", None)),
                            models.Q(("level", None), ("member", None)),
                            models.Q(("level", None), ("tier", None)),
                            _connector="OR",
                        ),
                        name="members_limit_one_whom",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "any"), ("measure", "balance"), ("period", "always")),
                            models.Q(
                                models.Q(("measure", "balance"), _negated=True),
                                models.Q(("period", "always"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="members_limit_balance",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("measure", "count"), _negated=True),
                            models.Q(("period", "act"), _negated=True),
                            _connector="OR",
                        ),
                        name="members_limit_count_over_time",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.comparison.Coalesce("member_id", models.Value(0)),
                        django.db.models.functions.comparison.Coalesce("tier_id", models.Value(0)),
                        django.db.models.functions.comparison.Coalesce("level", models.Value(-1)),
                        models.F("kind"),
                        models.F("currency"),
                        models.F("measure"),
                        models.F("period"),
                        condition=models.Q(("ends_at", None)),
                        name="members_limit_one_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TierProgramme",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "measure",
                    models.CharField(
                        choices=[("qualifying", "qualifying points"), ("spend", "spend")],
                        default="qualifying",
                        max_length=10,
                        verbose_name="measure",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="CNY",
                        help_text="what is spent counts in this currency",
                        max_length=3,
                        verbose_name="currency",
                    ),
                ),
                (
                    "window",
                    models.CharField(
                        choices=[
                            ("rolling", "the last 12 months"),
                            ("year", "the calendar year"),
                            ("ever", "since joining"),
                        ],
                        default="rolling",
                        max_length=10,
                        verbose_name="window",
                    ),
                ),
                (
                    "grace_days",
                    models.PositiveSmallIntegerField(default=0, verbose_name="days of grace before going down"),
                ),
                (
                    "step_down",
                    models.CharField(
                        choices=[("one", "one step"), ("straight", "straight")],
                        default="straight",
                        max_length=10,
                        verbose_name="way down",
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=0, help_text="counts changes of the programme and of tiers", verbose_name="version"
                    ),
                ),
            ],
            options={
                "verbose_name": "tier programme",
                "verbose_name_plural": "tier programme",
                "permissions": [
                    ("propose_tiers", "can propose changes of tiers and of their programme"),
                    ("approve_tiers", "can approve changes of tiers and of their programme"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="members_tierprogramme_one"),
                    models.CheckConstraint(
                        condition=models.Q(("grace_days__lte", 366)), name="members_tierprogramme_grace"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MemberTier",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="standing",
                        serialize=False,
                        to="members.member",
                    ),
                ),
                (
                    "tier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.tier",
                        verbose_name="tier",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                (
                    "kept",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.tier",
                        verbose_name="kept tier",
                    ),
                ),
                ("kept_until", models.DateTimeField(null=True, verbose_name="kept until")),
                (
                    "kept_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("earned", "earned"),
                            ("grace_over", "grace over"),
                            ("given", "given"),
                            ("given_ended", "what was given ended"),
                            ("bought", "bought"),
                            ("bought_ended", "what was bought ended"),
                            ("programme_changed", "programme changed"),
                        ],
                        max_length=20,
                        verbose_name="kept because",
                    ),
                ),
                ("grace_until", models.DateTimeField(null=True, verbose_name="grace until")),
                ("due_at", models.DateTimeField(null=True, verbose_name="looked at again")),
                ("version", models.PositiveIntegerField(verbose_name="version of the programme")),
            ],
            options={
                "verbose_name": "tier of a member",
                "verbose_name_plural": "tiers of members",
                "permissions": [
                    ("propose_member_tier", "can propose to give a member a tier"),
                    ("approve_member_tier", "can approve that a member is given a tier"),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at", None), _negated=True),
                        fields=["due_at"],
                        name="members_membertier_due",
                    ),
                    models.Index(fields=["version"], name="members_membertier_version"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kept", None), ("kept_by", ""), ("kept_until", None)),
                            models.Q(
                                ("kept__isnull", False),
                                ("kept_by__in", ["given", "bought"]),
                                ("kept_until__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="members_membertier_kept",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Pin",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="pin",
                        serialize=False,
                        to="members.member",
                    ),
                ),
                (
                    "hashed",
                    paymentsite.core.vault.fields.EncryptedField(
                        "member.pin", bound_to=("member",), null=True, purpose="pepper"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0, verbose_name="changes")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries since the last right one")),
                (
                    "locks",
                    models.PositiveSmallIntegerField(default=0, verbose_name="times locked since the last right one"),
                ),
                ("locked_until", models.DateTimeField(null=True, verbose_name="locked until")),
                ("set_at", models.DateTimeField(null=True, verbose_name="set")),
            ],
            options={
                "verbose_name": "payment PIN",
                "verbose_name_plural": "payment PINs",
                "permissions": [
                    ("clear_pin", "Can propose to clear a member's payment PIN"),
                    ("approve_clear_pin", "Can approve clearing a member's payment PIN"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("locked_until", None), ("tries__lt", 5)),
                            models.Q(("locked_until__isnull", False), ("tries", 5)),
                            _connector="OR",
                        ),
                        name="members_pin_lock",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("locks__lte", 3), models.Q(("locked_until", None), ("locks__gt", 0), _connector="OR")
                        ),
                        name="members_pin_locks",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("hashed__isnull", True), ("set_at", None)),
                            models.Q(("hashed__isnull", False), ("set_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="members_pin_set",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="referral",
                        serialize=False,
                        to="members.member",
                    ),
                ),
                (
                    "referrer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="referrals", to="members.member"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("due_at", models.DateTimeField(null=True, verbose_name="earned at")),
                ("rewarded_at", models.DateTimeField(null=True, verbose_name="rewarded at")),
            ],
            options={
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False), ("rewarded_at__isnull", True)),
                        fields=["due_at"],
                        name="members_referral_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("member", models.F("referrer")), _negated=True),
                        name="members_referral_of_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rewarded_at__isnull", True), ("due_at__isnull", False), _connector="OR"),
                        name="members_referral_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TierChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(editable=False, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tier_changes", to="members.member"
                    ),
                ),
                (
                    "before",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.tier",
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.tier",
                        verbose_name="after",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("earned", "earned"),
                            ("grace_over", "grace over"),
                            ("given", "given"),
                            ("given_ended", "what was given ended"),
                            ("bought", "bought"),
                            ("bought_ended", "what was bought ended"),
                            ("programme_changed", "programme changed"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=255, verbose_name="note")),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                (
                    "figures",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name="figures"
                    ),
                ),
                ("until", models.DateTimeField(null=True, verbose_name="kept until")),
                ("reference", models.CharField(blank=True, max_length=100, verbose_name="reference")),
                ("points", models.BigIntegerField(null=True, verbose_name="points")),
                (
                    "journal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.journal"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "change of tier",
                "verbose_name_plural": "changes of tier",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("reference", ""), _negated=True),
                        fields=("member", "reference"),
                        name="members_tierchange_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("journal__isnull", False),
                                ("points__gt", 0),
                                ("reason", "bought"),
                                models.Q(("reference", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("reason", "bought"), _negated=True),
                                ("journal", None),
                                ("points", None),
                                ("reference", ""),
                            ),
                            _connector="OR",
                        ),
                        name="members_tierchange_bought",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Progress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="progress",
                        to="members.member",
                    ),
                ),
                ("source", models.CharField(max_length=80, verbose_name="earned by")),
                ("cause", models.CharField(blank=True, max_length=80, verbose_name="taken back by")),
                ("qualifying", models.BigIntegerField(verbose_name="qualifying points")),
                ("spend_minor", models.BigIntegerField(verbose_name="spend")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("at", models.DateTimeField(verbose_name="counts from")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
            ],
            options={
                "verbose_name": "progress towards tiers",
                "verbose_name_plural": "progress towards tiers",
                "indexes": [models.Index(fields=["member", "at"], name="members_progress_window")],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "cause"), name="members_progress_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cause", ""), ("qualifying__gte", 0), ("spend_minor__gte", 0)),
                            models.Q(
                                models.Q(("cause", ""), _negated=True), ("qualifying__lte", 0), ("spend_minor__lte", 0)
                            ),
                            _connector="OR",
                        ),
                        name="members_progress_sign",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PinRecovery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pin_recoveries", to="members.member"
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=80)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "recovery of a payment PIN",
                "verbose_name_plural": "recoveries of payment PINs",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("tries__lte", 3)), name="members_pinrecovery_tries")
                ],
            },
        ),
        migrations.CreateModel(
            name="PhoneProof",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="phone_proofs", to="members.member"
                    ),
                ),
                (
                    "number",
                    paymentsite.core.vault.fields.EncryptedField(
                        "phone_proof.number", bound_to=("member",), purpose="data"
                    ),
                ),
                ("number_digest", paymentsite.core.vault.fields.DigestField("phone_proof.number", of="number")),
                ("nth", models.PositiveIntegerField(null=True)),
                ("digest", models.CharField(editable=False, max_length=80)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "proof of a phone number",
                "verbose_name_plural": "proofs of phone numbers",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("tries__lte", 3)), name="members_phoneproof_tries"),
                    models.CheckConstraint(
                        condition=models.Q(("used_at", None), ("nth__isnull", False), _connector="OR"),
                        name="members_phoneproof_used_was_sent",
                    ),
                    models.UniqueConstraint(fields=("number_digest", "nth"), name="members_phoneproof_nth"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="members.member"
                    ),
                ),
                ("kind", models.CharField(max_length=60)),
                ("subject", models.CharField(help_text="what it is about, once for each kind", max_length=120)),
                ("facts", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                ("mailed_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "notice",
                "verbose_name_plural": "notices",
                "indexes": [
                    models.Index(condition=models.Q(("mailed_at", None)), fields=["id"], name="members_notice_unmailed")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "kind", "subject"), name="members_notice_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="MemberEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="members.member"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("joined", "joined"),
                            ("suspended", "suspended"),
                            ("resumed", "resumed"),
                            ("closed", "closed"),
                            ("erased", "personal data erased"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "active"), ("suspended", "suspended"), ("closed", "closed")],
                        max_length=10,
                        verbose_name="state since",
                    ),
                ),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "change of a member",
                "verbose_name_plural": "changes of members",
                "ordering": ["pk"],
            },
        ),
    ]
