//! The head of a response, and a chunked body.
use memchr::{memchr, memmem};

#[derive(Debug, PartialEq)]
pub enum Framing {
    Length(usize),
    Chunked,
}

#[derive(Debug, PartialEq)]
pub struct Head {
    pub status: u16,
    pub framing: Framing,
    pub close: bool,
    pub len: usize,
}

/// `Ok(None)`: not all of it is there yet.
pub fn head(buf: &[u8]) -> Result<Option<Head>, &'static str> {
    let Some(mut at) = line_end(buf, 0) else { return Ok(None) };
    let status = buf.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let status: u16 = status.ok_or("the status line is broken")?;
    let mut close = buf.starts_with(b"HTTP/1.0");
    let mut framing = if matches!(status, 204 | 304) { Some(Framing::Length(0)) } else { None };
    loop {
        let Some(next) = line_end(buf, at) else { return Ok(None) };
        let field = buf[at..next].trim_ascii_end();
        at = next;
        if field.is_empty() {
            let framing = framing.ok_or("the body has no length")?;
            return Ok(Some(Head { status, framing, close, len: at }));
        }
        let Some(colon) = memchr(b':', field) else { return Err("a field lacks its colon") };
        let value = field[colon + 1..].trim_ascii();
        match colon {
            14 if framing.is_none() && field[..colon].eq_ignore_ascii_case(b"content-length") => {
                let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                framing = Some(Framing::Length(length.ok_or("Content-Length is broken")?));
            }
            17 if field[..colon].eq_ignore_ascii_case(b"transfer-encoding") => framing = Some(Framing::Chunked),
            10 if field[..colon].eq_ignore_ascii_case(b"connection") => close = value.eq_ignore_ascii_case(b"close"),
            _ => {}
        }
    }
}

/// The decoded body and the length that it had on the wire. `Ok(None)`: not all of it is there yet.
pub fn chunked(mut buf: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
    let (whole, mut body) = (buf.len(), Vec::new());
    loop {
        let Some(end) = memmem::find(buf, b"\r\n") else { return Ok(None) };
        let digits = std::str::from_utf8(&buf[..end]).map_err(|_| "a chunk's size is broken")?;
        let size = usize::from_str_radix(digits, 16).map_err(|_| "a chunk's size is broken")?;
        buf = &buf[end + 2..];
        if buf.len() < size + 2 {
            return Ok(None);
        }
        body.extend_from_slice(&buf[..size]);
        buf = &buf[size + 2..];
        if size == 0 {
            return Ok(Some((body, whole - buf.len())));
        }
    }
}

/// The index behind the line that starts here.
fn line_end(buf: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr(b'\n', &buf[from..])? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\nok";
        let expected = Head { status: 200, framing: Framing::Length(2), close: true, len: answer.len() - 2 };
        assert_eq!(head(answer), Ok(Some(expected)));
        assert_eq!(head(&answer[..30]), Ok(None));
        assert!(head(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n").is_err());
        let not_modified = head(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").unwrap().unwrap();
        assert_eq!(not_modified.framing, Framing::Length(0));
    }

    #[test]
    fn chunks() {
        assert_eq!(chunked(b"2\r\nok\r\n0\r\n\r\nHTTP"), Ok(Some((b"ok".to_vec(), 12))));
        assert_eq!(chunked(b"2\r\nok\r\n0\r\n"), Ok(None));
        assert!(chunked(b"x\r\n").is_err());
    }
}
