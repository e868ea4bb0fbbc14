//! Property tests of a program that uses the core, with the generators that the core exports: any
//! operation, and any response that a service or a proxy in front of it may come up with.

use bytes::Bytes;
use http::{
    Request, Response, StatusCode,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};
use pipeline_embedding_example::http1::{decode, encode};
use pipeline_proto::{
    Call, CallOptions, Context, Now, Operation,
    operation::Visitor,
    strategies::{any_operation, credentials, now, response},
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Ways to say where a body ends.
#[derive(Debug, Clone, Copy)]
enum Framing {
    Length,
    Chunks,
    End,
}

/// A response as a server would write it.
fn write(answer: &Response<Bytes>, framing: Framing, chunk: usize) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {} whatever\r\n", answer.status().as_u16()).into_bytes();
    for (name, value) in answer.headers() {
        out.extend_from_slice(name.as_str().as_bytes());
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    let body = answer.body();
    match framing {
        Framing::Length => {
            out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            out.extend_from_slice(body);
        }
        Framing::Chunks => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            for piece in body.chunks(chunk) {
                out.extend_from_slice(format!("{:x};x=y\r\n", piece.len()).as_bytes());
                out.extend_from_slice(piece);
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(b"0\r\n\r\n");
        }
        Framing::End => {
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(body);
        }
    }
    out
}

/// The signed request of an operation.
struct Signed<'a>(&'a Context, Now);

impl Visitor for Signed<'_> {
    type Output = Request<Bytes>;

    fn visit<O: Operation>(self, operation: O) -> Request<Bytes> {
        let call = Call::new(self.0, operation, CallOptions::new()).unwrap();
        call.start(self.1).send().0
    }
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![
        Just(Framing::Length),
        Just(Framing::Chunks),
        Just(Framing::End)
    ]
}

proptest! {
    /// Whatever comes is read as it was meant, and not before it is there.
    #[test]
    fn an_answer_is_read_as_it_was_written(
        mut answer in response().prop_filter("no response", |answer| !answer.status().is_informational()),
        framing in framing(),
        chunk in 1..50_usize,
        interim in 0..3_usize,
        cut in any::<Index>(),
    ) {
        if matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            *answer.body_mut() = Bytes::new();
        }
        let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(interim);
        bytes.extend(write(&answer, framing, chunk));

        let read = decode(&bytes, true).unwrap().unwrap();
        prop_assert_eq!(read.status(), answer.status());
        prop_assert_eq!(read.body(), answer.body());
        for name in answer.headers().keys() {
            let trimmed = |answer: &Response<Bytes>| -> Vec<Vec<u8>> {
                let values = answer.headers().get_all(name).iter();
                values.map(|value| value.as_bytes().trim_ascii().to_vec()).collect()
            };
            prop_assert_eq!(trimmed(&read), trimmed(&answer));
        }
        let begun = &bytes[..cut.index(bytes.len())];
        if let Some(early) = decode(begun, false).unwrap() {
            prop_assert!(early.body() == answer.body(), "read before it was there");
        }
    }

    /// Noise is an error or not enough; it is never a panic.
    #[test]
    fn noise_does_no_harm(
        mut bytes in vec(any::<u8>(), 0..200),
        answer in response(),
        framing in framing(),
        at in any::<Index>(),
        ended in any::<bool>(),
    ) {
        let _ = decode(&bytes, ended);
        // Noise in the middle of what looks like a response gets further.
        let mut whole = write(&answer, framing, 7);
        let at = at.index(whole.len());
        whole.splice(at..at, bytes.drain(..));
        let _ = decode(&whole, ended);
    }

    /// Whatever is asked, one request goes out: its head is one head, and the body is behind it.
    #[test]
    fn a_request_is_written_as_one(operation in any_operation(), keys in credentials(), now in now()) {
        let context = Context::builder().credentials(keys.credentials()).build();
        let request = operation.visit(Signed(&context, now));
        let bytes = encode(&request);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        prop_assert_eq!(&bytes[end + 4..], &request.body()[..]);
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n");
        let first = format!("{} {} HTTP/1.1", request.method(), request.uri().path_and_query().unwrap());
        prop_assert_eq!(lines.next(), Some(&first[..]));
        // Those of the core, and the two of this transport.
        prop_assert_eq!(lines.count(), request.headers().len() + 2);
        prop_assert!(!request.headers().contains_key(HOST));
        prop_assert!(!request.headers().contains_key(TRANSFER_ENCODING));
        let length = request.headers().get(CONTENT_LENGTH);
        prop_assert!(length.is_some() || request.body().is_empty());
    }
}
