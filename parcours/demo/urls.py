from django.urls import path

from parcours.demo import views

app_name = "demo"
urlpatterns = [
    path("demo/shop", views.shop, name="shop"),
    path("demo/mailbox", views.mailbox, name="mailbox"),
    path("demo/mailbox/<str:mail>", views.mail, name="mail"),
    path("demo/mailbox/<str:mail>/body", views.body, name="body"),
]
