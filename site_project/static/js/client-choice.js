// Choosing clients by typing: suggestions below the input, the chosen ones as chips with hidden inputs.
window.wagtail.app.register(
  "ms-client-choice",
  class extends window.StimulusModule.Controller {
    static targets = ["chosen", "input", "options"];
    static values = { url: String, name: String, remove: String, none: String, single: Boolean };

    search() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.suggest(), 200);
    }

    async suggest() {
      const query = this.inputTarget.value.trim();
      if (!query) return this.hide();
      const answer = await fetch(`${this.urlValue}?q=${encodeURIComponent(query)}`, {
        headers: { "X-Requested-With": "XMLHttpRequest" },
      });
      if (!answer.ok || query !== this.inputTarget.value.trim()) return undefined;
      const { results } = await answer.json();
      const taken = new Set([...this.chosenTarget.querySelectorAll("input")].map((i) => i.value));
      const left = results.filter((client) => !taken.has(String(client.id)));
      this.optionsTarget.replaceChildren(...left.map((client) => this.option(client)));
      if (!left.length) {
        const nobody = document.createElement("li");
        nobody.textContent = this.noneValue;
        this.optionsTarget.append(nobody);
      }
      this.optionsTarget.hidden = false;
      this.inputTarget.setAttribute("aria-expanded", "true");
      return this.mark(left.length ? 0 : -1);
    }

    option(client) {
      const item = document.createElement("li");
      item.setAttribute("role", "option");
      item.id = `${this.inputTarget.id}-${client.id}`;
      item.textContent = client.label;
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        this.choose(client);
      });
      item.client = client;
      return item;
    }

    key(event) {
      const options = [...this.optionsTarget.querySelectorAll("[role=option]")];
      if (event.key === "Escape") this.hide();
      if (this.optionsTarget.hidden || !options.length) {
        if (event.key === "Enter") event.preventDefault();
        return;
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        this.mark((this.marked + step + options.length) % options.length);
      } else if (event.key === "Enter") {
        event.preventDefault();
        this.choose(options[this.marked].client);
      }
    }

    mark(index) {
      const options = [...this.optionsTarget.querySelectorAll("[role=option]")];
      this.marked = index;
      options.forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
      if (options[index]) this.inputTarget.setAttribute("aria-activedescendant", options[index].id);
      else this.inputTarget.removeAttribute("aria-activedescendant");
    }

    choose(client) {
      const chip = document.createElement("li");
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = this.nameValue;
      input.value = client.id;
      const label = document.createElement("span");
      label.textContent = client.label;
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `${this.removeValue} ${client.label}`);
      remove.dataset.action = "ms-client-choice#remove";
      chip.append(input, label, remove);
      if (this.singleValue) this.chosenTarget.replaceChildren();
      this.chosenTarget.append(chip);
      this.inputTarget.value = "";
      this.hide();
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }

    remove(event) {
      event.target.closest("li").remove();
      this.inputTarget.dispatchEvent(new Event("change", { bubbles: true }));
      this.inputTarget.focus();
    }

    close() {
      setTimeout(() => this.hide(), 100);
    }

    hide() {
      this.optionsTarget.hidden = true;
      this.inputTarget.setAttribute("aria-expanded", "false");
    }
  },
);
