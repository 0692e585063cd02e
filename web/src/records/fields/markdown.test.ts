import { describe, expect, it } from 'vitest';
import { plainMarkdown } from './display/plain-markdown';
import { linked, nextLine, prefixed, type Selection, wrapped } from './markdown';

/** `[` and `]` stand for the ends of the selection, `|` for both. */
function selection(marked: string): Selection {
  const start = marked.search(/[⟦|]/);
  const end = marked.includes('|') ? start : marked.indexOf('⟧') - 1;
  return { text: marked.replace(/[⟦⟧|]/g, ''), start, end };
}

function shown({ text, start, end }: Selection): string {
  return start === end
    ? `${text.slice(0, start)}|${text.slice(start)}`
    : `${text.slice(0, start)}⟦${text.slice(start, end)}⟧${text.slice(end)}`;
}

describe('the buttons over a text', () => {
  it('put marks around the selection and take them away again', () => {
    const bold = wrapped(selection('a ⟦word⟧ here'), '**');
    expect(shown(bold)).toBe('a **⟦word⟧** here');
    expect(shown(wrapped(bold, '**'))).toBe('a ⟦word⟧ here');
    expect(shown(wrapped(selection('a | b'), '_'))).toBe('a _|_ b');
  });

  it('make a link of the words and select its address', () => {
    expect(shown(linked(selection('see ⟦the page⟧.')))).toBe('see [the page](⟦https://⟧).');
    expect(shown(linked(selection('see |')))).toBe('see [|](https://)');
  });

  it('make lines entries of a list, number them, and make them plain again', () => {
    const list = prefixed(selection('⟦one\ntwo⟧\nthree'), '- ');
    expect(shown(list)).toBe('⟦- one\n- two⟧\nthree');
    expect(shown(prefixed(list, '1. '))).toBe('⟦1. one\n2. two⟧\nthree');
    expect(shown(prefixed(list, '- '))).toBe('⟦one\ntwo⟧\nthree');
    expect(shown(prefixed(selection('wo|rd'), '> '))).toBe('> wo|rd');
  });
});

describe('Enter inside a list', () => {
  it.each([
    ['- one|', '- one\n- |'],
    ['  2. two|', '  2. two\n  3. |'],
    ['- [x] done|', '- [x] done\n- [ ] |'],
    ['- one\n- |', '- one\n|'],
  ])('%s', (before, after) => {
    const next = nextLine(selection(before));
    expect(next && shown(next)).toBe(after);
  });

  it('is an ordinary line break elsewhere', () => {
    expect(nextLine(selection('plain|'))).toBeNull();
    expect(nextLine(selection('- ⟦one⟧'))).toBeNull();
  });
});

it('leaves the words of a text for one line of a list', () => {
  expect(plainMarkdown('# Title\n\n- **bold** and [link](https://x)\n- [ ] `code`')).toBe(
    'Title bold and link code',
  );
  expect(plainMarkdown('2 * 3 * 4 and snake_case_name')).toBe('2 * 3 * 4 and snake_case_name');
});
