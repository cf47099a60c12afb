from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_delete, pre_save


class SiteProjectConfig(AppConfig):
    name = "site_project"
    verbose_name = "Site"

    def ready(self) -> None:
        from wagtail.images import get_image_model
        from wagtail.models import UploadedFile

        import mailing.pages  # noqa: F401 - each declares its groups of pages
        from accounts import closing, mail, portability
        from blog import pictures as post_pictures
        from blog import readership
        from mailing import dispatch, erasure
        from site_project import (  # noqa: F401 - registers the checks
            checks,
            page_cache,
            page_slots,
            pictures,
            schedules,
        )

        def after_migrate(**_kwargs: Any) -> None:
            schedules.ensure_schedules()

        # An app without models, such as this one, is never announced: the queue's own is.
        post_migrate.connect(
            after_migrate,
            sender=apps.get_app_config("django_q"),
            dispatch_uid="site_project.schedules",
            weak=False,
        )
        post_pictures.wake_with(schedules.wake_pictures_of_posts)
        mail.wake_with(schedules.wake_account_mails)
        pre_save.connect(pictures.clean_waiting_upload, sender=UploadedFile)
        closing.wake_with(schedules.wake_erasures)
        dispatch.do_also(schedules.keep_dates_of_posts, readership.write_down)
        page_slots.fill_live_with("readers", readership.readers_html)
        page_cache.start()
        portability.export_with(
            {"pictures": pictures.pictures_of}, pictures=pictures.picture_files_of
        )
        # Pictures after the letters that show them.
        closing.erase_with(erasure.erase, pictures.erase_pictures)
        pre_delete.connect(pictures.keep_picture_in_use, sender=get_image_model())
