//! What can be done with a resource, once for all kinds.

use pipeline_proto::ErrorCode;
use serde_json::json;

use super::{Resource, graph};
use crate::{
    body,
    call::{Call, Outcome, json, no_data},
    id::Id,
    item::Members,
    refusal::Refusal,
};

/// The one that the names in the path are about.
fn id<R: Resource>(call: &Call<'_, '_>) -> Id {
    Id::new(R::KIND, &call.names[..R::NAMES].join("/"))
}

pub(crate) fn members<R: Resource>(call: &Call<'_, '_>) -> Result<Members, Refusal> {
    R::check(call)?;
    let found = call.space.get(&id::<R>(call));
    let missing = || Refusal::code(R::NOT_FOUND, format!("{:?}", call.names[R::NAMES - 1]));
    let found = found.ok_or_else(missing)?;
    R::ready(call, found)?;
    Ok(found.clone())
}

/// The members of the body that are not `null`.
pub(crate) fn sent<R: Resource>(call: &Call<'_, '_>) -> Result<Members, Refusal> {
    let mut members: Members = body::read(call.body)
        .map_err(|error| error.recoded(ErrorCode::MALFORMED_WORKFLOW, R::MALFORMED))?;
    members.retain(|_, value| !value.is_null());
    Ok(members)
}

pub(crate) fn create<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    R::check(call)?;
    let body = sent::<R>(call)?;
    add::<R>(call, body)
}

/// A create whose body is no JSON.
pub(crate) fn upload<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    R::check(call)?;
    if call.body.is_empty() {
        return Err(Refusal::code(ErrorCode::ENTITY_EMPTY, "send a jar"));
    }
    add::<R>(call, Members::new())
}

fn add<R: Resource>(call: &mut Call<'_, '_>, body: Members) -> Outcome {
    let id = id::<R>(call);
    if call.space.get(&id).is_some() {
        let name = &call.names[R::NAMES - 1];
        return Err(Refusal::code(R::EXISTS, format!("{name:?}")));
    }
    let made = R::made(call, body)?;
    call.check_workflow(&id, &made)?;
    call.put(id, made)?;
    Ok(no_data())
}

pub(crate) fn update<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    let old = members::<R>(call)?;
    let body = sent::<R>(call)?;
    let id = id::<R>(call);
    let changed = R::changed(call, body, old.clone())?;
    for members in [&old, &changed] {
        call.check_workflow(&id, members)?;
    }
    call.put(id, changed)?;
    Ok(no_data())
}

pub(crate) fn list<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    R::check(call)?;
    let inside = call
        .names
        .iter()
        .fold(String::new(), |path, name| path + name + "/");
    let all = call.space.others(R::KIND, &inside);
    let listed: Vec<Members> = all
        .filter_map(|(name, members)| R::listed(call, name, members))
        .collect();
    json(&json!({ R::LIST: listed }))
}

pub(crate) fn get<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    let members = members::<R>(call)?;
    json(&R::shown(call, &call.names[R::NAMES - 1], &members))
}

pub(crate) fn exists<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    let exist = match members::<R>(call) {
        Ok(_) => true,
        Err(refusal) if refusal.is(R::NOT_FOUND) => false,
        Err(refusal) => return Err(refusal),
    };
    json(&json!({ "exist": exist }))
}

pub(crate) fn delete<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    let (members, id) = (members::<R>(call)?, id::<R>(call));
    call.check_workflow(&id, &members)?;
    R::deleted(call, &members)?;
    graph::check_unread(call.space, &id)?;
    call.remove(&id)?;
    Ok(no_data())
}
