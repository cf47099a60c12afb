// Choosing by typing: makes of a plain control (a select with several choices, or words between commas) an
// input with suggestions from the server, and shows what is chosen as chips. The control goes on holding
// the value, so the form is sent as it would be without this file.
window.wagtail.app.register(
  "ms-chips",
  class extends window.StimulusModule.Controller {
    static values = { url: String, remove: String, none: String, chosen: String };

    connect() {
      this.control = this.element.querySelector("select, input");
      this.isSelect = this.control.tagName === "SELECT";
      this.build();
      this.draw();
    }

    disconnect() {
      clearTimeout(this.timer);
      this.chips.remove();
      this.input.remove();
      this.options.remove();
      this.status.remove();
      this.control.id = this.input.id;
      this.control.hidden = false;
      if (!this.isSelect) this.control.type = "text";
    }

    build() {
      const control = this.control;
      this.chips = document.createElement("ul");
      this.chips.className = "ms-choice-chosen";
      this.input = document.createElement("input");
      this.input.type = "text";
      this.input.id = control.id; // the label leads here now
      this.input.autocomplete = "off";
      this.options = document.createElement("ul");
      this.options.className = "ms-choice-options";
      this.options.id = `${control.id}-options`;
      this.options.hidden = true;
      this.status = document.createElement("p");
      this.status.className = "ms-vh";
      const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false" };
      for (const name of ["aria-describedby", "aria-invalid"]) {
        if (control.hasAttribute(name)) roles[name] = control.getAttribute(name);
      }
      roles["aria-controls"] = this.options.id;
      for (const [name, value] of Object.entries(roles)) this.input.setAttribute(name, value);
      this.options.setAttribute("role", "listbox");
      this.options.setAttribute("aria-label", this.labelText);
      this.status.setAttribute("role", "status");
      this.input.addEventListener("input", () => this.typed());
      this.input.addEventListener("keydown", (event) => this.key(event));
      this.input.addEventListener("blur", () => this.leave());
      control.id = `${control.id}-control`;
      if (this.isSelect) control.hidden = true;
      else control.type = "hidden";
      control.after(this.chips, this.input, this.options, this.status);
    }

    get labelText() {
      return document.querySelector(`label[for="${this.input.id}"]`)?.textContent.trim() ?? "";
    }

    // What is chosen, as pairs of value and label.
    get chosen() {
      if (this.isSelect) return [...this.control.selectedOptions].map((o) => [o.value, o.text]);
      const names = this.control.value.split(",").map((name) => name.trim());
      return names.filter(Boolean).map((name) => [name, name]);
    }

    draw() {
      this.chips.replaceChildren(...this.chosen.map(([value, label]) => this.chip(value, label)));
    }

    chip(value, label) {
      const item = document.createElement("li");
      const text = document.createElement("span");
      text.textContent = label;
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `${this.removeValue} ${label}`);
      remove.addEventListener("click", () => {
        this.drop(value);
        this.input.focus();
      });
      item.append(text, remove);
      return item;
    }

    add(value, label) {
      const control = this.control;
      if (this.isSelect) {
        let option = [...control.options].find((o) => o.value === String(value));
        if (!option) {
          option = new Option(label, value);
          control.add(option);
        }
        option.selected = true;
      } else if (!this.chosen.some(([name]) => name.toLowerCase() === label.toLowerCase())) {
        control.value = [...this.chosen.map(([name]) => name), label].join(", ");
      }
      this.input.value = "";
      this.hide();
      this.tell(this.chosenValue.replace("{name}", label));
    }

    drop(value) {
      const control = this.control;
      if (this.isSelect) {
        for (const option of control.selectedOptions) if (option.value === value) option.selected = false;
      } else {
        control.value = this.chosen.filter(([name]) => name !== value).map(([name]) => name).join(", ");
      }
      this.tell("");
    }

    tell(words) {
      this.draw();
      this.status.textContent = words;
      this.control.dispatchEvent(new Event("change", { bubbles: true }));
    }

    typed() {
      if (!this.isSelect && this.input.value.includes(",")) {
        const names = this.input.value.split(",").map((name) => name.trim());
        names.filter(Boolean).forEach((name) => this.add(name, name));
        this.input.value = "";
        return;
      }
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.suggest(), 200);
    }

    async suggest() {
      const query = this.input.value.trim();
      let results;
      try {
        const answer = await fetch(`${this.urlValue}?q=${encodeURIComponent(query)}`, {
          headers: { "X-Requested-With": "XMLHttpRequest" },
        });
        if (!answer.ok) return;
        ({ results } = await answer.json());
      } catch {
        return; // offline; what is typed stays
      }
      if (query !== this.input.value.trim() || document.activeElement !== this.input) return;
      const taken = new Set(this.chosen.map(([value]) => value));
      const left = results.filter((r) => !taken.has(String(this.isSelect ? r.id : r.label)));
      this.options.replaceChildren(...left.map((result) => this.option(result)));
      if (!left.length) {
        if (!this.isSelect) {
          this.hide();
          return;
        }
        const nothing = document.createElement("li");
        nothing.setAttribute("role", "option");
        nothing.setAttribute("aria-disabled", "true");
        nothing.textContent = this.noneValue;
        this.options.append(nothing);
      }
      this.options.hidden = false;
      this.input.setAttribute("aria-expanded", "true");
      this.mark(this.isSelect && left.length ? 0 : -1);
    }

    option(result) {
      const item = document.createElement("li");
      item.setAttribute("role", "option");
      item.id = `${this.input.id}-${result.id}`;
      item.textContent = result.label;
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        this.add(this.isSelect ? result.id : result.label, result.label);
      });
      item.result = result;
      return item;
    }

    get offers() {
      return [...this.options.children].filter((item) => item.result);
    }

    key(event) {
      const offers = this.options.hidden ? [] : this.offers;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (this.options.hidden) this.suggest();
        else if (offers.length) {
          const step = event.key === "ArrowDown" ? 1 : -1;
          this.mark((Math.max(this.marked, step < 0 ? 0 : -1) + step + offers.length) % offers.length);
        }
      } else if (event.key === "Escape" && !this.options.hidden) {
        event.stopPropagation();
        this.hide();
      } else if (event.key === "Enter") {
        event.preventDefault();
        const offer = offers[this.marked]?.result;
        const typed = this.input.value.trim();
        if (offer) this.add(this.isSelect ? offer.id : offer.label, offer.label);
        else if (typed && !this.isSelect) this.add(typed, typed);
      } else if (event.key === "Backspace" && !this.input.value) {
        const last = this.chosen.at(-1);
        if (last) this.drop(last[0]);
      }
    }

    mark(index) {
      this.marked = index;
      this.offers.forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
      const offer = this.offers[index];
      if (offer) {
        this.input.setAttribute("aria-activedescendant", offer.id);
        offer.scrollIntoView({ block: "nearest" });
      } else this.input.removeAttribute("aria-activedescendant");
    }

    leave() {
      const typed = this.input.value.trim();
      if (typed && !this.isSelect) this.add(typed, typed);
      this.hide();
    }

    hide() {
      this.marked = -1;
      this.options.hidden = true;
      this.input.setAttribute("aria-expanded", "false");
      this.input.removeAttribute("aria-activedescendant");
    }
  },
);
