from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class HomeConfig(AppConfig):
    name = "home"
    verbose_name = _("Front page")

    def ready(self) -> None:
        from home import naming
        from home.setup import after_migrate

        naming.connect()
        post_migrate.connect(after_migrate, sender=self)
