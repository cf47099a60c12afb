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
