use super::*;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn client(trusted: &str, peer: &str, values: &[&str]) -> String {
    let peer = (peer != "unix").then(|| ip(peer));
    let client = Trusted::parse(trusted).unwrap().client(peer, values.iter().map(|value| value.as_bytes()));
    client.map_or("unix".into(), |client| client.to_string())
}

#[test]
fn trust() {
    for (list, peer, trusted) in [
        ("", "127.0.0.1", false),
        ("", "unix", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false),
        ("127.0.0.1", "::ffff:127.0.0.1", true),
        ("::ffff:127.0.0.1", "127.0.0.1", true),
        ("::ffff:10.0.0.0/104", "10.9.9.9", true),
        ("127.0.0.1", "::1", false),
        ("10.0.0.0/8, ::1 ,", "10.255.0.1", true),
        ("10.0.0.0/8,::1", "11.0.0.0", false),
        ("10.0.0.0/8,::1", "::1", true),
        ("172.16.0.0/12", "172.31.255.255", true),
        ("172.16.0.0/12", "172.32.0.0", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "203.0.113.9", false),
        ("2001:db8::/32", "2001:db8:ffff::", true),
        ("2001:db8::/32", "2001:db9::", false),
        ("*", "203.0.113.9", true),
        ("*", "unix", true),
        ("unix", "unix", true),
        ("unix", "127.0.0.1", false),
        ("0.0.0.0/0", "unix", false),
    ] {
        let peer_ip = (peer != "unix").then(|| ip(peer));
        assert_eq!(Trusted::parse(list).unwrap().trusts(peer_ip), trusted, "{list} {peer}");
    }
}

