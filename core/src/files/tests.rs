use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::time::SystemTime;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::metrics::tests::thread_time;

const CSS: &str = "css/app.55e7cbb9ba48.css";

/// An answer, copied: status, fields by lower-case name, body.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    status: u16,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Told {
    fn field(&self, name: &str) -> &str {
        let mut values = self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = values.next().unwrap_or("");
        assert!(values.next().is_none(), "{name} twice");
        value
    }
}

fn tell(found: Found) -> Told {
    let (status, fields, body) = match found {
        Found::NotFound => (404, &[][..], Vec::new()),
        Found::MethodNotAllowed { fields } => (405, fields, Vec::new()),
        Found::NotModified { fields } => (304, fields, Vec::new()),
        Found::Unsatisfiable { fields } => (416, fields, Vec::new()),
        Found::Memory { status, fields, body, start, end } => (status, fields, body[start..end].to_vec()),
        Found::Large { status, fields, file, offset, len } => {
            let mut body = vec![0; len as usize];
            file.read_exact_at(&mut body, offset).unwrap();
            (status, fields, body)
        }
    };
    let text = std::str::from_utf8(fields).unwrap();
    assert!(text.is_empty() || text.ends_with("\r\n"));
    let fields = text.split_terminator("\r\n").map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    });
    Told { status, fields: fields.collect(), body }
}

struct Site {
    folder: TempDir,
    files: Files,
    now: u64,
}

impl Site {
    fn new(cache: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new("/static/", folder.path(), true, cache).unwrap();
        Self { folder, files, now: 50 }
    }

    fn put(&self, name: &str, body: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
    }

    fn ask(&mut self, method: &str, path: &str, fields: &[(&str, &str)]) -> Told {
        let mut conditions = Conditions::default();
        for (name, value) in fields {
            conditions.note(name.as_bytes(), value.as_bytes());
        }
        tell(self.files.lookup(method.as_bytes(), path.as_bytes(), &conditions, self.now))
    }

    fn get(&mut self, path: &str) -> Told {
        self.ask("GET", path, &[])
    }
}

fn site() -> Site {
    let site = Site::new(32 << 20);
    site.put("a.txt", "0123456789");
    site.put("empty.txt", "");
    site.put(CSS, "body{}");
    site.put("app.css", "body{}");
    site.put("app.css.br", "brotli");
    site.put("app.css.gz", "gzipped");
    site
}

#[test]
fn a_small_file() {
    let mut site = site();
    let told = site.get("/static/a.txt");
    assert_eq!((told.status, told.body.as_slice()), (200, &b"0123456789"[..]));
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", "10"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
        ("cache-control", "public, max-age=60"),
        ("vary", ""),
        ("content-encoding", ""),
    ] {
        assert_eq!(told.field(name), value, "{name}");
    }
    let etag = told.field("etag");
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 8, "{etag}");
    let modified = httpdate::parse_http_date(told.field("last-modified")).unwrap();
    assert!(SystemTime::now().duration_since(modified).unwrap().as_secs() < 60);
    assert_eq!(site.get("/static/a.txt"), told);
    assert_eq!(site.ask("HEAD", "/static/a.txt", &[]).fields, told.fields);
    assert_eq!(site.get("/static/empty.txt").field("content-length"), "0");
}

#[test]
fn only_names_with_a_hash_are_immutable() {
    let mut site = site();
    for name in ["a.55e7cbb9ba4.css", "a.55e7cbb9ba4G.css", "55e7cbb9ba48.css", "55e7cbb9ba48/a.css"] {
        site.put(name, "x");
        assert_eq!(site.get(&format!("/static/{name}")).field("cache-control"), "public, max-age=60", "{name}");
    }
    let year = "public, max-age=31536000, immutable";
    assert_eq!(site.get(&format!("/static/{CSS}")).field("cache-control"), year);
    let mut not_told = Files::new("/static/", site.folder.path(), false, 1 << 20).unwrap();
    let path = format!("/static/{CSS}");
    let told = tell(not_told.lookup(b"GET", path.as_bytes(), &Conditions::default(), 0));
    assert_eq!(told.field("cache-control"), "public, max-age=60");
}

