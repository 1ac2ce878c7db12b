// The Node side of compose.py: mjml 5 + juice in one warm process.
//
//     node peer.cjs FOLDER-OF-NODE_MODULES DOCUMENTS.json
//
// DOCUMENTS.json holds {"documents": [MJML, ...], "css": "..."}. Each line on standard input is a request
// {"indexes", "pages", "authorOnly"}: these documents are rendered and inlined, and one line of JSON answers:
// {"seconds", "bytes", "errors", "pages"}, the pages only when asked for.
"use strict";

const fs = require("fs");
const readline = require("readline");
const { createRequire } = require("module");

const installed = createRequire(`${process.argv[2]}/`);
const mjml2html = installed("mjml"); // asynchronous since 5.0
const juice = installed("juice").default ?? installed("juice"); // an ES module since 12.0
const { documents, css } = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));

const asItComes = { extraCss: css };
// Only the author's sheet is inlined and MJML's own stay in the head, as mailer does it: less work for juice.
const authorOnly = { extraCss: css, applyStyleTags: false, removeStyleTags: false };

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const options = request.authorOnly ? authorOnly : asItComes;
    const began = process.hrtime.bigint();
    const pages = [];
    let errors = 0;
    for (const index of request.indexes) {
      const rendered = await mjml2html(documents[index]);
      errors += rendered.errors.length;
      pages.push(juice(rendered.html, options));
    }
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    const bytes = pages.reduce((sum, page) => sum + Buffer.byteLength(page), 0);
    process.stdout.write(`${JSON.stringify({ seconds, bytes, errors, pages: request.pages ? pages : [] })}\n`);
  }
})();
