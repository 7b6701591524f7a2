// The login: exchanges a token, or a name and password, for a cookie.

import { attempt, credentialsOf, waitWords } from './attempt.js';
import { nextOf, tokenOf } from './signin.js';

const at = (id) => document.getElementById(id);
const next = nextOf(location.search, location.origin);
let waiting = 0; // the interval that counts down to when the gateway takes attempts again

const forms = [at('by-token'), at('by-name')];
const buttons = forms.map((form) => form.querySelector('[type="submit"]'));

const named = () => !at('by-name').hidden;

async function submit() {
  const credentials = credentialsOf({
    named: named(), token: at('token').value, user: at('user').value, password: at('password').value,
  });
  if (!credentials || buttons[0].disabled) {
    return;
  }
  enable(false);
  const { ok, words, wait } = await attempt(credentials);
  if (ok) {
    location.replace(next);
    return;
  }
  say(words);
  if (wait > 0) {
    countDown(wait);
    return;
  }
  enable(true);
  const field = at(named() ? 'password' : 'token');
  field.focus();
  field.select();
}

function enable(able) {
  buttons.forEach((button) => { button.disabled = !able; });
}

function say(words) {
  at('notice').hidden = words === '';
  at('notice').textContent = words;
}

// countDown keeps the buttons still until the gateway takes another attempt.
function countDown(wait) {
  const until = performance.now() + wait;
  clearInterval(waiting);
  waiting = setInterval(() => {
    const left = until - performance.now();
    if (left > 0) {
      say(waitWords(left));
      return;
    }
    clearInterval(waiting);
    enable(true);
    say('');
  }, 1_000);
}

function switchMode() {
  const byName = !named();
  at('by-name').hidden = !byName;
  at('by-token').hidden = byName;
  at('switch').textContent = byName ? 'Use a token' : 'Use name and password';
  at(byName ? 'user' : 'token').focus();
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

for (const form of forms) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
}
at('switch').addEventListener('click', switchMode);
addEventListener('hashchange', takeToken);
takeToken();
