//! `docs/tokens.md`: its table is what the requests are.

use std::time::{Duration, SystemTime};

use http::header::CONTENT_TYPE;
use pipeline_proto::{Call, CallOptions, Context, Now, Operation};

use crate::{
    operations::{self, NAMES, Visitor},
    read, table,
};

/// Method, resource and content type of an operation's request, as the page writes them.
struct Row;

impl Visitor for Row {
    type Result = [String; 3];

    fn visit<O: Operation + Clone>(&self, operation: O) -> [String; 3] {
        let context = Context::builder().build();
        let call = Call::new(&context, operation, CallOptions::new()).unwrap();
        let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
        let (request, _) = call.start(now).send();
        let content_type = request.headers().get(CONTENT_TYPE);
        let content_type = content_type.map(|value| format!("`{}`", value.to_str().unwrap()));
        [
            format!("`{}`", request.method()),
            format!("`{}`", request.uri().path().replace("logs", "NAME")),
            content_type.unwrap_or_else(|| "none".to_owned()),
        ]
    }
}

#[test]
fn the_table_of_tokens_is_what_the_requests_are() {
    let table = table::find(&read("docs/tokens.md"), "call");
    for row in &table.rows {
        assert_eq!(row[1..], operations::with(&row[0], &Row), "{}", row[0]);
    }
    assert!(
        NAMES
            .iter()
            .all(|name| table.rows.iter().any(|row| row[0] == *name))
    );
}
