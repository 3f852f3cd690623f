"""The home page and the language switch."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from parcours.ui import navigation


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The first entry of the sidebar; a word of welcome while there is none."""
    items = navigation.items()
    if items:
        return redirect(items[0].url)
    return render(request, "ui/home.html")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the reader's choice of language, in a cookie and, signed in, with the user; then back to the page."""
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest()
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    if request.user.is_authenticated:
        request.user.language = code
        request.user.save(update_fields=["language"])
    response = redirect(back)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=365 * 86400,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response
