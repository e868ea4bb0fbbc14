//! The path of a request, decoded, and what it asks for.

use std::{borrow::Cow, fmt};

use http::{Method, Uri};
use pipeline_proto::ErrorCode;

use crate::{
    call::{Call, Outcome},
    data,
    escape::unescaped,
    id::Kind,
    refusal::Refusal,
    resource::{
        self, Datasource, Export, Group, Job, JobExport, Plugin, Repo, Transform, UdfJar, Variable,
        verbs, workflow,
    },
    sister::{
        logdb::{self, LogdbRepo},
        report::{self, ReportDatabase, ReportTable},
        tsdb::{self, TsdbRepo, TsdbSeries, TsdbView},
    },
};

/// Where a request goes.
pub(crate) struct Target<'a> {
    /// The path, decoded.
    pub(crate) path: Cow<'a, [u8]>,
    pub(crate) route: Route,
}

impl<'a> Target<'a> {
    pub(crate) fn of(method: &Method, uri: &'a Uri) -> Self {
        let raw = uri.path().as_bytes();
        match unescaped(raw) {
            Some(path) => Self {
                route: Route::of(method, &path),
                path,
            },
            None => Self {
                route: Route::Malformed,
                path: Cow::Borrowed(raw),
            },
        }
    }
}

/// What a method and a path ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// An operation, with the names from the path as they were written, legal or not.
    Operation(&'static Operation, Vec<String>),
    /// A known path with a method that it does not have.
    WrongMethod { allow: String },
    /// A path that the service does not have.
    Unknown,
    /// A path with a percent escape that is none.
    Malformed,
}

/// An operation of the service, as the emulator has read the sources: `{}` stands for a name.
///
/// None of this comes from the client's tables, so that a slip in one of the two is noticed.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// As the client calls it.
    pub(crate) name: &'static str,
    pub(crate) perform: fn(&mut Call<'_, '_>) -> Outcome,
}

const fn row(
    method: Method,
    path: &'static str,
    name: &'static str,
    perform: fn(&mut Call<'_, '_>) -> Outcome,
) -> Operation {
    Operation {
        method,
        path,
        name,
        perform,
    }
}

