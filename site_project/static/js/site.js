// The public site works without this file. Buttons that need it are hidden until it shows them.

function all(selector) {
  return document.querySelectorAll(selector);
}

for (const button of all("[data-show]")) {
  const input = document.getElementById(button.dataset.show);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
  // A password shown on the screen must not be kept by the browser as a text.
  input.form.addEventListener("submit", () => {
    input.type = "password";
  });
}

all("[data-focus]")[0]?.focus();

for (const button of all("[data-close]")) {
  button.hidden = false;
  button.addEventListener("click", () => button.parentElement.remove());
}

// Shows a chosen picture before it is saved.
for (const input of all("[data-preview]")) {
  input.addEventListener("change", () => {
    const file = input.files[0];
    const old = document.getElementById(input.dataset.preview);
    if (!file || !old) return;
    const picture = new Image();
    picture.id = old.id;
    picture.className = old.className;
    picture.alt = "";
    picture.onload = () => old.replaceWith(picture);
    picture.src = URL.createObjectURL(file);
  });
}

// Counts down until a button may be pressed again; without a script the server decides alone.
for (const button of all("[data-wait]")) {
  const label = button.textContent;
  const end = Date.now() + 1000 * Number(button.dataset.wait);
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    button.disabled = left > 0;
    if (left <= 0) {
      button.textContent = label;
      return;
    }
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    button.textContent = button.dataset.waiting.replace("{time}", time);
    setTimeout(tick, 500);
  };
  tick();
}
