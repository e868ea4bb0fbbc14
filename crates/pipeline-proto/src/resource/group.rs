//! Shared resource pools, which the service calls groups. Known from the vendor's Go SDK only.

use super::data::spec;
use crate::name::{GroupName, Region, ShownName, kind};
use crate::{
    error::BuildError,
    operation::{
        RequestTemplate,
        read::{json, member, named, nothing},
        table::operations,
    },
};

operations! { group group_operations;
    /// Creates a shared resource pool, in region `nb` unless the spec has another.
    CreateGroup create_group(name: GroupName; json spec: GroupSpec)
        = POST "/v2/groups/{name}" Never Sdk, json by hand -> () = nothing;

    /// Changes the container of a shared resource pool.
    UpdateGroup update_group(name: GroupName; json spec: GroupSpec)
        = PUT "/v2/groups/{name}" Idempotent Sdk -> () = nothing;

    /// Starts a shared resource pool. No body and no content type.
    StartGroup start_group(name: GroupName) = POST "/v2/groups/{name}/actions/start" Never Sdk -> () = nothing;

    /// Stops a shared resource pool. No body and no content type.
    StopGroup stop_group(name: GroupName) = POST "/v2/groups/{name}/actions/stop" Never Sdk -> () = nothing;

    /// Lists the shared resource pools of the account.
    ListGroups list_groups() = GET "/v2/groups" Safe Sdk -> Vec<GroupSpec> = member("groups");

    /// Shows one shared resource pool.
    GetGroup get_group(name: GroupName) = GET "/v2/groups/{name}" Safe Sdk
        -> GroupSpec = json, then |get, group| named(&get.name, group.name.get_or_insert_default()), none on GROUP_NOT_FOUND;

    /// Deletes a shared resource pool.
    DeleteGroup delete_group(name: GroupName) = DELETE "/v2/groups/{name}" Idempotent Sdk
        -> () = nothing, done on GROUP_NOT_FOUND;
}

impl CreateGroup {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        let mut spec = self.spec.clone();
        spec.region.get_or_insert_with(|| Region::default().into());
        self.target().json(&spec)
    }
}

spec! {
    /// A shared resource pool.
    pub struct GroupSpec {
        /// Where it is.
        "region" => region: Option<ShownName<kind::Region>>,
        /// What it consists of.
        "container" => container: Option<GroupContainer> [Required],
        /// Whether resources are taken only once it is started.
        "allocateOnStart" => allocate_on_start: Option<bool>,
        /// Its name.
        "name" => name: Option<ShownName<kind::Group>> [OnReading],
        /// When it was made, as text.
        "createTime" => create_time: Option<String> [OnReading],
        /// When it was changed, as text.
        "updateTime" => update_time: Option<String> [OnReading],
    }
}

spec! {
    /// What a shared resource pool consists of.
    pub struct GroupContainer {
        /// Cores and memory in gigabytes, as `1U2G`.
        "type" => r#type: String,
        /// How many.
        "count" => count: Option<i64> [Required, AtLeast(1), AtMost(128)],
        /// How it stands.
        "status" => status: Option<String> [OnReading],
    }
    new(r#type: impl Into<String>, count: i64)
}