#[rustfmt::skip]
pub(crate) static OPERATIONS: &[Operation] = &[
    row(Method::GET, "/v2/workflows", "list_workflows", workflow::list),
    row(Method::GET, "/v2/workflows/{}", "get_workflow", workflow::get),
    row(Method::POST, "/v2/workflows/{}", "create_workflow", workflow::create),
    row(Method::PUT, "/v2/workflows/{}", "update_workflow", workflow::update),
    row(Method::DELETE, "/v2/workflows/{}", "delete_workflow", workflow::delete),
    row(Method::GET, "/v2/workflows/{}/status", "get_workflow_status", workflow::status),
    row(Method::POST, "/v2/workflows/{}/start", "start_workflow", workflow::start),
    row(Method::POST, "/v2/workflows/{}/stop", "stop_workflow", workflow::stop),
    row(Method::POST, "/v2/workflows/{}/search", "search_logs", workflow::search),

    row(Method::GET, "/v2/repos", "list_repos", verbs::list::<Repo>),
    row(Method::GET, "/v2/repos/{}", "get_repo", verbs::get::<Repo>),
    row(Method::POST, "/v2/repos/{}", "create_repo", verbs::create::<Repo>),
    row(Method::PUT, "/v2/repos/{}", "update_repo", verbs::update::<Repo>),
    row(Method::DELETE, "/v2/repos/{}", "delete_repo", verbs::delete::<Repo>),
    row(Method::GET, "/v2/repos/{}/exists", "repo_exists", verbs::exists::<Repo>),
    row(Method::GET, "/v2/repos/{}/data", "sample_repo", data::sample),
    row(Method::POST, "/v2/repos/{}/data", "push_points", data::push_points),
    row(Method::POST, "/v2/streams/{}/data", "push_lines", data::push_lines),
    row(Method::POST, "/v2/stream/{}/data", "push_raw", data::push_raw),

    row(Method::GET, "/v2/repos/{}/transforms", "list_transforms", verbs::list::<Transform>),
    row(Method::GET, "/v2/repos/{}/transforms/{}", "get_transform", verbs::get::<Transform>),
    row(Method::PUT, "/v2/repos/{}/transforms/{}", "update_transform", verbs::update::<Transform>),
    row(Method::DELETE, "/v2/repos/{}/transforms/{}", "delete_transform", verbs::delete::<Transform>),
    row(Method::GET, "/v2/repos/{}/transforms/{}/exists", "transform_exists", verbs::exists::<Transform>),
    row(Method::POST, "/v2/repos/{}/transforms/{}/to/{}", "create_transform", verbs::create::<Transform>),

    row(Method::GET, "/v2/repos/{}/exports", "list_exports", verbs::list::<Export>),
    row(Method::GET, "/v2/repos/{}/exports/{}", "get_export", verbs::get::<Export>),
    row(Method::POST, "/v2/repos/{}/exports/{}", "create_export", verbs::create::<Export>),
    row(Method::PUT, "/v2/repos/{}/exports/{}", "update_export", verbs::update::<Export>),
    row(Method::DELETE, "/v2/repos/{}/exports/{}", "delete_export", verbs::delete::<Export>),
    row(Method::GET, "/v2/repos/{}/exports/{}/exists", "export_exists", verbs::exists::<Export>),

    row(Method::GET, "/v2/datasources", "list_datasources", verbs::list::<Datasource>),
    row(Method::GET, "/v2/datasources/{}", "get_datasource", verbs::get::<Datasource>),
    row(Method::POST, "/v2/datasources/{}", "create_datasource", verbs::create::<Datasource>),
    row(Method::PUT, "/v2/datasources/{}", "update_datasource", verbs::update::<Datasource>),
    row(Method::DELETE, "/v2/datasources/{}", "delete_datasource", verbs::delete::<Datasource>),
    row(Method::GET, "/v2/datasources/{}/exists", "datasource_exists", verbs::exists::<Datasource>),
    row(Method::POST, "/v2/schemas", "retrieve_schema", resource::retrieve_schema),

    row(Method::GET, "/v2/jobs", "list_jobs", verbs::list::<Job>),
    row(Method::GET, "/v2/jobs/{}", "get_job", verbs::get::<Job>),
    row(Method::POST, "/v2/jobs/{}", "create_job", verbs::create::<Job>),
    row(Method::PUT, "/v2/jobs/{}", "update_job", verbs::update::<Job>),
    row(Method::DELETE, "/v2/jobs/{}", "delete_job", verbs::delete::<Job>),
    row(Method::GET, "/v2/jobs/{}/exists", "job_exists", verbs::exists::<Job>),
    row(Method::POST, "/v2/jobs/{}/actions/start", "start_job", resource::start_job),
    row(Method::POST, "/v2/jobs/{}/actions/stop", "stop_job", resource::stop_job),
    row(Method::GET, "/v2/jobs/{}/history", "list_batches", resource::history),
    row(Method::POST, "/v2/batch/actions/stop", "stop_batch", resource::stop_batch),
    row(Method::POST, "/v2/batch/actions/rerun", "rerun_batch", resource::rerun_batch),

    row(Method::GET, "/v2/jobs/{}/exports", "list_job_exports", verbs::list::<JobExport>),
    row(Method::GET, "/v2/jobs/{}/exports/{}", "get_job_export", verbs::get::<JobExport>),
    row(Method::POST, "/v2/jobs/{}/exports/{}", "create_job_export", verbs::create::<JobExport>),
    row(Method::PUT, "/v2/jobs/{}/exports/{}", "update_job_export", verbs::update::<JobExport>),
    row(Method::DELETE, "/v2/jobs/{}/exports/{}", "delete_job_export", verbs::delete::<JobExport>),
    row(Method::GET, "/v2/jobs/{}/exports/{}/exists", "job_export_exists", verbs::exists::<JobExport>),

    row(Method::GET, "/v2/plugins", "list_plugins", verbs::list::<Plugin>),
    row(Method::GET, "/v2/plugins/{}", "get_plugin", verbs::get::<Plugin>),
    row(Method::POST, "/v2/plugins/{}", "upload_plugin", verbs::upload::<Plugin>),
    row(Method::DELETE, "/v2/plugins/{}", "delete_plugin", verbs::delete::<Plugin>),
    row(Method::POST, "/v2/verify/plugins/{}", "verify_plugin", resource::verify_plugin),

    row(Method::GET, "/v2/udf/jars", "list_udf_jars", resource::list_udf_jars),
    row(Method::POST, "/v2/udf/jars/{}", "upload_udf_jar", verbs::upload::<UdfJar>),
    row(Method::PUT, "/v2/udf/jars/{}", "describe_udf_jar", verbs::update::<UdfJar>),
    row(Method::DELETE, "/v2/udf/jars/{}", "delete_udf_jar", verbs::delete::<UdfJar>),
    row(Method::GET, "/v2/udf/funcs", "list_udfs", resource::list_udfs),
    row(Method::POST, "/v2/udf/funcs/{}", "register_udf", resource::register_udf),
    row(Method::DELETE, "/v2/udf/funcs/{}", "deregister_udf", resource::deregister_udf),
    row(Method::GET, "/v2/udf/builtins", "list_builtins", resource::list_builtins),
    row(Method::POST, "/v2/udf/debug", "debug_udf", resource::debug_udf),

    row(Method::GET, "/v2/groups", "list_groups", verbs::list::<Group>),
    row(Method::GET, "/v2/groups/{}", "get_group", verbs::get::<Group>),
    row(Method::POST, "/v2/groups/{}", "create_group", verbs::create::<Group>),
    row(Method::PUT, "/v2/groups/{}", "update_group", verbs::update::<Group>),
    row(Method::DELETE, "/v2/groups/{}", "delete_group", verbs::delete::<Group>),
    row(Method::POST, "/v2/groups/{}/actions/start", "start_group", resource::start_group),
    row(Method::POST, "/v2/groups/{}/actions/stop", "stop_group", resource::stop_group),

    row(Method::GET, "/v2/variables", "list_variables", resource::list_variables),
    row(Method::GET, "/v2/variables/{}", "get_variable", resource::get_variable),
    row(Method::POST, "/v2/variables/{}", "create_variable", verbs::create::<Variable>),
    row(Method::PUT, "/v2/variables/{}", "update_variable", verbs::update::<Variable>),
    row(Method::DELETE, "/v2/variables/{}", "delete_variable", verbs::delete::<Variable>),

    row(Method::GET, "/v5/repos", "list_logdb_repos", verbs::list::<LogdbRepo>),
    row(Method::GET, "/v5/repos/{}", "get_logdb_repo", verbs::get::<LogdbRepo>),
    row(Method::POST, "/v5/repos/{}", "create_logdb_repo", verbs::create::<LogdbRepo>),
    row(Method::PUT, "/v5/repos/{}", "update_logdb_repo", verbs::update::<LogdbRepo>),
    row(Method::DELETE, "/v5/repos/{}", "delete_logdb_repo", verbs::delete::<LogdbRepo>),
    row(Method::POST, "/v5/repos/{}/data", "send_logdb_logs", logdb::send),
    row(Method::GET, "/v5/repos/{}/search", "query_logdb_logs", logdb::query_search),
    row(Method::POST, "/v5/repos/{}/search", "search_logdb_logs", logdb::search),
    row(Method::POST, "/v5/repos/{}/scroll", "scroll_logdb_logs", logdb::scroll),
    row(Method::POST, "/v5/repos/{}/s", "search_logdb_part", logdb::partial_search),
    row(Method::GET, "/v5/repos/{}/histogram", "count_logdb_logs", logdb::histogram),
    row(Method::POST, "/v5/logdbkibana/msearch", "search_logdb_repos", logdb::multi_search),

    row(Method::GET, "/v4/repos", "list_tsdb_repos", verbs::list::<TsdbRepo>),
    row(Method::GET, "/v4/repos/{}", "get_tsdb_repo", verbs::get::<TsdbRepo>),
    row(Method::POST, "/v4/repos/{}", "create_tsdb_repo", verbs::create::<TsdbRepo>),
    row(Method::DELETE, "/v4/repos/{}", "delete_tsdb_repo", verbs::begin_delete::<TsdbRepo>),
    row(Method::POST, "/v4/repos/{}/meta", "describe_tsdb_repo", tsdb::describe::<TsdbRepo>),
    row(Method::DELETE, "/v4/repos/{}/meta", "undescribe_tsdb_repo", tsdb::undescribe::<TsdbRepo>),
    row(Method::GET, "/v4/repos/{}/series", "list_tsdb_series", verbs::list::<TsdbSeries>),
    row(Method::POST, "/v4/repos/{}/series/{}", "create_tsdb_series", verbs::create::<TsdbSeries>),
    row(Method::DELETE, "/v4/repos/{}/series/{}", "delete_tsdb_series", verbs::begin_delete::<TsdbSeries>),
    row(Method::POST, "/v4/repos/{}/series/{}/meta", "describe_tsdb_series", tsdb::describe::<TsdbSeries>),
    row(Method::DELETE, "/v4/repos/{}/series/{}/meta", "undescribe_tsdb_series", tsdb::undescribe::<TsdbSeries>),
    row(Method::GET, "/v4/repos/{}/views", "list_tsdb_views", verbs::list::<TsdbView>),
    row(Method::GET, "/v4/repos/{}/views/{}", "get_tsdb_view", verbs::get::<TsdbView>),
    row(Method::POST, "/v4/repos/{}/views/{}", "create_tsdb_view", verbs::create::<TsdbView>),
    row(Method::DELETE, "/v4/repos/{}/views/{}", "delete_tsdb_view", verbs::begin_delete::<TsdbView>),
    row(Method::POST, "/v4/repos/{}/points", "write_tsdb_points", tsdb::write),
    row(Method::GET, "/v4/repos/{}/query", "get_tsdb_points", tsdb::query),
    row(Method::POST, "/v4/repos/{}/query", "query_tsdb_points", tsdb::query),

    row(Method::POST, "/v1/activate", "activate_report_user", report::activate),
    row(Method::GET, "/v1/dbs", "list_report_databases", report::list::<ReportDatabase>),
    row(Method::POST, "/v1/dbs/{}", "create_report_database", verbs::create::<ReportDatabase>),
    row(Method::DELETE, "/v1/dbs/{}", "delete_report_database", verbs::delete::<ReportDatabase>),
    row(Method::GET, "/v1/dbs/{}/tables", "list_report_tables", report::list::<ReportTable>),
    row(Method::GET, "/v1/dbs/{}/tables/{}", "get_report_table", report::get_table),
    row(Method::POST, "/v1/dbs/{}/tables/{}", "create_report_table", verbs::create::<ReportTable>),
    row(Method::DELETE, "/v1/dbs/{}/tables/{}", "delete_report_table", verbs::delete::<ReportTable>),
];

