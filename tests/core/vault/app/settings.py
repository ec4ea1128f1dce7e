"""The site with the vault's test app, on the database of the running tests: for commands that are killed."""

import os

from paymentsite.settings import *  # noqa: F403 - the same settings, and one app
from paymentsite.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.core.vault.app"]
DATABASES["default"]["NAME"] = os.environ["TESTED_DATABASE"]
