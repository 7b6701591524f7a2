import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { posterOf, Posters, snapshotURL } from '../assets/poster.js';

const { fetch } = globalThis;
afterEach(() => { globalThis.fetch = fetch; });

// pictures makes images that decode only where there is a picture, and keeps what was asked for.
function pictures(...streams) {
  const asked = [];
  globalThis.Image = class {
    set src(url) {
      this.url = url;
      asked.push(url.split('/')[1]);
    }

    async decode() {
      if (!streams.includes(this.url.split('/')[1])) {
        throw new Error('no picture');
      }
    }
  };
  return asked;
}

test('a picture is another each second', () => {
  assert.equal(snapshotURL('a b', 1999), '/a%20b/snapshot.jpg?at=1');
  assert.notEqual(snapshotURL('a', 1999), snapshotURL('a', 2000));
});

test('the picture is asked for only where the API promises one', async () => {
  const asked = pictures('door');
  const bodies = { door: { snapshot: true }, broken: { snapshot: true }, blind: {} };
  globalThis.fetch = async (path) => {
    const body = bodies[path.split('/').pop()];
    return body ? Response.json(body) : new Response('', { status: 404 });
  };
  assert.match(await posterOf('door'), /^\/door\/snapshot\.jpg\?at=\d+$/);
  for (const name of ['broken', 'blind', 'none']) {
    assert.equal(await posterOf(name), '', name);
  }
  assert.deepEqual(asked, ['door', 'broken']);
  globalThis.fetch = async () => { throw new TypeError('offline'); };
  assert.equal(await posterOf('door'), '');
});

test('pictures come one after the other, and not again soon', async () => {
  const asked = pictures('a');
  const posters = new Posters();
  const cards = ['a', 'b'].map((name) => ({ name, image: { hidden: name === 'a' } }));
  const first = posters.refresh(cards);
  await posters.refresh(cards); // while the first is busy
  assert.deepEqual(asked, ['a']);
  await first;
  assert.deepEqual(asked, ['a', 'b']);
  assert.deepEqual(cards.map(({ image }) => image.hidden), [false, true]);
  assert.match(cards[0].image.src, /^\/a\/snapshot/);
  await posters.refresh(cards);
  assert.deepEqual(asked, ['a', 'b']);
});

test('where no picture came, it is asked for again sooner', async () => {
  const clock = Object.getOwnPropertyDescriptor(globalThis, 'performance');
  let now = 0;
  Object.defineProperty(globalThis, 'performance', { value: { now: () => now }, configurable: true });
  try {
    const asked = pictures('a');
    const posters = new Posters();
    const cards = ['a', 'b'].map((name) => ({ name, image: {} }));
    for (now = 0; now < 30_000; now += 1_000) {
      await posters.refresh(cards);
    }
    assert.equal(asked.filter((name) => name === 'a').length, 1);
    assert.equal(asked.filter((name) => name === 'b').length, 6);
  } finally {
    Object.defineProperty(globalThis, 'performance', clock);
  }
});
