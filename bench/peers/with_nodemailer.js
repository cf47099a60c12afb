// node with_nodemailer.js PORT CONNECTIONS LETTERS: sends distinct letters over a pool, prints the seconds it took.
"use strict";
const nodemailer = require("nodemailer");
const [port, connections, letters] = process.argv.slice(2).map(Number);
const { text, html } = require("./letter.json");

const transport = nodemailer.createTransport({
  host: "127.0.0.1", port, secure: false, ignoreTLS: true,
  pool: true, maxConnections: connections, maxMessages: 1000,
});

function fill(template, values) {
  return template.replace(/\{\{ (\w+) \}\}/g, (_, name) => values[name]);
}

function letter(n) {
  const name = n % 2 ? `Ольга ${n}` : `Olga ${n}`;
  const values = { first_name: name, email: `client${n}@clients.test`, unsubscribe_url: `https://service.test/u/${n}/` };
  return {
    from: "Garden school <letters@service.test>",
    to: { name, address: values.email },
    subject: "Осенние заметки",
    messageId: `<1.${n}.0a1b2c3d@service.test>`,
    headers: { "List-Unsubscribe": `<${values.unsubscribe_url}>`, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" },
    text: fill(text, values),
    html: fill(html, values),
  };
}

const started = process.hrtime.bigint();
let next = 0, done = 0;

function one() {
  if (next === letters) return;
  transport.sendMail(letter(next++), (error) => {
    if (error) { console.error(error); process.exit(1); }
    if (++done === letters) {
      console.log(Number(process.hrtime.bigint() - started) / 1e9);
      transport.close();
    } else one();
  });
}
for (let i = 0; i < connections * 20; i++) one();
