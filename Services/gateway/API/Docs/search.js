/** What the search goes through: words, and the elements that are there only while they match. */
const entries = [];

/** Elements that are there while any of the entries within is. */
const groups = [];

function prepareSearch() {
  const field = $('#search');
  field.addEventListener('input', () => {
    filter(field.value);
    scrollTo(0, 0);
  });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      filter(field.value = '');
      field.blur();
    } else if (event.key === 'Enter' || event.key === 'ArrowDown') {
      event.preventDefault();
      [...document.querySelectorAll('#side li a')].find((link) => link.checkVisibility())?.focus();
    }
  });
  $('#side').addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const links = [...document.querySelectorAll('#side li a')].filter((link) => link.checkVisibility());
    const next = links[links.indexOf(document.activeElement) + step];
    if (next || step < 0) {
      event.preventDefault();
      (next ?? field).focus();
    }
  });
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target.matches('input, textarea, select') || $('dialog[open]');
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}

/** Shows what has all the words, and says how much that is. */
function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const entry of entries) {
    const matches = words.every((word) => entry.words.includes(word));
    if (matches && entry.counts) count += 1;
    entry.elements.forEach((element) => { element.hidden = !matches; });
  }
  for (const group of groups) {
    group.element.hidden = words.length > 0 && !group.elements.some((element) => !element.hidden);
  }
  $('#count').textContent = words.length ? `${count} ${count === 1 ? 'operation' : 'operations'}` : '';
  document.body.classList.toggle('searching', words.length > 0);
  mark(words);
}

/** Marks the words where they stand, where the browser can do so without changing the page. */
function mark(words) {
  if (!globalThis.Highlight) return;
  CSS.highlights.delete('found');
  if (!words.length) return;
  const ranges = [];
  const walker = document.createTreeWalker($('#main'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && ranges.length < 2000) {
    const text = walker.currentNode.data.toLowerCase();
    for (const word of words) {
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
        const range = new Range();
        range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, at + word.length);
        ranges.push(range);
      }
    }
  }
  CSS.highlights.set('found', new Highlight(...ranges));
}
