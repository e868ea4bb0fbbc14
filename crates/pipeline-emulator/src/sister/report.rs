//! Databases and tables of the report service. They have no rows.

use pipeline_proto::ErrorCode;
use serde_json::{Value, json};

use super::{Made, Members, Resource, known, new, refuse, remove_inside, text};
use crate::{
    call::{Call, Outcome, json},
    id::Kind,
    refusal::Refusal,
    resource::verbs::members,
};

const COLUMNS: &str = ".columns";

pub(crate) struct ReportDatabase;

impl Resource for ReportDatabase {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        Ok(new(call, known(body, &["region"])))
    }

    /// Its tables go with it.
    fn deleted(call: &mut Call<'_, '_>, _: &Members) -> Result<(), Refusal> {
        remove_inside(call, &[Kind::ReportTable]);
        Ok(())
    }
}

pub(crate) struct ReportTable;

impl Resource for ReportTable {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let sql = text(&body, "CMD");
        let Some(columns) = columns(sql, &call.names[1]) else {
            let wanted = format!("create table {} (id TEXT);", call.names[1]);
            let detail = format!("{sql:?}; it is to be like {wanted:?}");
            return refuse(ErrorCode::REPORT_INVALID_SQL, detail);
        };
        let mut table = new(call, Members::new());
        table.insert(COLUMNS.to_owned(), columns.into());
        Ok(table)
    }
}

/// The columns that a statement makes, described as MySQL does it.
fn columns(sql: &str, table: &str) -> Option<Vec<Value>> {
    let sql = sql.trim().trim_end_matches(';').trim_end();
    let (head, columns) = sql.strip_suffix(')')?.split_once('(')?;
    let words: Vec<&str> = head
        .split_whitespace()
        .map(|it| it.trim_matches('`'))
        .collect();
    let is_create = !columns.trim().is_empty()
        && matches!(words[..], [create, of, name]
        if create.eq_ignore_ascii_case("create") && of.eq_ignore_ascii_case("table") && name == table);
    let column = |column: &str| {
        let mut words = parts(column, char::is_whitespace).into_iter();
        let (name, of) = (
            words.next()?.trim_matches('`'),
            words.next()?.to_lowercase(),
        );
        Some(
            json!({ "Field": name, "Type": of, "Null": "YES", "Key": "", "Default": null, "Extra": "" }),
        )
    };
    let columns = parts(columns, |next| next == ',').into_iter().map(column);
    columns.collect::<Option<_>>().filter(|_| is_create)
}

/// The parts between characters that are not inside of brackets, the empty ones left out.
fn parts(text: &str, at: impl Fn(char) -> bool) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|next: char| {
        depth += i32::from(next == '(') - i32::from(next == ')');
        depth == 0 && at(next)
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// Names alone.
pub(crate) fn list<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    R::check(call)?;
    let inside = call
        .names
        .first()
        .map_or_else(String::new, |name| format!("{name}/"));
    let all = call.space.others(R::KIND, &inside);
    json(&all.map(|(name, _)| name).collect::<Vec<_>>())
}

/// An array of its columns.
pub(crate) fn get_table(call: &mut Call<'_, '_>) -> Outcome {
    json(&members::<ReportTable>(call)?.get(COLUMNS))
}

/// The user that tools for reports log in as. There is nothing to log in to.
pub(crate) fn activate(_call: &mut Call<'_, '_>) -> Outcome {
    json(&json!({ "user": "emulator", "password": "emulator" }))
}
