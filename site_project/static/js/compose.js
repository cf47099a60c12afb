// Beside the editor of messages: shows the letter while one types, as the server that sends it draws it, inserts
// merge fields where the cursor is, and asks for a test letter.
const NARROW = 400; // no room for a desktop
const LOOK_EVERY = 300;

window.wagtail.app.register(
  "ms-compose",
  class extends window.StimulusModule.Controller {
    static targets = [
      "panel", "view", "sender", "subject", "preheader", "problem", "reason", "holder", "frame", "text", "test", "allowance", "result",
    ];
    static values = { failed: String, unfinished: String };

    connect() {
      this.form = this.element.querySelector("form");
      // The rich text editor writes into a hidden input and tells nobody, so the form is looked at.
      this.timer = setInterval(() => this.look(), LOOK_EVERY);
      this.sizes = new ResizeObserver(() => this.fit());
      this.sizes.observe(this.holderTarget);
      if (this.holderTarget.clientWidth < NARROW) this.viewTargets[1].click();
    }

    disconnect() {
      clearInterval(this.timer);
      this.sizes.disconnect();
      this.request?.abort();
    }

    get filled() {
      const data = new FormData(this.form);
      this.panelTarget.querySelectorAll("input[type=hidden]").forEach((input) => data.set(input.name, input.value));
      return data;
    }

    // Asks once the form has been at rest from one look to the next.
    look() {
      if (document.hidden) return;
      const typed = new URLSearchParams(this.filled).toString();
      const rests = typed === this.seen;
      this.seen = typed;
      if (rests && typed !== this.asked) {
        this.asked = typed;
        this.refresh();
      }
    }

    async post(url, data, signal) {
      const token = this.form.querySelector("[name=csrfmiddlewaretoken]").value;
      const answer = await fetch(url, {
        method: "POST",
        body: data,
        signal,
        headers: { "X-CSRFToken": token, "X-Requested-With": "XMLHttpRequest" },
      });
      if (!answer.ok) throw new Error(answer.status);
      return answer.json();
    }

    async refresh() {
      this.request?.abort(); // the latest answer counts
      const request = new AbortController();
      this.request = request;
      try {
        const answer = await this.post(this.panelTarget.dataset.url, this.filled, request.signal);
        if (request !== this.request) return;
        if (answer.problems) this.say(answer.problems.join("\n") || this.unfinishedValue);
        else this.draw(answer);
      } catch (error) {
        if (error.name !== "AbortError") this.say(this.failedValue);
      }
    }

    draw(letter) {
      this.say("");
      this.senderTarget.textContent = letter.sender;
      this.subjectTarget.textContent = letter.subject;
      this.preheaderTarget.textContent = letter.preheader;
      this.textTarget.textContent = letter.text;
      if (this.frameTarget.srcdoc !== letter.html) this.frameTarget.srcdoc = letter.html;
    }

    say(problem) {
      this.problemTarget.hidden = !problem;
      this.reasonTarget.textContent = problem;
    }

    show({ currentTarget, params }) {
      this.panelTarget.dataset.view = params.view;
      this.viewTargets.forEach((button) => button.setAttribute("aria-pressed", String(button === currentTarget)));
      this.textTarget.hidden = params.view !== "text";
      this.fit();
    }

    // A letter is 600 pixels wide on a desktop: in less room it is shown smaller, not narrower.
    fit() {
      const room = this.holderTarget.clientWidth;
      const isDesktop = this.panelTarget.dataset.view === "desktop";
      const scale = isDesktop && room ? Math.min(1, room / 660) : 1;
      this.frameTarget.style.transform = scale < 1 ? `scale(${scale})` : "";
      this.frameTarget.style.inlineSize = scale < 1 ? `${100 / scale}%` : "";
      this.frameTarget.style.blockSize = scale < 1 ? `${100 / scale}%` : "";
    }

    async send() {
      this.testTarget.disabled = true;
      this.resultTarget.textContent = "";
      await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY); }); // for the rich text editor to write
      try {
        const answer = await this.post(this.testTarget.dataset.url, this.filled);
        this.resultTarget.dataset.sent = String(answer.sent);
        this.resultTarget.textContent = answer.text;
        this.allowanceTarget.textContent = answer.allowance;
      } catch {
        this.resultTarget.dataset.sent = "false";
        this.resultTarget.textContent = this.failedValue;
      }
      this.testTarget.disabled = false;
    }

    remember({ target }) {
      if (target.matches("[contenteditable=true], textarea, input[type=text]") && this.form.contains(target)) this.last = target;
    }

    keepFocus(event) {
      event.preventDefault();
    }

    insert({ params }) {
      const field = this.last?.isConnected ? this.last : this.form.querySelector("input[type=text]");
      field.focus();
      if (!field.isContentEditable) {
        field.setRangeText(params.field, field.selectionStart, field.selectionEnd, "end");
        field.dispatchEvent(new Event("input", { bubbles: true }));
        return;
      }
      // The rich text editor keeps a text of its own, and takes what is pasted into it.
      const clipboard = new DataTransfer();
      clipboard.setData("text/plain", params.field);
      field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true, cancelable: true }));
    }
  },
);
