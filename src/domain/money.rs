//! Decimals and currencies. Amounts are decimals from end to end, never floats; a currency is one of ISO 4217.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// Currencies in use (ISO 4217, without funds, metals and test codes).
const CURRENCIES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR \
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU \
    MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD \
    SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF \
    XPF YER ZAR ZMW ZWG";

/// A currency of ISO 4217, in capitals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// The text names no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no currency; use a code of ISO 4217 such as EUR")]
pub struct CurrencyError(pub String);

impl Currency {
    /// Reads a code, in any case.
    ///
    /// # Errors
    /// When there is no such currency.
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        let code = text.trim().to_ascii_uppercase();
        let known = CURRENCIES
            .split_ascii_whitespace()
            .any(|known| known == code);
        match code.as_bytes() {
            &[one, two, three] if known => Ok(Self([one, two, three])),
            _ => Err(CurrencyError(text.chars().take(20).collect())),
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is no decimal that we can keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no decimal number such as 12.50, with at most 12 digits before the point and 6 after it"
)]
pub struct DecimalError(pub String);

/// Parts of one that are kept in the store's whole numbers.
const MICROS: i64 = 1_000_000;
/// So large at most, so that sums of many still fit.
const LARGEST: i64 = 1_000_000_000_000;

/// Reads a decimal: plain digits, with a point.
///
/// # Errors
/// When it is none, is too large, or has more than six digits after the point.
pub fn parse_decimal(text: &str) -> Result<Decimal, DecimalError> {
    let refused = || DecimalError(text.chars().take(40).collect());
    let text = text.trim();
    if text.contains(|char: char| !char.is_ascii_digit() && !matches!(char, '.' | '-')) {
        return Err(refused());
    }
    let number = Decimal::from_str(text).map_err(|_| refused())?;
    micros(number)
        .map(|_| number.normalize())
        .ok_or_else(refused)
}

/// The number in millionths; `None` when it has finer parts or is too large.
#[must_use]
pub fn micros(number: Decimal) -> Option<i64> {
    if number.abs() >= Decimal::from(LARGEST) {
        return None;
    }
    let scaled = number.checked_mul(Decimal::from(MICROS))?.normalize();
    if scaled.scale() > 0 {
        return None;
    }
    i64::try_from(scaled).ok()
}

/// Reads [`micros`] back.
#[must_use]
pub fn from_micros(micros: i64) -> Decimal {
    Decimal::new(micros, 6).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_currency_is_one_of_the_list_in_any_case() {
        assert_eq!(Currency::parse(" eur ").unwrap().code(), "EUR");
        for wrong in ["", "EU", "EURO", "XAU", "E R", "€"] {
            assert!(Currency::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_decimal_with_finer_parts_or_in_another_spelling_is_refused() {
        for wrong in ["", "1,5", "0.0000001", "1e3", "1000000000000", "NaN"] {
            assert!(parse_decimal(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_decimal("12.500").unwrap().to_string(), "12.5");
    }

    proptest! {
        #[test]
        fn millionths_read_back(number in -999_999_999_999_000_000_i64..999_999_999_999_000_000) {
            let decimal = from_micros(number);
            prop_assert_eq!(micros(decimal), Some(number));
            prop_assert_eq!(parse_decimal(&decimal.to_string()).unwrap(), decimal);
        }
    }
}
