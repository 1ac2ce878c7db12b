"use strict";
// The proof of work that web/work.py asks for. This file runs twice: in the page, and as a worker beside it, which
// computes, so that typing never waits for it.

if (typeof document === "undefined") {
  onmessage = ({ data: { task, parts, bits } }) => postMessage(solve(task, parts, bits));
} else {
  const field = document.querySelector("input[name=work]"), form = field.form;
  const worker = new Worker(document.currentScript.src);
  let working = true, pressed = false;

  const finish = () => {
    working = false;
    form.removeAttribute("aria-busy");
    if (pressed) form.submit();
    pressed = false;
  };
  worker.onmessage = ({ data }) => {
    field.value = `${field.defaultValue}:${data}`;
    finish();
  };
  worker.onerror = finish;  // without a proof the form asks for a second press
  form.addEventListener("submit", (event) => {
    if (!working) return;
    event.preventDefault();
    if (pressed) return;
    pressed = true;
    form.setAttribute("aria-busy", "true");
    setTimeout(finish, 10000);  // nobody waits longer for a slow machine
  });
  worker.postMessage({ task: field.defaultValue, parts: +field.dataset.parts, bits: +field.dataset.bits });
}

// The first numbers whose SHA-256, as 8 hexadecimal digits before the task, begins with so many zero bits.
function solve(task, parts, bits) {
  const first = hasher(task), found = [];
  for (let number = 0; found.length < parts; number++) {
    if (first(number) >>> (32 - bits) === 0) found.push(number.toString(16).padStart(8, "0"));
  }
  return found.join("");
}

// SHA-256 (FIPS 180-4) of one block, of which only the first 32 bits are wanted. The browser's own, in SubtleCrypto,
// takes twenty times as long for so little: each call goes through a promise.
function hasher(task) {
  const primes = [];
  for (let number = 2; primes.length < 64; number++) {
    if (primes.every((prime) => number % prime)) primes.push(number);
  }
  const fraction = (number) => (number % 1) * 2 ** 32;
  const start = Uint32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  const k = Uint32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
  const digits = Uint32Array.from({ length: 65536 }, (_, number) =>
    [...number.toString(16).padStart(4, "0")].reduce((word, digit) => (word << 8) | digit.charCodeAt(0), 0));

  const block = new DataView(new ArrayBuffer(64)), end = 8 + task.length;
  for (let at = 8; at < end; at++) block.setUint8(at, task.charCodeAt(at - 8));
  block.setUint8(end, 0x80);
  block.setUint32(60, end * 8);
  const w = new Uint32Array(64);
  for (let at = 0; at < 16; at++) w[at] = block.getUint32(at * 4);

  return (number) => {
    w[0] = digits[number >>> 16];
    w[1] = digits[number & 65535];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
        + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
    }
    let [a, b, c, d, e, f, g, h] = start;
    for (let i = 0; i < 64; i++) {
      const t = h + k[i] + w[i] + (e & f ^ ~e & g) + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) | 0;
      const u = (a & b ^ a & c ^ b & c) + ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) | 0;
      h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
    }
    return a + start[0] >>> 0;
  };
}
