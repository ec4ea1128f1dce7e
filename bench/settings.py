"""The site's settings as production has them, with a peer's apps beside."""

from paymentsite.settings import *  # noqa: F403
from paymentsite.settings import DATABASES, INSTALLED_APPS

if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    INSTALLED_APPS = [*INSTALLED_APPS, "mptt", "hordak"]
