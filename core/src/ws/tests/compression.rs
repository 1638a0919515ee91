use super::*;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// A payload as a client compresses it.
pub fn squeeze(data: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 1024);
    Compress::new(Compression::new(6), false).compress_vec(data, &mut out, flush).unwrap();
    match flush {
        FlushCompress::Sync => out.truncate(out.len() - 4),
        _ => out.push(0),
    }
    out
}

/// Inflates what the server sent, as a client with a window of `bits` does, byte for byte: a distance beyond it fails.
/// flate2 has no window of 8 bits: tests/websocket/test_deflate.py checks that one with another zlib.
fn unsqueeze(data: &[u8], bits: u8) -> Vec<u8> {
    let mut state = Decompress::new_with_window_bits(false, bits);
    let input = [data, &[0, 0, 0xff, 0xff]].concat();
    let mut out = Vec::new();
    loop {
        let mut byte = [0];
        let (taken, given) = (state.total_in() as usize, state.total_out());
        state.decompress(&input[taken..], &mut byte, FlushDecompress::Sync).unwrap();
        if state.total_out() == given {
            return out;
        }
        out.extend_from_slice(&byte);
    }
}

fn payload(out: &[u8]) -> &[u8] {
    match out[1] {
        126 => &out[4..],
        127 => &out[10..],
        _ => &out[2..],
    }
}

/// Repeats at every distance up to some thousands, between bytes that do not repeat.
fn repetitive() -> Vec<u8> {
    let mut data: Vec<u8> = Vec::new();
    let mut seed = 1u32;
    for distance in 4..2000usize {
        seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
        data.extend_from_slice(&seed.to_be_bytes());
        let from = data.len().saturating_sub(distance);
        data.extend_from_within(from..(from + 12).min(data.len()));
    }
    data
}

