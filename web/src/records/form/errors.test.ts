import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { offlineProblem, Problem } from '@/api/problem';
import type { FieldError, FieldMeta } from '@/api/types';
import { formErrors, hasErrors, NO_ERRORS, withoutField } from './errors';

const field = (name: string, label: string) => ({ name, label, type: 'text' }) as FieldMeta;
const title = field('title', 'Title');
const lines = field('lines', 'Lines');
const cost = field('cost', 'Cost');

function refusal(errors: FieldError[], status = 422): Problem {
  return new Problem({
    type: '/problems/invalid',
    title: 'Invalid',
    status,
    detail: 'Some fields are wrong.',
    errors,
  });
}

const sorted = (error: unknown) => formErrors(error, [title, lines], [title, lines, cost], i18next.t);

describe('a refusal', () => {
  it('is told at the fields it names, each with all that is wrong', () => {
    const errors = sorted(
      refusal([
        { field: 'title', code: 'too_long', message: 'Too long.' },
        { field: 'title', code: 'pattern', message: 'Not like this.' },
      ]),
    );
    expect(errors).toEqual({ ...NO_ERRORS, fields: { title: 'Too long. Not like this.' } });
  });

  it.each(['lines[2].quantity', 'lines.2.quantity', '/lines/2/quantity'])(
    'finds the cell that %s means',
    (path) => {
      const errors = sorted(refusal([{ field: path, code: 'min', message: 'Too few.' }]));
      expect(errors.inside).toEqual({ lines: { '2.quantity': 'Too few.' } });
      expect(errors.other).toEqual([]);
    },
  );

  it('is told in the summary when the form does not show the field', () => {
    const errors = sorted(
      refusal([
        { field: 'cost', code: 'required', message: 'Needed.' },
        { field: 'nowhere', code: 'unknown_field', message: 'There is no such field.' },
      ]),
    );
    expect(errors).toEqual({
      ...NO_ERRORS,
      other: ['Cost: Needed.', 'nowhere: There is no such field.'],
    });
  });

  it('of a value that is taken is one of a field, whatever its status', () => {
    const errors = sorted(refusal([{ field: 'title', code: 'unique', message: 'Taken.' }], 409));
    expect(errors.fields).toEqual({ title: 'Taken.' });
  });

  it('without fields is told as a whole', () => {
    const problem = new Problem({ type: '/problems/guard', title: 'No', status: 409, detail: 'Not now.' });
    expect(sorted(problem).other).toEqual(['Not now.']);
    expect(sorted(offlineProblem(new Error('x'))).other[0]).toContain('network');
    expect(sorted(new Error('x')).other).toEqual(['Something unexpected went wrong.']);
  });
});

it('lets go of the error of a field that is changed, and of no other', () => {
  const errors = sorted(
    refusal([
      { field: 'title', code: 'x', message: 'A' },
      { field: 'lines[0].a', code: 'x', message: 'B' },
    ]),
  );
  expect(withoutField(errors, 'title')).toEqual({ ...NO_ERRORS, inside: { lines: { '0.a': 'B' } } });
  expect(withoutField(errors, 'cost')).toBe(errors);
  expect(hasErrors(withoutField(withoutField(errors, 'title'), 'lines'))).toBe(false);
});
