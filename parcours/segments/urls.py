from django.urls import include, path

from parcours.segments.views import edit, index, life, profiles

segments_patterns = (
    [
        path("", index.index, name="list"),
        path("new", edit.new, name="new"),
        path("preview", edit.preview, name="preview"),
        path("<str:segment_id>", profiles.profiles, name="profiles"),
        path("<str:segment_id>/edit", edit.edit, name="edit"),
        path("<str:segment_id>/refresh", life.refresh, name="refresh"),
        path("<str:segment_id>/duplicate", life.duplicate, name="duplicate"),
        path("<str:segment_id>/pause", life.pause, name="pause"),
        path("<str:segment_id>/activate", life.activate, name="activate"),
        path("<str:segment_id>/delete", life.delete, name="delete"),
    ],
    "segments",
)

urlpatterns = [path("segments/", include(segments_patterns))]
