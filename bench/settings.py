"""The site's settings as production has them, with the peers' apps beside."""

from paymentsite.settings import *  # noqa: F403
from paymentsite.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench.peers"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    INSTALLED_APPS += ["mptt", "hordak"]
