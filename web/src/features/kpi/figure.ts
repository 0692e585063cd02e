/** Numbers as an indicator writes them: with its decimals, its unit, and the marks of the reader's language. */
import { decimalText } from '@/api/json';

const formats = new Map<string, Intl.NumberFormat>();

function format(language: string, decimals: number, signed: boolean): Intl.NumberFormat {
  const key = `${language} ${decimals} ${signed}`;
  const found = formats.get(key);
  if (found) {
    return found;
  }
  const made = new Intl.NumberFormat(language, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    // Never a minus before nought.
    signDisplay: signed ? 'exceptZero' : 'negative',
  });
  formats.set(key, made);
  return made;
}

interface Written {
  decimals: number;
  unit?: string | null;
}

/** From its digits, so that no digit is lost on the way; nothing for nothing. */
export function figure(
  value: unknown,
  language: string,
  { decimals, unit }: Written,
  signed = false,
): string {
  const digits = decimalText(value);
  if (digits === null) {
    return '';
  }
  const number = format(language, Math.min(decimals, 20), signed).format(digits as Intl.StringNumericLiteral);
  return unit ? `${number}\u00a0${unit}` : number;
}
