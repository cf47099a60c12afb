// Keeps a mailing's page fresh while something moves: every two seconds, slower when the server does not
// answer, not at all while the page is hidden. When a run begins or ends, the parts around the figures
// (status, buttons, runs, dates, event log) are fetched too; the page is never reloaded.
window.wagtail.app.register(
  "ms-progress",
  class extends window.StimulusModule.Controller {
    static values = { url: String, live: Boolean };

    connect() {
      this.wait = 2000;
      this.state = this.readState();
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
        this.show(await this.fetch(this.urlValue));
        const state = this.readState();
        if (state !== this.state) {
          this.showAround(await this.fetch(window.location.href));
          this.state = state;
        }
        this.wait = 2000;
      } catch {
        this.wait = Math.min(this.wait * 2, 30000);
      }
      return this.plan();
    }

    async fetch(url) {
      const answer = await fetch(url, { headers: { "X-Requested-With": "XMLHttpRequest" } });
      if (!answer.ok) throw new Error(answer.status);
      return answer.text();
    }

    show(markup) {
      const open = this.element.querySelector("details")?.open;
      this.element.innerHTML = markup;
      const details = this.element.querySelector("details");
      if (details && open !== undefined) details.open = open;
      const name = document.title.replace(/^\d+ % · /, "");
      document.title = this.readIsSending() ? `${this.panel.dataset.percent} % · ${name}` : name;
    }

    showAround(markup) {
      const fresh = new DOMParser().parseFromString(markup, "text/html");
      for (const part of document.querySelectorAll("[data-ms-part]")) {
        const twin = fresh.querySelector(`[data-ms-part="${part.dataset.msPart}"]`);
        if (twin) part.innerHTML = twin.innerHTML;
      }
    }

    get panel() {
      return this.element.querySelector("[data-percent]");
    }

    readIsSending() {
      return this.panel?.dataset.live === "true";
    }

    // A short run may have begun and ended between two looks.
    readState() {
      return `${this.panel?.dataset.run} ${this.readIsSending()}`;
    }
  },
);
