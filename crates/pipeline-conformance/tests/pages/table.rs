//! Tables of Markdown.

/// A table: its head, and its rows. Cells without the white space around them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// The table of a page whose first column has this title.
pub(crate) fn find(page: &str, first: &str) -> Table {
    let mut lines = page.lines();
    let head = lines
        .by_ref()
        .map(cells)
        .find(|cells| cells.first().is_some_and(|cell| cell == first))
        .unwrap_or_else(|| panic!("there is no table that begins with `{first}`"));
    let rows: Vec<Vec<String>> = lines
        .map(cells)
        .skip(1) // the line of dashes
        .take_while(|cells| !cells.is_empty())
        .collect();
    for row in &rows {
        assert_eq!(row.len(), head.len(), "{row:?}");
    }
    assert!(!rows.is_empty());
    Table { head, rows }
}

/// The cells of a line, if it belongs to a table.
fn cells(line: &str) -> Vec<String> {
    let inner = line
        .strip_prefix('|')
        .and_then(|line| line.strip_suffix('|'));
    inner.map_or_else(Vec::new, |inner| {
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    })
}

#[test]
fn a_table_is_found_by_its_first_title() {
    let page =
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n| c | d |\n|---|---|\n| 3 | 4 |\n| 5 | 6 |\ntext\n";
    let table = find(page, "c");
    assert_eq!(table.head, ["c", "d"]);
    assert_eq!(table.rows, [["3", "4"], ["5", "6"]]);
}
