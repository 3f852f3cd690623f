from django.urls import path

from parcours.contacts.merging import views

app_name = "merging"
urlpatterns = [
    path("contacts/duplicates", views.duplicates, name="duplicates"),
    path("contacts/duplicates/search", views.search, name="search"),
    path("contacts/duplicates/progress", views.progress, name="progress"),
    path("contacts/duplicates/merge", views.merge_all, name="merge_all"),
    path("contacts/duplicates/<str:pair_id>/dismiss", views.dismiss, name="dismiss"),
    path("contacts/merge", views.compare, name="compare"),
    path("contacts/<str:contact_id>/merges", views.panel, name="panel"),
    path("contacts/<str:contact_id>/unmerge", views.unmerge, name="unmerge"),
]
