//! All cases by name. A name may end in `:N`, the size of the input.

use std::hint::black_box;

use crate::{
    Failure, decoding, floor, graphs, growth, machines, naive, points, push, requests, transports,
};

/// Something to be run again and again.
pub(crate) trait Case {
    /// Makes what so many runs use up, which is not measured.
    fn prepare(&mut self, _runs: usize) {}

    fn run(&mut self);

    /// How many bytes one run reads or writes, where speed is given by them.
    fn bytes(&self) -> usize {
        0
    }
}

impl<F: FnMut()> Case for F {
    fn run(&mut self) {
        self();
    }
}

pub(crate) type AnyCase = Box<dyn Case>;

/// How many runs are prepared at once at most: what they use up stays in the processor's caches.
pub(crate) const MOST_RUNS: usize = 256;

/// A case that uses something up.
struct Stock<T, M, U> {
    stock: Vec<T>,
    make: M,
    use_up: U,
}

impl<T, M: FnMut() -> T, U: FnMut(T)> Case for Stock<T, M, U> {
    fn prepare(&mut self, runs: usize) {
        self.stock.extend((0..runs).map(|_| (self.make)()));
    }

    fn run(&mut self) {
        (self.use_up)(self.stock.pop().expect("so many were prepared"));
    }
}

/// What comes of it is dropped, which is part of the cost.
pub(crate) fn using<T: 'static, O>(
    make: impl FnMut() -> T + 'static,
    mut use_up: impl FnMut(T) -> O + 'static,
) -> AnyCase {
    Box::new(Stock {
        stock: Vec::with_capacity(MOST_RUNS),
        make,
        use_up: move |it| drop(black_box(use_up(it))),
    })
}

struct Sized<F>(usize, F);

impl<F: FnMut()> Case for Sized<F> {
    fn run(&mut self) {
        (self.1)();
    }

    fn bytes(&self) -> usize {
        self.0
    }
}

/// A case about so many bytes.
pub(crate) fn of_bytes(bytes: usize, run: impl FnMut() + 'static) -> AnyCase {
    Box::new(Sized(bytes, run))
}

pub(crate) fn find(name: &str, url: Option<&str>) -> Result<AnyCase, Failure> {
    let (kind, size) = match name.split_once(':') {
        Some((kind, size)) => (kind, size.parse()?),
        None => (name, 0),
    };
    let url = || url.ok_or("this case needs the address of a server");
    Ok(match kind {
        "create" => requests::create(),
        "get" => requests::get(),
        "get-again" => requests::get_again(),
        "create-again" => requests::create_again(),
        "create-naive" => naive::create(),
        "get-naive" => naive::get(),
        "create-floor" => floor::create(),
        "get-floor" => floor::get(),
        "build" => requests::build(size),
        "sign" => requests::sign(size),

        "list" => decoding::list(size),
        "list-borrowed" => decoding::list_borrowed(size),
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
        "push-encode" => push::encode(),
        "push-gzip" => push::compress(size),
        "push-sign" => push::sign(size),
        "push-send" => push::send(size, url()?)?,
        "push" => push::whole(size, url()?)?,

        "start-only" => machines::start_only(),
        "fault" => machines::fault(),
        "refused" => machines::refused(),
        "dated" => machines::dated(),
        "look-only" => machines::look_only(),
        "wait" => machines::wait(),

        "lint" => graphs::lint(size),
        "diff" => graphs::diff(size),

        "emulator" => growth::emulator(size),
        "shipper" => growth::shipper(size),

        "hyper" => transports::hyper(url()?)?,
        "hyper-bare" => transports::hyper_bare(url()?)?,
        "reqwest-signed" => transports::reqwest_signed(url()?)?,
        "hyper-64" => transports::hyper_64(url()?)?,
        "hyper-bare-64" => transports::hyper_bare_64(url()?)?,
        "reqwest-signed-64" => transports::reqwest_signed_64(url()?)?,
        "hyper-held" => transports::hyper_held(size, url()?)?,
        "reqwest-held" => transports::reqwest_held(size, url()?)?,
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
