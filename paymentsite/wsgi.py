"""What a WSGI server such as gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from paymentsite.core import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")

application = get_wsgi_application()
checks.refuse_unsafe()
