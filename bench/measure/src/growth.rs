//! Machines without IO, with many things in them.

use std::{hint::black_box, time::Duration};

use bytes::Bytes;
use http::{Method, Request};
use pipeline_emulator::{Authentication, Emulator};
use pipeline_proto::RepoName;
use pipeline_shipper::{Settings, Shipper, Step};

use crate::{
    cases::{AnyCase, using},
    fixtures::now,
};

/// An emulator in which so many workflows are made, each is asked for, and all are listed.
pub(crate) fn emulator(size: usize) -> AnyCase {
    let request = |method: Method, path: String, body: &'static str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let request = request.header("content-length", body.len());
        let request = request.body(Bytes::from_static(body.as_bytes()));
        request.expect("a legal request")
    };
    let path = |n: usize| format!("/v2/workflows/w_{n:06}");
    let requests = move || {
        let create = (0..size).map(|n| request(Method::POST, path(n), r#"{"region":"nb"}"#));
        let get = (0..size).map(|n| request(Method::GET, path(n), ""));
        let list = request(Method::GET, "/v2/workflows".to_owned(), "");
        create.chain(get).chain([list]).collect::<Vec<_>>()
    };
    using(requests, |requests| {
        let builder = Emulator::builder().authentication(Authentication::Off);
        let mut emulator = builder.build();
        for request in requests {
            let answer = emulator.handle(request, now());
            assert!(answer.status().is_success(), "{answer:?}");
        }
    })
}

/// A shipper that is given so many records, and whose requests all succeed at once.
pub(crate) fn shipper(size: usize) -> AnyCase {
    const LINE: &[u8] = b"time=2026-11-28T00:20:47.123+08:00\thost=web07.example.com\tmethod=GET\t\
        path=/articles/1234/comments?page=7\tstatus=200\tbytes=12345\tseconds=0.0123\tcached=true";
    Box::new(move || {
        let repo = RepoName::from_static("clicks");
        let mut shipper = Shipper::new(repo, Settings::new());
        let mut told = 0;
        for id in 0..size {
            shipper.try_push(id, LINE, now()).expect("there is room");
            if shipper.take_news() {
                drive(&mut shipper, &mut told);
            }
        }
        shipper.close(Duration::from_secs(5), now());
        drive(&mut shipper, &mut told);
        assert_eq!(told, size);
    })
}

fn drive(shipper: &mut Shipper<usize>, told: &mut usize) {
    loop {
        match shipper.poll(now()) {
            Step::Push(push) => {
                black_box(push.operation());
                shipper.on_result(push, Ok(()), now());
            }
            Step::Settled(mut verdicts) => {
                *told += verdicts.by_ref().map(black_box).count();
                shipper.on_told(verdicts);
            }
            Step::Ask(_) => panic!("without a schema to keep, there is nothing to ask"),
            Step::Wait(_) | Step::Done => return,
        }
    }
}
