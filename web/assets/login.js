// The login: exchanges a token, or a name and password, for a cookie.

import { attempt, credentialsOf, waitWords } from './attempt.js';
import { nextOf, tokenOf } from './signin.js';

const at = (id) => document.getElementById(id);
const next = nextOf(location.search, location.origin);
let waiting = 0; // the interval that counts down to when the gateway takes attempts again

const named = () => !at('by-name').hidden;

async function submit() {
  const credentials = credentialsOf({
    named: named(), token: at('token').value, user: at('user').value, password: at('password').value,
  });
  if (!credentials || at('submit').disabled) {
    return;
  }
  at('submit').disabled = true;
  const { ok, words, wait } = await attempt(credentials);
  if (ok) {
    location.replace(next);
    return;
  }
  at('submit').disabled = false;
  say(words);
  if (wait > 0) {
    countDown(wait);
  } else {
    const field = at(named() ? 'password' : 'token');
    field.focus();
    field.select();
  }
}

function say(words) {
  at('notice').hidden = words === '';
  at('notice').textContent = words;
}

// countDown keeps the button still until the gateway takes another attempt.
function countDown(wait) {
  const until = performance.now() + wait;
  at('submit').disabled = true;
  clearInterval(waiting);
  waiting = setInterval(() => {
    const left = until - performance.now();
    at('notice').textContent = waitWords(left);
    if (left <= 0) {
      clearInterval(waiting);
      at('submit').disabled = false;
      say('');
    }
  }, 1_000);
}

function switchMode() {
  const name = !named();
  for (const [id, shown] of [['by-name', name], ['by-token', !name]]) {
    at(id).hidden = !shown;
    at(id).disabled = !shown;
  }
  at('switch').textContent = name ? 'Use a token' : 'Use name and password';
  at(name ? 'user' : 'token').focus();
}

// takeToken signs in with the token in the fragment, as in the URL that "gateway init" prints, and leaves none of it in
// the address bar or the history.
function takeToken() {
  const token = tokenOf(location.hash);
  if (!token) {
    return;
  }
  history.replaceState(null, '', location.pathname + location.search);
  if (named()) {
    switchMode();
  }
  at('token').value = token;
  submit();
}

at('form').addEventListener('submit', (event) => {
  event.preventDefault();
  submit();
});
at('switch').addEventListener('click', switchMode);
addEventListener('hashchange', takeToken);
takeToken();
