from django.urls import include, path

from parcours.messaging import views, views_suppressions
from parcours.messaging.public import views as public

messages_patterns = (
    [
        path("", views.index, name="index"),
        path("new", views.create, name="create"),
        path("try-out", views.try_out, name="try_out"),
        path("<int:message_id>", views.edit, name="edit"),
        path("<int:message_id>/preview", views.preview, name="preview"),
        path("<int:message_id>/test", views.test, name="test"),
        path("<int:message_id>/duplicate", views.duplicate, name="duplicate"),
        path("<int:message_id>/delete", views.delete, name="delete"),
    ],
    "messages",
)

suppressions_patterns = (
    [
        path("", views_suppressions.index, name="index"),
        path("export", views_suppressions.export, name="export"),
        path("add", views_suppressions.add, name="add"),
        path("import", views_suppressions.add_list, name="import"),
        path("<str:suppression_id>/remove", views_suppressions.remove, name="remove"),
    ],
    "suppressions",
)

urlpatterns = [
    path("suppressions/", include(suppressions_patterns)),
    path("messages/", include(messages_patterns)),
    path("o/<str:token>", public.opened, name="open-pixel"),
    path("c/<str:token>", public.clicked, name="click"),
    path("u/<str:token>", public.unsubscribe, name="unsubscribe"),
]
