/** The OpenAPI document, once it is loaded. */
let api = {};

const refName = (node) => node?.$ref?.split('/').pop();

/** What a reference leads to, with what stands beside the reference; `allOf` is made one schema. */
function resolve(node, depth = 0) {
  if (!node || depth > 20) return {};
  const { $ref, allOf, ...own } = node;
  if ($ref) {
    const path = $ref.replace(/^#\//, '').split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    return { ...resolve(path.reduce((at, part) => at?.[part], api), depth + 1), ...own };
  }
  if (!allOf) return node;
  const parts = [...allOf.map((part) => resolve(part, depth + 1)), own];
  return Object.assign({}, ...parts, {
    properties: Object.assign({}, ...parts.map((part) => part.properties)),
    required: parts.flatMap((part) => part.required ?? []),
  });
}

const alternatives = (schema) => schema.oneOf ?? schema.anyOf ?? [];
const isNull = (schema) => schema.type === 'null';
const typesOf = (schema) => [schema.type ?? []].flat();

/** The schema that a name stands for in this one: itself, its items', or those of the one alternative to null. */
function named(schema) {
  if (refName(schema)) return schema;
  const parts = [...alternatives(schema), ...(schema.allOf ?? [])].filter((part) => !isNull(part));
  if (parts.length === 1) return named(parts[0]);
  return schema.items ? named(schema.items) : null;
}

/** A type in words, with links to what has a name. */
function typeText(schema) {
  const name = refName(schema);
  if (name) return [el('a', { href: `#schema-${name}` }, name)];
  if (schema.allOf?.length === 1) return typeText(schema.allOf[0]);
  if ('const' in schema) return [code(JSON.stringify(schema.const))];
  const options = alternatives(schema);
  if (options.length) return joined(options.map(typeText), ' or ').flat();
  if (schema.enum) return ['one of'];
  const texts = typesOf(schema).map((type) => {
    if (type === 'array') return ['list of ', ...typeText(schema.items ?? {})];
    const values = schema.additionalProperties;
    if (type === 'object' && values?.type) return ['map to ', ...typeText(values)];
    return [schema.format && type === 'string' ? schema.format : type];
  });
  return texts.length ? joined(texts, ' or ').flat() : ['any'];
}

/** Longer patterns are shown only when they are asked for. */
const shortPattern = 28;

/** What else a value must be. */
function limits(schema) {
  const parts = [];
  const range = (low, high, unit) => {
    if (low === undefined && high === undefined) return;
    parts.push(low === undefined ? `up to ${high}${unit}` : high === undefined ? `${low}${unit} or more`
      : `${low} to ${high}${unit}`);
  };
  range(schema.minimum, schema.maximum, '');
  range(schema.minLength, schema.maxLength, ' characters');
  range(schema.minItems, schema.maxItems, ' items');
  const nodes = parts.map((part) => `, ${part}`);
  if (schema.pattern?.length <= shortPattern) nodes.push(', matches ', code(schema.pattern));
  if (schema.default !== undefined) nodes.push(', default ', code(JSON.stringify(schema.default)));
  return nodes;
}

const valuesOf = (schema) => schema.enum ?? (schema.type === 'array' ? schema.items?.enum : undefined);

/** One row of a table of parameters or properties. */
function row(name, schema, required, description, seen, place) {
  const values = valuesOf(schema);
  const inner = named(schema);
  const nested = inner ? resolve(inner) : schema.items ?? schema;
  const goesOn = nested.properties && !seen.includes(refName(inner));
  return el('div', { class: 'row' }, el('dt', null, code(name)), el('dd', null,
    el('span', { class: 'type' }, typeText(schema), values && [' ', joined(values.map((each) => code(each)), ' ')],
      place && `, in ${place}`, required && [', ', el('span', { class: 'required' }, 'required')], limits(schema)), ' ',
    markdown(description ?? schema.description),
    schema.pattern?.length > shortPattern && fold(
      { class: 'nested' }, 'Pattern', () => el('pre', null, schema.pattern)),
    goesOn && fold({ class: 'nested' }, 'Properties', () => schemaView(nested, [...seen, refName(inner)]))));
}

/** The properties of an object, or of a list's items, as a table. A schema within itself is not opened again. */
function schemaView(schema, seen = []) {
  const whole = resolve(schema);
  const path = [...seen, refName(schema)];
  if (whole.type === 'array') return schemaView(whole.items ?? {}, seen);
  const properties = Object.entries(whole.properties ?? {});
  if (!properties.length) {
    const values = joined((valuesOf(whole) ?? []).map((each) => code(each)), ' ');
    return el('p', { class: 'type' }, typeText(whole), ' ', values, limits(whole));
  }
  return el('dl', { class: 'rows' }, properties.map(([name, property]) => row(
    name, property, whole.required?.includes(name), property.description, path)));
}

const samples = {
  uuid: '01a1fd53-d88b-7646-a0e7-ed76c893dc39', 'date-time': '2026-11-21T09:30:00.000Z', email: 'ana@example.org',
};

/** An example of a schema: its own, or one made of its properties; of requests, of those that are required. */
function sample(schema, whole, seen = []) {
  const name = refName(schema);
  if (name && seen.includes(name)) return null;
  const path = name ? [...seen, name] : seen;
  const { examples, example, default: preset, enum: values, oneOf, anyOf, ...rest } = resolve(schema);
  const known = examples?.[0] ?? example ?? preset ?? rest.const ?? values?.[0];
  if (known !== undefined) return known;
  const options = oneOf ?? anyOf;
  if (options) return sample(options[0], whole, path);
  switch (typesOf(rest)[0]) {
    case 'array': return [sample(rest.items, whole, path)];
    case 'integer': case 'number': return rest.minimum ?? 0;
    case 'boolean': return false;
    case 'string': return samples[rest.format] ?? 'text';
    case 'null': return null;
  }
  const properties = Object.entries(rest.properties ?? {});
  const chosen = properties.filter(([key]) => whole || rest.required?.includes(key));
  return Object.fromEntries(chosen.map(([key, property]) => [key, sample(property, whole, path)]));
}

/** The names of all properties that can be reached, for the search. */
function propertyNames(schema, seen = new Set()) {
  const name = refName(schema);
  if (name && seen.has(name)) return [];
  seen.add(name);
  const { properties, items, oneOf, anyOf } = resolve(schema);
  const parts = [...Object.values(properties ?? {}), items, ...(oneOf ?? anyOf ?? [])].filter(Boolean);
  return [...Object.keys(properties ?? {}), ...parts.flatMap((part) => propertyNames(part, seen))];
}
