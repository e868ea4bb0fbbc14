//! `pipeline udf …`: user-defined functions of jobs, and the jars that hold them.

use std::path::PathBuf;

use clap::Args;
use pipeline_proto::{
    Operation as _,
    name::JarName,
    resource::plugin::Jar,
    resource::udf::{
        DebugUdf, DescribeUdfJar, JarDescription, ListBuiltins, UdfExpression, UdfSpec,
        UploadUdfJar,
    },
};

use super::{
    Run,
    resource::{Column, Key, Mention, Names, Operations, Resource, Rows, Verb},
};
use crate::{exit::Exit, failure::Failure, file::read, options::Global};

pub(super) static JAR: Resource = Resource {
    word: "udf jar",
    one: "a jar of functions",
    many: "jars of functions",
    chinese: "自定义函数的 jar 包",
    operations: Operations {
        list: "list_udf_jars",
        name: "jarName",
        delete: "delete_udf_jar",
        ..Resource::BASE.operations
    },
    columns: &[
        Column::new("UPLOADED", "uploadTime"),
        Column::new("ABOUT", "description"),
    ],
    verbs: &[
        Verb::own::<Upload>("upload", &[UploadUdfJar::NAME]),
        Verb::own::<Update>("update", &[DescribeUdfJar::NAME]),
    ],
    examples: ("geo.jar", ""),
    ..Resource::BASE
};

pub(super) static FUNCTION: Resource = Resource {
    word: "udf function",
    one: "a function of a jar",
    many: "functions of jars",
    chinese: "自定义函数",
    kind: "udf_function",
    body: Some(UdfSpec::description),
    operations: Operations {
        list: "list_udfs",
        name: "funcName",
        create: "register_udf",
        delete: "deregister_udf",
        ..Resource::BASE.operations
    },
    words: ("register", "deregister"),
    columns: &[
        Column::new("JAR", "jarName"),
        Column::new("CLASS", "className"),
        Column::new("CALLED AS", "funcDeclaration"),
        Column::new("ABOUT", "description"),
    ],
    keys: &[Key::NAME, Key::new("jar", "jarName")],
    renamed: &[
        ("jarName", "jar"),
        ("className", "class"),
        ("funcDeclaration", "declaration"),
    ],
    verbs: &[
        Verb::own::<Builtins>("builtins", &[ListBuiltins::NAME]),
        Verb::own::<Debug>("debug", &[DebugUdf::NAME]),
    ],
    examples: (
        "city --jar geo.jar --class com.example.City --declaration 'city(ip)'",
        "",
    ),
    ..Resource::BASE
};

/// Upload a jar of functions
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline udf jar upload geo.jar target/geo.jar

There is no update: delete it first. It is not repeated when its response is lost.")]
struct Upload {
    /// Name to give
    name: JarName,

    /// The jar, of 100 MB at most; `-` for stdin
    jar: PathBuf,
}

impl Run for Upload {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let jar = Jar::from(read::bytes(&self.jar)?);
        global
            .remote()?
            .send(UploadUdfJar::new(self.name.clone(), jar))?;
        Mention::done(&JAR, &Names::of(&self.name), "uploaded").report(global)
    }
}

/// Say what a jar is for
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline udf jar update geo.jar --description 'cities of addresses'")]
struct Update {
    /// Name of the jar
    name: JarName,

    /// Free text, of 1500 bytes at most
    #[arg(long, value_name = "TEXT")]
    description: String,
}

impl Run for Update {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut description = JarDescription::default();
        description.description = self.description;
        global
            .remote()?
            .send(DescribeUdfJar::new(self.name.clone(), description))?;
        Mention::done(&JAR, &Names::of(&self.name), "updated").report(global)
    }
}

/// List the functions that the service brings
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline udf function builtins --category date,string")]
struct Builtins {
    /// Only those of these categories, with commas between
    #[arg(long)]
    category: Option<String>,
}

impl Run for Builtins {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut list = ListBuiltins::new();
        list.category = self.category;
        Rows::write(&global.remote()?.send(list)?, global)
    }
}

/// Evaluate an expression of functions
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline udf function debug 'select city(\"1.2.3.4\") as c'")]
struct Debug {
    /// The expression, as `select f(1) as a`
    expression: String,
}

impl Run for Debug {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut expression = UdfExpression::default();
        expression.expression = self.expression;
        Rows::write(&global.remote()?.send(DebugUdf::new(expression))?, global)
    }
}