#[test]
fn lists_that_are_refused() {
    for (list, part) in [
        ("localhost", "\"localhost\""),
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("::/129", "::/129"),
        ("10.0.0.0/x", "10.0.0.0/x"),
        ("10.0.0.0/-1", "10.0.0.0/-1"),
        ("10.0.0.1/8", "write 10.0.0.0/8"),
        ("2001:db8::1/32", "write 2001:db8::/32"),
        ("::ffff:10.0.0.0/90", "::ffff:10.0.0.0/90"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[::1]", "[::1]"),
        ("*.example.org", "*.example.org"),
    ] {
        let error = Trusted::parse(list).unwrap_err();
        assert!(error.contains(part), "{list}: {error}");
    }
}

#[test]
fn clients() {
    let near = "10.0.0.0/8,unix,fd00::/8";
    for (trusted, peer, values, expected) in [
        // Nobody untrusted sets anything.
        ("", "10.0.0.1", &["192.0.2.1"][..], "10.0.0.1"),
        (near, "192.0.2.9", &["192.0.2.1"], "192.0.2.9"),
        // The right-most that is no proxy; what the client itself wrote stands left of it.
        (near, "10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
        (near, "10.0.0.1", &["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        (near, "10.0.0.1", &["10.6.6.6, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        (near, "10.0.0.1", &["6.6.6.6", "192.0.2.1", "10.0.0.2, 10.0.0.3"], "192.0.2.1"),
        // All are proxies: the one that is furthest away.
        (near, "10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (near, "10.0.0.1", &[], "10.0.0.1"),
        (near, "10.0.0.1", &["", " , "], "10.0.0.1"),
        // Ports, brackets, mapped addresses, white space, empty elements.
        (near, "10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
        (near, "10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
        (near, "10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
        (near, "10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        (near, "10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
        (near, "10.0.0.1", &["6.6.6.6, 192.0.2.1, ::ffff:10.0.0.2"], "192.0.2.1"),
        (near, "10.0.0.1", &["\t192.0.2.1 ,,"], "192.0.2.1"),
        (near, "::ffff:10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
        (near, "fd00::1", &["192.0.2.1"], "192.0.2.1"),
        // The first thing that is no address ends the walk.
        (near, "10.0.0.1", &["192.0.2.1, unknown"], "10.0.0.1"),
        (near, "10.0.0.1", &["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2"),
        (near, "10.0.0.1", &["192.0.2.1 6.6.6.6"], "10.0.0.1"),
        (near, "10.0.0.1", &["192.0.2.1:"], "10.0.0.1"),
        (near, "10.0.0.1", &["192.0.2.1:70000"], "10.0.0.1"),
        (near, "10.0.0.1", &["[192.0.2.1]"], "10.0.0.1"),
        (near, "10.0.0.1", &["[::1"], "10.0.0.1"),
        (near, "10.0.0.1", &["fe80::1%eth0"], "10.0.0.1"),
        (near, "10.0.0.1", &["0300.0.2.1"], "10.0.0.1"),
        (near, "10.0.0.1", &["\"192.0.2.1\""], "10.0.0.1"),
        (near, "10.0.0.1", &["for=192.0.2.1"], "10.0.0.1"),
        (near, "10.0.0.1", &["\u{661}92.0.2.1"], "10.0.0.1"),
        // Unix sockets.
        (near, "unix", &["192.0.2.1"], "192.0.2.1"),
        (near, "unix", &[], "unix"),
        ("10.0.0.0/8", "unix", &["192.0.2.1"], "unix"),
        // A star: whoever connects is a proxy, but what it passes on is only as good as its own word.
        ("*", "203.0.113.9", &["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        ("*,192.0.2.0/24", "203.0.113.9", &["6.6.6.6, 192.0.2.1"], "6.6.6.6"),
    ] {
        assert_eq!(client(trusted, peer, values), expected, "{trusted} {peer} {values:?}");
    }
}

#[test]
fn schemes() {
    for (trusted, peer, values, expected) in [
        ("10.0.0.1", "10.0.0.1", &["https"][..], Some("https")),
        ("10.0.0.1", "10.0.0.1", &["HTTP"], Some("http")),
        ("10.0.0.1", "10.0.0.1", &["wss"], Some("https")),
        ("10.0.0.1", "10.0.0.1", &["ws"], Some("http")),
        ("10.0.0.1", "10.0.0.1", &["https, https"], Some("https")),
        ("10.0.0.1", "10.0.0.1", &["https, http"], Some("http")),
        ("10.0.0.1", "10.0.0.1", &["http, https"], Some("http")),
        ("10.0.0.1", "10.0.0.1", &["https", "http"], Some("http")),
        ("10.0.0.1", "10.0.0.1", &["https, junk"], None),
        ("10.0.0.1", "10.0.0.1", &["httpss"], None),
        ("10.0.0.1", "10.0.0.1", &[""], None),
        ("10.0.0.1", "10.0.0.1", &[], None),
        ("10.0.0.1", "10.0.0.2", &["https"], None),
        ("", "10.0.0.2", &["https"], None),
    ] {
        let list = Trusted::parse(trusted).unwrap();
        let scheme = list.scheme(Some(ip(peer)), values.iter().map(|value| value.as_bytes()));
        assert_eq!(scheme, expected, "{trusted} {peer} {values:?}");
    }
}

proptest! {
    #[test]
    fn an_untrusted_peer_is_the_client(values: Vec<Vec<[u8; 4]>>, peer: [u8; 4]) {
        let list = Trusted::parse("10.0.0.0/8").unwrap();
        let peer = IpAddr::from(peer);
        prop_assume!(!list.trusts(Some(peer)));
        let lists = values.iter().map(|list| list.iter().map(|ip| IpAddr::from(*ip).to_string()).collect::<Vec<_>>().join(","));
        let lists: Vec<String> = lists.collect();
        prop_assert_eq!(list.client(Some(peer), lists.iter().map(String::as_bytes)), Some(peer));
    }

    #[test]
    fn any_field_is_read(values: Vec<Vec<u8>>) {
        let list = Trusted::parse("*").unwrap();
        prop_assert!(list.client(Some(ip("10.0.0.1")), values.iter().map(Vec::as_slice)).is_some());
        list.scheme(None, values.iter().map(Vec::as_slice));
    }

    #[test]
    fn what_the_proxy_added_wins(forged in "[ -~]{0,60}", client: [u8; 4]) {
        let client = IpAddr::from(client);
        let list = Trusted::parse("10.0.0.0/8").unwrap();
        prop_assume!(!list.trusts(Some(client)));
        let value = format!("{forged}, {client}, 10.1.1.1");
        let told = list.client(Some(ip("10.0.0.1")), [value.as_bytes()].into_iter());
        prop_assert_eq!(told, Some(client));
    }
}
