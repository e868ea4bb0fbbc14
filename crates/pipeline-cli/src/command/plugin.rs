//! `pipeline plugin …`: jars of parsers for transforms.

use std::path::PathBuf;

use clap::Args;
use pipeline_proto::{
    Operation as _,
    name::PluginName,
    resource::plugin::{Jar, UploadPlugin, VerifyPlugin},
};

use super::{
    Run,
    resource::{Column, Mention, Names, Operations, Resource, Rows, Verb},
};
use crate::{exit::Exit, failure::Failure, file::read, options::Global};

pub(super) static RESOURCE: Resource = Resource {
    word: "plugin",
    one: "a plugin",
    many: "plugins",
    chinese: "插件",
    operations: Operations {
        list: "list_plugins",
        get: "get_plugin",
        delete: "delete_plugin",
        ..Resource::BASE.operations
    },
    columns: &[Column::new("UPLOADED", "createTime")],
    verbs: &[
        Verb::own::<Upload>("upload", &[UploadPlugin::NAME]),
        Verb::own::<Verify>("verify", &[VerifyPlugin::NAME]),
    ],
    examples: ("com.qiniu.NginxLogParser", ""),
    ..Resource::BASE
};

/// Upload the jar of a plugin
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline plugin upload com.qiniu.NginxLogParser parser.jar

There is no update: delete it first. It is not repeated when its response is lost.")]
struct Upload {
    /// Name of the plugin: the full name of its parser class
    name: PluginName,

    /// The jar, of 100 MB at most; `-` for stdin
    jar: PathBuf,
}

impl Run for Upload {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { name, jar } = self;
        let jar = Jar::from(read::bytes(&jar)?);
        global
            .remote()?
            .send(UploadPlugin::new(name.clone(), jar))?;
        Mention::done(&RESOURCE, &Names::of(&name), "uploaded").report(global)
    }
}

/// Say which fields a plugin makes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline plugin verify com.qiniu.NginxLogParser")]
struct Verify {
    /// Name of the plugin
    name: PluginName,
}

impl Run for Verify {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        Rows::write(
            &global.remote()?.send(VerifyPlugin::new(self.name))?,
            global,
        )
    }
}
