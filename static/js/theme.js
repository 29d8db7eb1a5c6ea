// Follow the system's light or dark until a person chose one (kept in a cookie for the server).
(function () {
  const root = document.documentElement;
  if (!root.dataset.bsTheme && matchMedia("(prefers-color-scheme: dark)").matches) {
    root.dataset.bsTheme = "dark";
  }
})();
