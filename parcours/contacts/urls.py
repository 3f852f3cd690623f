from django.urls import include, path

from parcours.contacts.views import attributes, bulk, contacts, imports, lists, person, tags

contacts_patterns = (
    [
        path("", contacts.index, name="index"),
        path("new", contacts.new, name="new"),
        path("count", contacts.count, name="count"),
        path("export", contacts.export, name="export"),
        path("export/columns", contacts.export_columns, name="export_columns"),
        path("bulk", bulk.act, name="bulk"),
        path("bulk/<str:job_id>", bulk.job, name="bulk_job"),
        path("bulk/<str:job_id>/progress", bulk.progress, name="bulk_progress"),
        path("bulk/<str:job_id>/undo", bulk.undo, name="bulk_undo"),
        path("import", imports.new, name="import"),
        path("import/<str:import_id>", imports.report, name="import_report"),
        path("import/<str:import_id>/columns", imports.columns, name="import_columns"),
        path("import/<str:import_id>/everyone", imports.everyone, name="import_everyone"),
        path("import/<str:import_id>/check", imports.check, name="import_check"),
        path("import/<str:import_id>/look", imports.look, name="import_look"),
        path("import/<str:import_id>/looking", imports.looking, name="import_looking"),
        path("import/<str:import_id>/discard", imports.discard, name="import_discard"),
        path("import/<str:import_id>/progress", imports.progress, name="import_progress"),
        path("import/<str:import_id>/refused.csv", imports.refused, name="import_refused"),
        path("import/<str:import_id>/undo", imports.undo, name="import_undo"),
        path("<str:contact_id>", person.one, name="contact"),
        path("<str:contact_id>/edit", person.edit, name="edit"),
        path("<str:contact_id>/profile", person.profile, name="profile"),
        path("<str:contact_id>/consent", person.consent, name="consent"),
        path("<str:contact_id>/tags", person.tag, name="tag"),
        path("<str:contact_id>/lists", person.membership, name="membership"),
        path("<str:contact_id>/timeline", person.timeline_part, name="timeline"),
        path("<str:contact_id>/erase", person.erase, name="erase"),
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

attributes_patterns = (
    [
        path("", attributes.index, name="index"),
        path("table", attributes.table, name="table"),
        path("counts", attributes.counts, name="counts"),
        path("<str:attribute_id>", attributes.one, name="attribute"),
        path("<str:attribute_id>/count", attributes.count, name="count"),
        path("<str:attribute_id>/progress", attributes.progress, name="progress"),
        path("<str:attribute_id>/delete", attributes.delete, name="delete"),
    ],
    "attributes",
)

tags_patterns = (
    [
        path("", tags.index, name="index"),
        path("rename", tags.rename, name="rename"),
        path("delete", tags.delete, name="delete"),
    ],
    "tags",
)

urlpatterns = [
    path("contacts/", include(contacts_patterns)),
    path("lists/", include(lists_patterns)),
    path("attributes/", include(attributes_patterns)),
    path("tags/", include(tags_patterns)),
]
