// The Node side of deliver.py: a pool of nodemailer's sends personal messages.
//
//     node nodemailer.cjs FOLDER-OF-NODE_MODULES JOB.json PORT CONNECTIONS WARM-UP MESSAGES
//
// JOB.json holds {"from", "replyTo", "subject", "headers", "slots", "editions", "people"}: `slots` is the pattern of a
// personal value in an edition's {"text", "html"}, and a person is {"email", "name", "edition", "messageId", "leave",
// "values"}. The first WARM-UP people get a message before the clock is read. One line of JSON answers:
// {"seconds", "cpu", "accepted", "last"}, the last person's {"email", "text", "html"} as they were filled.
"use strict";

const fs = require("fs");
const { createRequire } = require("module");

const [folder, file, port, connections, warmUp, messages] = process.argv.slice(2);
const nodemailer = createRequire(`${folder}/`)("nodemailer");
const job = JSON.parse(fs.readFileSync(file, "utf8"));
const slots = new RegExp(job.slots, "g");
const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };

const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: Number(port),
  ignoreTLS: true,
  pool: true,
  maxConnections: Number(connections),
  maxMessages: Infinity, // otherwise it connects anew after a hundred
});

const fillText = (page, values) => page.replace(slots, (_, name) => values[name]);

const fillHtml = (page, values) =>
  page.replace(slots, (_, name, at) =>
    page[at - 1] === "=" // part of a link to a page that shares this one
      ? encodeURIComponent(values[name])
      : values[name].replace(/[&<>"']/g, (character) => entities[character]),
  );

async function send(people) {
  const queue = people.values(); // shared by all workers
  let accepted = 0;
  let last;
  const work = async () => {
    for (const person of queue) {
      const page = job.editions[person.edition];
      const text = fillText(page.text, person.values);
      const html = fillHtml(page.html, person.values);
      last = { email: person.email, text, html };
      const sent = await transport.sendMail({
        from: job.from,
        replyTo: job.replyTo,
        to: { name: person.name, address: person.email },
        subject: job.subject,
        messageId: person.messageId,
        headers: { ...job.headers, "List-Unsubscribe": person.leave },
        text,
        html,
      });
      accepted += sent.accepted.length;
    }
  };
  // Two for each connection: the next message waits in the pool while one is on its way.
  await Promise.all(Array.from({ length: 2 * Number(connections) }, work));
  return { accepted, last };
}

(async () => {
  await send(job.people.slice(0, Number(warmUp)));
  const people = Array.from({ length: Number(messages) }, (_, number) => job.people[number % job.people.length]);
  const before = process.cpuUsage();
  const began = process.hrtime.bigint();
  const { accepted, last } = await send(people);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const used = process.cpuUsage(before);
  transport.close();
  process.stdout.write(`${JSON.stringify({ seconds, cpu: (used.user + used.system) / 1e6, accepted, last })}\n`);
})();
