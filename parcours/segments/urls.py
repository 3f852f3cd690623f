from django.urls import include, path

from parcours.segments import views

segments_patterns = (
    [
        path("", views.index, name="list"),
        path("new", views.new, name="new"),
        path("preview", views.preview, name="preview"),
        path("<str:segment_id>", views.profiles, name="profiles"),
        path("<str:segment_id>/edit", views.edit, name="edit"),
        path("<str:segment_id>/refresh", views.refresh, name="refresh"),
        path("<str:segment_id>/duplicate", views.duplicate, name="duplicate"),
        path("<str:segment_id>/pause", views.pause, name="pause"),
        path("<str:segment_id>/activate", views.activate, name="activate"),
        path("<str:segment_id>/delete", views.delete, name="delete"),
    ],
    "segments",
)

urlpatterns = [path("segments/", include(segments_patterns))]
