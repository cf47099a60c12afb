// The boxes of a list: one for the page, how many are ticked, and the bar that acts on them. Without this
// file the bar is always there and the boxes work.
window.wagtail.app.register(
  "ms-bulk",
  class extends window.StimulusModule.Controller {
    static targets = ["count", "all"];
    static values = { none: String, some: String };

    connect() {
      this.boxes = [...document.querySelectorAll(`input[type=checkbox][form="${this.element.id}"]`)];
      this.page = document.querySelector("[data-ms-bulk-page]");
      this.watch = (event) => {
        if (event.target === this.page) this.tickPage();
        else if (this.boxes.includes(event.target)) this.changed();
      };
      document.addEventListener("change", this.watch);
      if (this.page) this.page.hidden = false;
      this.changed();
    }

    disconnect() {
      document.removeEventListener("change", this.watch);
    }

    tickPage() {
      for (const box of this.boxes) box.checked = this.page.checked;
      this.changed();
    }

    changed() {
      const all = this.hasAllTarget && this.allTarget.checked;
      for (const box of this.boxes) {
        box.disabled = all;
        box.closest("tr").classList.toggle("ms-chosen", all || box.checked);
      }
      const ticked = this.boxes.filter((box) => box.checked).length;
      if (this.page) {
        this.page.disabled = all;
        this.page.checked = ticked > 0 && ticked === this.boxes.length;
        this.page.indeterminate = ticked > 0 && ticked < this.boxes.length;
      }
      this.countTarget.textContent = ticked ? this.someValue.replace("{n}", ticked) : this.noneValue;
      this.countTarget.hidden = all;
      this.element.classList.toggle("ms-bulk-idle", !all && !ticked);
    }
  },
);
