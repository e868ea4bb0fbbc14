//! Days and dates of the Gregorian calendar.

/// Year, month and day of a day since 1970, in the Gregorian calendar.
pub(crate) fn date_of(days: u64) -> (u64, u64, u64) {
    // Counted from the first of March of the year 0, so that a leap day is the last of its year and
    // the lengths of months repeat: 31, 30, 31, 30, 31 days are 153.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let january_or_february = month >= 10;
    let month = if january_or_february {
        month - 9
    } else {
        month + 3
    };
    (
        400 * era + year + u64::from(january_or_february),
        month,
        day,
    )
}

/// The reverse: days since 1970. `None` if there is no such day.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let (year, month) = (year - i64::from(month < 3), (month + 9) % 12);
    let years = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(years + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

#[test]
fn every_day_until_the_year_9999_is_told_from_its_date() {
    for days in 0..2_932_897 {
        let (year, month, day) = date_of(days);
        let [year, month, day] = [year, month, day].map(u64::cast_signed);
        assert_eq!(days_of(year, month, day), Some(days.cast_signed()));
    }
    assert_eq!(date_of(2_932_896), (9999, 12, 31));
}
