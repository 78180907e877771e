const verbs = ['get', 'post', 'put', 'patch', 'delete'];

/** The operations of the document: collections as they come there, and in each by path and verb. */
function operationsOf(document) {
  const paths = Object.keys(document.paths);
  const collections = [...new Set(paths.map((path) => path.split('/')[2]))];
  const order = (path) => [collections.indexOf(path.split('/')[2]).toString().padStart(4, '0'),
    ...path.split('/').slice(3).map((part) => part.replace('{', '~'))].join(' ');
  const byOrder = (a, b) => (order(a) < order(b) ? -1 : 1);
  return paths.sort(byOrder).flatMap((path) => verbs.filter((verb) => document.paths[path][verb]).map(
    (verb) => operation(path, verb, document.paths[path][verb], document.paths[path].parameters ?? [])));
}

function operation(path, verb, spec, shared) {
  const security = spec.security ?? api.security ?? [];
  const made = {
    path, verb, id: spec.operationId ?? `${verb}-${path.replace(/\W+/g, '-')}`,
    method: verb.toUpperCase(),
    summary: spec.summary ?? path,
    description: spec.description,
    tag: spec.tags?.[0] ?? 'other',
    parameters: [...shared, ...(spec.parameters ?? [])].map((each) => resolve(each)),
    body: spec.requestBody && resolve(spec.requestBody),
    responses: Object.entries(spec.responses ?? {}).map(([status, response]) => [status, resolve(response)]),
    takesToken: security.some((each) => Object.keys(each).length > 0),
    needsToken: security.length > 0 && security.every((each) => Object.keys(each).length > 0),
  };
  made.words = [
    made.id, made.method, path, made.summary, made.description, made.tag, tagNamed(made.tag)['x-displayName'],
    made.parameters.flatMap((each) => [each.name, each.description]),
    Object.values(made.body?.content ?? {}).flatMap((each) => propertyNames(each.schema)),
    made.responses.flatMap(([status, response]) => [status, codesOf(made, status).map((each) => each.name),
      Object.values(response.content ?? {}).flatMap((each) => propertyNames(each.schema))]),
  ].flat(Infinity).join(' ').toLowerCase();
  return made;
}

const tagNamed = (name) => api.tags?.find((tag) => tag.name === name) ?? { name };

/** The error codes of the document, each with its status, its meaning, and the operations if only some have it. */
const errorCodes = () => Object.entries(api['x-error-codes'] ?? {}).map(([name, rest]) => ({ name, ...rest }));

const codesOf = (operation, status) => errorCodes().filter((each) => String(each.status) === status
  && (each.operations?.includes(operation.id) ?? true));

const codeLink = (name) => el('a', { href: `#error-${name}`, class: 'plain' }, code(name));

const contentOf = (message) => Object.entries(message?.content ?? {});

/** A path with its parameters marked. */
const pathView = (path) => path.split(/(\{[^}]*\})/).map(
  (part) => (part.startsWith('{') ? el('span', { class: 'variable' }, part) : part.replaceAll('/', '/\u200b')));

const methodView = (operation) => el('span', { class: `method ${operation.verb}` }, operation.method);

function operationView(operation) {
  const trial = el('div', { class: 'trial', hidden: true });
  const toggle = el('button', {
    type: 'button', class: 'try', 'aria-expanded': 'false', 'aria-label': `Try it: ${operation.summary}`,
    onclick: () => {
      if (!trial.childElementCount) trial.append(trialView(operation));
      trial.hidden = !trial.hidden;
      toggle.setAttribute('aria-expanded', String(!trial.hidden));
      toggle.textContent = trial.hidden ? 'Try it' : 'Close';
      if (!trial.hidden) $('input, select, textarea, button', trial).focus({ preventScroll: true });
    },
  }, 'Try it');
  return el('section', { id: operation.id, class: 'operation', 'aria-labelledby': `${operation.id}-title` },
    el('h3', { id: `${operation.id}-title` }, operation.summary, ' ',
      el('a', { class: 'anchor', href: `#${operation.id}`, 'aria-label': 'Link to this operation' }, '#')),
    el('p', { class: 'endpoint' }, methodView(operation), el('code', { class: 'path' }, pathView(operation.path)),
      !operation.needsToken && el('span', { class: 'open' }, 'no token needed'), toggle),
    trial,
    el('div', { class: 'columns' },
      el('div', null, markdown(operation.description), parametersView(operation), bodyView(operation),
        responsesView(operation)),
      el('div', { class: 'samples' }, samplesView(operation))));
}

