from django.apps import AppConfig


class VaultTestsConfig(AppConfig):
    name = "tests.core.vault.app"
    label = "vault_tests"
    default_auto_field = "django.db.models.BigAutoField"
