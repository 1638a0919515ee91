use super::with;
use crate::http::replay::{Ending, replay};
use crate::http::{Decoded, Decoder, Framing, Limits};

fn decode(decoder: &mut Decoder, input: &[u8]) -> (Vec<u8>, Decoded) {
    let mut body = Vec::new();
    let decoded = decoder.decode(input, &mut |data| body.extend_from_slice(data)).unwrap();
    (body, decoded)
}

fn chunked(body: &[u8]) -> (Option<Vec<u8>>, Ending) {
    let data = [with("Transfer-Encoding: chunked\r\n").as_bytes(), body].concat();
    let (requests, ending) = replay(&data, &Limits::default());
    (requests.into_iter().next().map(|request| request.body), ending)
}

#[test]
fn lengths() {
    assert_eq!(decode(&mut Decoder::new(&Framing::None), b"x").1, Decoded { consumed: 0, done: true });
    let mut decoder = Decoder::new(&Framing::Length(5));
    assert_eq!(decode(&mut decoder, b""), (vec![], Decoded { consumed: 0, done: false }));
    assert_eq!(decode(&mut decoder, b"abc"), (b"abc".to_vec(), Decoded { consumed: 3, done: false }));
    assert_eq!(decode(&mut decoder, b"deGET"), (b"de".to_vec(), Decoded { consumed: 2, done: true }));
    let mut huge = Decoder::new(&Framing::Length(u64::MAX));
    assert_eq!(decode(&mut huge, b"abc").1, Decoded { consumed: 3, done: false });
}

#[test]
fn chunks() {
    for (input, body) in [
        (&b"0\r\n\r\n"[..], &b""[..]),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
        (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"01234567890123456789"),
        (b"2;a\r\nok\r\n0;b=c;d=\"e \\\" f\"\r\n\r\n", b"ok"),
        (b"2; a;\tb=c\r\nok\r\n0\r\n\r\n", b"ok"),
        (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
        (b"0000000000000002\r\nok\r\n0\r\n\r\n", b"ok"),
        (b"2\r\nok\r\n0\r\nA: b\r\nEmpty:\r\nC:\td \xe9\r\n\r\n", b"ok"),
    ] {
        assert_eq!(chunked(input), (Some(body.to_vec()), Ending::Complete), "{}", input.escape_ascii());
    }
}

#[test]
fn refused_chunks() {
    for input in [
        &b"\r\n"[..],
        b"g\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b"1_0\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"1 ;a\r\n",
        b"1\t\r\n",
        b"1\n",
        b"1\rx",
        b"1\r\r",
        b"00000000000000001\r\n",
        b"fffffffffffffffff\r\n",
        b"1\r\nab",
        b"1\r\na\n",
        b"1\r\na\rb",
        b"1\r\na0\r\n",
        b"1;\r\n",
        b"1; \r\n",
        b"1;=a\r\n",
        b"1;a=\r\n",
        b"1;a b\r\n",
        b"1;a =b\r\n",
        b"1;a= b\r\n",
        b"1;a;\r\n",
        b"1;a\n",
        b"1;a\rb\r\n",
        b"1;a=\"b\r\n",
        b"1;a=\"b\"c\r\n",
        b"1;a=\"\\\r\n",
        b"1;a=\"\x00\"\r\n",
        b"0\r\nA\r\n",
        b"0\r\nA : b\r\n",
        b"0\r\n A: b\r\n",
        b"0\r\nA: b\r\n c\r\n",
        b"0\r\n: b\r\n",
        b"0\r\nA: b\n",
        b"0\r\nA: b\rc",
        b"0\r\nA: \x00\r\n",
        b"0\r\n\rx",
        b"0\r\n\n",
        b"0\r\nTransfer-Encoding: chunked\r\n",
        b"0\r\nCONTENT-LENGTH: 1\r\n",
        b"0\r\nhost: a\r\n",
    ] {
        let (body, ending) = chunked(input);
        assert!(body.is_none());
        assert!(matches!(ending, Ending::Refused(refusal) if refusal.status == 400), "{}", input.escape_ascii());
    }
}

#[test]
fn unfinished_chunks() {
    for input in
        [&b""[..], b"1", b"1\r", b"1\r\n", b"1\r\na", b"1\r\na\r", b"1\r\na\r\n", b"0\r\n", b"0\r\n\r", b"0\r\nA: b"]
    {
        assert_eq!(chunked(input), (None, Ending::Incomplete), "{}", input.escape_ascii());
    }
}

#[test]
fn bounds() {
    let status = |input: Vec<u8>| match chunked(&input).1 {
        Ending::Refused(refusal) => refusal.status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(format!("1;{}", "a".repeat(5000)).into_bytes()), 413);
    // All chunks together.
    assert_eq!(status("1;aaaaaaaaaaaaaaa\r\nx\r\n".repeat(300).into_bytes()), 413);
    assert_eq!(status(format!("0\r\nA: {}", "a".repeat(9000)).into_bytes()), 431);
    assert_eq!(status(format!("0\r\n{}", "A: b\r\n".repeat(2000)).into_bytes()), 431);
}
