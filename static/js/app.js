// Small comforts on top of pages that work without them.
"use strict";

const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) {
    document.getElementById(opener.dataset.open).showModal();
    event.preventDefault();
  }
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
  if (event.target.closest("[data-toggle-theme]")) {
    const root = document.documentElement;
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.bsTheme}; path=/; max-age=31536000; samesite=lax`;
  }
  const option = event.target.closest("[data-pick]");
  if (option) pick(option);
});

// Lookups: choosing a found row fills the hidden id and the visible words.
function pick(option) {
  const lookup = option.closest("[data-lookup]");
  lookup.querySelector("[data-lookup-id]").value = option.dataset.pick;
  const box = lookup.querySelector("[data-lookup-words]");
  box.value = option.dataset.words;
  lookup.querySelector("[data-lookup-results]").replaceChildren();
  box.focus();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = form.dataset.confirm;
  if (form.dataset.sent || (question && !window.confirm(question))) {
    event.preventDefault();
    return;
  }
  dirty = false;
  // A second press must not send the form again; the server would notice, but why ask it.
  if (form.method === "post" && !form.hasAttribute("hx-post") && !event.defaultPrevented) {
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
    window.setTimeout(() => release(form), 15000);
  }
});
function release(form) {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
}
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

// Keyboard in lists: j/k move, x selects, Enter opens; "/" searches; "?" explains.
let here = -1;
document.addEventListener("keydown", (event) => {
  if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing(event.target))) {
    const box = document.getElementById("top-search");
    if (box) { box.focus(); box.select(); event.preventDefault(); }
    return;
  }
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...document.querySelectorAll("tr[data-row]")];
  if (event.key === "?") document.getElementById("keys-help")?.showModal();
  else if (event.key === "e") document.querySelector("[data-edit]")?.click();
  else if (event.key === "j" || event.key === "k") {
    here = Math.min(Math.max(here + (event.key === "j" ? 1 : -1), 0), rows.length - 1);
    rows[here]?.querySelector("a, button, input")?.focus();
    rows[here]?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "x") rows[here]?.querySelector("input[type=checkbox]")?.click();
});

// Unsaved text: leaving a changed form asks first.
let dirty = false;
document.addEventListener("input", (event) => {
  if (event.target.closest("form[data-guard]")) dirty = true;
});
window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });

// Bulk bar: how many and how much.
function countSelected() {
  const bar = document.querySelector("[data-bulk]");
  if (!bar) return;
  const boxes = [...document.querySelectorAll("input[data-select]:checked")];
  const cents = boxes.reduce((sum, box) => sum + Number(box.dataset.select), 0);
  bar.hidden = boxes.length === 0;
  bar.querySelector("[data-bulk-count]").textContent = boxes.length;
  bar.querySelector("[data-bulk-sum]").textContent =
    (cents / 100).toLocaleString(document.documentElement.lang, { minimumFractionDigits: 2 });
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-select-all]")) {
    document.querySelectorAll("input[data-select]").forEach((box) => { box.checked = event.target.checked; });
  }
  countSelected();
});

// Filters: an empty field does not belong in the address.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.detail.elt.matches("[data-filters]")) return;
  for (const [name, value] of Object.entries(event.detail.parameters)) {
    if (value === "") delete event.detail.parameters[name];
  }
});
document.addEventListener("htmx:sendError", () => {
  const place = document.getElementById("notices");
  if (place) place.textContent = "The server could not be reached. What you typed is still here.";
});
