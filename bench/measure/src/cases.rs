//! All cases by name. A name may end in `:N`, the size of the input.

use crate::{Failure, decoding, floor, graphs, machines, naive, points, requests, transports};

/// One run of a case.
pub(crate) type Case = Box<dyn FnMut()>;

/// Most often that a case can be run which uses up something prepared.
pub(crate) const MOST_RUNS: usize = 256;

pub(crate) fn find(name: &str, url: Option<&str>) -> Result<Case, Failure> {
    let (kind, size) = match name.split_once(':') {
        Some((kind, size)) => (kind, size.parse()?),
        None => (name, 0),
    };
    let url = || url.ok_or("this case needs the address of a server");
    Ok(match kind {
        "create" => requests::create(),
        "get" => requests::get(),
        "create-again" => requests::create_again(),
        "create-naive" => naive::create(),
        "get-naive" => naive::get(),
        "create-floor" => floor::create(),
        "get-floor" => floor::get(),
        "build" => requests::build(size),
        "sign" => requests::sign(size),

        "list" => decoding::list(size),
        "list-serde" => decoding::list_serde(size),
        "list-value" => decoding::list_value(size),
        "nodes" => decoding::nodes(size),
        "nodes-value" => decoding::nodes_value(size),
        "answer" => decoding::answer(),
        "answer-serde" => decoding::answer_serde(),

        "points" => points::typed(),
        "points-serde" => points::typed_serde(),
        "points-value" => points::value(),
        "points-value-serde" => points::value_serde(),
        "points-json" => points::json(),
        "points-json-value" => points::json_value(),

        "start-only" => machines::start_only(),
        "fault" => machines::fault(),
        "refused" => machines::refused(),
        "dated" => machines::dated(),
        "look-only" => machines::look_only(),
        "wait" => machines::wait(),

        "lint" => graphs::lint(size),
        "diff" => graphs::diff(size),

        "hyper" => transports::hyper(url()?)?,
        "hyper-bare" => transports::hyper_bare(url()?)?,
        "reqwest" => transports::reqwest(url()?)?,
        "hyper-64" => transports::hyper_64(url()?)?,
        "hyper-bare-64" => transports::hyper_bare_64(url()?)?,
        "reqwest-64" => transports::reqwest_64(url()?)?,
        "blocking" => transports::blocking(url()?)?,
        "ureq" => transports::ureq(url()?)?,
        "blocking-4" => transports::blocking_4(url()?)?,
        "ureq-4" => transports::ureq_4(url()?)?,
        "hyper-body" => transports::hyper_body(url()?)?,
        "hyper-list" => transports::hyper_list(url()?)?,
        "blocking-body" => transports::blocking_body(url()?)?,
        "blocking-list" => transports::blocking_list(url()?)?,
        _ => return Err(format!("there is no case {name}").into()),
    })
}
