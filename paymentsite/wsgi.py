"""What a WSGI server such as gunicorn serves."""

import django
from django.core.wsgi import get_wsgi_application

from paymentsite.core import checks

django.setup()
checks.refuse_unsafe()
application = get_wsgi_application()
