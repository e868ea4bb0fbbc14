use super::*;

/// What becomes of these bytes, read in pieces of this size, and of the end of the connection.
fn read(bytes: &[u8], piece: usize, method: &Method) -> Result<(u16, String, bool), String> {
    let mut incoming = Incoming::new(method, 100, Vec::new());
    let mut rest = bytes;
    while !incoming.is_complete() {
        let space = incoming.space();
        let length = rest.len().min(space.len()).min(piece);
        space[..length].copy_from_slice(&rest[..length]);
        rest = &rest[length..];
        let taken = match length {
            0 => incoming.close(),
            length => incoming.advance(length),
        };
        taken.map_err(|refusal| refusal.to_string())?;
    }
    let keeps_open = incoming.keeps_open() && rest.is_empty();
    let (response, buffer) = incoming.finish();
    assert!(buffer.len() <= BUFFER, "a large buffer is not kept");
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    Ok((response.status().as_u16(), body, keeps_open))
}

fn in_pieces(bytes: &[u8], method: &Method) -> Result<(u16, String, bool), String> {
    let whole = read(bytes, usize::MAX, method);
    for piece in [1, 2, 3, 7, 16, 1000] {
        assert_eq!(read(bytes, piece, method), whole, "in pieces of {piece}");
    }
    whole
}

#[test]
fn responses_are_read_whatever_pieces_they_come_in() {
    const OPEN: bool = true;
    const SHUT: bool = false;
    for (text, status, body, then) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
            200,
            "[]",
            OPEN,
        ),
        (
            "HTTP/1.1 200\r\nContent-Length: 2, 2\r\ncontent-length: 2\r\n\r\n[]",
            200,
            "[]",
            OPEN,
        ),
        (
            "HTTP/1.1 413 Too Large\ncontent-length: 0\n\n",
            413,
            "",
            OPEN,
        ),
        (
            "HTTP/1.1 204 No Content\r\ncontent-length: 9\r\n\r\n",
            204,
            "",
            OPEN,
        ),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", OPEN),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]HTTP/1.1",
            200,
            "[]",
            SHUT,
        ),
        (
            "HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n",
            200,
            "",
            SHUT,
        ),
        (
            "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n[]",
            200,
            "[]",
            SHUT,
        ),
        (
            "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
            200,
            "",
            OPEN,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nuntil the end",
            200,
            "until the end",
            SHUT,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\na: b\r\n\r\nHTTP/1.1 401 No\r\ncontent-length: 1\r\n\r\nx",
            401,
            "x",
            OPEN,
        ),
        (
            "HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n",
            101,
            "",
            SHUT,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3 ; some=extension that is long\r\nabc\r\n0A\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n",
            200,
            "abc0123456789",
            OPEN,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            200,
            "",
            OPEN,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 7\r\n\r\n1\r\na\r\n0\r\n\r\n",
            200,
            "a",
            SHUT,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\nabc",
            200,
            "abc",
            SHUT,
        ),
    ] {
        let expected = Ok((status, body.to_owned(), then));
        assert_eq!(in_pieces(text.as_bytes(), &Method::GET), expected, "{text}");
    }
    let text = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    assert_eq!(
        in_pieces(text, &Method::HEAD),
        Ok((200, String::new(), OPEN))
    );
}

#[test]
fn what_is_no_response_is_refused_for_a_reason() {
    for (text, reason) in [
        ("", "closed without a response"),
        (
            "HTTP/1.1 200 OK\r\ncontent-le",
            "closed within the response header",
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n", "closed without a response"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
            "closed within the response body",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "closed within the response body",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", "does not begin with HTTP/1"),
        ("HTTP/2.0 200 OK\r\n\r\n", "does not begin with HTTP/1"),
        ("HTTP/1.1 2000 OK\r\n\r\n", "header cannot be read"),
        ("HTTP/1.1 099 OK\r\n\r\n", "not a status"),
        (
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "header cannot be read",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "length cannot be read",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na",
            "length cannot be read",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "length cannot be read",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n",
            "body is too large",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n",
            "length cannot be read",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
            "length of a chunk",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n65\r\n",
            "body is too large",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "body is too large",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
            "longer than it says",
        ),
    ] {
        let refusal = in_pieces(text.as_bytes(), &Method::GET).unwrap_err();
        assert!(refusal.contains(reason), "{text}: {refusal}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(101));
    assert!(
        in_pieces(endless.as_bytes(), &Method::GET)
            .unwrap_err()
            .contains("too large")
    );
}

#[test]
fn a_header_may_be_large_but_not_without_end() {
    let with = |fields: String| format!("HTTP/1.1 200 OK\r\n{fields}content-length: 0\r\n\r\n");
    let one = |size: usize| with(format!("x: {}\r\n", "a".repeat(size)));
    let many = |count: usize| with("x: a\r\n".repeat(count));
    for text in [
        one(16 << 10),
        one(MAX_HEADER_SIZE - 100),
        many(1000),
        many(MAX_HEADER_FIELDS - 1),
    ] {
        assert_eq!(
            read(text.as_bytes(), 4000, &Method::GET),
            Ok((200, String::new(), true))
        );
    }
    for text in [
        one(MAX_HEADER_SIZE),
        one(1 << 20),
        many(MAX_HEADER_FIELDS),
        many(100_000),
    ] {
        for piece in [4000, usize::MAX] {
            let refusal = read(text.as_bytes(), piece, &Method::GET).unwrap_err();
            assert!(
                refusal.contains("response header is too large"),
                "{refusal}"
            );
        }
    }
    let unended = "x".repeat(1 << 20);
    let text = format!("HTTP/1.1 200 OK\r\n{unended}");
    assert!(
        read(text.as_bytes(), 4000, &Method::GET)
            .unwrap_err()
            .contains("too large")
    );
}

#[test]
fn room_is_made_for_what_has_come_and_not_for_what_is_announced() {
    let mut incoming = Incoming::new(&Method::GET, usize::MAX, Vec::new());
    let header = b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999\r\n\r\n";
    incoming.space()[..header.len()].copy_from_slice(header);
    incoming.advance(header.len()).unwrap();
    let mut come = 0;
    while come < 9 << 20 {
        let read = incoming.space().len().min(100_000);
        incoming.advance(read).unwrap();
        come += read;
        assert!(incoming.body.capacity() <= (2 * come).max(FIRST_ROOM));
    }
}

#[test]
fn a_body_of_known_length_takes_no_more_room_than_that_and_is_not_copied() {
    for length in [
        1,
        BUFFER,
        (2 << 20) + 1,
        FIRST_ROOM,
        FIRST_ROOM + 1,
        2 * FIRST_ROOM + 1,
    ] {
        let mut incoming = Incoming::new(&Method::GET, usize::MAX, Vec::new());
        let header = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        incoming.space()[..header.len()].copy_from_slice(header.as_bytes());
        incoming.advance(header.len()).unwrap();
        while !incoming.is_complete() {
            let read = incoming.space().len();
            incoming.advance(read).unwrap();
        }
        assert_eq!(incoming.body.capacity(), length);
        let at = incoming.body.as_ptr();
        let (response, _) = incoming.finish();
        assert_eq!(response.body().len(), length);
        assert_eq!(response.body().as_ptr(), at);
    }
}
