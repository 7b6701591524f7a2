// Drives one browser that runs already. Reads commands from standard input, one JSON object a line, and answers
// each on file descriptor 3 with a line {id, result} or {id, error}:
//
//   {id, do: "open", url}                       a tab with its probe; its number is the result
//   {id, do: "look", page}                      what a user sees and hears there now; see probe.js
//   {id, do: "leave", page, url}                for another URL in the same tab
//   {id, do: "screenshot", page, path}
//   {id, do: "close", page}
//
//   node driver.mjs cdp|webDriverBiDi ws://127.0.0.1:PORT/…

import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const [protocol, browserWSEndpoint] = process.argv.slice(2);
const probe = await readFile(new URL('probe.js', import.meta.url), 'utf8');
const browser = await puppeteer.connect({
  protocol, browserWSEndpoint, defaultViewport: { width: 1280, height: 720 }, protocolTimeout: 30_000,
});
const pages = [];
const answers = 3; // the file descriptor; standard output is for what modules print

const commands = {
  async open({ url }) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => {
      if (message.type() === 'error') {
        complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.evaluateOnNewDocument(probe);
    await page.goto(url, { waitUntil: 'domcontentloaded' });
    return pages.push({ page, context, complaints }) - 1;
  },

  async look({ page: number }) {
    const { page, complaints } = pages[number];
    const seen = await page.evaluate('sluiceProbe()');
    return { ...seen, complaints };
  },

  async leave({ page, url }) {
    await pages[page].page.goto(url, { waitUntil: 'domcontentloaded' });
  },

  async screenshot({ page, path }) {
    await pages[page].page.screenshot({ path });
  },

  async close({ page }) {
    await pages[page].context.close();
  },
};

async function obey(line) {
  const command = JSON.parse(line);
  try {
    const result = await commands[command.do](command);
    return { id: command.id, result: result ?? null };
  } catch (error) {
    return { id: command.id, error: String(error?.stack ?? error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  obey(line).then((answer) => writeSync(answers, `${JSON.stringify(answer)}\n`));
}
process.exit(0);
