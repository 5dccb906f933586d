"""Every address of the pages."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, path

from collegium.imaging.archive import pages as archive
from collegium.imaging.connections import pages as connections
from collegium.imaging.grants import api as grants
from collegium.notifications import pages as notifications
from collegium.research.data_queries import pages as data_queries
from collegium.research.oversight.board import pages as board
from collegium.research.pages import conflict, people, site, unblinding
from collegium.research.pages import task as task_page
from collegium.research.pipeline import pages as pipeline
from collegium.research.pipeline import visit_pages
from collegium.research.reads import api as read_api
from collegium.research.reads import pages as reads
from collegium.research.results import pages as results
from collegium.web import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("health", pages.health, name="health"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", pages.sign_out, name="account_logout"),
    path("tasks/", reads.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/read", reads.read, name="task-read"),
    path("tasks/<uuid:task_id>/conflict", conflict.declare, name="task-conflict"),
    path("api/v1/tasks/<uuid:task_id>/changes", read_api.changes, name="task-changes"),
    path("api/v1/tasks/<uuid:task_id>/submit", read_api.submit, name="task-submit"),
    path("api/v1/tasks/<uuid:task_id>/sign", read_api.sign, name="task-sign"),
    path("api/v1/tasks/<uuid:task_id>/correct", read_api.correct, name="task-correct"),
    *grants.urlpatterns,
    *notifications.urlpatterns,
    path("de-identify/", pages.de_identify, name="de-identify"),
    path("projects/", pages.projects, name="projects"),
    path("projects/<uuid:space_id>/", pages.project, name="project"),
    path("projects/<uuid:space_id>/exams/", archive.exams, name="exams"),
    path("projects/<uuid:space_id>/exams/<uuid:exam_id>/", archive.exam, name="exam"),
    path("projects/<uuid:space_id>/exams/<uuid:exam_id>/images/", archive.exam_images, name="exam-images"),
    path("projects/<uuid:space_id>/results/", results.results, name="results"),
    path("projects/<uuid:space_id>/results/csv", results.results_csv, name="results-csv"),
    path("projects/<uuid:space_id>/gateways/", connections.gateways, name="gateways"),
    path("projects/<uuid:space_id>/gateways/<uuid:gateway_id>/", connections.gateway, name="gateway"),
    path(
        "projects/<uuid:space_id>/gateways/<uuid:gateway_id>/channels/new",
        connections.new_channel,
        name="channel-new",
    ),
    path(
        "projects/<uuid:space_id>/gateways/<uuid:gateway_id>/channels/<uuid:channel_id>/",
        connections.channel,
        name="channel",
    ),
    path("projects/<uuid:space_id>/subjects/", pipeline.subjects, name="subjects"),
    path("projects/<uuid:space_id>/visits/", visit_pages.visits, name="visits"),
    path("projects/<uuid:space_id>/setup/", pipeline.setup, name="setup"),
    path("projects/<uuid:space_id>/setup/file", pipeline.setup_file, name="setup-file"),
    path("projects/<uuid:space_id>/tasks/", pipeline.tasks, name="project-tasks"),
    path("projects/<uuid:space_id>/tasks/<uuid:task_id>/", task_page.task, name="project-task"),
    path(
        "projects/<uuid:space_id>/discrepancies/<uuid:discrepancy_id>", task_page.decide, name="discrepancy"
    ),
    path("projects/<uuid:space_id>/people/", people.listing, name="people"),
    path("projects/<uuid:space_id>/people/<uuid:membership_id>/", people.person, name="person"),
    path("projects/<uuid:space_id>/queries/", data_queries.listing, name="queries"),
    path("projects/<uuid:space_id>/queries/new", data_queries.new, name="query-new"),
    path("projects/<uuid:space_id>/queries/<uuid:query_id>/", data_queries.query, name="query"),
    path("projects/<uuid:space_id>/site/", site.site, name="site"),
    path("projects/<uuid:space_id>/board/", board.board, name="board"),
    path("projects/<uuid:space_id>/unblinding/", unblinding.listing, name="unblinding"),
    path("projects/<uuid:space_id>/history/", pages.project_history, name="project-history"),
]

handler404 = "collegium.web.pages.not_found"