#[test]
fn what_is_not_there() {
    let mut site = site();
    site.put(".env", "secret");
    site.put(".git/config", "secret");
    fs::write(site.folder.path().with_extension("secret"), "secret").unwrap();
    symlink(site.folder.path().with_extension("secret"), site.folder.path().join("link")).unwrap();
    symlink("a.txt", site.folder.path().join("inside.txt")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, site.folder.path().join("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let name = site.folder.path().file_name().unwrap().to_str().unwrap().to_owned();
    for path in [
        "/static/",
        "/static",
        "/a.txt",
        "/static/no.txt",
        "/static/css",
        "/static/css/",
        "/static/a.txt/",
        "/static/.env",
        "/static/.git/config",
        "/static/../a.txt",
        "/static/css/../a.txt",
        &format!("/static/../{name}.secret"),
        "/static//a.txt",
        "/static/./a.txt",
        "/static/a.txt\0",
        "/static/link",
        "/static/fifo",
        &format!("/static/{}", "x".repeat(5000)),
    ] {
        assert_eq!(site.get(path).status, 404, "{path:?}");
    }
    assert_eq!(site.get("/static/inside.txt").body, b"0123456789");
    fs::remove_file(site.folder.path().with_extension("secret")).unwrap();
}

#[test]
fn methods() {
    let mut site = site();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get", ""] {
        let told = site.ask(method, "/static/a.txt", &[]);
        assert_eq!((told.status, told.field("allow")), (405, "GET, HEAD"), "{method}");
    }
}

#[test]
fn conditions() {
    let mut site = site();
    let told = site.get("/static/a.txt");
    let (etag, date) = (told.field("etag"), told.field("last-modified"));
    let weak = format!("W/{etag}");
    let list = format!("\"x\", {etag}");
    for (fields, status) in [
        (&[("If-None-Match", etag)][..], 304),
        (&[("if-none-match", &weak)], 304),
        (&[("If-None-Match", &list)], 304),
        (&[("If-None-Match", "*")], 304),
        (&[("If-None-Match", "\"x\"")], 200),
        (&[("If-None-Match", etag.trim_matches('"'))], 200),
        (&[("If-None-Match", "\"")], 200),
        (&[("If-Modified-Since", date)], 304),
        (&[("If-Modified-Since", "Tue, 01 Jan 2199 00:00:00 GMT")], 304),
        (&[("If-Modified-Since", "Tuesday, 01-Jan-30 00:00:00 GMT")], 304),
        (&[("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT")], 200),
        (&[("If-Modified-Since", "Sat Jan  1 00:00:00 2000")], 200),
        (&[("If-Modified-Since", "yesterday")], 200),
        // RFC 9110 13.2.2: a tag that does not match decides, whatever the date says.
        (&[("If-None-Match", "\"x\""), ("If-Modified-Since", date)], 200),
        (&[("If-None-Match", etag), ("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT")], 304),
        (&[("If-None-Match", etag), ("Range", "bytes=0-1")], 304),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = site.ask(method, "/static/a.txt", fields);
            assert_eq!(answer.status, status, "{fields:?}");
            if status == 304 {
                assert_eq!((answer.field("etag"), answer.field("content-length")), (etag, ""));
                assert_eq!(answer.field("cache-control"), "public, max-age=60");
            }
        }
    }
}

