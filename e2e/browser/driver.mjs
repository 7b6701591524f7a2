// Drives one browser that runs already. Reads commands from standard input, one JSON object a line, and answers
// each on file descriptor 3 with a line {id, result} or {id, error}:
//
//   {id, do: "open", url, permissions}          a tab with its probe; its number is the result. Without permissions
//                                               they are as the browser has them; [] refuses all of them
//   {id, do: "look", page}                      what a user sees and hears there now; see probe.js
//   {id, do: "evaluate", page, script}          the result of a JavaScript expression; promises are waited for
//   {id, do: "click", page, selector}
//   {id, do: "type", page, selector, text}      into a field, instead of what is in it
//   {id, do: "resize", page, width, height}     the window, as of a telephone
//   {id, do: "leave", page, url}                for another URL in the same tab
//   {id, do: "screenshot", page, path}
//   {id, do: "close", page}
//
//   node driver.mjs cdp|webDriverBiDi ws://127.0.0.1:PORT/…

import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const patience = 90_000; // milliseconds for one step of a browser on a busy machine
const [protocol, browserWSEndpoint] = process.argv.slice(2);
const scripts = await Promise.all(['probe.js', 'peer.js'].map((name) => readFile(new URL(name, import.meta.url), 'utf8')));
const browser = await puppeteer.connect({
  protocol, browserWSEndpoint, defaultViewport: { width: 1280, height: 720 }, protocolTimeout: patience,
});
const pages = [];
const answers = 3; // the file descriptor; standard output is for what modules print

const commands = {
  async open({ url, permissions }) {
    const context = await browser.createBrowserContext();
    if (permissions) {
      await context.overridePermissions(new URL(url).origin, permissions);
    }
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    const complaints = [];
    page.on('console', (message) => {
      if (message.type() === 'error') {
        complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    for (const script of scripts) {
      await page.evaluateOnNewDocument(script);
    }
    await page.goto(url, { waitUntil: 'domcontentloaded' });
    return pages.push({ page, context, complaints }) - 1;
  },

  async look({ page: number }) {
    const { page, complaints } = pages[number];
    const seen = await page.evaluate('sluiceProbe()');
    return { ...seen, complaints };
  },

  async evaluate({ page, script }) {
    return pages[page].page.evaluate(script);
  },

  async click({ page, selector }) {
    await pages[page].page.waitForSelector(selector, { visible: true });
    await pages[page].page.click(selector);
  },

  async type({ page: number, selector, text }) {
    const { page } = pages[number];
    await page.$eval(selector, (field) => { field.value = ''; });
    await page.type(selector, text);
  },

  async resize({ page, width, height }) {
    await pages[page].page.setViewport({ width, height });
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
