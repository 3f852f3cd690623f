from allauth.socialaccount import views as sso
from django.urls import include, path
from django.views.generic import RedirectView

from parcours.accounts import views, views_members, views_units

settings_patterns = (
    [
        path("", views.account, name="account"),
        path("plan", views.plan, name="plan"),
        path("members", views_members.index, name="members"),
        path("members/invite", views_members.invite, name="invite"),
        path("members/second-factor", views_members.require_second_factor, name="require_second_factor"),
        path("members/<str:member_id>/role", views_members.role, name="role"),
        path("members/<str:member_id>/remove", views_members.remove, name="remove"),
        path("invitations/<str:invitation_id>/resend", views_members.resend, name="resend"),
        path("invitations/<str:invitation_id>/withdraw", views_members.withdraw, name="withdraw"),
        path("log", views_members.deeds, name="log"),
        path("units", views_units.index, name="units"),
        path("units/<str:unit_id>/rename", views_units.rename, name="rename_unit"),
        path("units/<str:unit_id>/delete", views_units.delete, name="delete_unit"),
        path("keys", views.keys, name="keys"),
        path("keys/<int:key_id>/revoke", views.revoke, name="revoke"),
        path("tracking", views.tracking, name="tracking"),
        path("tracking/last-page", views.last_page, name="last_page"),
        path("profile", views.profile, name="profile"),
        path("security", views.security, name="security"),
        path("security/sign-out-elsewhere", views.sign_out_elsewhere, name="sign_out_elsewhere"),
        path("switch/<int:account_id>", views.switch, name="switch"),
    ],
    "settings",
)

urlpatterns = [
    path("settings/", include(settings_patterns)),
    path("invitation/<str:token>", views_members.joining, name="invitation"),
    path("accounts/2fa/", RedirectView.as_view(pattern_name="settings:security")),  # before allauth's own
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/sso/cancelled", sso.login_cancelled, name="socialaccount_login_cancelled"),
    path("accounts/sso/failed", sso.login_error, name="socialaccount_login_error"),
    # Names that allauth goes to from ways that this product does not open.
    path(
        "accounts/sso/signup", RedirectView.as_view(pattern_name="account_login"), name="socialaccount_signup"
    ),
    path(
        "accounts/sso/connections",
        RedirectView.as_view(pattern_name="settings:security"),
        name="socialaccount_connections",
    ),
    path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
]
