/** Only what leads to the web, to this server or to a place on this page is made a link. */
const isSafeLink = (target) => /^(https?:\/\/|[/#])/i.test(target);

/** Markdown within a line: code, strong, emphasis and links. Everything else is text. */
function inline(text) {
  const nodes = [];
  let end = 0;
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^()\s]+)\)/g;
  for (const match of text.matchAll(pattern)) {
    const [whole, literal, strong, emphasis, label, target] = match;
    nodes.push(text.slice(end, match.index));
    end = match.index + whole.length;
    if (literal) nodes.push(code(literal));
    else if (strong) nodes.push(el('strong', null, inline(strong)));
    else if (emphasis) nodes.push(el('em', null, inline(emphasis)));
    else if (isSafeLink(target)) nodes.push(el('a', { href: target, rel: 'noreferrer' }, inline(label)));
    else nodes.push(whole);
  }
  return [...nodes, text.slice(end)].filter((node) => node !== '');
}

/** Markdown: paragraphs, headings, lists (not within one another), and code, between fences or indented by four. */
function markdown(text) {
  const blocks = [];
  const lines = (text ?? '').split('\n');
  const take = (pattern) => {
    const taken = [];
    while (lines.length && pattern.test(lines[0])) taken.push(lines.shift().replace(pattern, ''));
    return taken;
  };
  while (lines.length) {
    const line = lines[0];
    const marker = /^\s{0,3}([-*+]|\d+[.)])\s+/.exec(line);
    if (!line.trim()) {
      lines.shift();
    } else if (/^```/.test(line)) {
      lines.shift();
      const end = lines.findIndex((each) => /^```/.test(each));
      const body = lines.splice(0, end < 0 ? lines.length : end);
      lines.shift();
      blocks.push(el('pre', null, body.join('\n')));
    } else if (/^ {4}/.test(line)) {
      blocks.push(el('pre', null, take(/^ {4}/).join('\n')));
    } else if (/^#{1,6}\s/.test(line)) {
      const level = line.indexOf(' ');
      blocks.push(el(`h${level}`, null, inline(lines.shift().replace(/^#+\s+/, ''))));
    } else if (marker) {
      const items = [];
      while (lines.length && lines[0].trim()) {
        const item = /^\s{0,3}([-*+]|\d+[.)])\s+(.*)/.exec(lines[0]);
        if (item) items.push(item[2]);
        else items[items.length - 1] += ` ${lines[0].trim()}`;
        lines.shift();
      }
      blocks.push(el(/\d/.test(marker[1]) ? 'ol' : 'ul', null, items.map((item) => el('li', null, inline(item)))));
    } else {
      const paragraph = take(/^(?!\s*$|```|#{1,6}\s|\s{0,3}([-*+]|\d+[.)])\s)/);
      blocks.push(el('p', null, inline(paragraph.join(' '))));
    }
  }
  return blocks;
}
