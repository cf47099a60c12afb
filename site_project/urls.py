"""All URLs. What stands before Wagtail's admin takes the place of a screen of its own."""

from django.conf import settings
from django.contrib.sitemaps.views import sitemap
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.admin.views.reports.audit_logging import LogEntriesView

from accounts.views import admin_account
from site_project.access import admin_home, admin_only, managers_only
from site_project.crawlers import PagesSitemap, robots
from site_project.health import healthz, readyz

handler400 = "site_project.errors.bad_request"
handler403 = "site_project.errors.permission_denied"
handler404 = "site_project.errors.page_not_found"
handler500 = "site_project.errors.server_error"

_login = RedirectView.as_view(pattern_name="account_login", query_string=True)
_history = managers_only(LogEntriesView.as_view())
_history_results = managers_only(LogEntriesView.as_view(results_only=True))

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("robots.txt", robots, name="robots"),
    path("sitemap.xml", sitemap, {"sitemaps": {"pages": PagesSitemap}}, name="sitemap"),
    path("", include("blog.urls")),
    path("accounts/", include("accounts.urls")),
    path("", include("mailing.urls")),
    # One login, with allauth's verification and rate limits.
    path("admin/login/", _login),
    path("_util/login/", _login),
    path("admin/account/", admin_only(admin_account)),
    # Shows titles of everybody's objects to whoever may enter the admin.
    path("admin/reports/site-history/", _history),
    path("admin/reports/site-history/results/", _history_results),
    path("admin/", admin_home),
    path("admin/", include(wagtailadmin_urls)),
]
if settings.MAIL_CATCHER_DIR is not None:
    urlpatterns.append(path("mail/", include("site_project.mailcatcher.urls")))
if settings.SERVE_MEDIA:
    media = re_path(
        rf"^{settings.MEDIA_URL.lstrip('/')}(?P<path>.*)$",
        serve,
        {"document_root": settings.MEDIA_ROOT},
    )
    urlpatterns.append(media)
urlpatterns.append(path("", include(wagtail_urls)))
