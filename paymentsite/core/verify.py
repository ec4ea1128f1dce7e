"""What must always be true of the core: the database guards what it should, and the core's own records agree."""

from collections.abc import Iterator
from functools import lru_cache, reduce
from operator import and_
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, QuerySet

from paymentsite.core import clock, declared, immutability, jobs, standing, terms, vault
from paymentsite.core.models import JobRun
from paymentsite.core.services import approvals, audit, open_item_checks, trail
from paymentsite.core.vault import loading
from paymentsite.core.vault.errors import UnusableKeysError
from paymentsite.core.verification import Fault, Run, check


@check(
    "core.triggers_stand",
    "What is written once is guarded by its triggers, which are on; no table has other triggers, or rules.",
)
def triggers_stand(_: Run) -> Iterator[Fault]:
    for sentence in immutability.missing_triggers(connection):
        table, _colon, what = sentence.rpartition(": ")
        yield table or "the session", what
    yield from immutability.strangers(connection, [model._meta.db_table for model in standing.tables()])


@check("core.constraints_stand", "Every constraint that the code declares stands in the database and is in force.")
def constraints_stand(run: Run) -> Iterator[Fault]:
    idle = run.once(standing.idle)
    for model in standing.tables():
        table, found = model._meta.db_table, run.once(standing.constraints).get(model._meta.db_table)
        if found is None:
            yield table, "the table does not exist"
            continue
        yield from ((table, what) for what in _lacking(model, found, run.once(standing.partial)))
        yield from (
            (table, f"{name} may be empty") for name in _required(model) if (table, name) in run.once(standing.optional)
        )
        yield from ((table, f"{name} is not in force") for name in found if (table, name) in idle)


def _lacking(model: type[models.Model], found: dict[str, Any], partial: standing.Pairs) -> Iterator[str]:
    for constraint in model._meta.constraints:
        kind = "check" if isinstance(constraint, models.CheckConstraint) else "unique"
        if not found.get(constraint.name, {}).get(kind):
            yield f"{constraint.name} is missing"
    whole = [each for name, each in found.items() if (model._meta.db_table, name) not in partial]
    unique = [each["columns"] for each in whole if each["unique"] or each["primary_key"]]
    referring = [(each["columns"], each["foreign_key"]) for each in found.values()]
    for field in model._meta.concrete_fields:
        if field.unique and [field.column] not in unique:
            yield f"nothing keeps {field.column} unique"
        if isinstance(field, models.ForeignKey) and getattr(field, "db_constraint", True):
            there = field.target_field
            if ([field.column], (there.model._meta.db_table, there.column)) not in referring:
                yield f"nothing keeps what {field.column} refers to"


def _required(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if not field.null]


@check("core.constraints_say", "Every constraint says in the database what the code declares.", whole=True)
def constraints_say(_: Run) -> Iterator[Fault]:
    for table, name in declared.weakened(standing.tables()):
        yield table, f"{name} says something else than the code"


@check("core.constraints_obeyed", "Every row is as the constraints and choices that the code declares.", whole=True)
def constraints_obeyed(run: Run) -> Iterator[Fault]:
    for model in standing.tables():
        # One look for all of them; which one it is matters only when there is something.
        if _answers(_disobedient(model, connection.vendor)):
            for sentence, rule in _rules(model):
                for pk in QuerySet(model).exclude(rule).values_list("pk", flat=True).iterator():
                    yield named(model, pk), sentence
        yield from _repeated(model, run.once(standing.constraints)[model._meta.db_table])


# What is asked at every run is made once: Django takes longer to make it than a small book to answer it.
Statement = tuple[str, tuple[Any, ...]]


@lru_cache(maxsize=1_000)
def _disobedient(model: type[models.Model], _vendor: str) -> Statement:
    """Whether there is a row of ``model`` that breaks any of its rules."""
    obeyed = reduce(and_, [rule for _, rule in _rules(model)], Q())
    found: Statement = QuerySet(model).exclude(obeyed).query.exists().sql_with_params()
    return found


@lru_cache(maxsize=1_000)
def _lost(model: type[models.Model], attname: str, related: type[models.Model], _vendor: str) -> Statement:
    """Rows of ``model`` whose ``attname`` refers to no row of ``related``."""
    there: QuerySet[models.Model] = QuerySet(related).filter(pk=OuterRef(attname))
    lost: QuerySet[models.Model] = QuerySet(model).filter(~Exists(there), **{f"{attname}__isnull": False})
    found: Statement = lost.values_list("pk", attname).query.sql_with_params()
    return found


def _answers(statement: Statement) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return list(cursor.fetchall())


