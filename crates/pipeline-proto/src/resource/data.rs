//! The data of a node: what its type makes of it, and the macros that declare what it is made of.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{datasource, export, job, job_export, repo, transform};
use crate::{
    describe::{Form, Object},
    model::{Node, NodeType, RawJson, json::open_enum},
};

/// Declares the type of a spec: an [`object!`](crate::model::json) whose members come with what is
/// known of them, and after them the members that `new` takes.
macro_rules! spec {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $json:literal => $field:ident: $type:ty $( [ $($fact:expr),* $(,)? ] )?,
            )*
        }
        $( new($($given:ident: $given_type:ty),+) )?
    ) => {
        $crate::model::json::silent_object! {
            $(#[doc = $about])*
            pub struct $name {
                $( $(#[doc = $doc])* $json => $field: $type, )*
            }
        }

        impl $name {
            $(
                /// One with what must be said.
                #[allow(clippy::useless_conversion, reason = "of those that are texts it is none")]
                pub fn new($($given: $given_type),+) -> Self {
                    Self { $($given: $given.into(),)+ ..Self::default() }
                }
            )?

            /// What its members are.
            pub fn description() -> &'static $crate::describe::Object {
                #[allow(unused_imports)]
                use $crate::describe::{Fact::*, Form, Head, Member, Object};
                static DESCRIPTION: Object = Object::new(
                    concat!(module_path!(), "::", stringify!($name)),
                    concat!($( $about, "\n", )*),
                    &[ $( Member::new::<$type>($json, concat!($( $doc, "\n", )*), &[ $( $($fact,)* )? ]), )* ],
                );
                &DESCRIPTION
            }
        }

        impl $crate::describe::Described for $name {
            const SHAPE: $crate::describe::Shape =
                $crate::describe::Shape::Object($name::description);
        }

        impl ::std::fmt::Debug for $name {
            /// Names the members that are there, and not what is in them: it may be secret.
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                use $crate::model::json::Member as _;
                let mut shown = f.debug_struct(stringify!($name));
                $( if !self.$field.is_absent() {
                    shown.field($json, &format_args!("…"));
                } )*
                shown.finish_non_exhaustive()
            }
        }
    };
}

