//! The Date field's format: <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>

const DAYS: &[u8] = b"ThuFriSatSunMonTueWed";
const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// Seconds since 1970 as an IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`. Years above 9999 wrap.
pub fn http_date(unix_seconds: u64) -> [u8; 29] {
    let days = unix_seconds / 86_400;
    let seconds = unix_seconds % 86_400;
    let (year, month, day) = civil(days);
    let mut out = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    name(&mut out, 0, DAYS, (days % 7) as usize);
    two(&mut out, 5, day);
    name(&mut out, 8, MONTHS, month as usize - 1);
    two(&mut out, 12, year / 100 % 100);
    two(&mut out, 14, year % 100);
    two(&mut out, 17, seconds / 3600);
    two(&mut out, 20, seconds / 60 % 60);
    two(&mut out, 23, seconds % 60);
    out
}

fn name(out: &mut [u8; 29], at: usize, names: &[u8], index: usize) {
    if let (Some(to), Some(from)) = (out.get_mut(at..at + 3), names.get(index * 3..index * 3 + 3)) {
        to.copy_from_slice(from);
    }
}

fn two(out: &mut [u8; 29], at: usize, value: u64) {
    out[at] = b'0' + (value / 10) as u8;
    out[at + 1] = b'0' + (value % 10) as u8;
}

/// Year, month and day of a day count since 1970, in the Gregorian calendar's eras of 400 years that begin in March:
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + shifted / 146_097 * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::http_date;

    #[test]
    fn dates() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(String::from_utf8_lossy(&http_date(seconds)), text);
        }
        http_date(u64::MAX / 2);
    }
}
