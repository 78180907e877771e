/** Ids that answers had, to be offered where a path wants one, by collection: `/iaas/vms` → id → name. */
const met = new Map();

function meet(collection, item) {
  if (!item?.id) return;
  if (!met.has(collection)) met.set(collection, new Map());
  met.get(collection).delete(item.id);
  met.get(collection).set(item.id, item.name ?? item.email ?? item.addr ?? item.kind ?? '');
}

/** Remembers what an answer shows: the items of a list, or one thing by its path. */
function learn(operation, answer, value) {
  for (const name of ['Location', 'Operation-Location']) {
    const [, collection, id] = /^(\/.*)\/([^/]+)$/.exec(answer.headers.get(name) ?? '') ?? [];
    if (id) meet(collection, { id });
  }
  if (Array.isArray(value)) value.forEach((item) => meet(operation.path, item));
  else if (answer.ok) meet(operation.path.replace(/\/\{[^}]*\}$/, ''), value);
}

/** The ids met so far for a parameter of a path, wherever in a path it stands. */
function offers(parameter) {
  const owner = Object.keys(api.paths).find((path) => /^[^{]*$/.test(path.split(`/{${parameter}}`)[0])
    && path.includes(`/{${parameter}}`));
  return [...(met.get(owner?.split('/{')[0]) ?? [])].reverse();
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request as a command line. The token is never in it. */
function curl({ method, url, headers, body, stream }) {
  const isFile = body !== null && typeof body !== 'string';
  const verb = isFile && method === 'PUT' || method === (body === null ? 'GET' : 'POST') ? '' : ` -X ${method}`;
  const parts = [`curl${stream ? ' -N' : ''}${verb} ${quoted(url)}`];
  for (const [name, value] of headers) {
    parts.push(name === 'Authorization' ? '-H "Authorization: $token"' : `-H ${quoted(`${name}: ${value}`)}`);
  }
  if (isFile) parts.push(method === 'PUT' ? `-T ${quoted(body.name)}` : `--data-binary ${quoted(`@${body.name}`)}`);
  else if (body !== null) parts.push(`${body.startsWith('@') ? '--data-raw' : '-d'} ${quoted(body)}`);
  return parts.join(' \\\n  ');
}

/** A field for a parameter, and how its value is read. */
function parameterField(operation, parameter) {
  const { name, required, schema = {} } = parameter;
  const id = `${operation.id}-${parameter.in}-${name}`;
  const values = schema.enum ?? (schema.type === 'boolean' ? [true, false] : null);
  const preset = parameter.example ?? schema.examples?.[0] ?? schema.default;
  const known = parameter.in === 'path' ? offers(name) : [];
  const value = known[0]?.[0] ?? preset ?? '';
  const input = values
    ? el('select', { id }, [...(required ? [] : ['']), ...values].map((each) => el('option', null, String(each))))
    : el('input', {
      id, required, value, list: known.length > 0 && `${id}-known`, autocomplete: 'off', spellcheck: 'false',
      inputmode: schema.type === 'integer' && 'numeric',
      placeholder: schema.format ?? (schema.type === 'string' ? '' : schema.type),
    });
  if (values) input.value = String(value);
  input.addEventListener('focus', () => {
    const list = $('datalist', label) ?? label.appendChild(el('datalist', { id: `${id}-known` }));
    list.replaceChildren(...offers(name).map(([known, title]) => el('option', { value: known }, title)));
    if (parameter.in === 'path') input.setAttribute('list', list.id);
  });
  const label = el('label', null, el('span', null, code(name), ' ', parameter.in, required && ', required'), input);
  return { parameter, input, label };
}

/** The field for the body: an editor, or a chooser of a file for what is binary. */
function bodyField(operation) {
  const [type, content] = contentOf(operation.body)[0] ?? [];
  if (!type) return null;
  if (resolve(content.schema).format === 'binary') {
    const input = el('input', { type: 'file', required: operation.body.required });
    const label = el('label', null, el('span', null, 'Body ', type), input);
    return { type, label, read: () => input.files[0] ?? null };
  }
  const example = { ...(content.example ?? sample(content.schema, false)) };
  for (const key of Object.keys(example)) {
    const [known] = [...(met.get(`/iaas/${key}s`)?.keys() ?? [])].reverse();
    if (known && resolve(content.schema).properties?.[key]?.format === 'uuid') example[key] = known;
  }
  const text = JSON.stringify(example, null, 2);
  const input = el('textarea', { rows: Math.min(20, text.split('\n').length + 1), spellcheck: 'false' });
  input.value = text;
  const hint = el('span', { class: 'hint', role: 'status' });
  input.addEventListener('input', () => {
    try {
      if (input.value.trim()) JSON.parse(input.value);
      hint.textContent = '';
    } catch (error) { hint.textContent = `Not JSON yet: ${error.message}`; }
  });
  const label = el('label', { class: 'body' }, el('span', null, 'Body ', type), input, hint);
  return { type, label, read: () => (input.value.trim() ? input.value : null) };
}

/** What the form asks for at this moment. */
function requestOf(operation, fields, body) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = [];
  if (operation.takesToken && (session.token || operation.needsToken)) headers.push(['Authorization', session.token]);
  for (const { parameter, input } of fields) {
    const value = input.value;
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(value) || '…');
    else if (value && parameter.in === 'query') query.append(parameter.name, value);
    else if (value && parameter.in === 'header') headers.push([parameter.name, value]);
  }
  const content = body?.read() ?? null;
  if (content !== null) headers.push(['Content-Type', body.type]);
  const text = query.toString();
  return {
    method: operation.method, url: location.origin + path + (text && `?${text}`), headers, body: content,
    stream: isStream(operation),
  };
}

