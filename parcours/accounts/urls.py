from django.urls import include, path

from parcours.accounts import views

settings_patterns = (
    [
        path("", views.account, name="account"),
        path("keys", views.keys, name="keys"),
        path("keys/<int:key_id>/revoke", views.revoke, name="revoke"),
        path("tracking", views.tracking, name="tracking"),
        path("tracking/last-page", views.last_page, name="last_page"),
        path("profile", views.profile, name="profile"),
        path("switch/<int:account_id>", views.switch, name="switch"),
    ],
    "settings",
)

urlpatterns = [
    path("settings/", include(settings_patterns)),
    path("accounts/", include("allauth.account.urls")),
]
