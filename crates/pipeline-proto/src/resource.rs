//! Resources: one module for each, with its table of operations and the types of what it is made of.
//!
//! # Operations
//!
//! A row of a table says everything of an operation once: its type, method and path, what it takes
//! and brings, what a second sending could do, and where it is known from. The type with its setters,
//! `impl Operation`, the methods of both clients, [`OPERATIONS`], the strategies of property tests and
//! the table in the documents follow from it. To find an operation, search for its name:
//! `get_workflow` or `GetWorkflow`.
//!
//! # Specs
//!
//! The API page calls the data of a workflow's node its `Spec` and never shows one; what it is made
//! of is known from the vendor's documents and Go SDK. Each member is described once, where it is
//! declared: the type that reads and writes it, the [description](crate::describe) that `pipeline-graph`
//! checks files by, and the JSON Schema for editors are made from that one line.
//!
//! An optional member is an `Option`, and so is a required one whose type has no empty value.
//! Reading is lenient: what is missing or `null` is empty or `None`, words that this version does
//! not know stay what they are, and unknown members are kept in `extra` and written again.
//!
//! ```
//! use pipeline_proto::model::{Node, NodeType};
//! use pipeline_proto::resource::NodeSpec;
//!
//! let mut node = Node::default();
//! node.node_type = NodeType::Transform;
//! node.data = Some(r#"{"name":"t","to":"out","spec":{"mode":"sql","code":"select 1"}}"#.parse()?);
//! let NodeSpec::Transform(spec) = node.spec()? else { panic!("it is a transform") };
//! assert_eq!(spec.code.as_deref(), Some("select 1"));
//! assert_eq!(spec.to.as_deref(), Some("out"));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod data;
pub mod datasource;
pub mod export;
pub mod group;
pub mod job;
pub mod job_export;
#[cfg(feature = "sister-services")]
#[cfg_attr(docsrs, doc(cfg(feature = "sister-services")))]
pub mod logdb;
pub mod plugin;
pub mod push;
pub mod repo;
pub mod schema;
pub mod transform;
#[cfg(feature = "sister-services")]
#[cfg_attr(docsrs, doc(cfg(feature = "sister-services")))]
pub mod tsdb;
pub mod udf;
pub mod variable;
pub mod workflow;

pub use data::{NodeSpec, Whence};

use crate::operation::OperationInfo;

/// What goes through all resources is made from this one list of them.
macro_rules! resources {
    ($($resource:ident $Resource:ident $table:ident;)*) => {
        const TABLES: &[&[OperationInfo]] = &[$($resource::OPERATIONS),*];

        /// Hands the table of each resource to a macro. For the clients.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! for_each_table {
            ($callback:path) => { $($crate::$table!($callback);)* };
        }

        #[cfg(feature = "proptest")]
        pub use any::AnyOperation;

        #[cfg(feature = "proptest")]
        mod any {
            use proptest::{prelude::*, strategy::Union};

            use crate::{error::BuildError, operation::{RequestTemplate, Operation, Visitor}};

            /// One of the tabled operations, for a property that is to hold for all of them. Its
            /// outputs have different types: what depends on them is done by [`visit`](Self::visit).
            #[derive(Debug, Clone, PartialEq)]
            #[non_exhaustive]
            pub enum AnyOperation {
                $(
                    #[doc = concat!("One of those of [`", stringify!($resource), "`](crate::resource::", stringify!($resource), ").")]
                    $Resource(super::$resource::AnyOperation),
                )*
            }

            impl AnyOperation {
                /// The request, as [`Operation::template`] of the operation makes it.
                ///
                /// # Errors
                ///
                /// If the operation cannot be said on the wire.
                pub fn template(&self) -> Result<RequestTemplate, BuildError> {
                    struct Template;

                    impl Visitor for Template {
                        type Output = Result<RequestTemplate, BuildError>;

                        fn visit<O: Operation>(self, operation: O) -> Self::Output {
                            operation.template()
                        }
                    }

                    self.clone().visit(Template)
                }

                /// The row of its type.
                pub fn info(&self) -> &'static super::OperationInfo {
                    struct Name;

                    impl Visitor for Name {
                        type Output = &'static str;

                        fn visit<O: Operation>(self, _: O) -> &'static str {
                            O::NAME
                        }
                    }

                    let name = self.clone().visit(Name);
                    let mut rows = super::OPERATIONS.iter();
                    rows.find(|info| info.name == name).expect("each has a row")
                }

                /// The names in its path, as [`OperationInfo::target`](crate::operation::OperationInfo::target)
                /// takes them.
                ///
                /// # Errors
                ///
                /// If the operation cannot be said on the wire.
                pub fn names(&self) -> Result<Vec<String>, BuildError> {
                    let template = self.template()?;
                    let pieces = self.info().path.split('/').zip(template.target().split(['/', '?']));
                    let names = pieces.filter(|(piece, _)| piece.starts_with('{'));
                    Ok(names.map(|(_, name)| name.to_owned()).collect())
                }

                /// Does something with the operation, whatever its type.
                pub fn visit<V: Visitor>(self, visitor: V) -> V::Output {
                    match self {
                        $(Self::$Resource(operation) => operation.visit(visitor),)*
                    }
                }
            }

            impl Arbitrary for AnyOperation {
                type Parameters = ();
                type Strategy = BoxedStrategy<Self>;

                fn arbitrary_with((): ()) -> Self::Strategy {
                    let weight = |operations: &[super::OperationInfo]| u32::try_from(operations.len()).unwrap_or(1);
                    Union::new_weighted(vec![
                        $((
                            weight(super::$resource::OPERATIONS),
                            any::<super::$resource::AnyOperation>().prop_map(Self::$Resource).boxed(),
                        ),)*
                    ]).boxed()
                }
            }
        }
    };
}

resources! {
    workflow Workflow workflow_operations;
    repo Repo repo_operations;
    push Push push_operations;
    transform Transform transform_operations;
    export Export export_operations;
    datasource Datasource datasource_operations;
    job Job job_operations;
    job_export JobExport job_export_operations;
    plugin Plugin plugin_operations;
    group Group group_operations;
    udf Udf udf_operations;
    variable Variable variable_operations;
}

/// The operations of the services beside this one, which have endpoints of their own: LogDB and TSDB.
#[cfg(feature = "sister-services")]
#[cfg_attr(docsrs, doc(cfg(feature = "sister-services")))]
pub static SISTER_OPERATIONS: [&[OperationInfo]; 2] = [logdb::OPERATIONS, tsdb::OPERATIONS];

/// Every tabled operation of this service, by resource.
pub static OPERATIONS: &[OperationInfo] = &joined::<{ total() }>();

const fn total() -> usize {
    let (mut total, mut table) = (0, 0);
    while table < TABLES.len() {
        total += TABLES[table].len();
        table += 1;
    }
    total
}

const fn joined<const N: usize>() -> [OperationInfo; N] {
    let mut all = [TABLES[0][0]; N];
    let (mut at, mut table) = (0, 0);
    while table < TABLES.len() {
        let mut row = 0;
        while row < TABLES[table].len() {
            all[at] = TABLES[table][row];
            (at, row) = (at + 1, row + 1);
        }
        table += 1;
    }
    all
}
