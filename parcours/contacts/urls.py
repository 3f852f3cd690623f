from django.urls import include, path

from parcours.contacts.views import contacts, imports, lists

contacts_patterns = (
    [
        path("", contacts.index, name="index"),
        path("new", contacts.new, name="new"),
        path("export", contacts.export, name="export"),
        path("import", imports.new, name="import"),
        path("import/<str:job_id>", imports.report, name="import_report"),
        path("import/<str:job_id>/progress", imports.progress, name="import_progress"),
        path("import/<str:job_id>/refused.csv", imports.refused, name="import_refused"),
        path("<str:contact_id>", contacts.one, name="contact"),
        path("<str:contact_id>/timeline", contacts.timeline_part, name="timeline"),
        path("<str:contact_id>/erase", contacts.erase, name="erase"),
    ],
    "contacts",
)

lists_patterns = (
    [
        path("", lists.index, name="index"),
        path("<str:list_id>", lists.one, name="list"),
        path("<str:list_id>/rename", lists.rename, name="rename"),
        path("<str:list_id>/add", lists.add, name="add"),
        path("<str:list_id>/remove/<str:contact_id>", lists.remove, name="remove"),
        path("<str:list_id>/delete", lists.delete, name="delete"),
    ],
    "lists",
)

urlpatterns = [
    path("contacts/", include(contacts_patterns)),
    path("lists/", include(lists_patterns)),
]
