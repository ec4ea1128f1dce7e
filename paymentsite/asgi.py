"""What an ASGI server serves."""

import os

from django.core.asgi import get_asgi_application

from paymentsite.core import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")

application = get_asgi_application()
checks.refuse_unsafe()
