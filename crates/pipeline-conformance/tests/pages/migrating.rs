//! `docs/migrating.md`: what it says of the codes is what the code says of them.

use pipeline_proto::{ErrorCode, ErrorKind};

use crate::{read, table};

#[test]
fn the_table_of_constants_has_the_kinds_of_the_codes() {
    let table = table::find(&read("docs/migrating.md"), "Go constant");
    for row in &table.rows {
        let kind = match row[1].parse::<ErrorCode>() {
            Ok(code) => code.kind().unwrap_or_else(|| panic!("{code} is not known")),
            Err(_) => ErrorKind::from_status(http::StatusCode::UNAUTHORIZED),
        };
        let told = format!("`ErrorKind::{kind:?}`");
        assert!(row[2].starts_with(&told), "{}: {told}", row[0]);
    }
    let known = [ErrorCode::WORKFLOW_EXISTS, ErrorCode::WORKFLOW_NOT_FOUND];
    for (row, code) in table.rows.iter().zip(known) {
        assert_eq!(row[1], code.to_string());
    }
}
