use super::*;

#[test]
fn whole_messages_borrow_what_was_fed() {
    let mut input = frame(0x81, "κόσμε".as_bytes());
    let all = input.len();
    let mut codec = codec(100, false);
    let (taken, event) = codec.feed(&mut input);
    assert_eq!(taken, all);
    assert!(matches!(event, Ok(Some(Event::Text(std::borrow::Cow::Borrowed("κόσμε"))))));
}

#[test]
fn one_event_a_call_in_order() {
    let input =
        [frame(0x81, b"a"), frame(0x82, b"b"), frame(0x89, b"c"), frame(0x8a, b""), frame(0x88, b"\x03\xe8bye")]
            .concat();
    let expected = [
        text("a"),
        Seen::Binary(b"b".to_vec()),
        Seen::Ping(b"c".to_vec()),
        Seen::Pong(vec![]),
        Seen::Close(1000, "bye".into()),
    ];
    assert_eq!(events(&input), expected);
}

#[test]
fn fragments_join_and_let_control_frames_through() {
    let input = [
        frame(0x01, b"a\xce"),
        frame(0x89, b"now"),
        frame(0x00, b""),
        frame(0x00, b"\xba"),
        frame(0x80, b"z"),
        frame(0x81, b"next"),
    ]
    .concat();
    assert_eq!(events(&input), [Seen::Ping(b"now".to_vec()), text("aκz"), text("next")]);
}

#[test]
fn fragments_out_of_turn_fail() {
    assert_eq!(events(&frame(0x80, b"x")), [Seen::Failed(1002)]);
    assert_eq!(events(&[frame(0x01, b"x"), frame(0x81, b"y")].concat()), [Seen::Failed(1002)]);
    assert_eq!(
        events(&[frame(0x01, b"x"), frame(0x80, b"y"), frame(0x80, b"z")].concat()),
        [text("xy"), Seen::Failed(1002)]
    );
}

#[test]
fn bad_utf8_fails_before_the_message_ends() {
    assert_eq!(events(&frame(0x81, b"\xff")), [Seen::Failed(1007)]);
    assert_eq!(events(&frame(0x81, b"a\xce")), [Seen::Failed(1007)]);
    // In a fragment, with more to come.
    assert_eq!(events(&frame(0x01, b"a\xed\xa0")), [Seen::Failed(1007)]);
    // In the part of a frame that is there.
    let whole = frame(0x81, b"abc\xf4\x90\x80\x80defghi");
    assert_eq!(events(&whole[..whole.len() - 8]), [Seen::Failed(1007)]);
    // A character cut short at the very end.
    assert_eq!(events(&[frame(0x01, b"a\xce"), frame(0x80, b"")].concat()), [Seen::Failed(1007)]);
}

#[test]
fn binary_needs_no_utf8() {
    assert_eq!(events(&[frame(0x02, b"\xff"), frame(0x80, b"\xfe")].concat()), [Seen::Binary(b"\xff\xfe".to_vec())]);
}

#[test]
fn too_big_is_refused_before_its_payload() {
    let at_limit = |first, size| feed(&mut codec(100, false), &frame(first, &vec![b'x'; size])[..8], &[]);
    assert_eq!(at_limit(0x81, 100), []);
    assert_eq!(at_limit(0x81, 101), [Seen::Failed(1009)]);
    assert_eq!(at_limit(0x01, 101), [Seen::Failed(1009)]);
    let huge = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffabcd";
    assert_eq!(events(huge), [Seen::Failed(1009)]);
    let mut codec = codec(usize::MAX, false);
    assert_eq!(feed(&mut codec, huge, &[]), []);
}

#[test]
fn fragments_count_together() {
    let parts = |last: usize| [frame(0x02, &[1; 60]), frame(0x80, &vec![2; last])].concat();
    assert_eq!(feed(&mut codec(100, false), &parts(40), &[]), [Seen::Binary([[1; 60].as_slice(), &[2; 40]].concat())]);
    assert_eq!(feed(&mut codec(100, false), &parts(41)[..66 + 8], &[]), [Seen::Failed(1009)]);
}

#[test]
fn nothing_counts_after_the_end() {
    for end in [frame(0x88, b""), frame(0x83, b"")] {
        let mut codec = codec(100, false);
        assert_eq!(feed(&mut codec, &[end, frame(0x81, b"more")].concat(), &[]).len(), 1);
        assert_eq!(feed(&mut codec, &frame(0x81, b"more"), &[]), []);
    }
    assert_eq!(events(&frame(0x88, b"\x03")), [Seen::Failed(1002)]);
    assert_eq!(events(&frame(0x88, b"\x03\xed")), [Seen::Failed(1002)]);
    assert_eq!(events(&frame(0x88, b"\x03\xe8\xff")), [Seen::Failed(1007)]);
}

#[test]
fn an_idle_codec_is_small() {
    assert!(size_of::<Codec>() <= 40, "{}", size_of::<Codec>());
}
