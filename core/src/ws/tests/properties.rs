use std::time::{Duration, Instant};

use super::compression::squeeze;
use super::*;
use flate2::FlushCompress;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A frame of some kind, mostly a legal one.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x81u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a]),
        1 => prop::sample::select(vec![0x88u8, 0xc1, 0xc2, 0x41]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "[a-zκ𝄞]{0,50}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..300),
        1 => "[ab]{0,600}".prop_map(|text| squeeze(text.as_bytes(), FlushCompress::Sync)),
    ];
    (first, payload).prop_map(|(first, payload)| frame(first, &payload))
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any_frame(), 0..12).prop_map(|frames| frames.concat()),
        1 => prop::collection::vec(any::<u8>(), 0..400),
    ]
}

type Input = (Vec<u8>, Vec<usize>, bool);

fn input() -> impl Strategy<Value = Input> {
    (stream(), prop::collection::vec(0..1000usize, 0..8), any::<bool>())
}

/// What must hold of any input: the same events however it is split, with no panic and nothing after the end.
fn check((input, cuts, deflate): Input) -> Result<(), TestCaseError> {
    let whole = feed(&mut codec(1000, deflate), &input, &[]);
    let parts = feed(&mut codec(1000, deflate), &input, &cuts);
    prop_assert_eq!(&whole, &parts);
    let bytes = feed(&mut codec(1000, deflate), &input, &(0..input.len()).collect::<Vec<_>>());
    prop_assert_eq!(&whole, &bytes);
    let end = whole.iter().position(|seen| matches!(seen, Seen::Close(..) | Seen::Failed(_)));
    prop_assert!(end.is_none_or(|end| end + 1 == whole.len()));
    for seen in &whole {
        if let Seen::Binary(data) = seen {
            prop_assert!(data.len() <= 1000);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(input in input()) {
        check(input)?;
    }

    #[test]
    fn what_is_sent_is_what_is_read(text in "[a-zκ𝄞 ]{0,3000}", deflate: bool, bits in 8..=15u8, min in 0..1000usize) {
        let settings = Settings { deflate_min: min, ..Settings::default() };
        let mut out = Vec::new();
        Codec::new(&settings, deflate.then_some(Deflate { server_bits: Some(bits) })).message(&mut out, true, text.as_bytes());
        // Masked, our own frame is one that a client could have sent.
        let at = match out[1] { 126 => 4, 127 => 10, _ => 2 };
        let back = feed(&mut codec(1 << 20, deflate), &frame(out[0], &out[at..]), &[]);
        prop_assert_eq!(back, [Seen::Text(text)]);
    }
}

/// The same property for `RIVET_FUZZ_SECONDS` (default 1), with new inputs each time.
#[test]
fn fuzz() {
    let seconds = std::env::var("RIVET_FUZZ_SECONDS").ok().and_then(|value| value.parse().ok()).unwrap_or(1);
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let mut runner = TestRunner::new(Config { cases: 50, failure_persistence: None, ..Config::default() });
        runner.run(&input(), check).unwrap();
    }
}
