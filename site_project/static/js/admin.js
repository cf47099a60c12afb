// The admin's lists: a click elsewhere or Escape closes an open filter.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.ms-filter[open]").forEach((filter) => {
    if (!filter.contains(event.target)) filter.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.ms-filter[open]").forEach((filter) => {
    filter.open = false;
    filter.querySelector("summary").focus();
  });
});
// A list of very many rows says how many there are as soon as they are counted.
document.querySelectorAll("[data-ms-count]").forEach(async (place) => {
  const url = new URL(place.dataset.msCount || window.location.href, window.location.href);
  url.searchParams.set("count", "1");
  try {
    const answer = await fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (answer.ok) place.textContent = (await answer.json()).text;
  } catch {
    // What stands there is true as well.
  }
});
// Figures of large lists follow as soon as they are counted.
document.querySelectorAll("[data-ms-figures]").forEach(async (part) => {
  try {
    const answer = await fetch(part.dataset.msFigures, {
      headers: { "X-Requested-With": "XMLHttpRequest" },
    });
    if (!answer.ok) return;
    const lists = await answer.json();
    part.querySelectorAll("[data-ms-figure]").forEach((place) => {
      const [list, name] = place.dataset.msFigure.split(" ");
      if (lists[list]) place.textContent = lists[list][name];
    });
  } catch {
    // What stands there is true as well.
  }
});
// A block with a single field bears its name on the panel alone: the field takes it from there.
const nameFields = () => {
  const fields = "input:not([type=hidden]), textarea, select, [contenteditable=true]";
  document.querySelectorAll("form section[aria-labelledby]").forEach((panel) => {
    panel.querySelectorAll(fields).forEach((field) => {
      if (field.closest("section[aria-labelledby]") !== panel || field.labels?.length) return;
      if (field.hasAttribute("aria-label") || field.hasAttribute("aria-labelledby")) return;
      field.setAttribute("aria-labelledby", panel.getAttribute("aria-labelledby"));
    });
  });
};
const editor = document.querySelector("[data-contentpath]")?.closest("form");
if (editor) {
  nameFields();
  new MutationObserver(nameFields).observe(editor, { childList: true, subtree: true });
}
// Wagtail's form of a new user has a link that poses as a tab outside their list; the tabs lead there as well.
document.querySelectorAll("[role=tab]").forEach((tab) => {
  if (!tab.closest("[role=tablist]")) tab.remove();
});
