"""The pages of products."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.accounts.forms import add_faults
from parcours.commerce import amounts
from parcours.commerce.forms import ProductForm
from parcours.commerce.models import Product
from parcours.commerce.products import actions, queries
from parcours.lib import clock
from parcours.lib.problems import Invalid

_A_PAGE = 50


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's products, by name; a search narrows them."""
    search = request.GET.get("search", "").replace("\0", "").strip()[:200]
    found = queries.search(request.actor.account_id, text=search).order_by("name", "product_id")
    context = {"page": Paginator(found, _A_PAGE).get_page(request.GET.get("page")), "search": search}
    return render(request, "commerce/products/index.html", context)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """A product described by hand."""
    form = ProductForm(request.POST or None, initial={"currency": request.actor.account.currency})
    return _edited(request, form, None)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def edit(request: PageRequest, product_id: str) -> HttpResponse:
    """Change what is said of a product."""
    product = find(Product, product_id, actor=request.actor)
    initial = {
        name: getattr(product, name) for name in ("product_id", "name", "category", "url", "image_url")
    }
    initial["price"] = "" if product.price is None else amounts.shown(product.price)
    initial["currency"] = product.currency or request.actor.account.currency
    form = ProductForm(request.POST or None, initial=initial)
    form.fields["product_id"].disabled = True
    return _edited(request, form, product)


def _edited(request: PageRequest, form: ProductForm, product: Product | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            actions.save(request.actor.account, form.line(), now=clock.now())
        except Invalid as problem:
            add_faults(form, problem)
        else:
            messages.success(request, _("The product is saved."))
            return redirect("products:index")
    context = {"form": form, "product": product}
    return render(request, "commerce/products/edit.html", context, status=422 if form.errors else 200)


@require_POST
@page(scope=WRITE)
def delete(request: PageRequest, product_id: str) -> HttpResponse:
    """Delete a product; sold again, it comes back."""
    product = find(Product, product_id, actor=request.actor)
    product.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": product})
    return redirect("products:index")
