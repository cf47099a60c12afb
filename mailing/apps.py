from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class MailingConfig(AppConfig):
    name = "mailing"
    verbose_name = _("Mailings")

    def ready(self) -> None:
        from accounts import closing, portability
        from accounts.blocking import user_blocked
        from accounts.workload import count_with
        from mailing import belongings, events, search, signals
        from mailing.workload import workloads

        count_with(workloads)
        user_blocked.connect(signals.pause_mailings_of_blocked_user)
        closing.account_closed.connect(signals.stop_work_of_closed_account)
        portability.export_with(belongings.SECTIONS)
        pre_migrate.connect(search.before_migrate, sender=self)
        post_migrate.connect(search.after_migrate, sender=self)
        post_migrate.connect(events.after_migrate, sender=self)
