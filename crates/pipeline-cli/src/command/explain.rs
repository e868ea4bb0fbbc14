use clap::Args;
use pipeline_proto::{CodeInfo, ErrorCode, ErrorKind};
use serde::Serialize;

use crate::{
    command::resource::Resource,
    exit::Exit,
    failure::Failure,
    lang,
    options::Global,
    output::{Cell, Show, Table},
};

/// Say what an error code means, in English and in Chinese
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline explain E18641
  pipeline explain '{\"error\":\"E18641: the workflow does not exist\"}'
  pipeline explain not-found
  pipeline explain transform
  pipeline explain --all
  pipeline explain E18641 -o json")]
pub(crate) struct Explain {
    /// A code such as E18641 or 18641, a whole line with a code in it, a kind such as not-found, or a resource
    /// such as transform
    #[arg(value_name = "CODE", required_unless_present = "all")]
    what: Vec<String>,

    /// Every code
    #[arg(long, conflicts_with = "what")]
    all: bool,
}

impl Explain {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        // A line that is pasted without quotes comes as several words.
        let what = self.what.join(" ");
        let what = what.trim();
        let known = || ErrorCode::known().iter().map(Row::from);
        let kind: Option<ErrorKind> = what.parse().ok();
        if self.all {
            global.format().write(&Rows(known().collect()))?;
        } else if let Some(kind) = kind {
            let of_kind = known().filter(|row| row.kind == kind.as_str());
            global.format().write(&Rows(of_kind.collect()))?;
        } else if let Some(resource) = Resource::words().find(|resource| *resource == what) {
            let about = known().filter(|row| row.resource == Some(resource));
            global.format().write(&Rows(about.collect()))?;
        } else {
            let code = what
                .parse()
                .ok()
                .or_else(|| in_line(what))
                .ok_or_else(|| Failure::usage(unreadable(what)))?;
            let info = code.info().ok_or_else(|| {
                let line = format!("{code} is in no list of the service's codes");
                Failure::new(Exit::NotFound, line)
            })?;
            global.format().write(&Row::from(info))?;
        }
        Ok(Exit::Done)
    }
}

/// The code in a line, whoever wrote it: this command, the service, the vendor's Go SDK, a log. Of several
/// the first that is known.
fn in_line(line: &str) -> Option<ErrorCode> {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric());
    // Digits without the letter are a port or a time as likely as a code.
    let codes = words.filter(|word| word.starts_with(['E', 'e']));
    let codes: Vec<ErrorCode> = codes.filter_map(|word| word.parse().ok()).collect();
    let known = codes.iter().find(|code| code.info().is_some());
    known.or(codes.first()).copied()
}

fn unreadable(what: &str) -> String {
    let kinds: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
    format!(
        "{what:?} is no error code such as E18641, no kind of error: {}; and no resource: {}",
        kinds.join(", "),
        Resource::words().collect::<Vec<_>>().join(", ")
    )
}

/// The resource that a code is about: the one with the longest name of those that the code's own name has in it,
/// else the one whose hundred of codes it is among.
fn resource(info: &CodeInfo) -> Option<&'static str> {
    let name = format!("_{}_", info.name);
    let is_named = |word: &&str| {
        let word = word.trim_end_matches(" function").replace([' ', '-'], "_");
        name.contains(&format!("_{}_", word.to_uppercase()))
    };
    let named = Resource::words()
        .filter(is_named)
        .max_by_key(|word| word.len());
    named.or(match info.code.number() / 100 {
        181 => Some("repo"),
        182 => Some("transform"),
        183 => Some("export"),
        _ => None,
    })
}

#[derive(Serialize)]
struct Row {
    code: String,
    http_status: Option<u16>,
    kind: &'static str,
    meaning: &'static str,
    meaning_zh: &'static str,
    on_api_page: bool,
    /// What it is about, if that is one of the resources: the group of commands for it.
    resource: Option<&'static str>,
    /// What this command ends with when the service answers with this code.
    exit_code: u8,
}

impl From<&CodeInfo> for Row {
    fn from(info: &CodeInfo) -> Self {
        Self {
            code: info.code.to_string(),
            http_status: info.http_status,
            kind: info.kind.as_str(),
            meaning: info.meaning,
            meaning_zh: info.meaning_zh,
            on_api_page: info.on_api_page,
            resource: resource(info),
            exit_code: Exit::of(info.kind).code(),
        }
    }
}

impl Row {
    fn status(&self) -> String {
        self.http_status
            .map(|it| it.to_string())
            .unwrap_or_default()
    }
}

impl Show for Row {
    fn names(&self) -> Vec<&str> {
        vec![&self.code]
    }

    fn table(&self) -> String {
        let source = if self.on_api_page {
            lang::pick("the service's API page", "服务的 API 文档")
        } else {
            lang::pick(
                "the vendor's Go SDK; the API page does not list it",
                "官方 Go SDK；API 文档中没有",
            )
        };
        let meanings = [("Meaning", self.meaning), ("含义", self.meaning_zh)];
        let mut table = Table::of_pairs();
        table.pair(lang::pick("Code", "错误码"), Cell::from(&self.code));
        for (name, meaning) in lang::pick(meanings, [meanings[1], meanings[0]]) {
            table.pair(name, Cell::from(meaning));
        }
        table.pair(lang::pick("Kind", "种类"), Cell::from(self.kind));
        if let Some(resource) = self.resource {
            let see = format!("{resource} (pipeline {resource} --help)");
            table.pair(lang::pick("About", "资源"), Cell::from(see));
        }
        table.pair(
            lang::pick("HTTP status", "HTTP 状态"),
            Cell::from(self.status()),
        );
        table.pair(lang::pick("Source", "出处"), Cell::from(source));
        table.pair(
            lang::pick("Exit code", "退出码"),
            Cell::from(self.exit_code.to_string()),
        );
        table.render()
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Rows(Vec<Row>);

impl Show for Rows {
    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|row| row.code.as_str()).collect()
    }

    fn table(&self) -> String {
        self.columns(false)
    }

    fn wide(&self) -> String {
        self.columns(true)
    }
}

impl Rows {
    fn columns(&self, wide: bool) -> String {
        let mut headings = vec!["CODE", "HTTP", "KIND"];
        if wide {
            headings.extend(["EXIT", "API PAGE", "ABOUT"]);
        }
        let meanings = lang::pick(["MEANING", "含义"], ["含义", "MEANING"]);
        headings.extend(meanings.into_iter().take(if wide { 2 } else { 1 }));
        let mut table = Table::new(&headings);
        for row in &self.0 {
            let mut cells = vec![
                Cell::from(&row.code),
                Cell::from(row.status()),
                Cell::from(row.kind),
            ];
            if wide {
                cells.extend([
                    Cell::from(row.exit_code.to_string()),
                    Cell::from(if row.on_api_page { "yes" } else { "no" }),
                    Cell::from(row.resource.unwrap_or_default()),
                ]);
            }
            let meanings = lang::pick([row.meaning, row.meaning_zh], [row.meaning_zh, row.meaning]);
            let shown = if wide { 2 } else { 1 };
            cells.extend(meanings.into_iter().take(shown).map(Cell::from));
            table.row(cells);
        }
        table.render()
    }
}
