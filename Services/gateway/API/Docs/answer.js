/** How much of a text is shown; of what is longer, its end. */
const shownLength = 256 * 1024;

/** Sends a request and shows what comes, as it comes. */
async function perform(operation, request, result, control) {
  const begun = performance.now();
  const status = el('p', { role: 'status' }, 'Sent…');
  result.replaceChildren(status);
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(2)} s`;
  try {
    const answer = await fetch(request.url, {
      method: request.method, headers: request.headers, body: request.body, signal: control.signal,
      cache: 'no-store', credentials: 'omit', redirect: 'error',
    });
    const show = (note) => status.replaceChildren(
      el('span', { class: `status ${answer.ok ? 'good' : 'bad'}` }, String(answer.status)), ` ${answer.statusText} `,
      el('span', { class: 'type' }, note));
    show('receiving');
    result.append(fold({ class: 'nested' }, 'Headers', () => el('pre', null, [...answer.headers].map(
      ([name, value]) => `${name}: ${value}\n`).join(''))));
    const { text, size, end } = await receive(answer, result, (count) => show(`${seconds()}, ${count} bytes so far`));
    show([seconds(), `${size} bytes`, end].filter(Boolean).join(', '));
    showBody(operation, answer, text, result);
  } catch (error) {
    const isStop = error.name === 'AbortError';
    status.replaceChildren(isStop ? `Stopped after ${seconds()}.` : `No answer: ${error.message}.`);
  }
}

/** Reads the body. What is text, and what goes on without an end, is shown while it comes. */
async function receive(answer, result, progress) {
  const type = answer.headers.get('Content-Type') ?? '';
  const isOpen = /^text\/|octet-stream/.test(type);
  const pre = el('pre', { tabindex: 0, 'aria-label': 'Body' });
  const decoder = new TextDecoder();
  let [text, size, end] = ['', 0, ''];
  const reader = answer.body?.getReader();
  try {
    for (;;) {
      const { done, value } = await reader?.read() ?? { done: true };
      if (done) break;
      size += value.length;
      text += decoder.decode(value, { stream: true });
      if (!isOpen) continue;
      text = text.slice(-shownLength);
      if (!pre.isConnected) result.append(pre);
      const isAtEnd = pre.scrollTop + pre.clientHeight > pre.scrollHeight - 20;
      pre.textContent = /octet-stream/.test(type) ? printable(text) : text;
      if (isAtEnd) pre.scrollTop = pre.scrollHeight;
      progress(size);
    }
  } catch (error) {
    end = error.name === 'AbortError' ? 'stopped' : `cut off: ${error.message}`;
  }
  return { text: isOpen ? null : text, size, end };
}

/** What a terminal would show of a text: without escape sequences and other control characters. */
const printable = (text) => text.replace(/\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])/g, '')
  .replace(/\r+\n/g, '\n').replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');

function showBody(operation, answer, text, result) {
  if (!text) return;
  let value;
  try { value = JSON.parse(text); } catch {
    result.append(el('pre', { tabindex: 0, 'aria-label': 'Body' }, text.slice(0, shownLength)));
    return;
  }
  if (/problem\+json/.test(answer.headers.get('Content-Type'))) result.append(problemView(value));
  if (answer.status === 401 && value.code === 'unauthenticated') forget();
  learn(operation, answer, value);
  result.append(block('Body', '', ...json(value)));
}

/** A refusal, so that its code and its reason cannot be missed. */
function problemView(problem) {
  return el('div', { class: 'problem', role: 'alert' },
    el('p', null, codeLink(problem.code), ' ', el('strong', null, problem.detail ?? problem.title)),
    problem.errors && el('ul', null, problem.errors.map(
      ({ field, message }) => el('li', null, code(field), ' ', message))));
}
