// The button that pays what is ticked says how much that is.
"use strict";

function sumTicked(form) {
  const output = form.querySelector("[data-sum]");
  if (!output) return;
  let cents = 0;
  for (const box of form.querySelectorAll("input[data-cents]:checked:not(:disabled)")) {
    cents += Number(box.dataset.cents);
  }
  const { locale, currency } = output.dataset;
  const money = new Intl.NumberFormat(locale, { style: "currency", currency });
  output.textContent = cents ? `: ${money.format(cents / 100)}` : "";
}

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-sum-ticked]")) {
    form.addEventListener("change", () => sumTicked(form));
    sumTicked(form);
  }
});
