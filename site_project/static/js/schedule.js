// Shows what the schedule in a mailing's form means while one types: the server answers with a sentence and
// the next dates, or with what is wrong, by the same rules as when the form is saved.
window.wagtail.app.register(
  "ms-schedule",
  class extends window.StimulusModule.Controller {
    static targets = ["dates"];
    static values = { url: String, fields: String };

    connect() {
      this.form = this.element.closest("form");
      this.names = new Set(this.fieldsValue.split(" "));
      this.plan = (event) => {
        if (!this.names.has(event.target.name)) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.refresh(), 400);
      };
      this.form.addEventListener("input", this.plan);
      this.form.addEventListener("change", this.plan);
      this.refresh();
    }

    disconnect() {
      clearTimeout(this.timer);
      this.form.removeEventListener("input", this.plan);
      this.form.removeEventListener("change", this.plan);
    }

    get query() {
      const typed = [...new FormData(this.form)].filter(([name]) => this.names.has(name));
      return new URLSearchParams(typed).toString();
    }

    async refresh() {
      const { query } = this;
      if (query === this.shown) return;
      try {
        const answer = await fetch(`${this.urlValue}?${query}`, {
          headers: { "X-Requested-With": "XMLHttpRequest" },
        });
        if (!answer.ok) throw new Error(answer.status);
        const markup = await answer.text();
        if (query !== this.query) return; // typed on meanwhile
        this.datesTarget.innerHTML = markup;
        this.shown = query;
      } catch {
        // What stands there is of an older schedule; saving the form tells.
        this.datesTarget.textContent = "";
      }
    }
  },
);
