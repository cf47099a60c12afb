// Keeps the figures of a mailing's page fresh while something moves: every two seconds, slower when the
// server does not answer, not at all while the page is hidden.
window.wagtail.app.register(
  "ms-progress",
  class extends window.StimulusModule.Controller {
    static values = { url: String, live: Boolean };

    connect() {
      this.wait = 2000;
      this.spoken = null;
      if (this.liveValue) this.plan();
    }

    disconnect() {
      clearTimeout(this.timer);
    }

    plan() {
      this.timer = setTimeout(() => this.refresh(), this.wait);
    }

    async refresh() {
      if (document.hidden) return this.plan();
      try {
        const answer = await fetch(this.urlValue, { headers: { "X-Requested-With": "XMLHttpRequest" } });
        if (!answer.ok) throw new Error(answer.status);
        this.show(await answer.text());
        this.wait = 2000;
      } catch {
        this.wait = Math.min(this.wait * 2, 30000);
      }
      return this.plan();
    }

    show(markup) {
      const open = this.element.querySelector("details")?.open;
      this.element.innerHTML = markup;
      const details = this.element.querySelector("details");
      if (details && open !== undefined) details.open = open;
      const panel = this.element.querySelector("[data-percent]");
      const live = panel?.dataset.live === "true";
      const name = document.title.replace(/^\d+ % · /, "");
      document.title = live ? `${panel.dataset.percent} % · ${name}` : name;
      const was = this.live;
      this.live = live;
      // A run has begun or ended: buttons, dates and the list of runs have changed too.
      if (was !== undefined && was !== live) window.location.reload();
    }
  },
);