#[test]
fn ranges() {
    let mut site = site();
    let told = site.get("/static/a.txt");
    let (etag, date) = (told.field("etag").to_owned(), told.field("last-modified").to_owned());
    let weak = format!("W/{etag}");
    for (range, if_range, status, body, content_range) in [
        ("bytes=0-0", "", 206, "0", "bytes 0-0/10"),
        ("bytes=2-4", "", 206, "234", "bytes 2-4/10"),
        ("BYTES=8-", "", 206, "89", "bytes 8-9/10"),
        ("bytes=-3", "", 206, "789", "bytes 7-9/10"),
        ("bytes=-99", "", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=5-99999999999999999999999", "", 206, "56789", "bytes 5-9/10"),
        ("bytes=10-", "", 416, "", "bytes */10"),
        ("bytes=99999999999999999999999-", "", 416, "", "bytes */10"),
        ("bytes=-0", "", 416, "", "bytes */10"),
        ("bytes=2-4", &etag, 206, "234", "bytes 2-4/10"),
        ("bytes=2-4", &date, 206, "234", "bytes 2-4/10"),
        ("bytes=2-4", "\"other\"", 200, "0123456789", ""),
        ("bytes=2-4", &weak, 200, "0123456789", ""),
        ("bytes=2-4", "Tue, 01 Jan 2199 00:00:00 GMT", 200, "0123456789", ""),
        ("bytes=99-", "\"other\"", 200, "0123456789", ""),
        // What is no single range of bytes is ignored (RFC 9110 14.2).
        ("bytes=4-2", "", 200, "0123456789", ""),
        ("bytes=0-1,3-4", "", 200, "0123456789", ""),
        ("bytes=", "", 200, "0123456789", ""),
        ("bytes=-", "", 200, "0123456789", ""),
        ("bytes=a-b", "", 200, "0123456789", ""),
        ("bytes=+1-2", "", 200, "0123456789", ""),
        ("lines=0-1", "", 200, "0123456789", ""),
        ("é", "", 200, "0123456789", ""),
    ] {
        let mut fields = vec![("Range", range)];
        fields.extend((!if_range.is_empty()).then_some(("If-Range", if_range)));
        let told = site.ask("GET", "/static/a.txt", &fields);
        assert_eq!((told.status, String::from_utf8_lossy(&told.body).as_ref()), (status, body), "{range} {if_range}");
        assert_eq!(told.field("content-range"), content_range, "{range}");
        assert_eq!(told.field("content-length"), body.len().to_string(), "{range}");
        assert_eq!(site.ask("HEAD", "/static/a.txt", &fields).status, 200, "a range is for GET");
    }
    assert_eq!(site.ask("GET", "/static/empty.txt", &[("Range", "bytes=0-")]).status, 416);
}

#[test]
fn siblings() {
    let mut site = site();
    for (accept, coding, body) in [
        ("gzip, deflate, br, zstd", "br", "brotli"),
        ("gzip", "gzip", "gzipped"),
        ("br;q=0.5, gzip", "gzip", "gzipped"),
        ("zstd", "", "body{}"),
        ("", "", "body{}"),
        ("br;q=0, gzip;q=0", "", "body{}"),
    ] {
        let told = site.ask("GET", "/static/app.css", &[("Accept-Encoding", accept)]);
        assert_eq!((told.field("content-encoding"), told.body.as_slice()), (coding, body.as_bytes()), "{accept}");
        assert_eq!(told.field("content-type"), "text/css; charset=utf-8");
        assert_eq!(told.field("vary"), "Accept-Encoding", "{accept}");
        let fields = [("Accept-Encoding", accept), ("If-None-Match", told.field("etag"))];
        let unchanged = site.ask("GET", "/static/app.css", &fields);
        assert_eq!((unchanged.status, unchanged.field("vary")), (304, "Accept-Encoding"));
    }
    // Each representation has an ETag of its own, even at the same size and time: a cache must not answer for br with gzip.
    site.put("app.css.gz", "gzippe");
    for name in ["app.css.br", "app.css.gz"] {
        fs::File::options()
            .append(true)
            .open(site.folder.path().join(name))
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
    }
    site.now += 1000;
    let br = site.ask("GET", "/static/app.css", &[("Accept-Encoding", "br")]);
    let fields = [("Accept-Encoding", "gzip"), ("If-None-Match", br.field("etag"))];
    assert_eq!(site.ask("GET", "/static/app.css", &fields).status, 200);
    assert_eq!(site.ask("GET", "/static/a.txt", &[("Accept-Encoding", "br")]).field("vary"), "");
    let direct = site.get("/static/app.css.gz");
    assert_eq!((direct.field("content-encoding"), direct.field("content-type")), ("", "application/gzip"));
}

#[test]
fn changes_are_seen_within_a_second() {
    let mut site = site();
    let old = site.get("/static/a.txt");
    site.put("a.txt", "changed");
    site.now += 999;
    assert_eq!(site.get("/static/a.txt"), old, "looked at more than once a second");
    site.now += 1;
    let new = site.get("/static/a.txt");
    assert_eq!((new.body.as_slice(), new.field("content-length")), (&b"changed"[..], "7"));
    assert_ne!(new.field("etag"), old.field("etag"));
    site.put("a.txt.gz", "zipped");
    site.now += 1000;
    assert_eq!(site.ask("GET", "/static/a.txt", &[("Accept-Encoding", "gzip")]).body, b"zipped");
    fs::remove_file(site.folder.path().join("a.txt")).unwrap();
    site.now += 1000;
    assert_eq!(site.get("/static/a.txt").status, 404);
    site.put("a.txt", "again");
    assert_eq!(site.get("/static/a.txt").body, b"again");
}

#[test]
fn a_large_file_stays_on_disk() {
    let mut site = site();
    let body: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
    site.put("film.mp4", &body);
    let path = b"/static/film.mp4";
    let found = site.files.lookup(b"GET", path, &Conditions::default(), 0);
    assert!(matches!(found, Found::Large { status: 200, offset: 0, len: 3_000_000, .. }), "{found:?}");
    let told = tell(found);
    assert!(told.body == body);
    assert_eq!(told.field("content-type"), "video/mp4");
    let part = site.ask("GET", "/static/film.mp4", &[("Range", "bytes=1000000-1999999")]);
    assert!(part.status == 206 && part.body == body[1_000_000..2_000_000]);
    // Replaced, as a deployment does: the one that was found is whole to its end.
    fs::rename(site.folder.path().join("a.txt"), site.folder.path().join("film.mp4")).unwrap();
    assert!(site.get("/static/film.mp4").body == body);
    site.now += 1000;
    assert_eq!(site.get("/static/film.mp4").body, b"0123456789");
}

#[test]
fn the_cache_is_bounded() {
    let mut site = Site::new(100_000);
    for number in 0..200 {
        site.put(&format!("{number}.bin"), vec![number as u8; 4000]);
    }
    for number in 0..200 {
        assert_eq!(site.get(&format!("/static/{number}.bin")).body, vec![number as u8; 4000]);
        // Asked for again and again: it stays.
        assert_eq!(site.get("/static/0.bin").body, vec![0; 4000]);
        assert!(site.files.cache.cost() <= 100_000, "{}", site.files.cache.cost());
    }
    fs::remove_file(site.folder.path().join("0.bin")).unwrap();
    fs::remove_file(site.folder.path().join("1.bin")).unwrap();
    assert_eq!(site.get("/static/0.bin").status, 200, "the one in use was evicted");
    assert_eq!(site.get("/static/1.bin").status, 404, "the oldest one was kept");
    // One that is larger than all of the cache is served still, and does not empty it.
    site.put("big.bin", vec![7; 500_000]);
    let before = site.files.cache.cost();
    assert_eq!(site.get("/static/big.bin").body.len(), 500_000);
    assert!(site.files.cache.cost() > before / 2);
    assert_eq!(site.get("/static/2.bin").status, 200);
    assert!(site.files.cache.cost() <= 100_000);
}

#[test]
fn wrong_settings() {
    let folder = tempfile::tempdir().unwrap();
    for (prefix, root, part) in [
        ("static/", folder.path(), "slash"),
        ("/static", folder.path(), "slash"),
        ("/s/", Path::new("/nowhere"), "/nowhere"),
    ] {
        let error = Files::new(prefix, root, false, 0).err().unwrap();
        assert!(error.contains(part), "{error}");
    }
}

proptest! {
    #[test]
    fn any_request_is_answered(path: Vec<u8>, fields in prop::array::uniform5(prop::option::of(prop::collection::vec(any::<u8>(), 0..40)))) {
        let mut site = site();
        let [accept_encoding, if_none_match, if_modified_since, if_range, range] = fields.each_ref().map(|value| value.as_deref());
        let conditions = Conditions { accept_encoding, if_none_match, if_modified_since, if_range, range };
        let path = [b"/static/", path.as_slice()].concat();
        let told = tell(site.files.lookup(b"GET", &path, &conditions, 0));
        prop_assert!(told.status == 404 || site.folder.path().join(std::str::from_utf8(&path[8..]).unwrap()).is_file());
        prop_assert!([200, 206, 304, 416].contains(&tell(site.files.lookup(b"GET", b"/static/app.css", &conditions, 0)).status));
    }

    #[test]
    fn a_range_is_within_the_file(value in "bytes=[0-9]{0,20}-[0-9]{0,20}", len: u64) {
        if let Range::Part { start, end } = Range::parse(value.as_bytes(), len) {
            prop_assert!(start < end && end <= len);
        }
    }
}

/// `cargo test --release -- --ignored --nocapture nanoseconds`
#[test]
#[ignore = "a measurement"]
fn nanoseconds() {
    let mut site = site();
    site.put("css/page.css", "x".repeat(1024));
    site.put("css/page.css.br", "y".repeat(300));
    let etag = site.ask("GET", "/static/css/page.css", &[("accept-encoding", "br")]).field("etag").to_owned();
    let plain = Conditions::default();
    let coded = Conditions { accept_encoding: Some(b"gzip, deflate, br, zstd"), ..plain };
    let both = Conditions { if_none_match: Some(etag.as_bytes()), ..coded };
    let rounds = 2_000_000_u64;
    for (name, path, conditions) in [
        ("plain, no fields", "/static/a.txt", plain),
        ("with a sibling, Accept-Encoding", "/static/css/page.css", coded),
        ("If-None-Match and Accept-Encoding", "/static/css/page.css", both),
    ] {
        let (start, mut out) = (thread_time(), Vec::with_capacity(4096));
        for _ in 0..rounds {
            out.clear();
            match site.files.lookup(b"GET", path.as_bytes(), std::hint::black_box(&conditions), 50) {
                Found::Memory { fields, body, start, end, .. } => {
                    out.extend_from_slice(fields);
                    out.extend_from_slice(&body[start..end]);
                }
                Found::NotModified { fields } => out.extend_from_slice(fields),
                other => panic!("{other:?}"),
            }
            std::hint::black_box(&out);
        }
        let each = (thread_time() - start).as_nanos() as f64 / rounds as f64;
        writeln!(std::io::stdout(), "files, {name}: {each:.0} ns").unwrap();
    }
}
