from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class MembersConfig(AppConfig):
    name = "members"

    def ready(self) -> None:
        # What each app keeps about people is declared in its module "personal": to be told, and to be erased.
        autodiscover_modules("personal")
