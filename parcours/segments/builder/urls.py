from django.urls import include, path

from parcours.segments.builder import views

builder_patterns = (
    [
        path("choices", views.everything, name="choices"),
        path("choices/<str:kind>", views.listed, name="listed"),
        path("values", views.seen_values, name="values"),
        path("words", views.words, name="words"),
    ],
    "builder",
)

urlpatterns = [path("criteria/", include(builder_patterns))]
