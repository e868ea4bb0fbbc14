use std::time::Duration;

use pipeline_proto::{WorkflowName, resource::repo::RepoSpec};

use crate::exports::{AutoExport, Service};

/// What becomes of a field that the queue does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownFields {
    /// It is added to the schema of the queue, which is made if it is not there.
    #[default]
    Add,
    /// The record is dead.
    Refuse,
    /// It is left out of the record, and [counted](crate::Books::dropped_fields).
    Drop,
}

/// How records without a schema are shipped; see [`Settings::schema_free`](crate::Settings::schema_free).
///
/// ```
/// use pipeline_proto::WorkflowName;
/// use pipeline_shipper::{SchemaFree, Settings};
///
/// let free = SchemaFree::new().workflow(WorkflowName::from_static("logs")).may_stop(true);
/// let settings = Settings::new().schema_free(free);
/// ```
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
#[derive(Debug, Clone, Default)]
pub struct SchemaFree {
    pub(crate) unknown_fields: UnknownFields,
    pub(crate) workflow: Option<WorkflowName>,
    pub(crate) may_stop: bool,
    pub(crate) dates: bool,
    pub(crate) floats: bool,
    pub(crate) truncate: bool,
    pub(crate) spec: RepoSpec,
    pub(crate) exports: Vec<AutoExport>,
    pub(crate) services: Vec<Service>,
}

/// Makes the setters.
macro_rules! setters {
    ($($(#[$about:meta])+ $setting:ident: $Setting:ty;)+) => { $(
        $(#[$about])+
        #[must_use]
        #[allow(clippy::useless_conversion, reason = "some of the fields are options")]
        pub fn $setting(mut self, $setting: $Setting) -> Self {
            self.$setting = $setting.into();
            self
        }
    )+ };
}

impl SchemaFree {
    /// New fields are added, nothing is stopped, and values are converted only where nothing is lost.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an export that the queue is to have: it is made with the queue, or when the queue is first read, and grows
    /// with it. Records go on whatever becomes of it; a failure is told to the [observers](crate::Settings::observer),
    /// and it is tried again later.
    #[must_use]
    pub fn export(mut self, export: AutoExport) -> Self {
        self.exports.push(export);
        self
    }

    /// Says that calls for this service can be made as well, so that what exports write to is made, too. Whoever drives
    /// the shipper then looks at [`Ask::service`](crate::Ask::service).
    #[must_use]
    pub fn reaches(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    setters! {
        /// What becomes of fields that the queue does not have. Default: they are added.
        unknown_fields: UnknownFields;
        /// The workflow that the queue is made in, if there is no such queue. The workflow is made and started, if it
        /// is not there either.
        workflow: WorkflowName;
        /// Whether a workflow that runs may be stopped while its queue is changed. It is started again afterwards.
        /// Default: no; then records with new fields are dead, or [held](crate::Settings::hold_refused).
        may_stop: bool;
        /// Whether a new field whose texts are all dates of RFC 3339 becomes a `date`. Default: no, it is a `string`.
        dates: bool;
        /// Whether new fields of whole numbers become `float`. Default: no, they are `long`.
        floats: bool;
        /// Whether values are made to fit fields of other types even if something is lost: fractions are cut off for a
        /// `long`, digits are lost for a `float`. Default: no; then such a record is dead.
        truncate: bool;
        /// What the queue is made with: its options, its region, and fields that come before those that are found.
        spec: RepoSpec;
    }
}

/// How long the service may not know a field that it has: a change takes about six seconds to reach all servers that
/// accept data.
pub(crate) const SPREADING: Duration = Duration::from_secs(20);
