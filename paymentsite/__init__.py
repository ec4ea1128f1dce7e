"""The site. Its settings are the ones meant, whoever imports a part of it first: web server, worker or script."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")
