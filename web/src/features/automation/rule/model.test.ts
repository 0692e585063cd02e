import { describe, expect, it } from 'vitest';
import {
  addStep,
  changeStep,
  copyStep,
  isWhole,
  moveStep,
  readConditions,
  readPeople,
  readSpan,
  readSteps,
  readTrigger,
  removeStep,
  type Step,
  withInput,
  withType,
  withVariable,
  writeConditions,
  writePeople,
} from './model';

const steps: Step[] = [
  { type: 'comment', params: { body: 'a' } },
  { type: 'request_approval', params: {} },
  { type: 'comment', params: { body: '{{ steps.action_2.decision }}' } },
];

const ids = (list: Step[]) => list.map(({ id }) => id);

describe('the steps of a rule', () => {
  it('keep the names by which later texts speak of them, wherever they are moved', () => {
    expect(ids(moveStep(steps, 1, 0))).toEqual(['action_2', 'action_1', 'action_3']);
    expect(ids(removeStep(steps, 0))).toEqual(['action_2', 'action_3']);
  });

  it('never get a name that another has or had by its place', () => {
    const fewer = removeStep(steps, 0);
    expect(ids(addStep(fewer, 'wait'))).toEqual(['action_2', 'action_3', 'action_4']);
    expect(ids(copyStep(steps, 0))).toEqual(['action_1', 'action_4', 'action_2', 'action_3']);
  });

  it('are copied whole: the copy is written without touching the first', () => {
    const copied = copyStep(steps, 0);
    const changed = changeStep(copied, 1, { params: { body: 'b' } });
    expect(changed.map(({ params }) => params?.body)).toEqual(['a', 'b', undefined, steps[2]?.params?.body]);
  });

  it('do not leave the list', () => {
    expect(moveStep(steps, 0, -1)).toBe(steps);
    expect(moveStep(steps, 2, 3)).toBe(steps);
  });

  it('keep what this editor does not know, and lose what is set to nothing', () => {
    const [step] = changeStep([{ type: 'x', name: 'N', on_failure: 'continue' }], 0, { name: undefined });
    expect(step).toEqual({ type: 'x', on_failure: 'continue' });
  });

  it('are read from anything that was stored', () => {
    expect(readSteps(null)).toEqual([]);
    expect(readSteps([null, 'x', { type: 3 }, { type: 'wait' }])).toEqual([{ type: 'wait' }]);
  });
});

describe('the trigger', () => {
  it('is read by its general name where the CRM has one of its own', () => {
    expect(readTrigger({ type: 'deal_stage_changed', to: ['won'] })).toEqual({
      type: 'state_changed',
      entity: 'deal',
      to: ['won'],
    });
    expect(readTrigger(null)).toEqual({ type: 'record_created' });
  });

  it('keeps the entity with another event, and nothing that only the old one asks', () => {
    const trigger = { type: 'state_changed', entity: 'ticket', to: ['done'] };
    expect(withType(trigger, 'record_created')).toEqual({ type: 'record_created', entity: 'ticket' });
    expect(withInput(trigger, 'to', [])).toEqual({ type: 'state_changed', entity: 'ticket' });
  });
});

describe('conditions', () => {
  const test = { field: 'title', op: 'contains', value: 'x' } as const;

  it('are always a group, however they were written', () => {
    expect(readConditions([test])).toEqual({ all: [test] });
    expect(readConditions(test)).toEqual({ all: [test] });
    expect(readConditions({ any: [test] })).toEqual({ any: [test] });
    expect(readConditions(null)).toEqual({ all: [] });
  });

  it('are stored as none when there is none', () => {
    expect(writeConditions({ any: [] })).toBeNull();
    expect(writeConditions({ all: [test] })).toEqual({ all: [test] });
  });
});

describe('the small languages of a step', () => {
  it('reads durations that a number and a unit can say', () => {
    expect(readSpan('+3 days')).toEqual({ count: 3, unit: 'd' });
    expect(readSpan('45m')).toEqual({ count: 45, unit: 'm' });
    expect(readSpan('2h')).toEqual({ count: 2, unit: 'h' });
    for (const text of ['', '1d 4h', 'soon', '2 months', '{{ due }}']) {
      expect(readSpan(text)).toBeNull();
    }
  });

  it('reads people and writes them as they were', () => {
    const id = '01a22320-5edb-757f-989f-be4509dbce83';
    const people = [id, { role: 'manager' }, { group: 'HSE' }, '{{ requester.id }}'];
    expect(readPeople(people).map(({ kind }) => kind)).toEqual(['person', 'role', 'group', 'text']);
    expect(writePeople(readPeople(people))).toEqual(people);
    expect(readPeople(id)).toEqual([{ kind: 'person', id }]);
    expect(writePeople([])).toBeNull();
  });

  it('puts a variable in where the cursor stands', () => {
    expect(withVariable('Vu : .', 5, 'title')).toEqual({ text: 'Vu : {{ title }}.', cursor: 16 });
  });

  it('knows the whole form', () => {
    expect(isWhole({ format: 'opsflux.flow/1', definition: {} })).toBe(true);
    expect(isWhole({ format: null, definition: null })).toBe(false);
  });
});