/// What the paths of operations are about, and how many of the names in them say which one.
const RESOURCES: &[(&str, usize, Kind)] = &[
    ("/v2/workflows", 1, Kind::Workflow),
    ("/v2/repos/{}/transforms", 2, Kind::Transform),
    ("/v2/repos/{}/exports", 2, Kind::Export),
    ("/v2/repos", 1, Kind::Repo),
    ("/v2/stream", 1, Kind::Repo),
    ("/v2/datasources", 1, Kind::Datasource),
    ("/v2/jobs/{}/exports", 2, Kind::JobExport),
    ("/v2/jobs", 1, Kind::Job),
    ("/v2/plugins", 1, Kind::Plugin),
    ("/v2/verify/plugins", 1, Kind::Plugin),
    ("/v2/udf/jars", 1, Kind::UdfJar),
    ("/v2/udf/funcs", 1, Kind::Udf),
    ("/v2/groups", 1, Kind::Group),
    ("/v2/variables", 1, Kind::Variable),
    ("/v5/repos", 1, Kind::LogdbRepo),
    ("/v4/repos/{}/series", 2, Kind::TsdbSeries),
    ("/v4/repos/{}/views", 2, Kind::TsdbView),
    ("/v4/repos", 1, Kind::TsdbRepo),
    ("/v1/dbs/{}/tables", 2, Kind::ReportTable),
    ("/v1/dbs", 1, Kind::ReportDatabase),
];

