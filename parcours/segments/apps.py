from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SegmentsAppConfig(AppConfig):
    name = "parcours.segments"
    label = "segments"

    def ready(self) -> None:
        from parcours.accounts import jobs
        from parcours.contacts import audience as contacts_audience
        from parcours.contacts import naming, panels, uses
        from parcours.segments import audience, settling
        from parcours.segments.builder import places
        from parcours.segments.models import Segment
        from parcours.segments.stirred import listener
        from parcours.tracking import fanout
        from parcours.ui.navigation import Item, register

        fanout.register(listener)
        jobs.register_follower(settling.is_followed)
        naming.register("country", places.countries)
        naming.register("language", places.languages)
        naming.register("segment", naming.Rows(lambda: Segment, page="segments:profiles"))
        contacts_audience.register_segments(audience.names, audience.reader)
        uses.register(audience.users)
        panels.register(panels.Panel(_("Segments"), "segments:of_contact", order=30))
        register(Item(label=_("Segments"), icon="chart-funnel", url_name="segments:list", order=40))
