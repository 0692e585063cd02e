/** Editing Markdown as text: what the buttons of the toolbar and the keys do to a selection. */

export interface Selection {
  text: string;
  start: number;
  end: number;
}

/** Puts marks around the selection, or takes them away where they are. */
export function wrapped({ text, start, end }: Selection, mark: string): Selection {
  const inside = text.slice(start, end);
  const outside =
    text.slice(start - mark.length, start) === mark && text.slice(end, end + mark.length) === mark;
  if (outside) {
    return {
      text: text.slice(0, start - mark.length) + inside + text.slice(end + mark.length),
      start: start - mark.length,
      end: end - mark.length,
    };
  }
  return {
    text: text.slice(0, start) + mark + inside + mark + text.slice(end),
    start: start + mark.length,
    end: end + mark.length,
  };
}

/** The selection becomes the words of a link, and its address is selected to be typed over. */
export function linked({ text, start, end }: Selection): Selection {
  const words = text.slice(start, end);
  const address = 'https://';
  const from = start + words.length + 3;
  return {
    text: `${text.slice(0, start)}[${words}](${address})${text.slice(end)}`,
    start: words === '' ? start + 1 : from,
    end: words === '' ? start + 1 : from + address.length,
  };
}

export type LinePrefix = '- ' | '1. ' | '> ' | '- [ ] ';

const ANY_PREFIX = /^(\s*)(?:- \[[ xX]\] |[-*+] |\d+[.)] |> )?/;

function hasPrefix(line: string, prefix: LinePrefix): boolean {
  const own = ANY_PREFIX.exec(line)?.[0].trim() ?? '';
  return prefix === '1. ' ? /^\d+[.)]$/.test(own) : own === prefix.trim();
}

/** Makes each line of the selection an entry of a list or a quotation, or plain again when all are. */
export function prefixed({ text, start, end }: Selection, prefix: LinePrefix): Selection {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const after = text.indexOf('\n', end);
  const to = after < 0 ? text.length : after;
  const lines = text.slice(from, to).split('\n');
  const off = lines.every((line) => hasPrefix(line, prefix));
  const changed = lines
    .map((line, at) =>
      line.replace(ANY_PREFIX, (_all, indent: string) =>
        off ? indent : indent + (prefix === '1. ' ? `${at + 1}. ` : prefix),
      ),
    )
    .join('\n');
  const next = text.slice(0, from) + changed + text.slice(to);
  const grown = changed.length - (to - from);
  return lines.length === 1
    ? { text: next, start: Math.max(from, start + grown), end: Math.max(from, end + grown) }
    : { text: next, start: from, end: to + grown };
}

/** Enter inside a list starts its next entry; in an empty entry it ends the list. */
export function nextLine({ text, start, end }: Selection): Selection | null {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const line = text.slice(from, start);
  const match = /^(\s*)(?:([-*+]) (\[[ xX]\] )?|(\d+)([.)]) )/.exec(line);
  if (!match || start !== end) {
    return null;
  }
  const [whole, indent = '', bullet, box, number, point] = match;
  if (
    line === whole &&
    text.slice(start, text.indexOf('\n', start) < 0 ? undefined : text.indexOf('\n', start)) === ''
  ) {
    return { text: text.slice(0, from) + text.slice(start), start: from, end: from };
  }
  const mark = bullet ? `${bullet} ${box ? '[ ] ' : ''}` : `${Number(number) + 1}${point} `;
  const added = `\n${indent}${mark}`;
  return {
    text: text.slice(0, start) + added + text.slice(start),
    start: start + added.length,
    end: start + added.length,
  };
}
