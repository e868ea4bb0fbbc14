//! What exports write to, where that has to be made: repos of LogDB, repos and series of TSDB.

use pipeline_proto::{
    RepoName,
    name::{LogdbRepoName, SeriesName},
    resource::{
        logdb::{ANALYZERS, FullText, LogdbField, LogdbRepo},
        schema::{SchemaEntry, ValType},
        tsdb::{CreateTsdbRepo, CreateTsdbSeries, TsdbRepo, TsdbSeries},
    },
};

use super::{AutoExport, ExportError, text};

impl AutoExport {
    /// The repo of LogDB that it writes to.
    pub(crate) fn logdb_name(&self, repo: &RepoName) -> Result<LogdbRepoName, ExportError> {
        let (_, spec) = self.complete(repo)?;
        LogdbRepoName::new(text(&spec, "destRepoName"))
            .map_err(|error| ExportError::new(self.kind(), error.to_string()))
    }

    /// A repo of LogDB for these fields.
    pub(crate) fn logdb_repo(&self, schema: &[SchemaEntry]) -> LogdbRepo {
        let mut repo = LogdbRepo::default();
        repo.region = Some(self.region.clone().into());
        repo.retention = Some(self.retention.clone());
        let mut full_text = FullText::default();
        full_text.enabled = Some(self.full_text);
        if self.full_text {
            full_text.analyzer = Some("standard".to_owned());
        }
        repo.full_text = Some(full_text);
        repo.schema = self.logdb_fields(schema, "");
        if self.full_text {
            for field in repo
                .schema
                .iter_mut()
                .filter(|field| field.valtype == "string")
            {
                field.analyzer = Some("keyword".to_owned());
            }
        }
        repo
    }

    /// The same repo with the fields that it lacks, if there are any.
    pub(crate) fn grown(&self, present: &LogdbRepo, schema: &[SchemaEntry]) -> Option<LogdbRepo> {
        let mut missing = self.logdb_fields(schema, "");
        missing.retain(|field| present.schema.iter().all(|other| other.key != field.key));
        if missing.is_empty() {
            return None;
        }
        let mut repo = present.clone();
        // What is only read, or cannot be changed.
        (
            repo.create_time,
            repo.update_time,
            repo.region,
            repo.full_text,
        ) = (None, None, None, None);
        (repo.primary_field, repo.date_index_field) = (None, None);
        repo.schema.extend(missing);
        Some(repo)
    }

    fn logdb_fields(&self, schema: &[SchemaEntry], path: &str) -> Vec<LogdbField> {
        let fields = schema.iter().map(|entry| {
            let elements = entry.elemtype.as_ref().map_or("string", |it| it.as_str());
            let valtype = match &entry.valtype {
                ValType::Array => elements,
                ValType::Map | ValType::Jsonstring => "object",
                other => other.as_str(),
            };
            let mut field = LogdbField::new(&*entry.key, valtype);
            let path = format!("{path}{}", entry.key);
            if let Some(inner) = &entry.schema {
                field.nested = Some(self.logdb_fields(inner, &format!("{path}.")));
            }
            if entry.valtype == ValType::String && !self.full_text {
                field.analyzer = Some(self.analyzer_for(&path).to_owned());
            }
            field
        });
        fields.collect()
    }

    fn analyzer_for(&self, path: &str) -> &str {
        let given = [self.analyzers.get(path), Some(&self.analyzer)];
        let mut given = given.into_iter().flatten().map(String::as_str);
        given
            .find(|given| ANALYZERS.contains(given))
            .unwrap_or("standard")
    }

    /// What makes the repo and the series of TSDB that it writes to.
    pub(crate) fn tsdb(
        &self,
        repo: &RepoName,
    ) -> Result<(CreateTsdbRepo, CreateTsdbSeries), ExportError> {
        let wrong =
            |error: pipeline_proto::NameError| ExportError::new(self.kind(), error.to_string());
        let (_, spec) = self.complete(repo)?;
        let name = RepoName::new(text(&spec, "destRepoName")).map_err(wrong)?;
        let series = SeriesName::new(text(&spec, "series")).map_err(wrong)?;
        let (mut of_repo, mut of_series) = (TsdbRepo::default(), TsdbSeries::default());
        of_repo.region = Some(self.region.clone().into());
        of_series.retention = Some(self.retention.clone());
        Ok((
            CreateTsdbRepo::new(name.clone(), of_repo),
            CreateTsdbSeries::new(name, series, of_series),
        ))
    }
}
