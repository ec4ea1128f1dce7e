"""What an ASGI server serves."""

import os

import django
from django.core.asgi import get_asgi_application

from paymentsite.core import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")

django.setup()
checks.refuse_unsafe()
application = get_asgi_application()
