from django.urls import path

from parcours.journeys import of_contact, views

app_name = "journeys"
urlpatterns = [
    path("journeys/", views.listing, name="list"),
    path("journeys/archived", views.archived, name="archived"),
    path("journeys/new", views.new, name="new"),
    path("journeys/of-contact/<str:contact_id>", of_contact.panel, name="of_contact"),
    path("journeys/<str:journey_id>/path/<str:contact_id>", of_contact.trace_panel, name="trace"),
    path("journeys/<str:journey_id>/edit", views.edit, name="edit"),
    path("journeys/<str:journey_id>/publish", views.publish, name="publish"),
    path("journeys/<str:journey_id>/activate", views.activate, name="activate"),
    path("journeys/<str:journey_id>/pause", views.pause, name="pause"),
    path("journeys/<str:journey_id>/resume", views.resume, name="resume"),
    path("journeys/<str:journey_id>/archive", views.archive, name="archive"),
    path("journeys/<str:journey_id>/duplicate", views.duplicate, name="duplicate"),
]