function parametersView(operation) {
  if (!operation.parameters.length) return null;
  return [el('h4', null, 'Parameters'), el('dl', { class: 'rows' }, operation.parameters.map((each) => row(
    each.name, each.schema ?? {}, each.required, each.description, [], each.in)))];
}

function bodyView(operation) {
  return contentOf(operation.body).map(([type, { schema }]) => [
    el('h4', null, 'Body ', el('span', { class: 'type' }, type, !operation.body.required && ', may be left out')),
    refName(schema) && markdown(resolve(schema).description), schemaView(schema),
  ]);
}

const isRefusal = ([status]) => status === 'default' || status >= '400';

function responsesView(operation) {
  const [good, bad] = [false, true].map((wanted) => operation.responses.filter((each) => isRefusal(each) === wanted));
  return [
    el('h4', null, 'Answers'),
    good.map(([status, response]) => el('div', { class: 'answer' },
      el('p', null, el('span', { class: 'status good' }, status), ' ', inline(response.description ?? '')),
      contentOf(response).map(([type, { schema }]) => answerSchema(type, schema)), headersView(response))),
    bad.length > 0 && el('div', { class: 'answer refusals' }, bad.filter(([status]) => status !== 'default').map(
      ([status, response]) => el('p', null, el('span', { class: 'status bad' }, status), ' ',
        joined(codesOf(operation, status).map((each) => codeLink(each.name)), ' '), ' ', ownWords(response))),
    el('p', null, el('span', { class: 'status bad' }, 'other'), ' ', el('a', { href: '#errors' }, 'Error codes'))),
  ];
}

/** What a response says of itself beyond what all refusals have in common. */
function ownWords(response) {
  const common = Object.values(api.components?.responses ?? {}).map((each) => each.description);
  return common.includes(response.description) ? [] : inline(response.description ?? '');
}

function headersView(response) {
  const headers = Object.entries(response.headers ?? {});
  return headers.length > 0 && fold({ class: 'nested' }, 'Headers', () => el('dl', { class: 'rows' },
    headers.map(([name, header]) => {
      const { schema, description } = resolve(header);
      return row(name, schema ?? {}, false, description, []);
    })));
}

function answerSchema(type, schema) {
  const inner = schema && named(schema);
  const properties = schema && (resolve(inner ?? schema.items ?? schema).properties);
  return [
    el('span', { class: 'type' }, typeText(schema ?? {}), `, ${type}`), ' ',
    properties && fold({ class: 'nested' }, 'Properties', () => schemaView(inner ?? schema)), ' ',
  ];
}

function samplesView(operation) {
  const [type, body] = contentOf(operation.body)[0] ?? [];
  const example = body?.example ?? (body && sample(body.schema, false));
  const request = {
    method: operation.method, url: location.origin + operation.path,
    headers: [operation.needsToken && ['Authorization', '$token'], type && ['Content-Type', type]].filter(Boolean),
    stream: isStream(operation),
    body: !type ? null : type.endsWith('json') ? JSON.stringify(example, null, 2) : { name: 'FILE' },
  };
  const answer = operation.responses.find(([status, response]) => status < '300' && contentOf(response).length);
  const [answerType, content] = answer ? contentOf(answer[1])[0] : [];
  return [
    block('Request', 'curl', curl(request)),
    answerType?.endsWith('json') && block(
      `Answer ${answer[0]}`, '', ...json(content.example ?? sample(content.schema, true))),
  ];
}
