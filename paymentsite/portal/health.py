"""For load balancers and people on call: is it alive, is it ready."""

from pathlib import Path

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from redis import Redis
from redis.exceptions import RedisError

_log = structlog.get_logger(__name__)


@never_cache
@login_not_required
def alive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """This process answers. Asks nothing of others: restarting it would not help them."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@login_not_required
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view
    """It can do its work: 200, or 503 and which part is missing, never why; the log says why."""
    database = _database_answers()
    parts = {"database": database, "migrations": database and _all_migrated(), "broker": _broker_answers()}
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        _log.warning("database_does_not_answer", error=str(error))
        return False
    return True


def _all_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _broker_answers() -> bool:
    url = settings.CELERY_BROKER_URL
    if url.startswith("filesystem:"):
        return Path(settings.BROKER_FOLDER).is_dir()
    client = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        return bool(client.ping())
    except RedisError as error:
        _log.warning("broker_does_not_answer", error=str(error))
        return False
    finally:
        client.close()
