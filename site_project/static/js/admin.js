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
