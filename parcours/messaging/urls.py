from django.urls import path

from parcours.messaging.public import views as public

urlpatterns = [
    path("o/<str:token>", public.opened, name="open-pixel"),
    path("c/<str:token>", public.clicked, name="click"),
    path("u/<str:token>", public.unsubscribe, name="unsubscribe"),
]
