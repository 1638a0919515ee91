from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from users.models import User

from .forms import OrderForm
from .models import Order
from .numbers import todays_numbers
from .placing import place

LATEST = 20


class MemberRequest(HttpRequest):
    user: User  # nobody else passes by `login_required`


@never_cache  # signed photo addresses expire, and "back" after signing out must not show orders
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: MemberRequest) -> HttpResponse:
    form = OrderForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        form.instance.user = request.user
        place(form.instance)
        messages.success(request, "Thank you! Your order is in.")
        return redirect("orders:list")
    orders = Order.objects.select_related("user")[:LATEST]
    context = {"form": form, "orders": orders, "limit": LATEST, "numbers": todays_numbers()}
    return render(request, "orders/list.html", context)


@never_cache
@login_required
@require_safe
def detail(request: HttpRequest, order_id: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.select_related("user"), pk=order_id)
    return render(request, "orders/detail.html", {"order": order})
