from django.urls import include, path

from parcours.commerce.deals import fragments, pipeline_views
from parcours.commerce.deals import views as deals
from parcours.commerce.importing import views as imports
from parcours.commerce.orders import views as orders
from parcours.commerce.products import views as products


def _imports(kind: str) -> list[object]:
    said = {"kind": kind}
    return [
        path("import", imports.new, said, name="import"),
        path("import/<str:job_id>", imports.report, said, name="import_report"),
        path("import/<str:job_id>/progress", imports.progress, said, name="import_progress"),
        path("import/<str:job_id>/refused.csv", imports.refused, said, name="import_refused"),
    ]


orders_patterns = (
    [
        path("", orders.index, name="index"),
        path("new", orders.new, name="new"),
        path("export", orders.export, name="export"),
        path("totals", orders.totals, name="totals"),
        *_imports("orders"),
        path("of/<str:contact_id>", orders.of_contact, name="of_contact"),
        path("<str:order_id>", orders.one, name="order"),
        path("<str:order_id>/refund", orders.refund, name="refund"),
        path("<str:order_id>/cancel", orders.cancel, name="cancel"),
    ],
    "orders",
)
products_patterns = (
    [
        path("", products.index, name="index"),
        path("new", products.new, name="new"),
        *_imports("products"),
        path("<str:product_id>", products.edit, name="product"),
        path("<str:product_id>/delete", products.delete, name="delete"),
    ],
    "products",
)
deals_patterns = (
    [
        path("", deals.board, name="board"),
        path("list", deals.index, name="index"),
        path("new", deals.new, name="new"),
        path("export", deals.export, name="export"),
        *_imports("deals"),
        path("of/<str:contact_id>", fragments.of_contact, name="of_contact"),
        path("column/<str:stage_id>", deals.column, name="column"),
        path("<str:deal_id>", deals.one, name="deal"),
        path("<str:deal_id>/edit", deals.edit, name="edit"),
        path("<str:deal_id>/history", fragments.history, name="history"),
        path("<str:deal_id>/move", deals.move, name="move"),
        path("<str:deal_id>/contacts", deals.tie, name="tie"),
        path("<str:deal_id>/contacts/<str:contact_id>/remove", deals.untie, name="untie"),
        path("<str:deal_id>/delete", deals.delete, name="delete"),
    ],
    "deals",
)
pipelines_patterns = (
    [
        path("", pipeline_views.index, name="index"),
        path("new", pipeline_views.new, name="new"),
        path("<str:pipeline_id>", pipeline_views.edit, name="edit"),
        path("<str:pipeline_id>/delete", pipeline_views.delete, name="delete"),
    ],
    "pipelines",
)

urlpatterns = [
    path("orders/", include(orders_patterns)),
    path("products/", include(products_patterns)),
    path("deals/", include(deals_patterns)),
    path("settings/pipelines/", include(pipelines_patterns)),
]
