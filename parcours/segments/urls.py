from django.urls import include, path

from parcours.segments.views import contact, edit, folders, index, life, night, profiles

segments_patterns = (
    [
        path("", index.index, name="list"),
        path("new", edit.new, name="new"),
        path("pulse", index.pulse, name="pulse"),
        path("night", night.night, name="night"),
        path("move", folders.move, name="move"),
        path("folders", folders.index, name="folders"),
        path("folders/<str:folder_id>/rename", folders.rename, name="rename_folder"),
        path("folders/<str:folder_id>/delete", folders.delete, name="delete_folder"),
        path("of-contact/<str:contact_id>", contact.of_contact, name="of_contact"),
        path("<str:segment_id>", profiles.profiles, name="profiles"),
        path("<str:segment_id>/profiles.csv", profiles.export, name="export"),
        path("<str:segment_id>/changes", profiles.changes, name="changes"),
        path("<str:segment_id>/uses", life.uses, name="uses"),
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