/// Size of the longest jar that the service takes, in bytes.
const MAX_JAR: usize = 100 * 1024 * 1024;

impl Operation {
    /// Size of the longest body of it, where others may have this one.
    pub(crate) fn max_body(&self, of_others: usize) -> usize {
        if self.takes_jar() {
            of_others.max(MAX_JAR)
        } else {
            of_others
        }
    }

    fn takes_jar(&self) -> bool {
        matches!(self.name, "upload_plugin" | "upload_udf_jar")
    }

    /// A jar whose length is not the one that is said has a code of its own.
    pub(crate) fn recoded(&self, refusal: Refusal) -> Refusal {
        if self.takes_jar() {
            let (from, to) = (
                ErrorCode::INVALID_CONTENT_LENGTH,
                ErrorCode::PLUGIN_LENGTH_MISMATCH,
            );
            refusal.recoded(from, to)
        } else {
            refusal
        }
    }

    /// The kind of resource that it is about, and which one if it is about one.
    pub(crate) fn resource(&self, names: &[String]) -> Option<(Kind, Option<String>)> {
        let is_inside = |(path, ..): &&(&str, usize, Kind)| self.path.starts_with(path);
        let (_, count, kind) = RESOURCES.iter().find(is_inside)?;
        Some((*kind, names.get(..*count).map(|names| names.join("/"))))
    }

