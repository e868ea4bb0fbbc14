//! Plugins: jars of parsers for transforms.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::HeaderValue;
use md5::{Digest as _, Md5};

use super::{data::shown, transform::PluginField};
use crate::name::PluginName;
use crate::{
    error::BuildError,
    header::CONTENT_MD5,
    operation::{
        RequestTemplate,
        read::{json, member, named, nothing},
        table::operations,
    },
};

operations! { plugin plugin_operations;
    /// Uploads a plugin, of 100 MB at most. There is no update: E18217 if it is there.
    UploadPlugin upload_plugin(name: PluginName; jar jar: Jar) = POST "/v2/plugins/{name}" Never Page -> () = nothing;

    /// Says which fields a plugin makes. No body and no content type.
    VerifyPlugin verify_plugin(name: PluginName) = POST "/v2/verify/plugins/{name}" Safe Sdk
        -> Vec<PluginField> = member("outputFields");

    /// Lists the plugins of the account.
    ListPlugins list_plugins() = GET "/v2/plugins" Safe Sdk -> Vec<Plugin> = member("plugins");

    /// Shows one plugin.
    GetPlugin get_plugin(name: PluginName) = GET "/v2/plugins/{name}" Safe Sdk -> Plugin = json, then |get, plugin| named(&get.name, &mut plugin.name), none on PLUGIN_NOT_FOUND;

    /// Deletes a plugin.
    DeletePlugin delete_plugin(name: PluginName) = DELETE "/v2/plugins/{name}" Idempotent Sdk
        -> () = nothing, done on PLUGIN_NOT_FOUND;
}

/// The bytes of a jar file. They are sent as they are, without a copy, and with their MD5, so that the
/// service can tell a damaged upload (E18219, E18220).
#[derive(Clone, PartialEq, Eq)]
pub struct Jar(pub Bytes);

impl std::fmt::Debug for Jar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jar([{} bytes])", self.0.len())
    }
}

impl From<Vec<u8>> for Jar {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl RequestTemplate {
    /// Sets the body to a jar file, with its MD5, which is signed.
    #[allow(clippy::unnecessary_wraps, reason = "as all that a row may name")]
    pub(crate) fn jar(mut self, jar: &Jar) -> Result<Self, BuildError> {
        let sum = STANDARD.encode(Md5::digest(&jar.0));
        let sum = HeaderValue::try_from(sum).expect("base64 is ASCII");
        self.headers.insert(CONTENT_MD5.clone(), sum);
        Ok(self.body(
            HeaderValue::from_static("application/java-archive"),
            jar.0.clone(),
        ))
    }
}

shown! {
    /// A plugin as the service shows it.
    pub struct Plugin {
        /// Its name, which is that of its class.
        "name" => name: String,
        /// When it was uploaded, as text.
        "createTime" => create_time: String,
    }
}
