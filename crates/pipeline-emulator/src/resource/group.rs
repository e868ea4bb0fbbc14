use pipeline_proto::{ErrorCode, resource::group::GroupSpec};
use serde_json::Value;

use super::{
    Made, Members, Resource, described,
    life::{Asked, Life, keep, kept, now},
    refuse, region, text,
    verbs::members,
};
use crate::{
    call::{Call, Outcome, no_data},
    date::rfc3339,
    id::{Id, Kind},
    item::Item,
    refusal::Refusal,
    transition::Transition,
};

/// A shared resource pool. Nothing runs in it.
pub(crate) struct Group;

impl Resource for Group {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let region = region(call, &body, ErrorCode::GROUP_REGION_MISMATCH)?;
        let mut group = described(GroupSpec::description(), body);
        check_container(&group)?;
        group.insert("region".to_owned(), region.into());
        for time in ["createTime", "updateTime"] {
            group.insert(time.to_owned(), shown_now(call));
        }
        Ok(group)
    }

    /// Only the container can be changed.
    fn changed(call: &mut Call<'_, '_>, body: Members, mut old: Members) -> Made {
        check_container(&body)?;
        old.insert("container".to_owned(), body["container"].clone());
        old.insert("updateTime".to_owned(), shown_now(call));
        Ok(old)
    }

    fn shown(call: &Call<'_, '_>, _: &str, group: &Members) -> Members {
        let mut shown = group.clone();
        shown.retain(|name, _| !name.starts_with('.') && name != "allocateOnStart");
        if let Some(Value::Object(container)) = shown.get_mut("container") {
            let status = kept::<Life>(group, ".life").status(now(call));
            container.insert("status".to_owned(), status.as_str().into());
        }
        shown
    }

    fn deleted(call: &mut Call<'_, '_>, _: &Members) -> Result<(), Refusal> {
        let group = call.names[0].as_str();
        let mut repos = call.space.others(Kind::Repo, "");
        match repos.find(|(_, repo)| text(repo, "group") == group) {
            Some((repo, _)) => refuse(
                ErrorCode::GROUP_IN_USE,
                format!("the repo {repo:?} is in it"),
            ),
            None => Ok(()),
        }
    }
}

fn shown_now(call: &Call<'_, '_>) -> Value {
    rfc3339(call.rules.clock_offset.apply(call.now.wall)).into()
}

fn check_container(group: &Members) -> Result<(), Refusal> {
    let container = group.get("container").unwrap_or(&Value::Null);
    if container["type"].as_str().is_none_or(str::is_empty) {
        return refuse(ErrorCode::INVALID_CONTAINER_TYPE, &container["type"]);
    }
    match container["count"].as_u64() {
        Some(1..=128) => Ok(()),
        _ => refuse(ErrorCode::INVALID_CONTAINER_COUNT, &container["count"]),
    }
}

/// Whether the group of a repo is there, and in its region.
pub(super) fn check_group(
    call: &Call<'_, '_>,
    repo: &Members,
    region: &str,
) -> Result<(), Refusal> {
    let name = text(repo, "group");
    if name.is_empty() {
        return Ok(());
    }
    super::check_name::<Group>(name)?;
    match call.space.get(&Id::new(Kind::Group, name)) {
        None => refuse(ErrorCode::GROUP_NOT_FOUND, format!("{name:?}")),
        Some(group) if text(group, "region") != region => {
            let detail = format!(
                "{name:?} is in {:?}, not in {region:?}",
                text(group, "region")
            );
            refuse(ErrorCode::GROUP_REGION_MISMATCH, detail)
        }
        Some(_) => Ok(()),
    }
}

pub(crate) fn start_group(call: &mut Call<'_, '_>) -> Outcome {
    act(call, call.rules.start, Life::Start)
}

pub(crate) fn stop_group(call: &mut Call<'_, '_>) -> Outcome {
    act(call, call.rules.stop, Life::Stop)
}

/// No source knows a code for a group that is there already, so that asking again does no harm.
fn act(call: &mut Call<'_, '_>, how: Transition, life: fn(Asked) -> Life) -> Outcome {
    let mut group = members::<Group>(call)?;
    let asked = life(Asked::new(how, now(call)));
    let before: Life = kept(&group, ".life");
    if std::mem::discriminant(&before) != std::mem::discriminant(&asked) {
        keep(&mut group, ".life", &asked);
        call.space
            .put(Id::new(Kind::Group, &call.names[0]), Item::Other(group));
    }
    Ok(no_data())
}
