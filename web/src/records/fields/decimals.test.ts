import { describe, expect, it } from 'vitest';
import { compareDecimals, decimalFault, decimalForTyping, readDecimal } from './decimals';

describe('a decimal as it is typed', () => {
  it.each([
    // typed, French, English
    ['12,50', '12.50', '12.50'],
    ['12.50', '12.50', '12.50'],
    ['1 234,5', '1234.5', '1234.5'],
    ['1\u202f234,5', '1234.5', '1234.5'],
    ['1,234.5', '1234.5', '1234.5'],
    ['1.234,5', '1234.5', '1234.5'],
    ['1,234,567', '1234567', '1234567'],
    ['−3,5', '-3.5', '-3.5'],
    ['+7', '7', '7'],
    ['-0', '0', '0'],
    ['-0,00', '0.00', '0.00'],
    ['007,1', '7.1', '7.1'],
    ['12,', '12', '12'],
    [',5', '0.5', '0.5'],
    ["1'234'567.8", '1234567.8', '1234567.8'],
    ['99999999999999999999.000001', '99999999999999999999.000001', '99999999999999999999.000001'],
  ])('%s is read as written', (typed, french, english) => {
    expect(readDecimal(typed, 'fr')).toBe(french);
    expect(readDecimal(typed, 'en')).toBe(english);
  });

  it('follows the language where a mark can mean two things', () => {
    expect(readDecimal('1,234', 'fr')).toBe('1.234');
    expect(readDecimal('1,234', 'en')).toBe('1234');
    expect(readDecimal('1.234', 'es')).toBe('1234');
    expect(readDecimal('1.234', 'en')).toBe('1.234');
    // A group never begins with a zero.
    expect(readDecimal('0,123', 'en')).toBe('0.123');
  });

  it.each(['', 'abc', '1,2,3', '1.2.3', '12e5', '1,23.4,5', '--1', '1 2 x', '.', ',', '-'])(
    '“%s” is no number',
    (typed) => {
      expect(readDecimal(typed, 'fr')).toBeUndefined();
    },
  );

  it('is offered for typing with the mark of the language, and read back as the same', () => {
    expect(decimalForTyping('1234567.80', 'fr')).toBe('1234567,80');
    expect(decimalForTyping('-0.05', 'en')).toBe('-0.05');
    for (const language of ['fr', 'en', 'es', 'pt']) {
      for (const value of ['0', '-0.1', '1234.567', '9007199254740993.000001']) {
        expect(readDecimal(decimalForTyping(value, language), language)).toBe(value);
      }
    }
  });
});

describe('the limits of a decimal', () => {
  it('compares digits that no number of JavaScript can tell apart', () => {
    expect(compareDecimals('9007199254740993', '9007199254740992')).toBe(1);
    expect(compareDecimals('0.1', '0.10')).toBe(0);
    expect(compareDecimals('-2', '-1.5')).toBe(-1);
    expect(compareDecimals('-0.5', '-0.25')).toBe(-1);
  });

  it('refuses what would have to be rounded, but not zeros at the end', () => {
    const limits = { precision: 18, scale: 2 };
    expect(decimalFault('1.234', limits)).toEqual({ fault: 'too_precise', count: 2 });
    expect(decimalFault('1.2300', limits)).toBeNull();
    expect(decimalFault('12345678901234567.1', limits)).toEqual({ fault: 'too_large', count: 16 });
    expect(decimalFault('1234567890123456.12', limits)).toBeNull();
  });

  it('knows bounds given as numbers or as exact digits', () => {
    expect(decimalFault('-0.01', { min: 0 })).toEqual({ fault: 'too_small_for', bound: '0' });
    expect(decimalFault('100.000001', { max: '100' })).toEqual({ fault: 'too_large_for', bound: '100' });
    expect(decimalFault('100', { min: '0.5', max: '100.00' })).toBeNull();
  });
});
