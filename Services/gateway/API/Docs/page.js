/** An entry of the side list and its place in the page, which the search shows and hides together. */
function listed(target, href, words, counts, ...label) {
  const item = el('li', null, el('a', { href }, label));
  entries.push({ words: words.toLowerCase(), counts, elements: [item, target] });
  return item;
}

/** A part of the page with its part of the side list. */
function chapter(id, title, introduction, sections, items) {
  const section = el('section', { id, class: 'chapter', 'aria-labelledby': `${id}-title` },
    el('h2', { id: `${id}-title` }, title), introduction, sections);
  const list = el('div', null, el('h2', null, el('a', { href: `#${id}` }, title)), el('ul', null, items));
  groups.push({ element: section, elements: sections }, { element: list, elements: items });
  $('#main').append(section);
  $('#side').append(list);
}

function showTag(name, operations) {
  const tag = tagNamed(name);
  const sections = operations.map(operationView);
  const items = operations.map((operation, index) => listed(
    sections[index], `#${operation.id}`, operation.words, true, methodView(operation), ' ', operation.summary));
  chapter(`tag-${name}`, tag['x-displayName'] ?? name, markdown(tag.description), sections, items);
}

function showErrors() {
  const codes = errorCodes();
  if (!codes.length) return;
  const rows = codes.map(({ name, status, description, operations }) => el('div', { class: 'row', id: `error-${name}` },
    el('dt', null, el('span', { class: 'status bad' }, String(status)), ' ', code(name)),
    el('dd', null, markdown(description), operations && el('p', { class: 'type' },
      joined(operations.map((id) => el('a', { href: `#${id}` }, id)), ', ')))));
  const items = codes.map(({ name, status, description }, index) => listed(
    rows[index], `#error-${name}`, `${name} ${description} ${status}`, false, name));
  const about = 'What is refused is answered as `application/problem+json` (RFC 9457). Decide by `code`, which stays '
    + 'as it is; `detail` is for people. The same codes stand in the `error` of an operation, and of an image that '
    + 'could not be made.';
  chapter('errors', 'Error codes', markdown(about), rows, items);
}

function showSchemas() {
  const schemas = Object.entries(api.components?.schemas ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const folds = schemas.map(([name, schema]) => fold({ id: `schema-${name}`, class: 'schema' }, code(name), () => [
    ...markdown(schema.description), schemaView({ $ref: `#/components/schemas/${name}` }),
  ]));
  const words = ([name, schema]) => [
    name, schema.description, ...Object.keys(resolve(schema).properties ?? {}),
  ].join(' ');
  const items = schemas.map((each, index) => listed(folds[index], `#schema-${each[0]}`, words(each), false, each[0]));
  chapter('schemas', 'Schemas', null, folds, items);
}

/** Goes to the place that the address names, also when it is folded or hidden by the search. */
function visit() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (!target.checkVisibility()) filter($('#search').value = '');
  if (target.matches('details')) target.open = true;
  target.scrollIntoView();
  showMenu(false);
}

function showMenu(isOpen) {
  document.body.classList.toggle('menu', isOpen);
  $('#menu').setAttribute('aria-expanded', String(isOpen));
}

/** Marks in the side list what is read at this moment: the last thing that begins at the window's top or above. */
function followReader() {
  const links = new Map([...document.querySelectorAll('#side li a')].map((link) => [link.hash.slice(1), link]));
  const places = [...document.querySelectorAll('.operation, .schema, #errors .row')];
  const isAbove = (place) => !place.hidden && place.getBoundingClientRect().top < 120;
  let [present, waits] = [null, false];
  const look = () => {
    waits = false;
    const link = links.get(places.findLast(isAbove)?.id);
    if (link === present) return;
    present?.removeAttribute('aria-current');
    link?.setAttribute('aria-current', 'location');
    present = link;
    if (!document.activeElement.closest('#side')) link?.scrollIntoView({ block: 'nearest' });
  };
  addEventListener('scroll', () => {
    if (!waits) requestAnimationFrame(look);
    waits = true;
  }, { passive: true });
}

/** On paper everything of the schemas is there. */
function prepareForPrinting() {
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('.schema:not([open])')];
    opened.forEach((each) => { each.fill(); each.open = true; });
  });
  addEventListener('afterprint', () => opened.forEach((each) => { each.open = false; }));
}

async function start() {
  prepareSession();
  prepareSearch();
  prepareForPrinting();
  $('#menu').addEventListener('click', () => showMenu(!document.body.classList.contains('menu')));
  try { api = await call('GET', '/iaas/openapi.json'); } catch (error) {
    $('#status').textContent = `The OpenAPI document cannot be loaded: ${error.message} Load this page again.`;
    return;
  }
  const { title, version, description } = api.info;
  document.title = `${title} API`;
  $('#title').textContent = `${title} API`;
  $('#version').textContent = version;
  $('#status').remove();
  $('#side').append(el('p', { id: 'count', role: 'status' }));
  $('#main').append(el('section', { id: 'introduction', class: 'prose' }, el('h1', null, `${title} API`),
    markdown(description),
    el('p', null, 'The same for programs: ', el('a', { href: '/iaas/openapi.json' }, 'openapi.json'))));
  const operations = operationsOf(api);
  const tags = [...new Set([...(api.tags ?? []).map((tag) => tag.name), ...operations.map((each) => each.tag)])];
  for (const name of tags) showTag(name, operations.filter((operation) => operation.tag === name));
  showErrors();
  showSchemas();
  followReader();
  addEventListener('hashchange', visit);
  visit();
}

start();
