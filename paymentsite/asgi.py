"""What an ASGI server serves."""

import django
from django.core.asgi import get_asgi_application

from paymentsite.core import checks

django.setup()
checks.refuse_unsafe()
application = get_asgi_application()
