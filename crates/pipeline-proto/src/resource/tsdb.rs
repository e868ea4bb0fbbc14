//! Repos and series of TSDB, the time series database that exports write to. It is a service of its own: these
//! operations are for a client whose endpoint is [`ENDPOINT`], or wherever else TSDB is.

use super::data::spec;
use crate::{
    error::BuildError,
    name::{Region, RepoName, SeriesName, ShownName, kind},
    operation::{RequestTemplate, read::nothing, table::operations},
};

/// Where TSDB is.
pub const ENDPOINT: &str = "https://nb-tsdb.qiniuapi.com";

operations! { tsdb tsdb_operations;
    /// Creates a repo in TSDB, in region `nb` unless the spec has another.
    CreateTsdbRepo create_tsdb_repo(name: RepoName; json spec: TsdbRepo)
        = POST "/v4/repos/{name}" Never Sdk, json by hand -> () = nothing;

    /// Creates a series in a repo of TSDB.
    CreateTsdbSeries create_tsdb_series(repo: RepoName, name: SeriesName; json spec: TsdbSeries)
        = POST "/v4/repos/{repo}/series/{name}" Never Sdk -> () = nothing;
}

impl CreateTsdbRepo {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        let mut spec = self.spec.clone();
        spec.region.get_or_insert_with(|| Region::default().into());
        self.target().json(&spec)
    }
}

spec! {
    /// A repo of TSDB.
    pub struct TsdbRepo {
        /// Where it is.
        "region" => region: Option<ShownName<kind::Region>>,
    }
}

spec! {
    /// A series of a repo of TSDB.
    pub struct TsdbSeries {
        /// How long records stay: days, as `30d`.
        "retention" => retention: Option<String>,
    }
}
