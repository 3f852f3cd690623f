// The shop speaks to Parcours as any site would: through the tracker's queue, which works before it has loaded.
window.parcours = window.parcours || [];
const say = (...call) => window.parcours.push(call);

let basket = 0;
document.querySelectorAll("[data-record]").forEach((button) => {
  button.addEventListener("click", () => {
    basket += 1;
    document.querySelector("[data-basket]").textContent = String(basket);
    say("track", "cart.updated", {
      products: [{ sku: button.dataset.record, name: button.dataset.name, price: Number(button.dataset.price) }],
      items: basket,
    });
  });
});

const form = document.querySelector("[data-letter]");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const email = form.elements.email.value.trim();
  say("identify", null, { email });
  say("track", "form.submitted", { form_id: "shop-newsletter", email });
  form.hidden = true;
  document.querySelector("[data-thanks]").hidden = false;
  const mailbox = document.querySelector("[data-mailbox]");
  mailbox.href = `${mailbox.dataset.mailbox}?to=${encodeURIComponent(email)}`;
});
