//! Functions that are there without a jar: those of Hive that most people know, by category.

use serde_json::json;

use super::Members;

#[rustfmt::skip]
const BUILTINS: &[(&str, &str, &str)] = &[
    ("math", "abs(x)", "the absolute value"),
    ("math", "ceil(x)", "the lowest whole number that is not below"),
    ("math", "floor(x)", "the highest whole number that is not above"),
    ("math", "pow(x, y)", "x to the power of y"),
    ("math", "rand()", "a number from 0 to 1"),
    ("math", "round(x, digits)", "rounded to so many digits"),
    ("math", "sqrt(x)", "the square root"),
    ("collection", "array_contains(array, value)", "whether a value is in an array"),
    ("collection", "map_keys(map)", "the keys of a map"),
    ("collection", "map_values(map)", "the values of a map"),
    ("collection", "size(collection)", "how many elements there are"),
    ("collection", "sort_array(array)", "an array in order"),
    ("type_conversion", "binary(x)", "as bytes"),
    ("type_conversion", "cast(x as type)", "as another type"),
    ("date", "date_add(date, days)", "so many days later"),
    ("date", "datediff(end, start)", "days between two dates"),
    ("date", "day(date)", "the day of the month"),
    ("date", "from_unixtime(seconds, format)", "a time as text"),
    ("date", "hour(time)", "the hour"),
    ("date", "month(date)", "the month"),
    ("date", "to_date(time)", "the date of a time"),
    ("date", "unix_timestamp(time, format)", "seconds since 1970"),
    ("date", "year(date)", "the year"),
    ("condition", "coalesce(x, y)", "the first that is not null"),
    ("condition", "if(test, then, else)", "one or the other"),
    ("condition", "nvl(x, default)", "another value in place of null"),
    ("string", "concat(x, y)", "one text after another"),
    ("string", "get_json_object(json, path)", "a part of JSON"),
    ("string", "length(text)", "how many characters there are"),
    ("string", "lower(text)", "in lower case"),
    ("string", "regexp_replace(text, pattern, by)", "with other words"),
    ("string", "split(text, pattern)", "an array of parts"),
    ("string", "substr(text, from, length)", "a part of a text"),
    ("string", "trim(text)", "without blanks at the ends"),
    ("string", "upper(text)", "in upper case"),
    ("udaf", "avg(x)", "the mean"),
    ("udaf", "count(x)", "how many there are"),
    ("udaf", "max(x)", "the highest"),
    ("udaf", "min(x)", "the lowest"),
    ("udaf", "sum(x)", "all together"),
    ("udtf", "explode(collection)", "a row for each element"),
    ("udtf", "json_tuple(json, name)", "a row of parts of JSON"),
];

fn name(declaration: &str) -> &str {
    declaration.split('(').next().unwrap_or_default()
}

pub(super) fn is_builtin(function: &str) -> bool {
    BUILTINS
        .iter()
        .any(|(_, declaration, _)| name(declaration) == function)
}

pub(super) fn all() -> Vec<Members> {
    let all = BUILTINS.iter().map(|(category, declaration, description)| {
        json!({
            "funcName": name(declaration),
            "category": category,
            "funcDeclaration": declaration,
            "description": description,
        })
    });
    all.filter_map(|it| it.as_object().cloned()).collect()
}