def _rules(model: type[models.Model]) -> Iterator[tuple[str, Q]]:
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            yield f"breaks {constraint.name}", Q(constraint.condition)
    for field in model._meta.concrete_fields:
        if field.choices:
            known = [value for value, _ in field.flatchoices] + ([""] if field.blank else [])
            rule = Q(**{f"{field.attname}__in": known})
            none = Q(**{f"{field.attname}__isnull": True}) if field.null else Q()
            yield f"its {field.verbose_name} is none that there can be", rule | none if none else rule


def _repeated(model: type[models.Model], found: dict[str, Any]) -> Iterator[Fault]:
    """What stands twice where a constraint allows one; a constraint that stands allows nothing else."""
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint) or found.get(constraint.name, {}).get("unique"):
            continue
        columns = constraint.fields
        known = {f"{column}__isnull": False for column in columns}
        rows: QuerySet[models.Model] = QuerySet(model).filter(constraint.condition or Q(), **known)
        groups = rows.values_list(*columns).annotate(count=models.Count("pk")).filter(count__gt=1).order_by(*columns)
        for *values, count in groups.iterator():
            same = ", ".join(map(str, values))
            yield f"{model._meta.verbose_name} {same}", f"{count} rows where {constraint.name} allows one"


@check("core.references_exist", "Whatever a row refers to exists.", whole=True)
def references_exist(_: Run) -> Iterator[Fault]:
    for model in standing.tables():
        for field in model._meta.concrete_fields:
            related = field.related_model
            if not field.remote_field or not isinstance(related, type):
                continue
            for pk, value in _answers(_lost(model, field.attname, related, connection.vendor)):
                key, lost = model._meta.pk.to_python(pk), field.to_python(value)
                yield named(model, key), f"its {field.verbose_name} {lost} does not exist"


@check("core.audit_trail", "The audit trail is as it was recorded, sealed by us, and whole.", whole=True)
def audit_trail(_: Run) -> Iterator[Fault]:
    for finding in audit.verify():
        yield finding.subject, f"{finding.detail} ({finding.check})"


@check(
    "core.audit_head_is_kept",
    "The audit trail up to each head that was exported is still the one it was.",
    needs="head",
)
def audit_head_is_kept(run: Run) -> Iterator[Fault]:
    for head in run.outside["head"]:
        if set(head) == {"audit"} and not audit.knows(str(head["audit"])):
            yield f"seal {str(head['audit']).partition(':')[0]}", "is not the one that was exported"


@check("core.approvals", "What needs two people had two, and what was done is what was approved.")
def approvals_agree(_: Run) -> Iterator[Fault]:
    for finding in approvals.verify():
        yield finding.subject, f"{finding.detail} ({finding.check})"


@check(
    "core.open_items",
    "What needs a person, and what was done about it, is what the audit trail tells; nothing is gone.",
)
def open_items_agree(_: Run) -> Iterator[Fault]:
    yield from open_item_checks.verify()


@check(
    "core.terms_are_told",
    "Each row by which operators decide (limits, fees, tiers, rules, rates, routes) is what the audit trail last says.",
    whole=True,
)
def terms_are_told(run: Run) -> Iterator[Fault]:
    run.seen["terms"] = sum(decided.rows.count() for decided in terms.registered())
    for finding in trail.verify():
        yield finding.subject, finding.detail


@check("core.jobs_not_stuck", "No job has been running for longer than it may.")
def jobs_not_stuck(_: Run) -> Iterator[Fault]:
    running = set(JobRun.objects.filter(state=JobRun.State.RUNNING).values_list("name", flat=True))
    for job in (job for job in jobs.schedule.jobs.values() if job.name in running):
        for run in JobRun.objects.filter(job.lapsed(), name=job.name):
            yield f"job {job.name}", f"has been running since {run.started_at:%Y-%m-%d %H:%M:%S} UTC, lease {job.lease}"


@check("core.jobs_not_ahead", "No job has run for a moment that has not come.")
def jobs_not_ahead(_: Run) -> Iterator[Fault]:
    for name, slot in jobs.ahead(clock.now()).order_by("name", "slot").values_list("name", "slot"):
        yield f"job {name}", f"has run for {slot:%Y-%m-%d %H:%M:%S} UTC: some machine's clock was ahead"


@check("core.vault_keys", "The vault has every key that it needs, and in production none that others know.")
def vault_keys(_: Run) -> Iterator[Fault]:
    if settings.PRODUCTION:
        problems = vault.problems()
    else:
        # Elsewhere the development keys are good enough.
        try:
            loading.load(loading.provider())
        except UnusableKeysError as refused:
            problems = refused.problems
        else:
            problems = []
    yield from (("the vault", problem) for problem in problems)


def named(model: type[models.Model], pk: object) -> str:
    """How a finding names a row: ``posting 5``."""
    return f"{model._meta.verbose_name} {pk}"
