from django.urls import path

from parcours.ui import views

app_name = "ui"
urlpatterns = [
    path("", views.home, name="home"),
    path("language", views.language, name="language"),
]
