// Lookups: a text field with a list of what was found (the ARIA "combobox" pattern).
// Arrow keys choose, Enter picks (the only one found too), Escape and a click elsewhere close; while the list is open
// Enter never sends the form.
"use strict";

(() => {
  const boxOf = (lookup) => lookup.querySelector("[data-lookup-words]");
  const listOf = (lookup) => lookup.querySelector("[data-lookup-results]");
  const optionsOf = (lookup) => [...listOf(lookup).querySelectorAll("[data-pick]")];
  const isOpen = (lookup) => listOf(lookup).childElementCount > 0;

  // On a form of many lines each lookup has the price of its own line beside it.
  const priceBeside = (lookup) =>
    (lookup.closest("[data-line]") || lookup.closest("form")).querySelector("[name=unit_price]");

  function close(lookup) {
    listOf(lookup).replaceChildren();
    const box = boxOf(lookup);
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  function opened(lookup) {
    const box = boxOf(lookup);
    if (document.activeElement !== box) return close(lookup);  // the answer came too late
    optionsOf(lookup).forEach((option, at) => { option.id = `${box.id}-option-${at}`; });
    box.setAttribute("aria-expanded", String(optionsOf(lookup).length > 0));
    box.removeAttribute("aria-activedescendant");
  }

  function activate(lookup, option) {
    for (const one of optionsOf(lookup)) one.setAttribute("aria-selected", String(one === option));
    boxOf(lookup).setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function step(lookup, by) {
    const options = optionsOf(lookup);
    if (options.length === 0) return;
    const at = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const from = at === -1 && by < 0 ? 0 : at;
    activate(lookup, options[(from + by + options.length) % options.length]);
  }

  // Choosing fills the hidden id and the visible words, and tells the price beside them.
  function pick(lookup, option) {
    lookup.querySelector("[data-lookup-id]").value = option.dataset.pick;
    const box = boxOf(lookup);
    box.value = option.dataset.words;
    lookup.querySelector("[data-lookup-picked]").textContent = option.dataset.detail;
    const price = priceBeside(lookup);
    if (price && option.dataset.price) price.placeholder = option.dataset.price;
    close(lookup);
    box.focus();
    box.dispatchEvent(new Event("change", { bubbles: true }));  // as if somebody had typed it
  }

  document.addEventListener("click", (event) => {
    const option = event.target.closest("[data-pick]");
    const inside = event.target.closest("[data-lookup]");
    if (option && inside) pick(inside, option);
    document.querySelectorAll("[data-lookup]").forEach((one) => {
      if (one !== inside && isOpen(one)) close(one);
    });
  });
  // The field keeps the focus while somebody presses on the list.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("[data-lookup-results]")) event.preventDefault();
  });
  // After Tab the list closes; after a press elsewhere the click closes it, so that nothing
  // moves away under the finger.
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches("[data-lookup-words]")) return;
    const lookup = event.target.closest("[data-lookup]");
    if (event.key === "Tab") close(lookup);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen(lookup)) step(lookup, event.key === "ArrowDown" ? 1 : -1);
      else if (event.target.value) htmx.trigger(event.target, "lookup");
    }
    if (!isOpen(lookup)) return;
    if (event.key === "Escape") {
      event.preventDefault();
      close(lookup);
    }
    if (event.key === "Enter") {
      event.preventDefault();
      const options = optionsOf(lookup);
      const active = options.find((one) => one.getAttribute("aria-selected") === "true")
        || (options.length === 1 ? options[0] : null);
      if (active) pick(lookup, active);
      else close(lookup);
    }
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-lookup-words]")) return;
    const lookup = event.target.closest("[data-lookup]");
    lookup.querySelector("[data-lookup-picked]").textContent = "";
    const price = priceBeside(lookup);
    if (price) price.placeholder = "";
    if (event.target.value === "") close(lookup);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const lookup = event.detail.target.closest("[data-lookup]");
    if (lookup && event.detail.target.matches("[data-lookup-results]")) opened(lookup);
  });
})();
