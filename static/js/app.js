// Small comforts on top of pages that work without them.
"use strict";

const TICKS = "[type=checkbox], [type=radio], [type=button], [type=submit]";
const typing = (target) => target.closest(`input:not(${TICKS}), textarea, select, [contenteditable]`);

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) {
    document.getElementById(opener.dataset.open).showModal();
    event.preventDefault();
  }
  if (event.target.closest("[data-print]")) window.print();
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
  if (event.target.closest("[data-toggle-theme]")) {
    const root = document.documentElement;
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.bsTheme}; path=/; max-age=31536000; samesite=lax`;
  }
});

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

// Keyboard in lists: j/k move from row to row, x ticks, Enter opens; "/" searches; "?" explains.
let here = null;  // the row last gone to: ticking a box or closing the help must not lose it
const rowsOf = () => [...document.querySelectorAll("tr[data-row]")];
const doorOf = (row) => row.querySelector("[data-opens]") || row.querySelector("a[href]") || row.querySelector("button");
function rowHere() {
  const row = document.activeElement?.closest("tr[data-row]") || here;
  return row?.isConnected ? row : null;
}
function goBy(step) {
  const rows = rowsOf();
  if (rows.length === 0) return;
  const at = rows.indexOf(rowHere());
  here = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  const door = doorOf(here);
  if (!door) here.tabIndex = -1;
  (door || here).focus({ preventScroll: true });
  here.scrollIntoView({ block: "nearest" });
}
// r, h, n, p, c, d and so on: the button or field that names the key, of this row or else of the page.
function press(key) {
  const mine = rowHere()?.querySelector(`[data-key="${key}"]`);
  const target = mine || [...document.querySelectorAll(`[data-key="${key}"]`)].find((one) => !one.closest("tr"));
  if (!target) return false;
  if (target.matches("input")) target.focus();
  else target.click();
  return true;
}
document.addEventListener("keydown", (event) => {
  if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing(event.target))) {
    const box = document.getElementById("top-search");
    if (box) { box.focus(); box.select(); event.preventDefault(); }
    return;
  }
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") document.getElementById("keys-help")?.showModal();
  else if (event.key === "e") document.querySelector("[data-edit]")?.click();
  else if (event.key === "j" || event.key === "k") goBy(event.key === "j" ? 1 : -1);
  else if ("rhnpcdsmwob".includes(event.key)) { if (press(event.key)) event.preventDefault(); }
  else if (event.key === "x") rowHere()?.querySelector("input[type=checkbox]")?.click();
  else if (event.key === "Enter" && event.target.matches("input[data-select], input[data-select-all]")) {
    event.preventDefault();  // Enter on a tick would press the form's first button
    const row = event.target.closest("tr[data-row]");
    if (row) doorOf(row)?.click();
  }
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
    (cents / 100).toLocaleString(document.documentElement.lang, { style: "currency", currency: bar.dataset.bulk });
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-select-all]")) {
    document.querySelectorAll("input[data-select]").forEach((box) => { box.checked = event.target.checked; });
  }
  countSelected();
});
document.addEventListener("htmx:afterSwap", countSelected);
window.addEventListener("pageshow", countSelected);  // the browser ticks again after "back"

// Filters: an empty field does not belong in the address; what narrows the list is marked.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.detail.elt.matches("[data-filters]")) return;
  for (const [name, value] of Object.entries(event.detail.parameters)) {
    if (value === "") delete event.detail.parameters[name];
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches("[data-filters]")) return;
  const folded = [...form.querySelectorAll("[data-fold] :is(select, input)")];
  for (const one of folded) one.classList.toggle("filter-on", one.value !== "");
  const set = folded.filter((one) => one.value !== "").length;
  const count = form.querySelector("[data-fold-count]");
  if (count) count.textContent = set || "";
  const asked = [...new FormData(form)].some(([name, value]) => value !== "" && name !== "sort");
  const clear = form.querySelector("[data-clear]");
  if (clear) clear.hidden = !asked;
});
document.addEventListener("htmx:sendError", () => {
  const place = document.getElementById("notices");
  if (place) place.textContent = "The server could not be reached. What you typed is still here.";
});

// What only a script can do is offered only where there is one.
document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; });
