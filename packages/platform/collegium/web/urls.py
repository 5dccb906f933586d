"""Every address of the pages."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, path

from collegium.web import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("health", pages.health, name="health"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("projects/", pages.projects, name="projects"),
    path("projects/<uuid:space_id>/", pages.project, name="project"),
    path("projects/<uuid:space_id>/history/", pages.project_history, name="project-history"),
]

handler404 = "collegium.web.pages.not_found"
