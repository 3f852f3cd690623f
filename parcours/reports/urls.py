from django.urls import path

from parcours.reports import order_views, views

app_name = "reports"
urlpatterns = [
    path("journeys/<str:journey_id>/statistics", views.journey, name="journey"),
    path("journeys/<str:journey_id>/statistics/canvas", views.canvas, name="canvas"),
    path("journeys/<str:journey_id>/statistics/runs", views.runs, name="runs"),
    path("journeys/<str:journey_id>/statistics/steps/<str:step>", views.step, name="step"),
    path("messages/<str:message_id>/statistics", views.message, name="message"),
    path("messages/<str:message_id>/statistics/quick", views.quick_view, name="quick_view"),
    path("messages/<str:message_id>/statistics/people", views.recipients, name="recipients"),
    path("orders/<str:order_id>/attribution", order_views.attribution, name="order"),
]
