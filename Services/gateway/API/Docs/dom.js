'use strict';

const $ = (selector, within = document) => within.querySelector(selector);

/** An element with attributes, handlers (`onclick`), and children that are nodes or text. What is false is left out. */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

const code = (text, kind) => el('code', { class: kind }, String(text));

/** Nodes with a separator between each two of them. */
const joined = (nodes, separator) => nodes.flatMap((node, index) => (index ? [separator, node] : [node]));

/** Something to open, whose content is made when it is opened for the first time. */
function fold(attributes, summary, content) {
  const details = el('details', attributes, el('summary', null, summary));
  const fill = () => {
    if (details.childElementCount === 1) details.append(...[content()].flat());
  };
  details.addEventListener('toggle', () => details.open && fill());
  details.fill = fill;
  return details;
}

/** A block of code with a button that copies it, where the browser lets pages do so. */
function block(label, kind, ...content) {
  const pre = el('pre', { tabindex: 0, 'aria-label': label }, ...content);
  const copy = navigator.clipboard && el('button', { type: 'button', class: 'copy', onclick: async () => {
    await navigator.clipboard.writeText(pre.textContent);
    copy.textContent = 'Copied';
    setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
  } }, 'Copy');
  return el('div', { class: `block ${kind}` }, el('div', { class: 'label' }, el('span', null, label), copy), pre);
}

/** A JSON value as text, with its parts marked for colour. */
function json(value) {
  const text = JSON.stringify(value, null, 2);
  if (text.length > 300000) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(/("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g)) {
    const kind = match[2] ? 'key' : match[1] ? 'string' : 'value';
    nodes.push(text.slice(end, match.index), el('span', { class: kind }, match[1] ?? match[0]));
    end = match.index + (match[1] ?? match[0]).length;
  }
  return [...nodes, text.slice(end)];
}
