// Says in a mailing's form how many clients it goes to, as lists and clients are chosen.
window.wagtail.app.register(
  "ms-reach",
  class extends window.StimulusModule.Controller {
    static targets = ["figures"];
    static values = { url: String, later: Boolean };

    connect() {
      this.form = this.element.closest("form");
      this.shown = this.laterValue ? null : this.query;
      this.plan = () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.refresh(), 150);
      };
      this.form.addEventListener("change", this.plan);
      if (this.laterValue) this.refresh(); // so many that the page has not counted them
    }

    disconnect() {
      clearTimeout(this.timer);
      this.form.removeEventListener("change", this.plan);
    }

    get query() {
      const chosen = [...new FormData(this.form)].filter(([name]) => ["lists", "clients"].includes(name));
      return new URLSearchParams(chosen).toString();
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
        if (query !== this.query) return; // chosen on meanwhile
        this.figuresTarget.innerHTML = markup;
        this.shown = query;
      } catch {
        // What stands there is of an older choice; saving the form tells.
        this.figuresTarget.textContent = "";
        this.shown = null;
      }
    }
  },
);
