// Draws the charts of the statistics from the page's data. Without it, or without a canvas, the tables
// beside them say the same. The colours are the page's own and follow its theme.
window.wagtail.app.register(
  "ms-statistics",
  class extends window.StimulusModule.Controller {
    static targets = ["deliveries", "clients"];

    connect() {
      const period = this.element.querySelector("#id_period");
      this.offerDates = () => this.element.classList.toggle("ms-preset", period.value !== "own");
      period.addEventListener("change", this.offerDates);
      this.offerDates();
      this.figures = JSON.parse(document.getElementById("ms-charts").textContent);
      this.draw = () => this.redraw();
      this.dark = window.matchMedia("(prefers-color-scheme: dark)");
      this.dark.addEventListener("change", this.draw);
      this.themes = new MutationObserver(this.draw);
      this.themes.observe(document.documentElement, { attributeFilter: ["class", "data-theme"] });
      this.redraw();
    }

    disconnect() {
      this.dark.removeEventListener("change", this.draw);
      this.themes.disconnect();
      this.charts.forEach((chart) => chart.destroy());
    }

    redraw() {
      this.charts?.forEach((chart) => chart.destroy());
      this.charts = [];
      if (this.hasDeliveriesTarget) this.charts.push(this.drawDeliveries(this.deliveriesTarget));
      if (this.hasClientsTarget) this.charts.push(this.drawClients(this.clientsTarget));
    }

    drawDeliveries(canvas) {
      const datasets = this.figures.deliveries.map(({ label, colour, data }) => ({
        label,
        data,
        backgroundColor: this.colour(`--ms-chart-${colour}`),
        maxBarThickness: 28,
      }));
      const options = this.options(true);
      options.onClick = (_event, [bar]) => {
        if (bar) window.location.assign(this.figures.deliveries[bar.datasetIndex].urls[bar.index]);
      };
      return this.chart(canvas, "bar", datasets, options);
    }

    drawClients(canvas) {
      const line = this.colour("--ms-chart-sent");
      const few = this.figures.clients.length < 3;
      const dataset = {
        label: this.figures.clientsLabel,
        data: this.figures.clients,
        borderColor: line,
        backgroundColor: line.replace("rgb(", "rgba(").replace(")", ", 0.14)"),
        borderWidth: 2,
        pointRadius: few ? 3 : 0,
        pointHitRadius: 12,
        fill: "start",
      };
      return this.chart(canvas, "line", [dataset], this.options(false));
    }

    chart(canvas, type, datasets, options) {
      canvas.parentElement.hidden = false;
      return new window.Chart(canvas, { type, data: { labels: this.figures.labels, datasets }, options });
    }

    options(stacked) {
      const colour = this.colour("--w-color-text-meta");
      const grid = this.colour("--ms-chart-grid");
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      const font = { family: getComputedStyle(this.element).fontFamily, size: 12 };
      return {
        animation: still ? false : { duration: 300 },
        responsive: true,
        maintainAspectRatio: false,
        locale: document.documentElement.lang || undefined,
        interaction: { mode: stacked ? "nearest" : "index", intersect: stacked },
        plugins: { legend: { display: false } },
        scales: {
          x: { stacked, grid: { display: false }, ticks: { color: colour, font, maxRotation: 0, autoSkipPadding: 16 } },
          y: {
            stacked,
            beginAtZero: stacked,
            border: { display: false },
            grid: { color: grid },
            ticks: { color: colour, font, precision: 0, maxTicksLimit: 6 },
          },
        },
      };
    }

    // As rgb(): a canvas does not know light-dark().
    colour(name) {
      const probe = document.createElement("i");
      probe.style.color = `var(${name})`;
      this.element.append(probe);
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    }
  },
);
