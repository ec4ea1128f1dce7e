"""What a WSGI server such as gunicorn serves."""

import os

import django
from django.core.wsgi import get_wsgi_application

from paymentsite.core import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")

django.setup()
checks.refuse_unsafe()
application = get_wsgi_application()
