// Phones switch the screen off, and with it the camera, unless they are told not to.

let wanted = false;
let lock;

// stayAwake keeps the screen on, where the browser lets it, or lets it go off again.
export function stayAwake(on) {
  if (on !== wanted) {
    wanted = on;
    follow();
  }
}

// A lock ends by itself when the page is hidden.
async function follow() {
  if (!wanted) {
    lock?.release();
    lock = undefined;
  } else if (!document.hidden) {
    lock = await navigator.wakeLock?.request('screen').catch(() => undefined);
    if (!wanted) {
      lock?.release();
    }
  }
}

document.addEventListener('visibilitychange', follow);
