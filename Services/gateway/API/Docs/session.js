/** Who is logged in. The token is in this variable and nowhere else. */
const session = {
  token: null,
  /** Whether the token came from a log-in here, which then ends the session, too. */
  isOurs: false,
  open() { $('#login').showModal(); },
};

async function call(method, path, body, token = session.token) {
  const headers = [token && ['Authorization', token], body && ['Content-Type', 'application/json']].filter(Boolean);
  const answer = await fetch(path, {
    method, headers, body: body && JSON.stringify(body), cache: 'no-store', credentials: 'omit',
  });
  const text = await answer.text();
  if (answer.ok) return /json/.test(answer.headers.get('Content-Type')) ? JSON.parse(text) : text;
  let problem = {};
  try { problem = JSON.parse(text); } catch { /* A proxy's page. */ }
  throw Object.assign(new Error(problem.detail ?? `The server answered ${answer.status}.`), { code: problem.code });
}

/** Takes a token that works, and shows whose it is. */
async function adopt(token, isOurs) {
  const me = await call('GET', '/iaas/me', null, token);
  Object.assign(session, { token, isOurs });
  meet('/iaas/users', me);
  showSession(me.email);
}

function showSession(email) {
  $('#who').textContent = email ?? '';
  $('#enter').hidden = Boolean(email);
  $('#leave').hidden = !email;
  $('#leave').textContent = session.isOurs ? 'Log out' : 'Forget token';
  document.dispatchEvent(new Event('session'));
}

/** The token is of no use any more. */
function forget() {
  Object.assign(session, { token: null, isOurs: false });
  showSession(null);
}

async function leave() {
  const { token, isOurs } = session;
  forget();
  // A session that has ended already needs no end.
  if (isOurs) await call('DELETE', '/iaas/sessions', null, token).catch(() => {});
}

/** Runs what a form is for, and shows why it was refused. */
function submits(form, work) {
  const refusal = $('.refusal', form);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = $('.primary', form);
    button.disabled = true;
    refusal.hidden = true;
    try {
      await work(new FormData(form));
      $('#login').close();
    } catch (error) {
      refusal.textContent = error.message;
      refusal.hidden = false;
    }
    button.disabled = false;
  });
}

async function logIn(data) {
  const { email, password, otp } = Object.fromEntries(data);
  try {
    await adopt((await call('POST', '/iaas/sessions', { email, password, ...(otp && { otp }) }, null)).trim(), true);
  } catch (error) {
    if (error.code === 'otp_required') {
      $('#otp').hidden = false;
      $('#otp input').required = true;
      $('#otp input').focus();
    }
    throw error;
  }
}

function prepareSession() {
  const dialog = $('#login');
  $('#enter').addEventListener('click', () => session.open());
  $('#leave').addEventListener('click', leave);
  submits($('#login-form'), logIn);
  submits($('#token-form'), (data) => adopt(data.get('token').trim().replace(/^bearer\s+/i, ''), false));
  // Nothing that was typed stays in the page.
  dialog.addEventListener('close', () => {
    $('#otp').hidden = true;
    $('#otp input').required = false;
    for (const form of dialog.querySelectorAll('form')) form.reset();
    for (const refusal of dialog.querySelectorAll('.refusal')) refusal.hidden = true;
  });
  for (const each of document.querySelectorAll('dialog')) {
    each.addEventListener('click', ({ target }) => target.type === 'button' && each.close(target.value));
  }
}