    /// The names in a path of this operation.
    fn names(&self, path: &str) -> Option<Vec<String>> {
        let (mut pattern, mut path) = (self.path.split('/'), path.split('/'));
        let mut names = Vec::new();
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return Some(names),
                (Some("{}"), Some(name)) => names.push(name.to_owned()),
                (wanted, given) if wanted == given => {}
                _ => return None,
            }
        }
    }
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Operation {}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Route {
    fn of(method: &Method, path: &[u8]) -> Self {
        // A name that is no UTF-8 is no legal name either; the lossy text says so well enough.
        let path = String::from_utf8_lossy(path);
        let mut allow = Vec::new();
        for operation in OPERATIONS {
            if let Some(names) = operation.names(&path) {
                if operation.method == *method {
                    return Self::Operation(operation, names);
                }
                allow.push(operation.method.as_str());
            }
        }
        match &allow[..] {
            [] => Self::Unknown,
            allow => Self::WrongMethod {
                allow: allow.join(", "),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline_proto::resource::{OPERATIONS as OF_THE_CLIENT, logdb, tsdb};

    use super::*;

    fn route(method: &str, target: &str) -> Route {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Target::of(&method, &target.parse().unwrap()).route
    }

    /// The two readings of the sources agree on all of a resource of which the emulator has anything.
    #[test]
    fn every_operation_is_where_the_client_sends_it() {
        let sisters = logdb::OPERATIONS.iter().chain(tsdb::OPERATIONS);
        for info in OF_THE_CLIENT.iter().chain(sisters) {
            let names = &["aa", "bb", "cc"][..info.names.len()];
            let target = info.target(names).unwrap();
            let Route::Operation(operation, found) = route(info.method.as_str(), &target) else {
                panic!("{} {target}", info.method);
            };
            assert_eq!(operation.name, info.name);
            assert_eq!(found, names, "{}", info.name);
        }
        let own = OPERATIONS.iter().filter(|it| it.path.starts_with("/v2/"));
        assert_eq!(own.count(), OF_THE_CLIENT.len());
    }

    #[test]
    fn an_operation_is_about_the_resource_that_its_path_names() {
        for (method, target, expected) in [
            ("GET", "/v2/workflows", "workflow -"),
            ("POST", "/v2/workflows/w/start", "workflow w"),
            ("GET", "/v2/repos/r/data", "repo r"),
            ("POST", "/v2/stream/r/data", "repo r"),
            ("POST", "/v2/streams/r/data", "repo r"),
            ("GET", "/v2/repos/r/exports", "export -"),
            ("GET", "/v2/repos/r/exports/e", "export r/e"),
            ("POST", "/v2/repos/r/transforms/t/to/s", "transform r/t"),
            ("GET", "/v2/jobs/j/exports/e/exists", "exportBatch j/e"),
            ("GET", "/v2/jobs/j/history", "job j"),
            ("POST", "/v2/verify/plugins/p", "plugin p"),
            ("DELETE", "/v2/udf/funcs/f", "udf f"),
            ("POST", "/v2/schemas", ""),
            ("PUT", "/v5/repos/r", "logdbRepo r"),
            ("POST", "/v5/repos/r/search", "logdbRepo r"),
            ("POST", "/v5/logdbkibana/msearch", ""),
            ("POST", "/v4/repos/r/query", "tsdbRepo r"),
            ("POST", "/v4/repos/r/series/s", "tsdbSeries r/s"),
            ("DELETE", "/v4/repos/r/series/s/meta", "tsdbSeries r/s"),
            ("GET", "/v4/repos/r/views", "tsdbView -"),
            ("GET", "/v1/dbs/d/tables/t", "reportTable d/t"),
        ] {
            let Route::Operation(operation, names) = route(method, target) else {
                panic!("{method} {target}");
            };
            let found = operation.resource(&names).map(|(kind, name)| {
                format!("{} {}", kind.as_str(), name.as_deref().unwrap_or("-"))
            });
            assert_eq!(found.unwrap_or_default(), expected, "{method} {target}");
        }
    }

    #[test]
    fn names_are_judged_later_so_that_an_illegal_one_gets_its_code() {
        for (method, target, expected) in [
            ("GET", "/v2/workflows?x=y", ("list_workflows", &[][..])),
            ("DELETE", "/v2/workflows/w?a", ("delete_workflow", &["w"])),
            (
                "GET",
                "http://host/v2/workflows/w",
                ("get_workflow", &["w"]),
            ),
            ("GET", "/v2/workflows/a%2Db", ("get_workflow", &["a-b"])),
            ("GET", "/v2/workflows/", ("get_workflow", &[""])),
            ("POST", "/v2/workflows//start", ("start_workflow", &[""])),
            ("GET", "/v2/workflows/%FF", ("get_workflow", &["\u{fffd}"])),
        ] {
            let Route::Operation(operation, names) = route(method, target) else {
                panic!("{method} {target}");
            };
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            assert_eq!((operation.name, &names[..]), expected, "{method} {target}");
        }
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        for (method, target, allow) in [
            ("POST", "/v2/workflows", "GET"),
            ("PATCH", "/v2/workflows/w", "GET, POST, PUT, DELETE"),
            ("HEAD", "/v2/workflows/w", "GET, POST, PUT, DELETE"),
            ("POST", "/v2/workflows/w/status", "GET"),
            ("GET", "/v2/workflows/w/start", "POST"),
            ("get", "/v2/workflows", "GET"),
        ] {
            assert_eq!(
                route(method, target),
                Route::WrongMethod {
                    allow: allow.to_owned()
                },
                "{method} {target}"
            );
        }
    }

    #[test]
    fn other_paths_are_unknown() {
        for target in [
            "/",
            "*",
            "/v2",
            "/v1/workflows",
            "/v2/workflowsx",
            "/v2/Workflows",
            "/v2/workflows/w/",
            "/v2/workflows/w/exists",
            "/v2/workflows/w/start/now",
            "/v2/repos/r/exports/e/to/f",
        ] {
            assert_eq!(route("GET", target), Route::Unknown, "{target}");
        }
    }

    #[test]
    fn malformed_escapes_are_noticed() {
        for target in ["/v2/%", "/v2/%4", "/v2/%zz", "/v2/%+1"] {
            assert_eq!(route("GET", target), Route::Malformed, "{target}");
        }
        assert_eq!(unescaped(b"/a%20b%e4%BB%93").unwrap(), "/a b仓".as_bytes());
    }
}
