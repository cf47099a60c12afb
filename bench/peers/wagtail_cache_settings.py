"""Our settings with wagtail-cache in the place of our page cache, set up as its manual says."""

from site_project.settings import *  # noqa: F403
from site_project.settings import CACHES, INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "wagtailcache"]

MIDDLEWARE = [
    "wagtailcache.cache.UpdateCacheMiddleware",
    *(name for name in MIDDLEWARE if name != "site_project.page_cache.PageCacheMiddleware"),
    "wagtailcache.cache.FetchFromCacheMiddleware",
]

_REDIS = CACHES["default"]["BACKEND"].endswith(".RedisCache")
CACHES["wagtailcache"] = {
    "BACKEND": "django.core.cache.backends."
    + ("redis.RedisCache" if _REDIS else "filebased.FileBasedCache"),
    "LOCATION": CACHES["default"]["LOCATION"] + ("" if _REDIS else "/wagtailcache"),
    "KEY_PREFIX": "wagtailcache",
    "TIMEOUT": 4 * 60 * 60,
}
WAGTAIL_CACHE_BACKEND = "wagtailcache"