#[test]
fn compressed_messages_inflate() {
    for flush in [FlushCompress::Sync, FlushCompress::Finish] {
        for message in ["", "Hello", &"Hello κόσμε ".repeat(5000)] {
            let input = [frame(0xc1, &squeeze(message.as_bytes(), flush)), frame(0x81, b"plain")].concat();
            assert_eq!(feed(&mut codec(1 << 20, true), &input, &[]), [text(message), text("plain")]);
        }
    }
    // RFC 7692 section 7.2.3: examples.
    assert_eq!(feed(&mut codec(100, true), &frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"), &[]), [text("Hello")]);
    assert_eq!(
        feed(&mut codec(100, true), &frame(0xc1, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), &[]),
        [text("Hello")]
    );
    assert_eq!(feed(&mut codec(100, true), &frame(0xc1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), &[]), [text("Hello")]);
    let fragments = [frame(0x41, b"\xf2\x48\xcd"), frame(0x89, b""), frame(0x80, b"\xc9\xc9\x07\x00")].concat();
    assert_eq!(feed(&mut codec(100, true), &fragments, &[]), [Seen::Ping(vec![]), text("Hello")]);
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let bomb = squeeze(&vec![0; 4 << 20], FlushCompress::Sync);
    assert!(bomb.len() < 6_000);
    let mut codec = codec(1 << 14, true);
    assert_eq!(feed(&mut codec, &frame(0xc2, &bomb), &[]), [Seen::Failed(1009)]);
    // To the byte.
    let data = vec![b'x'; 5000];
    let message = frame(0xc2, &squeeze(&data, FlushCompress::Sync));
    assert_eq!(feed(&mut super::codec(5000, true), &message, &[]), [Seen::Binary(data)]);
    assert_eq!(feed(&mut super::codec(4999, true), &message, &[]), [Seen::Failed(1009)]);
}

#[test]
fn a_message_that_does_not_compress_may_still_be_of_the_largest_size() {
    let data: Vec<u8> = (0..100_000u32).flat_map(|n| n.wrapping_mul(2654435761).to_be_bytes()).collect();
    let message = frame(0xc2, &squeeze(&data, FlushCompress::Sync));
    assert!(message.len() > data.len());
    assert_eq!(feed(&mut codec(data.len(), true), &message, &[]), [Seen::Binary(data)]);
}

#[test]
fn corrupt_data_and_bad_text_fail() {
    assert_eq!(feed(&mut codec(100, true), &frame(0xc1, b"\xff\xff\xff\xff"), &[]), [Seen::Failed(1007)]);
    let latin = frame(0xc1, &squeeze(b"caf\xe9!", FlushCompress::Sync));
    assert_eq!(feed(&mut codec(100, true), &latin, &[]), [Seen::Failed(1007)]);
    // The same bytes when nothing was negotiated.
    assert_eq!(feed(&mut codec(100, false), &frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"), &[]), [Seen::Failed(1002)]);
}

#[test]
fn contexts_are_not_shared_between_messages() {
    // A client that kept its context against the negotiation refers to what came before: not to another's message.
    let mut state = Compress::new(Compression::new(9), false);
    let [first, second] = [0, 1].map(|_| {
        let mut out = Vec::with_capacity(1000);
        state.compress_vec(b"a secret of one connection, long enough", &mut out, FlushCompress::Sync).unwrap();
        out.truncate(out.len() - 4);
        out
    });
    assert_eq!(feed(&mut codec(100, true), &frame(0xc1, &first), &[]).len(), 1);
    assert_eq!(feed(&mut codec(100, true), &frame(0xc1, &second), &[]), [Seen::Failed(1007)]);
}

#[test]
fn messages_are_compressed_within_the_clients_window() {
    let data = repetitive();
    for server_bits in 8..=15 {
        for deflate_level in 1..=9 {
            let settings = Settings { deflate_level, ..Settings::default() };
            let mut codec = Codec::new(&settings, Some(Deflate { server_bits: Some(server_bits) }));
            let mut out = Vec::new();
            codec.message(&mut out, false, &data);
            assert_eq!(out[0], 0xc2, "window {server_bits}, level {deflate_level}: not compressed");
            assert_eq!(
                unsqueeze(payload(&out), server_bits.max(9)),
                data,
                "window {server_bits}, level {deflate_level}"
            );
        }
    }
}

#[test]
fn only_what_is_long_and_becomes_smaller_is_compressed() {
    let noise: Vec<u8> = (0..5000u32).flat_map(|n| n.wrapping_mul(2654435761).to_be_bytes()).collect();
    let mut codec = codec(100, true);
    for (message, first) in [(b"short".repeat(10), 0x82), (noise, 0x82), (b"long ".repeat(1000), 0xc2)] {
        let mut out = b"before".to_vec();
        codec.message(&mut out, false, &message);
        assert_eq!((out[6], &out[..6]), (first, b"before".as_slice()));
        let sent = payload(&out[6..]);
        assert_eq!(if first == 0xc2 { unsqueeze(sent, 15) } else { sent.to_vec() }, message);
    }
}

#[test]
fn a_compressor_serves_message_after_message() {
    let noise: Vec<u8> = (0..50_000u32).flat_map(|n| n.wrapping_mul(2654435761).to_be_bytes()).collect();
    for deflate_level in [1, 6] {
        let settings = Settings { deflate_level, ..Settings::default() };
        let mut codec = Codec::new(&settings, Some(Deflate { server_bits: None }));
        for round in 0..20 {
            // zlib-rs 0.6.8 panics or writes a broken stream when a message like this one is left half-way.
            codec.message(&mut Vec::new(), false, &noise[round..]);
            let text = format!("round {round} ").repeat(500 + round);
            let mut out = Vec::new();
            codec.message(&mut out, true, text.as_bytes());
            assert_eq!(out[0], 0xc1);
            assert_eq!(unsqueeze(payload(&out), 15), text.as_bytes(), "round {round}, level {deflate_level}");
        }
    }
}
