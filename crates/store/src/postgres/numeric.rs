//! PostgreSQL's `numeric` in its binary form, digit for digit.
//!
//! The form: count of digits, weight of the first, sign, scale (each two bytes), then digits of
//! base 10,000. Everything that does not fit a [`Decimal`] is an error, never a rounding.

use rust_decimal::Decimal;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const BASE: u128 = 10_000;
/// Decimal places of one digit.
const PLACES: u32 = 4;

/// What could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumericError {
    /// The bytes end early, or a digit is none.
    #[error("the bytes are no numeric")]
    Malformed,
    /// NaN, an infinity, or more digits than a decimal holds.
    #[error("the number does not fit a decimal")]
    TooLarge,
}

/// Appends the binary form.
pub(crate) fn write(number: Decimal, out: &mut impl bytes::BufMut) {
    let scale = number.scale();
    let padding = (PLACES - scale % PLACES) % PLACES;
    // Below 2^96 × 1000, so it fits.
    let mut rest = number.mantissa().unsigned_abs() * 10_u128.pow(padding);
    // Least first; at most nine digits of base 10,000 make 2^96, one more comes from padding.
    let mut digits: [u16; 10] = [0; 10];
    let mut count = 0;
    while rest > 0 && count < digits.len() {
        digits[count] = u16::try_from(rest % BASE).unwrap_or(0);
        rest /= BASE;
        count += 1;
    }
    let fraction = ((scale + padding) / PLACES) as usize;
    let trailing = digits[..count]
        .iter()
        .take_while(|digit| **digit == 0)
        .count();
    let sent = &digits[trailing..count];
    let weight = if sent.is_empty() {
        0
    } else {
        small(count) - small(fraction) - 1
    };
    out.put_i16(small(sent.len()));
    out.put_i16(weight);
    out.put_u16(if number.is_sign_negative() && !sent.is_empty() {
        NEGATIVE
    } else {
        POSITIVE
    });
    out.put_u16(u16::try_from(scale).unwrap_or(0));
    for digit in sent.iter().rev() {
        out.put_u16(*digit);
    }
}

/// Counts of digits are below thirty.
fn small(count: usize) -> i16 {
    i16::try_from(count).unwrap_or(i16::MAX)
}

/// Reads the binary form.
pub(crate) fn read(raw: &[u8]) -> Result<Decimal, NumericError> {
    let mut words = raw
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut word = || words.next().ok_or(NumericError::Malformed);
    let (count, weight, sign, scale) = (word()?, word()?, word()?, u32::from(word()?));
    if sign != POSITIVE && sign != NEGATIVE {
        return Err(NumericError::TooLarge);
    }
    let mut mantissa: u128 = 0;
    for _ in 0..count {
        let digit = u128::from(word()?);
        if digit >= BASE {
            return Err(NumericError::Malformed);
        }
        let shifted = mantissa.checked_mul(BASE).ok_or(NumericError::TooLarge)?;
        mantissa = shifted + digit;
    }
    // How many decimal places the digits read so far have; negative when zeros were left out.
    let weight = i32::from(weight.cast_signed());
    let places = (i32::from(count.cast_signed()) - 1 - weight) * PLACES.cast_signed();
    let missing = scale.cast_signed() - places;
    let power = 10_u128.checked_pow(missing.unsigned_abs());
    let mantissa = match (mantissa, power) {
        (0, _) => 0,
        (_, None) => return Err(NumericError::TooLarge),
        (mantissa, Some(power)) if missing >= 0 => {
            mantissa.checked_mul(power).ok_or(NumericError::TooLarge)?
        }
        (mantissa, Some(power)) if mantissa % power == 0 => mantissa / power,
        _ => return Err(NumericError::Malformed),
    };
    let mantissa = i128::try_from(mantissa).map_err(|_| NumericError::TooLarge)?;
    let signed = if sign == NEGATIVE {
        -mantissa
    } else {
        mantissa
    };
    Decimal::try_from_i128_with_scale(signed, scale).map_err(|_| NumericError::TooLarge)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proptest::prelude::*;

    use super::*;

    fn bytes(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// What PostgreSQL 15 sends (`numeric_send`) for these numbers.
    #[test]
    fn numbers_have_the_form_postgresql_gives_them() {
        for (text, words) in [
            ("0", &[0, 0, 0, 0][..]),
            ("0.00", &[0, 0, 0, 2]),
            ("1", &[1, 0, 0, 0, 1]),
            ("-1.5", &[2, 0, 0x4000, 1, 1, 5000]),
            ("12345.678", &[3, 1, 0, 3, 1, 2345, 6780]),
            ("10000", &[1, 1, 0, 0, 1]),
            ("0.0001", &[1, 0xffff, 0, 4, 1]),
            ("0.00000012", &[1, 0xfffe, 0, 8, 12]),
            ("100000000.10", &[4, 2, 0, 2, 1, 0, 0, 1000]),
        ] {
            let number = Decimal::from_str(text).unwrap();
            let mut written = Vec::new();
            write(number, &mut written);
            assert_eq!(written, bytes(words), "{text}");
            let back = read(&written).unwrap();
            assert_eq!((back, back.scale()), (number, number.scale()), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        // NaN, infinities.
        for sign in [0xc000, 0xd000, 0xf000] {
            assert_eq!(read(&bytes(&[0, 0, sign, 0])), Err(NumericError::TooLarge));
        }
        // 10^36, and 1 with 40 places.
        assert_eq!(read(&bytes(&[1, 9, 0, 0, 1])), Err(NumericError::TooLarge));
        assert_eq!(
            read(&bytes(&[1, 0xfff6, 0, 40, 1])),
            Err(NumericError::TooLarge)
        );
        assert_eq!(read(&[]), Err(NumericError::Malformed));
        assert_eq!(read(&bytes(&[2, 0, 0, 0, 1])), Err(NumericError::Malformed));
        assert_eq!(
            read(&bytes(&[1, 0, 0, 0, 10_000])),
            Err(NumericError::Malformed)
        );
    }

    proptest! {
        #[test]
        fn every_decimal_comes_back_as_it_was(
            mantissa in -(1_i128 << 96) + 1..(1_i128 << 96), scale in 0_u32..=28,
        ) {
            let number = Decimal::from_i128_with_scale(mantissa, scale);
            let mut written = Vec::new();
            write(number, &mut written);
            let back = read(&written).unwrap();
            prop_assert_eq!(back, number);
            prop_assert_eq!(back.scale(), number.scale());
        }
    }
}
