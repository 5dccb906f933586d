"""Every address of the pages."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, path

from collegium.imaging.archive import pages as archive
from collegium.imaging.connections import pages as connections
from collegium.web import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("health", pages.health, name="health"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("projects/", pages.projects, name="projects"),
    path("projects/<uuid:space_id>/", pages.project, name="project"),
    path("projects/<uuid:space_id>/exams/", archive.exams, name="exams"),
    path("projects/<uuid:space_id>/exams/<uuid:exam_id>/", archive.exam, name="exam"),
    path("projects/<uuid:space_id>/exams/<uuid:exam_id>/images/", archive.exam_images, name="exam-images"),
    path("projects/<uuid:space_id>/gateways/", connections.gateways, name="gateways"),
    path("projects/<uuid:space_id>/history/", pages.project_history, name="project-history"),
]

handler404 = "collegium.web.pages.not_found"
