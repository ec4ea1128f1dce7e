"""Imported where processes are forked from, so that each of them finds Django set up."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paymentsite.settings")
django.setup()