/// Declares an [`object!`](crate::model::json) that is shown and not sent, with what is known of its members.
macro_rules! shown {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])* $json:literal => $field:ident: $type:ty, )*
        }
    ) => {
        $crate::model::json::object! {
            $(#[doc = $about])*
            pub struct $name { $( $(#[doc = $doc])* $json => $field: $type, )* }
        }

        impl $crate::describe::Described for $name {
            const SHAPE: $crate::describe::Shape = $crate::describe::Shape::Object(|| {
                use $crate::describe::{Member, Object};
                static DESCRIPTION: Object = Object::new(
                    concat!(module_path!(), "::", stringify!($name)),
                    concat!($( $about, "\n", )*),
                    &[ $( Member::new::<$type>($json, concat!($( $doc, "\n", )*), &[]), )* ],
                );
                &DESCRIPTION
            });
        }
    };
}

/// Declares what the member `spec` beside a member `type` is, by type.
macro_rules! targets {
    (
        $(#[$meta:meta])*
        pub enum $name:ident for $spec:ident {
            $( $(#[$variant_meta:meta])* $type:literal => $variant:ident($target:ident), )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$variant_meta])* $variant($target), )*
            /// One that this version does not know.
            Other {
                /// The type.
                r#type: String,
                /// Whatever is said of it.
                spec: Option<$crate::model::RawJson>,
            },
        }

        impl $name {
            /// The types that are known.
            pub const TYPES: &'static [&'static str] = &[$( $type, )*];

            const SPECS: $crate::describe::Specs =
                &[$( ($type, $target::description), )*];
        }

        $(
            impl From<$target> for $spec {
                fn from(target: $target) -> Self {
                    let spec = $crate::model::RawJson::from_value(&target);
                    Self {
                        r#type: $type.into(),
                        spec: Some(spec.expect("names and values of JSON can be written")),
                        ..Self::default()
                    }
                }
            }
        )*

        impl From<$name> for $spec {
            fn from(target: $name) -> Self {
                match target {
                    $( $name::$variant(target) => target.into(), )*
                    $name::Other { r#type, spec } => Self { r#type, spec, ..Self::default() },
                }
            }
        }

        impl $spec {
            /// The spec, read by its type.
            ///
            /// # Errors
            ///
            /// When a known member has a type that it cannot have.
            pub fn target(&self) -> Result<$name, serde_json::Error> {
                Ok(match self.r#type.as_str() {
                    $( $type => $name::$variant(
                        self.spec.as_ref().map(|spec| spec.parse()).transpose()?.unwrap_or_default(),
                    ), )*
                    other => $name::Other { r#type: other.into(), spec: self.spec.clone() },
                })
            }
        }
    };
}

pub(crate) use {shown, spec, targets};

open_enum! {
    /// Where in its source a stream computation or export begins.
    pub enum Whence {
        /// With the first record that is still there.
        Oldest = "oldest",
        /// With the next record that comes.
        Newest = "newest",
    }
}

/// What files may be called; variables like `$(date)` may stand in it.
pub(super) const FILE_PATH: Form = Form::new(
    r"^[^\\<>]{0,128}$",
    r"at most 128 characters without '\', '<' and '>'",
);

/// LogDB has a rule of its own.
pub(super) const LOGDB_NAME: Form = Form::new(
    "^[a-z][a-z0-9_]{0,127}$",
    "lower-case letters, digits and '_', a letter first",
);

/// The data of a node, read according to the node's type.
///
/// ```
/// use pipeline_proto::model::{Node, NodeType};
/// use pipeline_proto::resource::{NodeSpec, export::ExportTarget};
///
/// let mut node = Node::default();
/// node.node_type = NodeType::Export;
/// node.data = Some(r#"{"type":"kodo","spec":{"bucket":"b"}}"#.parse()?);
/// let NodeSpec::Export(export) = node.spec()? else { panic!("it is an export") };
/// let ExportTarget::Kodo(kodo) = export.target()? else { panic!("it goes to Kodo") };
/// assert_eq!(kodo.bucket, "b");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NodeSpec {
    /// Data of a `repo`.
    Repo(repo::RepoSpec),
    /// Data of a `transform`.
    Transform(transform::TransformSpec),
    /// Data of an `export`.
    Export(export::ExportSpec),
    /// Data of a `datasource`.
    Datasource(datasource::DatasourceSpec),
    /// Data of a `job`.
    Job(job::JobSpec),
    /// Data of an `exportBatch`.
    JobExport(job_export::JobExportSpec),
    /// The node has no data, or its type is not known.
    None,
}

impl NodeType {
    /// What the data of such a node is made of, if the type is known.
    pub fn description(&self) -> Option<&'static Object> {
        Some(match self {
            Self::Repo => repo::RepoSpec::description(),
            Self::Transform => transform::TransformSpec::description(),
            Self::Export => export::ExportSpec::description(),
            Self::Datasource => datasource::DatasourceSpec::description(),
            Self::Job => job::JobSpec::description(),
            Self::ExportBatch => job_export::JobExportSpec::description(),
            Self::Other(_) => return None,
        })
    }
}

impl Node {
    /// Reads [`data`](Node::data) according to the node's type. A spec may stand in it or, with
    /// its name and the like beside it, inside its member `spec`.
    ///
    /// # Errors
    ///
    /// When the data is not an object, or a known member has another JSON type than the sources
    /// give it. A missing or unknown member is no error.
    pub fn spec(&self) -> Result<NodeSpec, serde_json::Error> {
        let (Some(data), Some(description)) = (&self.data, self.node_type.description()) else {
            return Ok(NodeSpec::None);
        };
        Ok(match self.node_type {
            NodeType::Repo => NodeSpec::Repo(read(data, description)?),
            NodeType::Transform => NodeSpec::Transform(read(data, description)?),
            NodeType::Export => NodeSpec::Export(read(data, description)?),
            NodeType::Datasource => NodeSpec::Datasource(read(data, description)?),
            NodeType::Job => NodeSpec::Job(read(data, description)?),
            NodeType::ExportBatch => NodeSpec::JobExport(read(data, description)?),
            NodeType::Other(_) => NodeSpec::None,
        })
    }
}

fn read<T: DeserializeOwned>(data: &RawJson, description: &Object) -> Result<T, serde_json::Error> {
    let mut outside: Members = data.parse()?;
    let inside = outside.get("spec").map(RawJson::parse::<Members>);
    if let Some(Ok(inside)) = inside {
        let outside_names = outside.keys().map(String::as_str);
        if description.is_wrapped(outside_names, inside.keys().map(String::as_str)) {
            outside.remove("spec");
            outside.extend(inside);
            return RawJson::from_value(&outside)?.parse();
        }
    }
    data.parse()
}

type Members = BTreeMap<String, RawJson>;

#[cfg(test)]
mod tests;
