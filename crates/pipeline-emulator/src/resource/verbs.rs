//! What can be done with a resource, once for all kinds.

use pipeline_proto::ErrorCode;
use serde_json::{Value, json};

use super::{Resource, graph};
use crate::{
    body,
    call::{Call, Outcome, json, no_data},
    date::to_millis,
    id::Id,
    item::{Item, Members},
    refusal::Refusal,
};

/// When something began to be deleted, in milliseconds since 1970.
const DELETED: &str = ".deleted";

/// How long it can be seen that something is being deleted, in milliseconds: the tests of the vendor's Go SDK
/// look for it right after the delete.
const DELETING: u64 = 5_000;

/// Whether something is being deleted, or has been: its name is free.
pub(crate) fn is_deleted(members: &Members) -> bool {
    members.contains_key(DELETED)
}

/// Whether something was deleted so long ago that nobody sees it any more.
fn is_gone(call: &Call<'_, '_>, members: &Members) -> bool {
    let since = members.get(DELETED).and_then(Value::as_u64);
    since.is_some_and(|since| to_millis(call.now.wall) >= since + DELETING)
}

/// The one that the names in the path are about.
pub(crate) fn id<R: Resource>(call: &Call<'_, '_>) -> Id {
    Id::new(R::KIND, &call.names[..R::NAMES].join("/"))
}

pub(crate) fn members<R: Resource>(call: &Call<'_, '_>) -> Result<Members, Refusal> {
    R::check(call)?;
    let found = call.space.get(&id::<R>(call));
    let found = found.filter(|found| !is_gone(call, found));
    let missing = || Refusal::code(R::NOT_FOUND, format!("{:?}", call.names[R::NAMES - 1]));
    let found = found.ok_or_else(missing)?;
    R::ready(call, found)?;
    Ok(found.clone())
}

/// The members of one that is not being deleted.
pub(crate) fn present<R: Resource>(call: &Call<'_, '_>) -> Result<Members, Refusal> {
    let members = members::<R>(call)?;
    if is_deleted(&members) {
        return Err(Refusal::code(R::NOT_FOUND, "it is being deleted"));
    }
    Ok(members)
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
    if call.space.get(&id).is_some_and(|old| !is_deleted(old)) {
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
        .filter(|(_, members)| !is_gone(call, members))
        .filter_map(|(name, members)| R::listed(call, name, members))
        .collect();
    if R::LIST.is_empty() {
        return json(&listed);
    }
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

/// A delete that takes its time, in which a get says `"deleting": "true"`.
pub(crate) fn begin_delete<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    let (mut members, id) = (present::<R>(call)?, id::<R>(call));
    R::deleted(call, &members)?;
    let all = call.space.others(R::KIND, "");
    let gone: Vec<Id> = all
        .filter(|(_, members)| is_gone(call, members))
        .map(|(path, _)| Id::new(R::KIND, path))
        .collect();
    for id in gone {
        call.space.remove(&id);
    }
    members.insert("deleting".to_owned(), "true".into());
    members.insert(DELETED.to_owned(), to_millis(call.now.wall).into());
    call.space.put(id, Item::Other(members));
    Ok(no_data())
}