/** With a JSON body on one line. */
function compact(request) {
  try {
    return typeof request.body === 'string' ? { ...request, body: JSON.stringify(JSON.parse(request.body)) } : request;
  } catch { return request; }
}

const isStream = (operation) => operation.verb === 'get' && operation.responses.some(
  ([status, response]) => status === '200' && response.content?.['application/octet-stream']);

function trialView(operation) {
  const fields = operation.parameters.map((parameter) => parameterField(operation, parameter));
  const body = bodyField(operation);
  const line = block('The same with curl', 'curl');
  const result = el('div', { class: 'result' });
  const send = el('button', { class: operation.verb === 'delete' ? 'danger' : 'primary' }, 'Send');
  const note = el('p', { class: 'hint' });
  const refresh = () => {
    $('pre', line).textContent = curl(compact(requestOf(operation, fields, body)));
    note.replaceChildren(...(operation.needsToken && !session.token ? ['Not logged in: ', el('button', {
      type: 'button', class: 'link', onclick: () => session.open(),
    }, 'log in'), ' first.'] : []));
  };
  let running = null;
  const form = el('form', {
    oninput: refresh,
    onsubmit: async (event) => {
      event.preventDefault();
      if (running) return running.abort();
      const request = requestOf(operation, fields, body);
      if (operation.verb === 'delete' && !await confirmed(operation.summary, request)) return;
      running = new AbortController();
      send.textContent = 'Stop';
      await perform(operation, request, result, running);
      running = null;
      send.textContent = 'Send';
    },
  }, fields.length > 0 && el('div', { class: 'fields' }, fields.map((each) => each.label)), body?.label, note,
  el('div', { class: 'send' }, send), result, line);
  document.addEventListener('session', refresh);
  refresh();
  return form;
}

/** Whether the person means it. */
function confirmed(title, { method, url }) {
  const dialog = $('#confirm');
  $('h2', dialog).textContent = `${title}?`;
  $('code', dialog).textContent = `${method} ${new URL(url).pathname}`;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener('close', () => done(dialog.returnValue === 'yes'), { once: true });
  });
}
