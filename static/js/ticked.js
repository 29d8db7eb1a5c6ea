// The button that pays what is ticked, and the total of amounts typed, say how much that is.
"use strict";

function tickedCents(form) {
  let cents = 0;
  for (const box of form.querySelectorAll("input[data-cents]:checked:not(:disabled)")) {
    cents += Number(box.dataset.cents);
  }
  return cents;
}

function typedCents(form) {
  let cents = 0;
  for (const field of form.querySelectorAll("input[data-amount]")) {
    const typed = Number(field.value.replace(/[\s,$]/g, ""));
    if (typed > 0) cents += Math.round(typed * 100);
  }
  return cents;
}

function sayCents(form, cents, before) {
  const output = form.querySelector("[data-sum]");
  if (!output) return;
  const { locale, currency } = output.dataset;
  const money = new Intl.NumberFormat(locale, { style: "currency", currency });
  output.textContent = cents || !before ? `${before}${money.format(cents / 100)}` : "";
}

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-sum-ticked]")) {
    const say = () => sayCents(form, tickedCents(form), ": ");
    form.addEventListener("change", say);
    say();
  }
  for (const form of document.querySelectorAll("form[data-sum-typed]")) {
    form.addEventListener("input", () => sayCents(form, typedCents(form), ""));
  }
});
