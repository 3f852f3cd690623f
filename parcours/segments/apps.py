from django.apps import AppConfig


class SegmentsAppConfig(AppConfig):
    name = "parcours.segments"
    label = "segments"

    def ready(self) -> None:
        from parcours.segments.stirred import listener
        from parcours.tracking import fanout

        fanout.register(listener)
