from django.apps import AppConfig


class TrackingAppConfig(AppConfig):
    name = "parcours.tracking"
    label = "tracking"

    def ready(self) -> None:
        from parcours.accounts import jobs
        from parcours.tracking import importing

        jobs.register(importing.KIND, importing.run)
